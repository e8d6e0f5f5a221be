"""The door of the page: accepts connections in batches and holds them as mere sockets until a request has come.

The page shares its process with the reader, so what a guest can make it do is limited before any parser runs: a
connection that has sent no whole head of a request is a socket and a few bytes. Only then it goes on to uvicorn; those
without the token at a limited rate, the addresses in turn. See docs/decisions/web-connections.md.
"""

import asyncio
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from digitedge.web.address import network
from digitedge.web.allowance import Allowance
from digitedge.web.connection import reset_on_close
from digitedge.web.fair_queue import FairQueue

# Connections are accepted in batches. A flood of single ones wakes this thread WAKE_UPS times, then once every PAUSE_S.
# ACCEPT_BURST of them are accepted at once, then ACCEPTS_PER_S: 6 % of the time, at 50 us each on an x86-64 server. The
# system holds BACKLOG more, for less than two seconds.
BATCH = 100  # below MAX_SILENT, so that each can send its request before it is displaced
WAKE_UPS = 16
PAUSE_S = 0.02
ACCEPT_BURST = 12_000
ACCEPTS_PER_S = 1200
BACKLOG = 2048
# Connections that have sent no whole head, and those that have and wait for their turn, for less than two seconds.
# Beyond, the oldest of the address that has most of them is closed.
MAX_SILENT = 256
MAX_WAITING = 96
# The head of a request must be complete within this time, however slowly its bytes arrive.
HEAD_LIMIT_S = 10.0
# First line and headers, before any check.
MAX_HEAD_BYTES = 16_384
# Requests without the token that are let in, by all addresses together: a burst, and then so many a second, which cost
# 3 % of the time (0.6 ms each).
GUEST_BURST = 100
GUESTS_PER_S = 50

_HEAD_END = re.compile(rb"\n\r?\n")
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True, eq=False)
class Newcomer:
    """A connection that is not yet let in."""

    socket: socket.socket
    address: str
    arrival: float
    head: bytearray = field(default_factory=bytearray)


class Door:
    """Accepts connections and lets in those that have sent a request. Made and used in the event loop."""

    def __init__(
        self, listener: socket.socket, *, token: str | None, let_in: Callable[[socket.socket, str, bytes], bool]
    ) -> None:
        """Set up the door.

        Args:
            listener: a listening socket.
            token: requests whose head contains it do not wait. Whether it stands at the right place is checked later.
            let_in: takes a connection with its address and what it has sent; False if there is no room.
        """
        self._listener = listener
        self._token = token.encode() if token else None
        self._let_in = let_in
        self._loop = asyncio.get_running_loop()
        self._silent = FairQueue[Newcomer](limit=MAX_SILENT)
        self._waiting = FairQueue[Newcomer](limit=MAX_WAITING)
        self._wake_ups = Allowance(burst=WAKE_UPS, per_s=1 / PAUSE_S)
        self._accepts = Allowance(burst=ACCEPT_BURST, per_s=ACCEPTS_PER_S)
        self._guests = Allowance(burst=GUEST_BURST, per_s=GUESTS_PER_S)
        self._is_accepting = False
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Start to accept connections."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._listen()

    def close(self) -> None:
        """Stop, and close all connections that were not let in."""
        self._stop_listening()
        if self._timer is not None:
            self._timer.cancel()
        for newcomer in self._silent:
            self._drop(newcomer)
        for newcomer in self._waiting:
            self._refuse(newcomer)

    def _listen(self) -> None:
        self._is_accepting = True
        self._loop.add_reader(self._listener, self._accept)

    def _stop_listening(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            self._loop.remove_reader(self._listener)

    def _accept(self) -> None:
        """Accept a batch. Pause unless it is full, which ends a flood soonest, or the first for a while."""
        self._schedule()
        now = time.monotonic()
        for _ in range(BATCH):
            if not self._accepts.take():
                self._stop_listening()
                return
            try:
                accepted, where = self._listener.accept()
            except OSError:  # none is left, or it was aborted by the client, or no file descriptor is left
                self._accepts.give_back()
                if not self._wake_ups.take():
                    self._stop_listening()
                return
            accepted.setblocking(False)
            newcomer = Newcomer(accepted, network(where[0]), now)
            self._loop.add_reader(accepted, self._receive, newcomer)
            if displaced := self._silent.add(newcomer, newcomer.address):
                self._drop(displaced)

    def _schedule(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(PAUSE_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._is_accepting:
            self._listen()
        self._serve_waiting()
        expired = time.monotonic() - HEAD_LIMIT_S
        for newcomer in self._silent:
            if newcomer.arrival < expired:
                self._silent.remove(newcomer, newcomer.address)
                self._drop(newcomer)
        for newcomer in self._waiting:
            if newcomer.arrival < expired:
                self._waiting.remove(newcomer, newcomer.address)
                self._refuse(newcomer)
        if self._silent or self._waiting:
            self._schedule()

    def _receive(self, newcomer: Newcomer) -> None:
        """Take bytes of a head."""
        try:
            data = newcomer.socket.recv(MAX_HEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        head = newcomer.head
        searched_from = max(0, len(head) - 3)
        head += data
        # uvicorn answers what is no HTTP, such as TLS, and a head that is too long.
        is_complete = _HEAD_END.search(head, searched_from) or head[:1] < b"!" or len(head) > MAX_HEAD_BYTES
        if data and not is_complete:
            return
        self._silent.remove(newcomer, newcomer.address)
        if data:
            self._loop.remove_reader(newcomer.socket)
            self._ask(newcomer)
        else:
            self._drop(newcomer)

    def _ask(self, newcomer: Newcomer) -> None:
        """Let a request in, or let it wait for its turn."""
        is_known = self._token is not None and self._token in newcomer.head
        if (is_known and self._enter(newcomer)) or (not self._waiting and self._enter_as_guest(newcomer)):
            return
        if displaced := self._waiting.add(newcomer, newcomer.address):
            self._refuse(displaced)
        self._schedule()

    def _serve_waiting(self) -> None:
        """Let in one of each address, in turn, as long as there is allowance and room."""
        has_entered = True
        while has_entered and self._waiting:
            has_entered = False
            for newcomer in self._waiting.turns():
                if self._enter_as_guest(newcomer):
                    self._waiting.remove(newcomer, newcomer.address)
                    has_entered = True

    def _enter_as_guest(self, newcomer: Newcomer) -> bool:
        if not self._guests.take():
            return False
        if not self._enter(newcomer):
            self._guests.give_back()
            return False
        return True

    def _enter(self, newcomer: Newcomer) -> bool:
        return self._let_in(newcomer.socket, newcomer.address, bytes(newcomer.head))

    def _drop(self, newcomer: Newcomer) -> None:
        """Close a connection that has sent nothing to be answered."""
        self._loop.remove_reader(newcomer.socket)
        reset_on_close(newcomer.socket)
        newcomer.socket.close()

    def _refuse(self, newcomer: Newcomer) -> None:
        with suppress(OSError):
            newcomer.socket.send(_TOO_MANY)
        newcomer.socket.close()
