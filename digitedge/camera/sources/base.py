"""The base classes of all sources of frames."""

import time
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""uint8 (H, W, 3) BGR or (H, W) grey, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Mode:
    """Size in pixels and frames per second requested from a camera, which uses the nearest; None: its own choice."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None


class Source(ABC):
    """Frames in order from one place: a camera, a stream, a video, images.

    Iterating opens the device and yields frames; leaving the `with` block releases it. A second loop starts from the
    beginning (of a live source: from now). Subclasses implement the generator `_frames()`.

    Attributes:
        name: where the newest frame came from: "0", "desk.mp4", "scans/page-2.png".
        time: when the newest frame was taken, in seconds since the start of the source; None for an image.
        live: True for a camera or stream, which runs whether its frames are read or not: only the newest frame is
            read, and its end is an error. Of other sources every frame is read.
        has_noise: True for a sensor: equal frames mean that it froze.
        hold_s: how long a window shows each frame, in seconds: 0 for a live source, None until a key is pressed.

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
            CameraError: the source cannot be opened or read, or a live source stops.
        """
        self.close()
        self._started = time.monotonic()
        self._running = self._frames()
        return self._running

    def _stamp(self) -> None:
        """Set `time` for a live frame that has just arrived."""
        self.time = time.monotonic() - self._started

    def interrupt(self) -> None:  # noqa: B027 - most sources wait no longer than for their next frame
        """End the wait for a frame in another thread, where the source can."""

    def close(self) -> None:
        """Release the device, if it is open."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Camera(Source):
    """A camera of this machine: a live sensor with a mode."""

    live = True
    has_noise = True

    def __init__(self, name: str, *, mode: Mode = Mode()) -> None:
        super().__init__(name)
        self._mode = mode
