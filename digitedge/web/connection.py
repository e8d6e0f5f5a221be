"""Limits of a connection that has sent a request: time, memory for unsent data, and the number of connections.

uvicorn expects a proxy in front that sets such limits; this server has none. Its own `limit_concurrency` does not
replace them. Before a request, `listener` sets the limits. See docs/decisions/web-connections.md.
"""

import asyncio
import os
import socket
import struct
from collections import Counter
from contextlib import suppress
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

# The body of a request must be complete within this time, however slowly its bytes arrive; for the head see `listener`.
BODY_LIMIT_S = 10.0
# The same where files are uploaded; there the page itself demands a rate.
UPLOAD_LIMIT_S = 300.0
# A viewer must take a part of an answer, such as an image of a stream, within this time.
STALL_LIMIT_S = 10.0
# A browser holds two connections for a visible page, and up to four more for moments.
MAX_CONNECTIONS = 256
MAX_CONNECTIONS_PER_ADDRESS = 128
# Data held for a viewer that does not read: in the system (Linux doubles it), of which so much may be unsent; and here
# the rest of one part, such as an image.
SEND_BUFFER_BYTES = 65_536
UNSENT_BYTES = 16_384


# For SO_LINGER: on, for 0 s.
_NO_LINGER = struct.pack("HH" if os.name == "nt" else "ii", 1, 0)


def reset_on_close(accepted: socket.socket) -> None:
    """Make closing a socket free all that the system holds for it, and tell the other side of it."""
    with suppress(OSError):  # it has disconnected
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


class Connection(H11Protocol):
    """uvicorn's connection for one request, with limits."""

    def __init__(self, server: "Connections", *, address: str, head: bytes) -> None:
        """Take a connection of an address that has sent `head` already."""
        super().__init__(server.config, server.state, {})
        self.address = address
        self._server = server
        self._head = head
        self._limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in H11Protocol
        """Answer the request."""
        super().connection_made(transport)
        connected = cast(socket.socket, transport.get_extra_info("socket"))
        with suppress(OSError):  # macOS: the client has disconnected
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # a viewer that does not read is noticed sooner
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        transport.set_write_buffer_limits(high=0)
        self._server.uploading[self] = None
        self._start_limit(UPLOAD_LIMIT_S if self._server.takes_uploads else BODY_LIMIT_S)
        self.data_received(self._head)

    def data_received(self, data: bytes) -> None:
        """Receive a part of the request."""
        super().data_received(data)
        cycle = cast(Any, self.cycle)  # None before the request, despite uvicorn's annotation
        if self in self._server.uploading and cycle is not None and not cycle.more_body:
            del self._server.uploading[self]
            self._end_limit()

    def pause_writing(self) -> None:
        """Wait for a viewer that does not read."""
        super().pause_writing()
        self._start_limit(STALL_LIMIT_S)

    def resume_writing(self) -> None:
        """Go on: the viewer has read."""
        super().resume_writing()
        self._end_limit()

    def on_response_complete(self) -> None:
        """Wait until the viewer has read the end."""
        super().on_response_complete()
        self._start_limit(STALL_LIMIT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room."""
        self._end_limit()
        super().connection_lost(exc)
        self._server.uploading.pop(self, None)
        self._server.forget(self.address)

    def abort(self) -> None:
        """End the connection at once; without the reset, the system would keep for minutes what was not read."""
        reset_on_close(self.transport.get_extra_info("socket"))
        self.transport.abort()

    def _start_limit(self, limit_s: float) -> None:
        self._end_limit()
        self._limit = self.loop.call_later(limit_s, self.abort)

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class Connections:
    """All connections of a server that have sent the head of a request.

    Attributes:
        config, state: uvicorn's.
        takes_uploads: whether the body of a request may take long.
        uploading: those whose request has a body that is not complete, oldest first.
    """

    def __init__(self, config: uvicorn.Config, state: ServerState, *, takes_uploads: bool = False) -> None:
        self.config = config
        self.state = state
        self.takes_uploads = takes_uploads
        self.uploading: dict[Connection, None] = {}
        self._counts = Counter[str]()
        self._tasks = set[asyncio.Task[None]]()

    def admit(self, accepted: socket.socket, address: str, head: bytes) -> bool:
        """Serve a connection that has sent `head`, if need be in place of an upload; False if there is no room."""
        is_full = self._counts.total() >= MAX_CONNECTIONS
        if is_full or self._counts[address] >= MAX_CONNECTIONS_PER_ADDRESS:
            upload = next((one for one in self.uploading if is_full or one.address == address), None)
            if upload is None:
                return False
            del self.uploading[upload]
            upload.abort()
        self._counts[address] += 1
        task = asyncio.create_task(self._serve(accepted, address, head))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def forget(self, address: str) -> None:
        """Count one connection of this address less."""
        self._counts[address] -= 1
        if not self._counts[address]:
            del self._counts[address]

    async def _serve(self, accepted: socket.socket, address: str, head: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: Connection(self, address=address, head=head), accepted)
        except OSError:  # macOS: the client has disconnected
            accepted.close()
            self.forget(address)
