"""What a source of frames is: a loop over it, a name, a time, and a promise to let go of the device."""

import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""uint8 (H, W, 3) BGR or (H, W) grey, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What a camera is asked for; None leaves a choice to it. It answers with the nearest mode that it has.

    Attributes:
        width: of the frames, in pixels; so is `height`.
        fps: frames in a second.
    """

    width: int | None = None
    height: int | None = None
    fps: float | None = None


class Source(ABC):
    """Frames from one place, in order: a camera, a video, images, a stream.

    A loop over a source opens the device and yields frames; leaving the `with` block releases it, whatever happened. A
    second loop starts again from the beginning (a live source: from now). Subclasses write one generator, `_frames()`.

    Attributes:
        name: where the newest frame came from, as the user would say it: "0", "desk.mp4", "scans/page-2.png".
        time: when the newest frame was taken, in seconds since the start of the source; None for an image.
        live: True for a camera or stream, which goes on by itself, read or not: only its newest frame counts, and its
            loss is an error (CameraError). Of the others every frame counts, and they simply come to their end.
        has_noise: True for a sensor, of which no two frames are equal: equal ones mean that it froze.
        hold_s: how long a window shows each frame, in seconds: 0 for a live source, None for "until a key is pressed".

    Examples:
        >>> class Blank(Source):
        ...     def _frames(self):
        ...         try:
        ...             yield np.zeros((480, 640), np.uint8)
        ...         finally:
        ...             print("released")
        >>> with Blank("blank") as source:
        ...     for frame in source:
        ...         print(source.name, frame.shape)
        blank (480, 640)
        released
    """

    live: bool = False
    has_noise: bool = False
    hold_s: float | None = 0.0

    def __init__(self, name: str) -> None:
        self.name = name
        self.time: float | None = None
        self._running: Generator[Frame] | None = None
        self._started = 0.0

    @abstractmethod
    def _frames(self) -> Generator[Frame]:
        """Open the device, yield frames while setting `time` (and `name`), and release the device in a `finally`."""

    def __iter__(self) -> Generator[Frame]:
        """Start from the beginning.

        Raises:
            CameraError: from the loop, when the source cannot be opened or read, or a live source stops.
        """
        self.close()
        self._started = time.monotonic()
        self._running = self._frames()
        return self._running

    def _stamp(self) -> None:
        """Set `time` to now, for a frame of a live source that has just arrived."""
        self.time = time.monotonic() - self._started

    def interrupt(self) -> None:  # noqa: B027 - most sources wait no longer than for their next frame
        """Make a loop that waits for a frame in another thread end soon, where the source can."""

    def close(self) -> None:
        """Release the device. Harmless when there is none."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
