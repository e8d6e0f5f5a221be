"""What all viewers know in common: the newest update, the last events, the threshold, and when one of them is new."""

import asyncio
import json
import time
from collections import deque
from contextlib import suppress
from datetime import datetime
from typing import Any

from digitedge.camera.loop import Update
from digitedge.reader.reader import Reader

# Events that those who come late get to see.
HISTORY = 50
# The loop gives an update at least once a second, while the camera is lost as well. Without one for so long, it hangs.
SILENCE_S = 5.0
WAITING, STALE = "waiting", "stale"


class Hub:
    """News, handed from the loop's thread to the event loop of the server, and waited for there.

    `put` may be called from any thread, everything else only in the event loop, so that nothing needs a lock.

    Attributes:
        reader: whose threshold viewers set.
        newest: the last update; None before the first.
        frames: how many new frames there were.
        events: the last HISTORY events of stable rows, as JSON, oldest first.
        happened: how many events there were.
        version: grows with all news.
        ended: whether the page is closing: nobody waits any more.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.newest: Update | None = None
        self.frames = 0
        self.events: deque[dict[str, Any]] = deque(maxlen=HISTORY)
        self.happened = 0
        self.version = 0
        self.ended = False
        self._arrived = 0.0
        self._json: str | None = None
        self._json_state = WAITING
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()

    def start(self) -> None:
        """Take updates from now on, in the event loop that runs."""
        self._loop = asyncio.get_running_loop()

    def put(self, update: Update) -> None:
        """Hand over an update, from any thread, at once."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the event loop has ended
                self._loop.call_soon_threadsafe(self._take, update)

    def set_threshold(self, threshold: float) -> None:
        """Set the least confidence of a digit, 0 to 1, from the next frame on."""
        self.reader.threshold = threshold
        self._notify()

    def end(self) -> None:
        """Send everyone home."""
        self.ended = True
        self._notify()

    @property
    def state(self) -> str:
        """How the source is: "waiting" for its first frame, or a `digitedge.camera.State`."""
        if self.newest is None:
            return WAITING
        return STALE if time.monotonic() - self._arrived > SILENCE_S else str(self.newest.state)

    def reading_json(self) -> str | None:
        """The newest update with the threshold, as JSON on one line, made once for all; None before the first."""
        if self.newest is not None and (self._json is None or self._json_state != self.state):
            self._json_state = self.state
            reading = self.newest.to_dict() | {"state": self._json_state, "threshold": self.reader.threshold}
            self._json = json.dumps(reading, allow_nan=False)
        return self._json

    async def news(self, since: int, *, limit_s: float | None = None) -> None:
        """Wait until the version is another than `since`, or for `limit_s`."""
        if self.version == since and not self.ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), limit_s)

    async def frame_after(self, number: int) -> None:
        """Wait until there were more frames than `number`, or for the end."""
        while self.frames <= number and not self.ended:
            await self.news(self.version)

    def _take(self, update: Update) -> None:
        self.newest, self._arrived = update, time.monotonic()
        self.frames += update.is_new
        at = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self.events.extend(event.to_dict() | {"at": at} for event in update.events)
        self.happened += len(update.events)
        self._notify()

    def _notify(self) -> None:
        self.version += 1
        self._json = None
        self._news.set()
        self._news = asyncio.Event()
