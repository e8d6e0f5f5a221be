"""Between a source and its reader: every frame of a file, but of a camera only the newest, whatever happens to it.

A camera goes on whether its frames are read or not, so a thread takes them as they come and keeps one, the newest: the
reader never sees the past. (Rejected: OpenCV's buffer of one. V4L2 has four, network streams as many as were late, and
most drivers ignore the wish.)

A camera that is unplugged, a server that is killed, a sensor that freezes: the thread closes the source and opens it
again, sooner at first, then once a second. A read that never comes back is beyond it, so that the loop over the shots
gives up by itself in the end. It also hands out the last shot again whenever the state changes and once a second, so
that screens and programs behind it know that all is alive.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from digitedge.camera.sources.base import Frame, Source
from digitedge.errors import CameraError

# Without a new frame for so long, what is seen is not what is there any more. Slow webcams give 5 frames in a second.
STALE_S = 1.5
# A sensor whose frames are equal for so long froze.
FROZEN_S = 5.0
# How long a source may take for one frame, or to open, before nobody believes that it comes back.
HANG_S = 15.0
# Between two tries to open: doubled from the first to the last.
BACK_OFF_S = (0.1, 1.0)
# How long a lost source is waited for.
PATIENCE_S = 60.0
# The reader hears of a state within this time, and of an unchanged one every HEARTBEAT_S.
POLL_S, HEARTBEAT_S = 0.1, 1.0
# How long the end waits for a device that does not answer; the whole program ends within a second.
END_S = 0.5
# Rows of a frame of which one is compared with the frame before.
SAMPLED = 16


class State(StrEnum):
    """How a source is."""

    LIVE = "live"
    STALE = "stale"  # open, but no new frame
    RECONNECTING = "reconnecting"


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame and when and where it was taken.

    Attributes:
        frame: uint8 (H, W, 3) BGR or (H, W).
        number: of the frame in its source, from 0, counting those that nobody saw.
        source: what it is called, see `Source.name`.
        time: seconds since the start of the source; None for an image.
        taken: when it arrived, by `time.monotonic()`.
    """

    frame: Frame
    number: int
    source: str
    time: float | None
    taken: float


class Shots(Protocol):
    """Shots of one source, until it ends; the same shot again means that there is nothing new. Releases the source."""

    @property
    def state(self) -> State:
        """How the source is now."""
        ...

    def __iter__(self) -> Iterator[Shot]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class EveryFrame:
    """All frames of a file or folder, in order, each when it is asked for."""

    state = State.LIVE

    def __init__(self, source: Source) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Shot]:
        for number, frame in enumerate(self._source):
            yield Shot(frame, number, self._source.name, self._source.time, time.monotonic())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()


class NewestFrame:
    """The newest frame of a camera or stream, taken in a thread that opens it again when it is lost.

    Examples:
        >>> class Clock(Source):
        ...     live = True
        ...     def _frames(self):
        ...         for level in range(0, 200, 40):
        ...             yield np.full((48, 64), level, np.uint8)
        ...             time.sleep(0.05)
        >>> with NewestFrame(Clock("clock")) as newest:
        ...     numbers = [shot.number for shot in newest]
        >>> numbers == sorted(numbers), numbers[-1]
        (True, 4)
    """

    def __init__(self, source: Source, *, patience_s: float = PATIENCE_S) -> None:
        """Name a source; it is opened on entering the `with` block.

        Args:
            source: a live one.
            patience_s: how long a source that gave frames is waited for when it is lost. One that never gave any ends
                at once: a wrong address should be heard of at once.
        """
        self._source = source
        self._patience_s = patience_s
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"capture {source.name}", daemon=True)
        self._started = time.monotonic()
        self._shot: Shot | None = None
        self._fresh = self._started  # when the source last showed that it lives
        self._lost_since: float | None = None
        self._end: BaseException | None = None

    @property
    def state(self) -> State:
        """How the source is now."""
        if self._lost_since is not None:
            return State.RECONNECTING
        return State.STALE if time.monotonic() - self._fresh > STALE_S else State.LIVE

    @property
    def newest(self) -> Shot | None:
        """The newest shot, for whoever shows frames without waiting for their reading; None before the first."""
        return self._shot

    def __iter__(self) -> Iterator[Shot]:
        """Yield the newest shot whenever there is one, and the last one again when the state changes or time passes.

        Ends with the source, or soon after `stop`.

        Raises:
            CameraError: from the loop: it cannot be opened, or was lost for longer than `patience_s`.
        """
        last: Shot | None = None
        state, told = State.LIVE, time.monotonic()
        while not self._stop.is_set():
            shot, end = self._wait_for_news(last)
            is_due = self.state is not state or time.monotonic() - told >= HEARTBEAT_S
            if shot is not None and (shot is not last or (is_due and not end)):
                last, state, told = shot, self.state, time.monotonic()
                yield shot
            elif end is not None:
                if not isinstance(end, _End):
                    raise end
                return
            elif time.monotonic() - self._fresh > self._patience_s + HANG_S:
                raise CameraError(
                    f"{self._source.name} has not answered for {self._patience_s + HANG_S:g} s. Is it still there?"
                )

    def _wait_for_news(self, last: Shot | None) -> tuple[Shot | None, BaseException | None]:
        with self._news:
            self._news.wait_for(
                lambda: self._end is not None or self._shot is not last or self._stop.is_set(), timeout=POLL_S
            )
            return self._shot, self._end

    def stop(self) -> None:
        """End the loop over the shots and the taking of frames, from any thread."""
        self._stop.set()
        with self._news:
            self._news.notify_all()
        self._source.interrupt()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop. A device that does not answer is left to its thread, which ends when it does."""
        self.stop()
        self._thread.join(END_S)

    def _run(self) -> None:
        """Take frames until the end, and leave the reason for the end to the reader's thread."""
        try:
            self._take_all()
            end: BaseException = _End()
        except Exception as exc:  # whatever it is: the reader's thread raises it
            end = exc
        with self._news:
            self._end = end
            self._news.notify_all()

    def _take_all(self) -> None:
        pause_s = BACK_OFF_S[0]
        frozen = _Frozen() if self._source.has_noise else None
        while not self._stop.is_set():
            before = self._shot
            try:
                with self._source:
                    self._take(frozen)
                return
            except CameraError as exc:
                if self._shot is None:
                    raise
                if self._lost_since is None:
                    self._lost_since = time.monotonic()
                if time.monotonic() - self._lost_since >= self._patience_s:
                    raise CameraError(
                        f"{self._source.name} was lost and did not come back in {self._patience_s:g} s. {exc}"
                    ) from exc
                pause_s = BACK_OFF_S[0] if self._shot is not before else min(2 * pause_s, BACK_OFF_S[1])
                self._stop.wait(pause_s)

    def _take(self, frozen: "_Frozen | None") -> None:
        """Take frames until the source ends, fails or freezes, or nobody wants more."""
        for frame in self._source:
            if self._stop.is_set():
                return
            now = time.monotonic()
            if frozen is not None and frozen.is_now(frame, now):
                raise CameraError(f"{self._source.name} froze: it sends the same image again and again")
            self._fresh, self._lost_since = now, None
            number = 0 if self._shot is None else self._shot.number + 1
            with self._news:
                self._shot = Shot(frame, number, self._source.name, now - self._started, now)
                self._news.notify_all()


class _End(Exception):
    """The source came to its end."""


class _Frozen:
    """Tells a sensor that froze from one that shows images without noise, such as a virtual camera.

    Equal frames for FROZEN_S are taken for a freeze, once: when the device, opened anew, still shows the same, then its
    images have no noise, and nothing can be told from them any more.
    """

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._since = 0.0
        self._was_told = False
        self._is_noiseless = False

    def is_now(self, frame: Frame, now: float) -> bool:
        """Whether this frame is the one that makes it certain."""
        if self._is_noiseless:
            return False
        if self._frame is None or not np.array_equal(frame[::SAMPLED], self._frame[::SAMPLED]):
            self._frame, self._since, self._was_told = frame, now, False
            return False
        self._is_noiseless = self._was_told  # by the first frame after it was opened anew
        self._was_told = now - self._since >= FROZEN_S
        return self._was_told and not self._is_noiseless
