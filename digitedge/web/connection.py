"""Limits of a connection: time for a request, memory for unsent data, and the number of connections.

uvicorn expects a proxy in front that sets such limits; this server has none. Its own `limit_concurrency` does not
replace them. See docs/decisions/web-connections.md.
"""

import asyncio
import socket
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

# A request must be complete within this time, however slowly its bytes arrive.
REQUEST_LIMIT_S = 10.0
# First line and headers, before any check.
MAX_HEAD_BYTES = 16_384
# A browser holds two connections for a visible page, and up to four more for moments.
MAX_CONNECTIONS = 256
# Data held for a viewer that does not read: in the system (Linux doubles it), and here before a stream has to wait. A
# stream writes whole images, so one more may be added.
SEND_BUFFER_BYTES = 65_536
WRITE_BUFFER_BYTES = 16_384
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(H11Protocol):
    """uvicorn's connection with limits."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in H11Protocol
        """Accept a connection; above the limit only in place of an idle one."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS and not self._abort_an_idle_one():
            transport.write(_TOO_MANY)
            transport.close()
            return
        connected = cast(socket.socket, transport.get_extra_info("socket"))
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        self._update_deadline()

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request."""
        super().data_received(data)
        self._update_deadline()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._update_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._cancel_deadline()
        super().connection_lost(exc)

    def _update_deadline(self) -> None:
        cycle = cast(Any, self.cycle)  # None before the first request, despite uvicorn's annotation
        if cycle is not None and not cycle.response_complete and not cycle.more_body:  # answering
            self._cancel_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_LIMIT_S, self.transport.abort)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _abort_an_idle_one(self) -> bool:
        """Abort the connection that has been idle longest; False if all are busy."""
        others = cast(set[Connection], self.connections)
        deadlines = {one: one._deadline.when() for one in others if one is not self and one._deadline is not None}
        if not deadlines:
            return False
        min(deadlines, key=deadlines.__getitem__).transport.abort()
        return True
