"""The door of the page: accepts connections in batches and holds them as mere sockets until a request has come.

The page shares its process with the reader, so what a guest can make it do is limited before any parser runs: a
connection that has sent no whole head of a request is a socket and a few bytes. Only then it goes on to uvicorn; those
without the token at a limited rate, the addresses in turn. See docs/decisions/web-connections.md.
"""

import asyncio
import re
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from digitedge.web.address import network
from digitedge.web.fair_queue import FairQueue

# Connections are accepted in batches: at once, until BATCH_BURST batches came in a row, and then one every PAUSE_S. A
# flood wakes this thread 50 times a second and has 2000 connections accepted; the system holds BACKLOG more.
BATCH = 40
BATCH_BURST = 16
PAUSE_S = 0.02
BACKLOG = 1024
# Connections that have sent no whole head, and those that have and wait for their turn. Beyond, the oldest of the
# address that has most of them is closed.
MAX_SILENT = 256
MAX_WAITING = 256
# The head of a request must be complete within this time, however slowly its bytes arrive.
HEAD_LIMIT_S = 10.0
# First line and headers, before any check.
MAX_HEAD_BYTES = 16_384
# Requests without the token that are let in, by all addresses together: a burst, and then so many a second.
GUEST_BURST = 100
GUESTS_PER_S = 100.0

_HEAD_END = re.compile(rb"\n\r?\n")
_TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing frees everything at once, and the guest learns of it


@dataclass(slots=True, eq=False)
class Newcomer:
    """A connection that is not yet let in."""

    socket: socket.socket
    address: str
    arrival: float
    head: bytearray = field(default_factory=bytearray)


class Door:
    """Accepts connections and lets in those that have sent a request.

    Everything runs in the event loop that called `open`.
    """

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
        self._allowance = float(GUEST_BURST)
        self._allowed_at = time.monotonic()
        self._next_batch = 0.0
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
        """Accept a batch; in a flood, pause after it."""
        now = time.monotonic()
        self._next_batch = max(now, self._next_batch) + PAUSE_S
        if self._next_batch > now + BATCH_BURST * PAUSE_S:
            self._stop_listening()
        self._schedule()
        for _ in range(BATCH):
            try:
                accepted, where = self._listener.accept()
            except BlockingIOError:
                break
            except OSError:  # aborted by the client, or no file descriptor is left
                break
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
        may_enter = is_known or (not self._waiting and self._may_enter())
        if may_enter and self._enter(newcomer):
            self._allowance -= not is_known
        else:
            if displaced := self._waiting.add(newcomer, newcomer.address):
                self._refuse(displaced)
            self._schedule()

    def _enter(self, newcomer: Newcomer) -> bool:
        return self._let_in(newcomer.socket, newcomer.address, bytes(newcomer.head))

    def _may_enter(self) -> bool:
        now = time.monotonic()
        self._allowance = min(GUEST_BURST, self._allowance + (now - self._allowed_at) * GUESTS_PER_S)
        self._allowed_at = now
        return self._allowance >= 1

    def _serve_waiting(self) -> None:
        """Let in one of each address, in turn, as long as there is allowance and room."""
        progress = True
        while progress:
            progress = False
            for address, newcomer in self._waiting.turns():
                if not self._may_enter():
                    return
                if self._enter(newcomer):
                    self._allowance -= 1
                    self._waiting.remove(newcomer, address)
                    progress = True

    def _drop(self, newcomer: Newcomer) -> None:
        """Close a connection that has sent nothing to be answered."""
        self._loop.remove_reader(newcomer.socket)
        with suppress(OSError):
            newcomer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        newcomer.socket.close()

    def _refuse(self, newcomer: Newcomer) -> None:
        with suppress(OSError):
            newcomer.socket.send(_TOO_MANY)
        newcomer.socket.close()
