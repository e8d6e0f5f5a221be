"""What goes on and on to one viewer: server-sent events and MJPEG, as fast as that viewer reads.

A viewer who is slow must cost neither time nor memory. The server holds back a stream whose connection is full (see
`connection`), but only when the next piece is sent, and then that piece is the oldest. So every piece is followed by an
empty one: it comes through when there is room again, nothing is written for it, and what is taken next is the newest.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from digitedge.web.encoded_frames import Images
from digitedge.web.hub import Hub

# Between two batches of events to one viewer; and how long nothing is sent at most.
BATCH_S, HEARTBEAT_S = 0.1, 2.0
# How soon a browser comes back, in milliseconds.
RETRY_MS = 1000
BOUNDARY = "digitedge-frame"


async def mjpeg(hub: Hub, images: Images) -> AsyncIterator[bytes]:
    """Yield parts of multipart/x-mixed-replace: the newest image, then each new one.

    Every part ends with the boundary, because browsers show an image when they see where it ends.
    """
    boundary = f"\r\n--{BOUNDARY}\r\n".encode()
    yield boundary[2:]
    number = max(0, hub.frames - 1)
    while image := await images.after(number):
        number = image.number
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(image.jpeg)}\r\n\r\n".encode()
        yield head + image.jpeg + boundary
        yield b""


async def events(hub: Hub) -> AsyncIterator[bytes]:
    """Yield server-sent events: at first everything that is known, then what is new, at most every BATCH_S."""
    known = _Known(happened=hub.happened)
    yield f"retry: {RETRY_MS}\n\n".encode() + message("history", list(hub.events))
    while not hub.ended:
        yield known.news(hub)
        yield b""
        await asyncio.sleep(BATCH_S)
        await hub.news(known.version, limit_s=HEARTBEAT_S)


@dataclass(slots=True)
class _Known:
    """What one viewer was told."""

    version: int = -1
    happened: int = 0
    state: str = ""
    threshold: float = -1.0

    def news(self, hub: Hub) -> bytes:
        """What is new to this viewer, as messages; if nothing is, the state once more, as a sign of life."""
        parts: list[bytes] = []
        missed = min(hub.happened - self.happened, len(hub.events))
        parts += [message("reading", event) for event in islice(hub.events, len(hub.events) - missed, None)]
        if self.state != hub.state or self.version == hub.version:
            parts.append(b": still here\n" + message("state", {"state": hub.state}))
        if self.threshold != hub.reader.threshold:
            parts.append(message("threshold", {"threshold": hub.reader.threshold}))
        if self.version != hub.version and (reading := hub.reading_json()):
            parts.append(f"event: update\ndata: {reading}\n\n".encode())
        self.version, self.happened = hub.version, hub.happened
        self.state, self.threshold = hub.state, hub.reader.threshold
        return b"".join(parts)


def message(event: str, data: Any) -> bytes:
    r"""Write one server-sent event.

    Examples:
        >>> message("state", {"state": "live"})
        b'event: state\ndata: {"state": "live"}\n\n'
    """
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
