"""Readings as lines on standard output: JSON for programs, rows for people."""

import json
import os
import sys

from digitedge.camera.capture import CameraState
from digitedge.camera.loop import Update
from digitedge.camera.tracking.stable_rows import Change
from digitedge.utils.text import printable


class JsonSink:
    """Prints each update as one JSON object on one line, schema "digitedge.reading/1"."""

    def __init__(self, *, events_only: bool = False) -> None:
        """`events_only`: only updates with an event of a stable row or a change of the state."""
        self._events_only = events_only
        self._state = CameraState.LIVE

    def show(self, update: Update) -> bool:
        """See `Sink`."""
        has_event = bool(update.events) or update.state is not self._state
        self._state = update.state
        if self._events_only and not has_event:
            return True
        return print_line(json.dumps(update.to_dict(), allow_nan=False))


class RowSink:
    """Prints each row once, when it becomes stable; of images, the rows of each after its name."""

    def show(self, update: Update) -> bool:
        """See `Sink`."""
        reading = update.reading
        if reading.time is None:
            return print_line(f"{reading.source}: {reading.summary}")
        return all([print_line(event.row.text) for event in update.events if event.change is not Change.LEFT])


def print_line(line: str) -> bool:
    """Print and flush a line, printable; return False when the pipe is closed, as after `| head -1`."""
    try:
        print(printable(line), flush=True)
    except BrokenPipeError:
        # Python flushes stdout again at exit, and would print an error then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True
