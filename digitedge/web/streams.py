"""Endless responses to one viewer, server-sent events and MJPEG, as fast as that viewer reads.

A slow viewer must cost neither time nor memory. The server pauses a stream whose connection is full (see `connection`)
only when the next part is sent, and by then that part is outdated. So every part is followed by an empty one: it is
accepted when there is room again, writes nothing, and the part after it is the newest.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from digitedge.web.encoded_frames import FrameEncoder
from digitedge.web.hub import Hub

# Least time between two batches of events to one viewer, and most time without any.
BATCH_S = 0.1
HEARTBEAT_S = 2.0
# After a lost connection, browsers wait this long before they connect again.
RETRY_MS = 1000
BOUNDARY = "digitedge-frame"


async def stream_mjpeg(hub: Hub, encoder: FrameEncoder) -> AsyncIterator[bytes]:
    """Yield parts of multipart/x-mixed-replace: the newest frame, then each new one.

    Every part ends with the boundary, because browsers show an image when they see its end.
    """
    boundary = f"\r\n--{BOUNDARY}\r\n".encode()
    yield boundary[2:]
    number = max(0, hub.frame_count - 1)
    while frame := await encoder.after(number):
        number = frame.number
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(frame.jpeg)}\r\n\r\n".encode()
        yield head + frame.jpeg + boundary
        yield b""


async def stream_events(hub: Hub) -> AsyncIterator[bytes]:
    """Yield server-sent events: first the whole state, then changes, at most every BATCH_S."""
    viewer = _ViewerState(event_count=hub.event_count)
    yield f"retry: {RETRY_MS}\n\n".encode() + format_event("history", list(hub.events))
    while not hub.is_closed:
        yield viewer.changes(hub)
        yield b""
        await asyncio.sleep(BATCH_S)
        await hub.change_since(viewer.version, limit_s=HEARTBEAT_S)


@dataclass(slots=True)
class _ViewerState:
    """What was sent to one viewer."""

    version: int = -1
    event_count: int = 0
    state: str = ""
    threshold: float = -1.0

    def changes(self, hub: Hub) -> bytes:
        """Changes since the last call as events; without any, the state again as a heartbeat."""
        unsent = min(hub.event_count - self.event_count, len(hub.events))
        parts = [format_event("row", event) for event in islice(hub.events, len(hub.events) - unsent, None)]
        if self.state != hub.state or self.version == hub.version:
            parts.append(b": heartbeat\n" + format_event("state", {"state": hub.state}))
        if self.threshold != hub.reader.threshold:
            parts.append(format_event("threshold", {"threshold": hub.reader.threshold}))
        if self.version != hub.version and (reading := hub.reading_json()):
            parts.append(f"event: update\ndata: {reading}\n\n".encode())
        self.version, self.event_count = hub.version, hub.event_count
        self.state, self.threshold = hub.state, hub.reader.threshold
        return b"".join(parts)


def format_event(event: str, data: Any) -> bytes:
    r"""Format a server-sent event.

    Examples:
        >>> format_event("state", {"state": "live"})
        b'event: state\ndata: {"state": "live"}\n\n'
    """
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()
