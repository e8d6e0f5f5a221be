"""Limits of a connection that has sent a request: time, memory for unsent data, and the number of connections.

uvicorn expects a proxy in front that sets such limits; this server has none. Its own `limit_concurrency` does not
replace them. Before a request, `door` sets the limits. See docs/decisions/web-connections.md.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

# The body of a request must be complete within this time, however slowly its bytes arrive; for the head see `door`.
BODY_LIMIT_S = 10.0
# A viewer must take a part of an answer, such as an image of a stream, within this time.
STALL_LIMIT_S = 10.0
# A browser holds two connections for a visible page, and up to four more for moments.
MAX_CONNECTIONS = 256
MAX_CONNECTIONS_PER_ADDRESS = 128
# Data held for a viewer that does not read: in the system (Linux doubles it), of which so much may be unsent; and here
# the rest of one part, such as an image.
SEND_BUFFER_BYTES = 65_536
UNSENT_BYTES = 16_384


class Connection(H11Protocol):
    """uvicorn's connection for one request, with limits."""

    def __init__(
        self, config: uvicorn.Config, state: ServerState, *, address: str, head: bytes, on_lost: Callable[[], None]
    ) -> None:
        """Take a connection that has sent `head` already."""
        super().__init__(config, state, {})
        self.address = address
        self._head = head
        self._on_lost = on_lost
        self._limit: asyncio.TimerHandle | None = None

    @property
    def is_uploading(self) -> bool:
        """Whether a request is not complete."""
        cycle = cast(Any, self.cycle)  # None before the request, despite uvicorn's annotation
        return cycle is None or cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in H11Protocol
        """Answer the request."""
        super().connection_made(transport)
        connected = cast(socket.socket, transport.get_extra_info("socket"))
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # what a viewer does not take fills up sooner
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        transport.set_write_buffer_limits(high=0)
        self._start_limit(BODY_LIMIT_S)
        self.data_received(self._head)
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Receive a part of the request."""
        super().data_received(data)
        if not self.is_uploading and not self.flow.write_paused:
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
        self._on_lost()

    def _start_limit(self, limit_s: float) -> None:
        self._end_limit()
        self._limit = self.loop.call_later(limit_s, self.transport.abort)

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class Connections:
    """All connections of a server that have sent a request."""

    def __init__(self, config: uvicorn.Config, state: ServerState) -> None:
        self._config = config
        self._state = state
        self._counts = Counter[str]()
        self._tasks = set[asyncio.Task[Any]]()

    def let_in(self, accepted: socket.socket, address: str, head: bytes) -> bool:
        """Serve a connection of an address that has sent `head`; False if there is no room."""
        is_full = self._counts.total() >= MAX_CONNECTIONS
        if (is_full or self._counts[address] >= MAX_CONNECTIONS_PER_ADDRESS) and not self._abort_an_upload(
            None if is_full else address
        ):
            return False
        self._counts[address] += 1
        is_counted = True

        def on_lost() -> None:
            nonlocal is_counted
            if is_counted:
                is_counted = False
                self._counts[address] -= 1
                if not self._counts[address]:
                    del self._counts[address]

        def create() -> Connection:
            return Connection(self._config, self._state, address=address, head=head, on_lost=on_lost)

        async def serve() -> None:
            try:
                await asyncio.get_running_loop().connect_accepted_socket(create, accepted)
            except OSError:  # the client has disconnected
                accepted.close()
                on_lost()

        task = asyncio.create_task(serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def _abort_an_upload(self, address: str | None) -> bool:
        """Abort a request, of this address or of any, that is not complete; False if there is none."""
        for one in cast(set[Connection], self._state.connections):
            if one.is_uploading and address in (None, one.address) and not one.transport.is_closing():
                one.transport.abort()
                return True
        return False
