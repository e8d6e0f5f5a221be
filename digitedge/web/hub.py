"""The state that all viewers share: newest update, last events, threshold; and the notification of changes."""

import asyncio
import json
import threading
import time
from collections import deque
from contextlib import suppress
from datetime import datetime
from typing import Any

from digitedge.camera.loop import Update
from digitedge.reader import Reader

MAX_EVENTS = 50
# The loop sends an update at least once a second, even while the camera is lost. Without one for so long, it hangs.
STALE_AFTER_S = 5.0
WAITING = "waiting"
STALE = "stale"


class Hub:
    """Passes updates from the loop's thread to the event loop of the server.

    `publish` may be called from any thread, everything else only in the event loop. However busy that is, one update
    waits for it at most: the next one replaces it, and only its events and the count of frames are kept.

    Attributes:
        reader: whose threshold viewers set.
        newest: the last update; None before the first.
        frame_count: number of new frames so far.
        events: the last MAX_EVENTS events of stable rows, as JSON, oldest first; `event_count` counts all.
        version: incremented by every change.
        is_closed: whether the page closes; then nothing waits any more.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.newest: Update | None = None
        self.frame_count = 0
        self.events: deque[dict[str, Any]] = deque(maxlen=MAX_EVENTS)
        self.event_count = 0
        self.version = 0
        self.is_closed = False
        self._updated_at = 0.0
        self._json: str | None = None
        self._json_state = WAITING
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()  # of the three below
        self._unreceived: Update | None = None
        self._new_frames = 0
        self._new_events = deque[dict[str, Any]](maxlen=MAX_EVENTS)
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Accept updates in the running event loop."""
        self._loop = asyncio.get_running_loop()

    def publish(self, update: Update) -> None:
        """Pass on an update, from any thread, without waiting."""
        if self._loop is None:
            return
        at = datetime.now().astimezone().isoformat(timespec="milliseconds")
        with self._lock:
            is_first = self._unreceived is None
            self._unreceived = update
            self._new_frames += update.is_new
            self._new_events.extend(event.to_dict() | {"at": at} for event in update.events)
        if is_first:
            with suppress(RuntimeError):  # the event loop is closed
                self._loop.call_soon_threadsafe(self._receive)

    def set_threshold(self, threshold: float) -> None:
        """Set the confidence threshold, 0 to 1, from the next frame on."""
        self.reader.threshold = threshold
        self._notify()

    def close(self) -> None:
        """Wake all waiting tasks for the last time."""
        self.is_closed = True
        self._notify()

    @property
    def state(self) -> str:
        """State of the source: "waiting" for its first frame, or a `digitedge.camera.CameraState`."""
        if self.newest is None:
            return WAITING
        return STALE if time.monotonic() - self._updated_at > STALE_AFTER_S else str(self.newest.state)

    def reading_json(self) -> str | None:
        """The newest update with the threshold as one line of JSON, made once for all; None before the first."""
        if self.newest is not None and (self._json is None or self._json_state != self.state):
            self._json_state = self.state
            reading = self.newest.to_dict() | {"state": self._json_state, "threshold": self.reader.threshold}
            self._json = json.dumps(reading, allow_nan=False)
        return self._json

    async def change_since(self, version: int, *, limit_s: float | None = None) -> None:
        """Wait for a version other than `version`, at most `limit_s`."""
        if self.version == version and not self.is_closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), limit_s)

    async def frame_after(self, number: int) -> None:
        """Wait until `frame_count` exceeds `number` or the page closes."""
        while self.frame_count <= number and not self.is_closed:
            await self.change_since(self.version)

    def _receive(self) -> None:
        with self._lock:
            self.newest, self._unreceived = self._unreceived, None
            self.frame_count += self._new_frames
            self.events.extend(self._new_events)
            self.event_count += len(self._new_events)
            self._new_frames = 0
            self._new_events.clear()
        self._updated_at = time.monotonic()
        self._notify()

    def _notify(self) -> None:
        self.version += 1
        self._json = None
        self._changed.set()
        self._changed = asyncio.Event()
