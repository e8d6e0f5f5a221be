"""One connection: how long it may take to ask, how much it may hold back, and how many there may be.

uvicorn trusts its clients, because it usually stands behind a proxy. This server stands alone in a school's network.
"""

import asyncio
import socket
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

# A request must be whole within so long, however slowly it drips in.
REQUEST_S = 10.0
# Bytes of a first line and headers that are read before anyone decides about them.
LONGEST_HEAD = 16_384
# Connections at a time. A browser holds two for a page that it shows, and up to four more for moments.
MOST_CONNECTIONS = 256
# What is held for a viewer that does not read: in the system's buffer (Linux doubles it), and in ours before a stream
# has to wait. A stream writes whole images, so one more may come on top.
SYSTEM_BUFFER, OUR_BUFFER = 65_536, 16_384
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(H11Protocol):
    """uvicorn's connection with limits."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in H11Protocol
        """Admit a newcomer; when it is full, in place of one who has not asked for anything yet."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS and not self._make_room():
            transport.write(_FULL)
            transport.close()
            return
        cast(socket.socket, transport.get_extra_info("socket")).setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, SYSTEM_BUFFER
        )
        transport.set_write_buffer_limits(high=OUR_BUFFER)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._forget()
        super().connection_lost(exc)

    @property
    def is_idle(self) -> bool:
        """Whether there is no whole request that is being answered."""
        cycle = cast(Any, self.cycle)  # None before the first request, whatever uvicorn's type says
        return cycle is None or cycle.response_complete or cycle.more_body

    def _watch(self) -> None:
        if not self.is_idle:
            self._forget()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_S, self.transport.abort)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_room(self) -> bool:
        others = cast(set[Connection], self.connections)
        waiting = [one for one in others if one is not self and one.is_idle and one._deadline is not None]
        if not waiting:
            return False
        min(waiting, key=lambda one: cast(asyncio.TimerHandle, one._deadline).when()).transport.abort()
        return True
