"""Frames with their readings drawn over them, in a window."""

import threading
import time

from digitedge.camera.capture import NewestFrame, State
from digitedge.camera.loop import Update
from digitedge.camera.sinks.window import Window
from digitedge.camera.sources.base import Source
from digitedge.camera.transform import View
from digitedge.reader.overlay import draw_reading

# Frames that a screen shows in a second, at most: more are not seen.
SHOWN_FPS = 30


class Preview:
    """Shows each frame of a file or folder at its own pace."""

    def __init__(self, window: Window, source: Source) -> None:
        self._window = window
        self._source = source

    def show(self, update: Update) -> bool:
        """See `Output`. The image ends the loop on q, Esc or when its window is closed."""
        image = draw_reading(update.frame, update.reading, caption=caption(update))
        return self._window.show(image, hold_s=self._source.hold_s)


class LivePreview:
    """Shows the newest frame of a camera with the newest reading: the screen does not wait for the reader."""

    def __init__(self, window: Window, view: View) -> None:
        self._window = window
        self._view = view
        self._update: Update | None = None

    def show(self, update: Update) -> bool:
        """See `Output`: keep the update for the thread that shows."""
        self._update = update
        return True

    def run(self, newest: NewestFrame, ended: threading.Event) -> None:
        """See `Screen`."""
        while not ended.wait(0 if self._update else 1 / SHOWN_FPS):
            shot, update = newest.newest, self._update
            if shot is None or update is None:
                continue
            frame = self._view.of(shot.frame)
            age_ms = 1000 * (time.monotonic() - shot.taken)
            image = draw_reading(frame, update.reading, caption=caption(update, age_ms=age_ms, state=newest.state))
            if not self._window.show(image, hold_s=1 / SHOWN_FPS):
                return


def caption(update: Update, *, age_ms: float | None = None, state: State | None = None) -> str:
    """Rate, time to read, age of the frame and state, as short as it gets."""
    state = state or update.state
    age_ms = update.age_ms if age_ms is None else age_ms
    if state is not State.LIVE:
        return f"{state}: {age_ms / 1000:.0f} s old"
    return f"{update.fps:.0f} fps  {update.reading.ms:.0f} ms  age {age_ms:.0f} ms"
