"""The listener of the page: accepts connections in batches and holds them as mere sockets until a request has come.

The page shares its process with the reader, so what a guest can make it do is limited before any parser runs: a
connection that has sent no whole head of a request is a socket and a few bytes. Only then it goes on to uvicorn; those
without the token at a limited rate, the addresses round robin. See docs/decisions/web-connections.md.
"""

import asyncio
import math
import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from digitedge.web.address import network
from digitedge.web.connection import reset_on_close
from digitedge.web.fair_queue import FairQueue
from digitedge.web.rate_limit import RateLimiter

# Connections are accepted in batches. A flood of single ones wakes this thread WAKE_UPS times, then once every PAUSE_S.
# ACCEPT_BURST of them are accepted at once, then ACCEPTS_PER_S: 6 % of the time, at 50 us each on an x86-64 server. The
# system holds BACKLOG more, for less than two seconds.
BATCH = 100  # below MAX_SILENT, so that each can send its request before it is evicted
WAKE_UPS = 16
PAUSE_S = 0.02
ACCEPT_BURST = 12_000
ACCEPTS_PER_S = 1200
BACKLOG = 2048
# Connections that have sent no whole head, and those that have and wait to be admitted, for less than two seconds.
# Beyond, the oldest of the address that has most of them is closed. On Windows, select() takes 512 sockets,
# and `connection` needs up to 256 of them.
MAX_SILENT = 128 if os.name == "nt" else 256
MAX_WAITING = 96
# The head of a request must be complete within this time, however slowly its bytes arrive.
HEAD_LIMIT_S = 10.0
# First line and headers, before any check.
MAX_HEAD_BYTES = 16_384
# Requests without the token that are admitted, by all addresses together: a burst, and then so many a second, which
# cost 3 % of the time (0.6 ms each).
GUEST_BURST = 100
GUESTS_PER_S = 50

_HEAD_END = re.compile(rb"\n\r?\n")
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True, eq=False)
class PendingConnection:
    """A connection that is not yet admitted."""

    socket: socket.socket
    address: str
    arrival: float
    head: bytearray = field(default_factory=bytearray)


class Listener:
    """Accepts connections and admits those that have sent a request. Made and used in the event loop."""

    def __init__(
        self,
        listening: socket.socket,
        *,
        token: str | None,
        admit: Callable[[socket.socket, str, bytes], bool],
        limits_guests: bool = True,
    ) -> None:
        """Set up the listener.

        Args:
            listening: a listening socket.
            token: requests whose head contains it do not wait. Whether it stands at the right place is checked later.
            admit: takes a connection with its address and what it has sent; False if there is no room.
            limits_guests: whether requests without the token are admitted at a limited rate.
        """
        self._socket = listening
        self._token = token.encode() if token else None
        self._admit_connection = admit
        self._loop = asyncio.get_running_loop()
        self._silent = FairQueue[PendingConnection](limit=MAX_SILENT)
        self._waiting = FairQueue[PendingConnection](limit=MAX_WAITING)
        self._wake_ups = RateLimiter(burst=WAKE_UPS, per_s=1 / PAUSE_S)
        self._accepts = RateLimiter(burst=ACCEPT_BURST, per_s=ACCEPTS_PER_S)
        self._guests = RateLimiter(burst=GUEST_BURST if limits_guests else math.inf, per_s=GUESTS_PER_S)
        self._is_accepting = False
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Start to accept connections."""
        self._socket.setblocking(False)
        self._socket.listen(BACKLOG)
        self._listen()

    def close(self) -> None:
        """Stop, and close all connections that were not admitted."""
        self._stop_listening()
        if self._timer is not None:
            self._timer.cancel()
        for pending in self._silent:
            self._drop(pending)
        for pending in self._waiting:
            self._refuse(pending)

    def _listen(self) -> None:
        self._is_accepting = True
        self._loop.add_reader(self._socket, self._accept)

    def _stop_listening(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            self._loop.remove_reader(self._socket)

    def _accept(self) -> None:
        """Accept a batch. Pause unless it is full, which ends a flood soonest, or the first for a while."""
        self._schedule()
        now = time.monotonic()
        for _ in range(BATCH):
            if not self._accepts.take():
                self._stop_listening()
                return
            try:
                accepted, where = self._socket.accept()
            except OSError:  # none is left, or it was aborted by the client, or no file descriptor is left
                self._accepts.give_back()
                if not self._wake_ups.take():
                    self._stop_listening()
                return
            accepted.setblocking(False)
            pending = PendingConnection(accepted, network(where[0]), now)
            self._loop.add_reader(accepted, self._receive, pending)
            if evicted := self._silent.add(pending, pending.address):
                self._drop(evicted)

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(PAUSE_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._is_accepting:
            self._listen()
        self._serve_waiting()
        expired = time.monotonic() - HEAD_LIMIT_S
        for pending in self._silent:
            if pending.arrival < expired:
                self._silent.remove(pending, pending.address)
                self._drop(pending)
        for pending in self._waiting:
            if pending.arrival < expired:
                self._waiting.remove(pending, pending.address)
                self._refuse(pending)
        if self._silent or self._waiting:
            self._schedule()

    def _receive(self, pending: PendingConnection) -> None:
        """Take bytes of a head."""
        try:
            data = pending.socket.recv(MAX_HEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        head = pending.head
        searched_from = max(0, len(head) - 3)
        head += data
        # uvicorn answers what is no HTTP, such as TLS, and a head that is too long.
        is_complete = _HEAD_END.search(head, searched_from) or head[:1] < b"!" or len(head) > MAX_HEAD_BYTES
        if data and not is_complete:
            return
        self._silent.remove(pending, pending.address)
        if data:
            self._loop.remove_reader(pending.socket)
            self._ask(pending)
        else:
            self._drop(pending)

    def _ask(self, pending: PendingConnection) -> None:
        """Admit a request, or let it wait."""
        is_known = self._token is not None and self._token in pending.head
        if (is_known and self._admit(pending)) or (not self._waiting and self._admit_guest(pending)):
            return
        if evicted := self._waiting.add(pending, pending.address):
            self._refuse(evicted)
        self._schedule()

    def _serve_waiting(self) -> None:
        """Admit one of each address, round robin, as long as the rate limit and the room permit."""
        has_admitted = True
        while has_admitted and self._waiting:
            has_admitted = False
            for pending in self._waiting.round_robin():
                if self._admit_guest(pending):
                    self._waiting.remove(pending, pending.address)
                    has_admitted = True

    def _admit_guest(self, pending: PendingConnection) -> bool:
        if not self._guests.take():
            return False
        if not self._admit(pending):
            self._guests.give_back()
            return False
        return True

    def _admit(self, pending: PendingConnection) -> bool:
        return self._admit_connection(pending.socket, pending.address, bytes(pending.head))

    def _drop(self, pending: PendingConnection) -> None:
        """Close a connection that has sent nothing to be answered."""
        self._loop.remove_reader(pending.socket)
        reset_on_close(pending.socket)
        pending.socket.close()

    def _refuse(self, pending: PendingConnection) -> None:
        with suppress(OSError):
            pending.socket.send(_TOO_MANY)
        pending.socket.close()
