"""The live loop: a frame from the source, read by the reader, handed to the outputs.

    source -> reader.read -> Reading -> outputs: window, JSON lines, plain lines

An output is anything with `show(frame, reading, fps)`, so a web page or a message broker is one more small class.
"""

import json
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from digitedge.camera.frames import Frame, Source
from digitedge.camera.overlay import draw_reading
from digitedge.camera.window import Window
from digitedge.reader import Reading


class FrameReader(Protocol):
    """Anything that reads frames: `digitedge.Reader`, or three lines in a test."""

    def read(self, frame: Frame, *, source: str = "", index: int = 0, time: float | None = None) -> Reading:
        """See `digitedge.Reader.read`."""
        ...


class Output(Protocol):
    """Where readings go."""

    def show(self, frame: Frame, reading: Reading, fps: float) -> bool:
        """Take a reading and its frame; answer False to end the loop.

        Args:
            frame: uint8 (H, W, 3) BGR or (H, W), as it came from the source.
            reading: what it says.
            fps: frames read in a second, measured over the last ones; 0 for the first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Session:
    """What a run of the loop was: how many frames, in how many seconds."""

    frames: int
    seconds: float


def run(source: Source, reader: FrameReader, outputs: Sequence[Output], *, max_frames: int | None = None) -> Session:
    """Read every frame until the source ends, an output wants to end, or `max_frames` are read. Releases the source.

    Args:
        source: where frames come from, see `open_source`.
        reader: what reads them.
        outputs: what gets each reading, in this order.
        max_frames: at most this many frames; None for all.

    Raises:
        CameraError: the source cannot be opened or read, or a live one stops. KeyboardInterrupt passes as well.
    """
    rate = FrameRate()
    frames = 0
    started = time.monotonic()
    with source:
        for index, frame in enumerate(islice(source, max_frames)):
            reading = reader.read(frame, source=source.name, index=index, time=source.time)
            frames = index + 1
            fps = rate.tick()
            if not all([output.show(frame, reading, fps) for output in outputs]):
                break
    return Session(frames, time.monotonic() - started)


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


class Preview:
    """Shows each frame with its reading drawn over it, at the source's own pace."""

    def __init__(self, window: Window, source: Source) -> None:
        self._window = window
        self._source = source

    def show(self, frame: Frame, reading: Reading, fps: float) -> bool:
        """See `Output`. The picture ends the loop on q, Esc or when its window is closed."""
        caption = f"{fps:.0f} fps  {reading.ms:.0f} ms"
        return self._window.show(draw_reading(frame, reading, caption=caption), hold_s=self._source.hold_s)


class JsonLines:
    """Prints each reading as one JSON object on one line, schema "digitedge.reading/1"."""

    def show(self, frame: Frame, reading: Reading, fps: float) -> bool:
        """See `Output`."""
        return _print(json.dumps(reading.to_dict(), allow_nan=False))


class RowLines:
    """Prints the rows, whenever they change: "2026  51"; pictures with their names, each."""

    def __init__(self) -> None:
        self._last: tuple[str, tuple[str, ...]] = ("", ())

    def show(self, frame: Frame, reading: Reading, fps: float) -> bool:
        """See `Output`."""
        is_picture = reading.time is None
        state = (reading.source if is_picture else "", reading.rows)
        if state == self._last:
            return True
        self._last = state
        line = "  ".join(reading.rows) or "-"
        return _print(f"{reading.source}: {line}" if is_picture else line)


def _print(line: str) -> bool:
    """Print a line at once; False when nobody reads them any more, as after `| head -1`."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        # Python flushes stdout once more when it exits, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
