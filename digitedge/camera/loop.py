"""The live loop: read the frames of a source, track digits and rows over time, and pass updates to the sinks.

    source -> capture -> transform -> reader -> digit tracker -> row tracker -> Update -> sinks

A sink is anything with `show(update)`. The next frame waits for it, so slow work belongs into a thread of the sink.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from digitedge.camera.capture import END_S, PATIENCE_S, CameraState, Capture, CapturedFrame, LiveCapture
from digitedge.camera.motion import MotionGate
from digitedge.camera.sources.base import Frame, Source
from digitedge.camera.tracking.stable_rows import RowEvent, RowTracker, StableRow
from digitedge.camera.tracking.tracker import DigitTracker, FrameClock
from digitedge.errors import InputError
from digitedge.reader.reading import Reading, arrange
from digitedge.reader.row_filter import RowFilter
from digitedge.utils.transform import Transform


class FrameReader(Protocol):
    """Anything that reads frames, such as `digitedge.Reader`."""

    def read(self, image: Frame, /, *, source: str = "", index: int = 0, time: float | None = None) -> Reading:
        """See `digitedge.Reader.read`."""


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """What sinks receive after a frame, and when the state of the source has changed.

    Attributes:
        frame: uint8 (H, W, 3) BGR or (H, W), as it was read.
        reading: of the frame; of a video or camera with digits by vote.
        is_new: False without a new frame: frame and reading are those of the update before.
        age_ms: milliseconds since the frame was taken.
        fps: frames read per second; 0 for the first.
    """

    frame: Frame
    reading: Reading
    state: CameraState
    is_new: bool
    age_ms: float
    fps: float
    stable: tuple[StableRow, ...] = ()
    events: tuple[RowEvent, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON as `camera --json` prints it, schema "digitedge.reading/1"."""
        return self.reading.to_dict() | {
            "state": str(self.state),
            "is_new": self.is_new,
            "age_ms": round(self.age_ms, 1),
            "fps": round(self.fps, 1),
            "stable": [row.to_dict() for row in self.stable],
            "events": [event.to_dict() for event in self.events],
        }


class Sink(Protocol):
    """Where updates go."""

    def show(self, update: Update) -> bool:
        """Take an update; return False to end the loop."""


class Display(Sink, Protocol):
    """A sink that shows the newest frame in the main thread, while another thread reads."""

    def run(self, capture: LiveCapture, ended: threading.Event) -> None:
        """Show frames until the user quits or `ended` is set."""


@dataclass(frozen=True, slots=True)
class Session:
    """Number of frames read by a run of the loop, and how long it took."""

    frames: int
    seconds: float


def run(
    source: Source,
    reader: FrameReader,
    sinks: Sequence[Sink] = (),
    *,
    display: Display | None = None,
    transform: Transform = Transform(),  # noqa: B008 - frozen
    row_filter: RowFilter = RowFilter(),  # noqa: B008 - frozen
    max_frames: int | None = None,
    patience_s: float = PATIENCE_S,
    idle_fps: float | None = None,
    heartbeat: Callable[[], object] = lambda: None,
) -> Session:
    """Read until the source ends, a sink ends the loop, or `max_frames` are read. Releases the source.

    Args:
        source: of a live one the newest frame is read, of others every frame. See `open_source`.
        reader: reads the frames.
        sinks: receive each update, in this order.
        display: shows a live source at its own rate, in the calling thread.
        transform: applied to each frame before it is read.
        row_filter: which rows can become stable.
        max_frames: at most this many frames, >= 1; None for all.
        patience_s: how long a live source that was lost is waited for.
        idle_fps: frames of a live source that are read per second while nothing moves, see `MotionGate`; None for all.
        heartbeat: called after every frame, read or skipped, and about once a second while a live source gives none:
            as long as the loop does not hang.

    Raises:
        CameraError: the source cannot be opened or read, or was lost for too long.
        InputError: a display for a source that is not live, or `max_frames` below 1.
    """
    if max_frames is not None and max_frames < 1:
        raise InputError(f"run() reads 1 frame or more, got max_frames={max_frames}")
    if display is not None and not source.live:
        raise InputError(f"a display shows live sources, got {source.name}. Use PreviewSink as a sink.")
    started = time.monotonic()
    gate = MotionGate(idle_fps) if source.live and idle_fps is not None else None
    with LiveCapture(source, patience_s=patience_s) if source.live else Capture(source) as capture:
        all_sinks = [*sinks, display] if display else sinks
        loop = _Loop(capture, reader, transform, RowTracker(row_filter), all_sinks, gate, heartbeat)
        if display is not None and isinstance(capture, LiveCapture):
            _run_beside(display, capture, loop, max_frames)
        else:
            loop.run(max_frames)
    return Session(loop.frames, time.monotonic() - started)


class FrameRate:
    """Frames per second, over the last `span` frames.

    Examples:
        >>> rate = FrameRate()
        >>> [rate.tick(now) for now in (0.0, 0.5, 1.0)]
        [0.0, 2.0, 2.0]
    """

    def __init__(self, span: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=span + 1)

    def tick(self, now: float | None = None) -> float:
        """Count a frame, at `now` in seconds or at this moment, and return the rate; 0 until there are two."""
        self._times.append(time.monotonic() if now is None else now)
        elapsed = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / elapsed if elapsed > 0 else 0.0


@dataclass(slots=True, eq=False)
class _Loop:
    """One run of the loop; `frames` counts those that were read."""

    capture: Capture
    reader: FrameReader
    transform: Transform
    rows: RowTracker
    sinks: Sequence[Sink]
    gate: MotionGate | None
    heartbeat: Callable[[], object]
    digits: DigitTracker = field(default_factory=DigitTracker)
    clock: FrameClock = field(default_factory=FrameClock)
    rate: FrameRate = field(default_factory=FrameRate)
    frames: int = 0

    def run(self, max_frames: int | None) -> None:
        last: tuple[CapturedFrame, Update] | None = None
        for captured in self.capture:
            if last is not None and captured is last[0]:
                update = self._repeat(*last)
            elif last and self.gate is not None and self.gate.should_skip(captured.frame, captured.arrival):
                last = captured, last[1]  # it is yielded again when the state changes
                self.heartbeat()
                continue
            else:
                update = self._read(captured)
                self.frames += 1
            last = captured, update
            goes_on = all([sink.show(update) for sink in self.sinks])
            self.heartbeat()
            if not goes_on or self.frames == max_frames:
                break

    def _repeat(self, captured: CapturedFrame, update: Update) -> Update:
        """Return the last update with the present state and age."""
        state = self.capture.state
        if state is not CameraState.LIVE:
            self.rate = FrameRate()  # do not count the gap
        age_ms = 1000 * (time.monotonic() - captured.arrival)
        fps = update.fps if state is CameraState.LIVE else 0.0
        return replace(update, state=state, is_new=False, age_ms=age_ms, fps=fps, events=())

    def _read(self, captured: CapturedFrame) -> Update:
        frame = self.transform.apply(captured.frame)
        reading = self.reader.read(frame, source=captured.source, index=captured.number, time=captured.time)
        events: tuple[RowEvent, ...] = ()
        if reading.time is not None:  # images are not tracked
            now = self.clock.tick(reading.time)
            if self.clock.had_gap:
                self.digits.reset()
                self.rows.forget_unstable()
            reading = replace(reading, **arrange(self.digits.update(reading.digits, now=now)))
            events = self.rows.update(reading, now=now)
        age_ms = 1000 * (time.monotonic() - captured.arrival)
        return Update(frame, reading, self.capture.state, True, age_ms, self.rate.tick(), self.rows.rows, events)


def _run_beside(display: Display, capture: LiveCapture, loop: _Loop, max_frames: int | None) -> None:
    """Run the loop in a thread and the display in this one; raise here what the loop raised."""
    ended = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        try:
            loop.run(max_frames)
        except BaseException as exc:
            errors.append(exc)
        finally:
            ended.set()

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    try:
        display.run(capture, ended)
    finally:
        capture.stop()
        thread.join(END_S)  # a sink that hangs is left to the daemon thread
    if errors:
        raise errors[0]
