"""Take every frame of a file, but only the newest of a camera, which is reopened when it is lost.

See docs/decisions/camera-sources.md.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np

from digitedge.camera.sources.base import Frame, Source
from digitedge.errors import CameraError

# Without a new frame for so long, the last one is stale. Slow webcams give 5 frames a second.
STALE_S = 1.5
# A sensor whose frames are equal for so long is frozen.
FROZEN_S = 5.0
# How long a source may take to open, or for one frame, before it is given up.
HANG_S = 15.0
# Pause between two tries to open, doubled from the first value to the second.
BACK_OFF_S = (0.1, 1.0)
# How long a lost source is waited for.
PATIENCE_S = 60.0
# A change of state is reported within POLL_S, an unchanged state every HEARTBEAT_S.
POLL_S = 0.1
HEARTBEAT_S = 1.0
# How long to wait at the end for a device that does not answer.
END_S = 0.5
# Frames are compared by every so many rows.
ROW_STEP = 16


class CameraState(StrEnum):
    """State of a source."""

    LIVE = "live"
    STALE = "stale"  # open, but no new frame
    RECONNECTING = "reconnecting"


@dataclass(frozen=True, slots=True, eq=False)
class CapturedFrame:
    """A frame with its source and time.

    Attributes:
        frame: uint8 (H, W, 3) BGR or (H, W).
        number: of the frame in its source, from 0, counting skipped ones.
        time: seconds since the start of the source; None for an image.
        arrival: when it arrived, by `time.monotonic()`.
    """

    frame: Frame
    number: int
    source: str
    time: float | None
    arrival: float


class Capture:
    """Every frame of a source, in order. Leaving the `with` block releases the source."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @property
    def state(self) -> CameraState:
        """State of the source now."""
        return CameraState.LIVE

    def __iter__(self) -> Iterator[CapturedFrame]:
        for number, frame in enumerate(self._source):
            yield CapturedFrame(frame, number, self._source.name, self._source.time, time.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()


class LiveCapture(Capture):
    """The newest frame of a camera or stream, read in a thread that reopens a lost source.

    Examples:
        >>> class Ramp(Source):
        ...     live = True
        ...     def _frames(self):
        ...         for grey in range(0, 200, 40):
        ...             yield np.full((48, 64), grey, np.uint8)
        ...             time.sleep(0.05)
        >>> with LiveCapture(Ramp("ramp")) as capture:
        ...     numbers = [captured.number for captured in capture]
        >>> numbers == sorted(numbers), numbers[-1]
        (True, 4)
    """

    def __init__(self, source: Source, *, patience_s: float = PATIENCE_S) -> None:
        """Wait up to `patience_s` for a lost source; one that never gave a frame is an error at once."""
        super().__init__(source)
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"capture {source.name}", daemon=True)
        self._started = time.monotonic()
        self._latest: CapturedFrame | None = None
        self._last_arrival = self._started
        self._lost_since: float | None = None
        self._has_ended = False
        self._error: Exception | None = None
        self._freeze_detector = _FreezeDetector() if source.has_noise else None

    @property
    def state(self) -> CameraState:
        """State of the source now."""
        if self._lost_since is not None:
            return CameraState.RECONNECTING
        return CameraState.STALE if time.monotonic() - self._last_arrival > STALE_S else CameraState.LIVE

    @property
    def latest(self) -> CapturedFrame | None:
        """The newest frame; None before the first."""
        return self._latest

    def __iter__(self) -> Iterator[CapturedFrame]:
        """Yield each new frame, and the last one again when the state changes and every HEARTBEAT_S.

        Ends with the source, or soon after `stop`.

        Raises:
            CameraError: the source cannot be opened, was lost for longer than `patience_s`, or hangs.
        """
        last: CapturedFrame | None = None
        state, reported = CameraState.LIVE, time.monotonic()
        while not self._stop.is_set():
            latest, has_ended = self._wait(last)
            is_due = self.state is not state or time.monotonic() - reported >= HEARTBEAT_S
            if latest is not None and (latest is not last or (is_due and not has_ended)):
                last, state, reported = latest, self.state, time.monotonic()
                yield latest
            elif has_ended:
                if self._error is not None:
                    raise self._error
                return
            elif time.monotonic() - self._last_arrival > self._patience_s + HANG_S:
                raise CameraError(
                    f"{self._source.name} has not answered for {self._patience_s + HANG_S:g} s. Is it still there?"
                )

    def _wait(self, last: CapturedFrame | None) -> tuple[CapturedFrame | None, bool]:
        """Wait up to POLL_S for another frame than `last`; return the newest frame and whether the source has ended."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._has_ended or self._latest is not last or self._stop.is_set(), timeout=POLL_S
            )
            return self._latest, self._has_ended

    def stop(self) -> None:
        """End the iteration and the reading of frames, from any thread."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._source.interrupt()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop. A device that does not answer is left to its daemon thread."""
        self.stop()
        self._thread.join(END_S)

    def _run(self) -> None:
        """Read frames to the end; an error is raised by the iterating thread."""
        try:
            self._read_and_reopen()
        except Exception as exc:
            self._error = exc
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _read_and_reopen(self) -> None:
        pause_s = BACK_OFF_S[0]
        while not self._stop.is_set():
            before = self._latest
            try:
                with self._source:
                    self._read()
                return
            except CameraError as exc:
                if self._latest is None:
                    raise
                if self._lost_since is None:
                    self._lost_since = time.monotonic()
                if time.monotonic() - self._lost_since >= self._patience_s:
                    raise CameraError(
                        f"{self._source.name} was lost and did not come back in {self._patience_s:g} s. {exc}"
                    ) from exc
                pause_s = BACK_OFF_S[0] if self._latest is not before else min(2 * pause_s, BACK_OFF_S[1])
                self._stop.wait(pause_s)

    def _read(self) -> None:
        """Read frames until the source ends, fails or freezes, or `stop` is called."""
        for frame in self._source:
            if self._stop.is_set():
                return
            now = time.monotonic()
            if self._freeze_detector is not None and self._freeze_detector.is_frozen(frame, now):
                raise CameraError(f"{self._source.name} froze: it sends the same image again and again")
            self._last_arrival, self._lost_since = now, None
            number = 0 if self._latest is None else self._latest.number + 1
            with self._changed:
                self._latest = CapturedFrame(frame, number, self._source.name, now - self._started, now)
                self._changed.notify_all()


class _FreezeDetector:
    """Distinguishes a frozen sensor from a source without noise, such as a virtual camera.

    If the reopened device still shows the same frame, its images have no noise, and freezes cannot be detected.
    """

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._since = 0.0
        self._was_frozen = False
        self._is_noiseless = False

    def is_frozen(self, frame: Frame, now: float) -> bool:
        """Tell whether the source froze, once for each freeze."""
        if self._is_noiseless:
            return False
        if self._frame is None or not np.array_equal(frame[::ROW_STEP], self._frame[::ROW_STEP]):
            self._frame, self._since, self._was_frozen = frame, now, False
            return False
        self._is_noiseless = self._was_frozen  # by the first frame after it was reopened
        self._was_frozen = now - self._since >= FROZEN_S
        return self._was_frozen and not self._is_noiseless
