"""The live loop: the newest frame of the source, read, followed over time, and handed to the outputs.

    source -> capture -> view -> reader -> tracking -> stable rows -> Update -> outputs

An output is anything with `show(update)`: a window, JSON lines, a web page, a message broker. Outputs must be quick,
for the next frame waits for them; those that have slow work to do, do it in a thread of their own.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from digitedge.camera.capture import END_S, PATIENCE_S, EveryFrame, NewestFrame, Shot, Shots, State
from digitedge.camera.motion import Stillness
from digitedge.camera.sources.base import Frame, Source
from digitedge.camera.tracking.stable_rows import RowEvent, Rules, StableRow, StableRows
from digitedge.camera.tracking.tracker import Clock, Tracker, followed
from digitedge.camera.transform import View
from digitedge.errors import InputError
from digitedge.reader.reader import Reading


class FrameReader(Protocol):
    """Anything that reads frames: `digitedge.Reader`, or three lines in a test."""

    def read(self, frame: Frame, *, source: str = "", index: int = 0, time: float | None = None) -> Reading:
        """See `digitedge.Reader.read`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """What is known after a frame, or when the state of the source has changed.

    Attributes:
        frame: uint8 (H, W, 3) BGR or (H, W), as it was read.
        reading: what it says; of a video or camera with digits by vote, see `tracking`.
        state: how the source is.
        is_new: False when there is no new frame: frame and reading are those of the update before.
        age_ms: milliseconds since the frame was taken; after reading it, or now when it is not new.
        fps: frames read in a second, measured over the last ones; 0 for the first.
        stable: rows that frames agree on.
        events: what has just happened to them.
    """

    frame: Frame
    reading: Reading
    state: State
    is_new: bool
    age_ms: float
    fps: float
    stable: tuple[StableRow, ...] = ()
    events: tuple[RowEvent, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON as `camera --json` prints it: a reading, schema "digitedge.reading/1", with what time adds."""
        return self.reading.to_dict() | {
            "state": str(self.state),
            "is_new": self.is_new,
            "age_ms": round(self.age_ms, 1),
            "fps": round(self.fps, 1),
            "stable": [row.to_dict() for row in self.stable],
            "events": [event.to_dict() for event in self.events],
        }


class Output(Protocol):
    """Where readings go."""

    def show(self, update: Update) -> bool:
        """Take an update; answer False to end the loop."""
        ...


class Screen(Protocol):
    """An output that needs the main thread: it shows the newest frame, while another thread reads."""

    def show(self, update: Update) -> bool:
        """See `Output`."""
        ...

    def run(self, newest: NewestFrame, ended: threading.Event) -> None:
        """Show frames until the user or `ended` ends it."""
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """What a run of the loop was: how many frames were read, in how many seconds."""

    frames: int
    seconds: float


def run(
    source: Source,
    reader: FrameReader,
    outputs: Sequence[Output] = (),
    *,
    screen: Screen | None = None,
    view: View = View(),  # noqa: B008 - frozen
    rules: Rules = Rules(),  # noqa: B008 - frozen
    max_frames: int | None = None,
    patience_s: float = PATIENCE_S,
    idle_fps: float | None = None,
) -> Session:
    """Read until the source ends, an output wants to end, or `max_frames` are read. Releases the source.

    Args:
        source: where frames come from, see `open_source`. Of a live one the newest frame is read, of others each.
        reader: what reads them.
        outputs: what gets each update, in this order.
        screen: shows a live source at its own pace; it gets the main thread. Of others, show each frame by an output.
        view: what of a frame is read.
        rules: which rows count.
        max_frames: at most this many frames, >= 1; None for all.
        patience_s: how long a live source that was lost is waited for.
        idle_fps: how many frames a second of a live source are read while nothing moves, see `stillness`; None for all.

    Raises:
        CameraError: the source cannot be opened or read, or was lost for too long. KeyboardInterrupt passes as well.
        InputError: a screen for a source that is not live, or no frame to read.
    """
    if max_frames is not None and max_frames < 1:
        raise InputError(f"run() reads 1 frame or more, got max_frames={max_frames}")
    if screen is not None and not source.live:
        raise InputError(f"a screen shows live sources, got {source.name}; use Preview as an output")
    started = time.monotonic()
    if not source.live:
        with EveryFrame(source) as every:
            loop = _Loop(every, reader, view, rules, outputs)
            loop.run(max_frames)
    else:
        with NewestFrame(source, patience_s=patience_s) as newest:
            stillness = None if idle_fps is None else Stillness(idle_fps)
            loop = _Loop(newest, reader, view, rules, [*outputs, *([screen] if screen else [])], stillness)
            if screen is None:
                loop.run(max_frames)
            else:
                _run_beside(screen, newest, loop, max_frames)
    return Session(loop.frames, time.monotonic() - started)


class _Loop:
    """One pass from frames to updates, and what it remembers from frame to frame.

    Attributes:
        frames: how many were read.
    """

    def __init__(
        self,
        shots: Shots,
        reader: FrameReader,
        view: View,
        rules: Rules,
        outputs: Sequence[Output],
        stillness: Stillness | None = None,
    ) -> None:
        self._shots = shots
        self._reader = reader
        self._view = view
        self._outputs = outputs
        self._stillness = stillness
        self._clock = Clock()
        self._tracker = Tracker()
        self._rows = StableRows(rules)
        self._rate = FrameRate()
        self.frames = 0

    def run(self, max_frames: int | None) -> None:
        """Run to the end."""
        last: tuple[Shot, Update] | None = None
        for shot in self._shots:
            if last is not None and shot is last[0]:
                update = self._again(*last)
            elif last and self._stillness is not None and self._stillness.spares(shot.frame, shot.taken):
                last = shot, last[1]  # so that it is known when it comes again, because the state has changed
                continue
            else:
                update = self._read(shot)
                self.frames += 1
            last = shot, update
            wants_more = all([output.show(update) for output in self._outputs])
            if not wants_more or self.frames == max_frames:
                break

    def _again(self, shot: Shot, update: Update) -> Update:
        """The last update, as it stands now that there is no new frame."""
        state = self._shots.state
        if state is not State.LIVE:
            self._rate = FrameRate()  # the gap is no rate
        age_ms = 1000 * (time.monotonic() - shot.taken)
        fps = update.fps if state is State.LIVE else 0.0
        return replace(update, state=state, is_new=False, age_ms=age_ms, fps=fps, events=())

    def _read(self, shot: Shot) -> Update:
        frame = self._view.of(shot.frame)
        reading = self._reader.read(frame, source=shot.source, index=shot.number, time=shot.time)
        events: tuple[RowEvent, ...] = ()
        if reading.time is not None:  # images have nothing to do with each other
            now = self._clock.tick(reading.time)
            if self._clock.had_gap:
                self._tracker.forget()
                self._rows.forget()
            reading = followed(reading, self._tracker, now=now)
            events = self._rows.follow(reading, now=now)
        age_ms = 1000 * (time.monotonic() - shot.taken)
        return Update(frame, reading, self._shots.state, True, age_ms, self._rate.tick(), self._rows.rows, events)


def _run_beside(screen: Screen, newest: NewestFrame, loop: _Loop, max_frames: int | None) -> None:
    """Run the loop in a thread, the screen in this one; what the loop raised is raised here."""
    ended = threading.Event()
    failure: list[BaseException] = []

    def read() -> None:
        try:
            loop.run(max_frames)
        except BaseException as exc:
            failure.append(exc)
        finally:
            ended.set()

    thread = threading.Thread(target=read, name="reader", daemon=True)
    thread.start()
    try:
        screen.run(newest, ended)
    finally:
        newest.stop()
        thread.join(END_S)  # one frame; an output that hangs is left to its thread
    if failure:
        raise failure[0]


class FrameRate:
    """Frames in a second, over the last `span` frames.

    Examples:
        >>> rate = FrameRate()
        >>> [rate.tick(now) for now in (0.0, 0.5, 1.0)]
        [0.0, 2.0, 2.0]
    """

    def __init__(self, span: int = 30) -> None:
        self._times: deque[float] = deque(maxlen=span + 1)

    def tick(self, now: float | None = None) -> float:
        """Count a frame, at `now` in seconds or at this moment, and give the rate; 0 until there are two."""
        self._times.append(time.monotonic() if now is None else now)
        elapsed = self._times[-1] - self._times[0]
        return (len(self._times) - 1) / elapsed if elapsed > 0 else 0.0
