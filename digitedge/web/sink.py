"""The page as an output of the loop: a server in a thread of its own, from entering the `with` block to leaving it."""

import asyncio
import re
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from digitedge.camera.loop import Update
from digitedge.errors import DigitEdgeError, InputError, require
from digitedge.reader.reader import Reader
from digitedge.web.address import Address, listen
from digitedge.web.hub import Hub

if TYPE_CHECKING:
    from digitedge.web.server import Service

# How long the server may take to start and to end.
START_S, END_S = 10.0, 2.0
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class WebPage:
    """A live page of a reader, for browsers and programs.

    Examples:
        >>> with WebPage(Address(0), Reader()) as page:
        ...     page.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        address: Address,
        reader: Reader,
        *,
        token: str | None = None,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Say where; the port is opened on entering the `with` block.

        Args:
            address: where to listen.
            reader: whose readings are shown. Viewers set its threshold, and their drawings are classified by its
                classifier, in another thread than the loop's.
            token: what viewers must bring. None: beyond this machine a new one, on this machine none.
            log: gets a line with the address to open, when there is something to open.

        Raises:
            InputError: a token that is short, or would have to be quoted in an address.
            MissingExtraError: starlette or uvicorn is not installed.
        """
        require("starlette", extra="web")
        require("uvicorn", extra="web")
        if token is not None and not re.fullmatch(r"[A-Za-z0-9._~-]{8,}", token):
            raise InputError("expected a token of 8 or more letters, digits, dots, dashes, got another. Leave it out.")
        self.address = address
        self.token = token
        self._log = log
        self._hub = Hub(reader)
        self._service: Service | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The whole address to open, with the token."""
        return self.address.url + (f"?token={self.token}" if self.token else "")

    @property
    def encoded(self) -> int:
        """How many images were encoded."""
        return self._service.images.encoded if self._service else 0

    def show(self, update: Update) -> bool:
        """See `digitedge.camera.Output`: hand the update over and return at once."""
        self._hub.put(update)
        return True

    def __enter__(self) -> Self:
        """Open the port and start to serve.

        Raises:
            InputError: the port is taken, or not for us, or the host is none of this machine.
            DigitEdgeError: the server does not start.
        """
        from digitedge.web.server import Service

        listener = listen(self.address)
        host, port = listener.getsockname()[:2]
        self.address = replace(self.address, port=port)
        is_local = ip_address(host).is_loopback
        if not is_local and self.token is None:
            self.token = secrets.token_urlsafe(16)
        names = LOCAL_NAMES | {self.address.host.lower()} if is_local else None
        self._service = Service(self._hub, token=self.token, names=names, cookie=f"digitedge_{port}")
        started = threading.Event()
        self._thread = threading.Thread(
            target=_run, args=(self._service, listener, started), name=f"web page {port}", daemon=True
        )
        self._thread.start()
        if not started.wait(START_S):
            raise DigitEdgeError(f"the page did not start within {START_S:.0f} s. Is this machine very busy?")
        self._log(f"page: {self.url}")
        return self

    def __exit__(self, *_: object) -> None:
        """Take leave of all viewers and close the port."""
        if self._service is not None and self._thread is not None:
            self._service.stop()
            self._thread.join(END_S)


def _run(service: "Service", listener: socket.socket, started: threading.Event) -> None:
    with listener:
        asyncio.run(service.run(listener, started.set))
