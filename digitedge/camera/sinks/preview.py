"""Frames in a window, with their readings drawn in."""

import threading
import time
from dataclasses import replace

from digitedge.camera.capture import CameraState, LiveCapture
from digitedge.camera.loop import Update
from digitedge.camera.sinks.window import Window
from digitedge.camera.sources.base import Source
from digitedge.reader.overlay import draw_reading
from digitedge.utils.transform import Transform

# Frames per second that a live preview shows at most.
SHOWN_FPS = 30


class PreviewSink:
    """Shows each frame of a file or folder at its own pace."""

    def __init__(self, window: Window, source: Source) -> None:
        self._window = window
        self._source = source

    def show(self, update: Update) -> bool:
        """See `Sink`. The loop ends on q, Esc or when the window is closed."""
        image = draw_reading(update.frame, update.reading, caption=caption(update))
        return self._window.show(image, hold_s=self._source.hold_s)


class LivePreviewSink:
    """Shows the newest frame of a camera with the newest reading, without waiting for the reader. A `Display`."""

    def __init__(self, window: Window, transform: Transform) -> None:
        self._window = window
        self._transform = transform
        self._update: Update | None = None

    def show(self, update: Update) -> bool:
        """See `Sink`: keep the update for the thread that shows it."""
        self._update = update
        return True

    def run(self, capture: LiveCapture, ended: threading.Event) -> None:
        """See `Display`."""
        while not ended.wait(0 if self._update else 1 / SHOWN_FPS):
            captured, update = capture.latest, self._update
            if captured is None or update is None:
                continue
            frame = self._transform.apply(captured.frame)
            update = replace(update, state=capture.state, age_ms=1000 * (time.monotonic() - captured.arrival))
            image = draw_reading(frame, update.reading, caption=caption(update))
            if not self._window.show(image, hold_s=1 / SHOWN_FPS):
                return


def caption(update: Update) -> str:
    """Return rate, reading time and age of a frame; without a live camera its state and age."""
    if update.state is not CameraState.LIVE:
        return f"{update.state}: {update.age_ms / 1000:.0f} s old"
    return f"{update.fps:.0f} fps  {update.reading.ms:.0f} ms  age {update.age_ms:.0f} ms"
