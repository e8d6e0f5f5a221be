"""A page served from a thread of its own, from entering the `with` block to leaving it."""

import asyncio
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

from digitedge.errors import DigitEdgeError, InputError, require
from digitedge.web.address import Address, bracketed, listen

if TYPE_CHECKING:
    from digitedge.web.server import Page, WebServer

START_LIMIT_S = 10.0
STOP_LIMIT_S = 2.0
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class PageThread:
    """Serves a page; beyond this machine only to those who have the token.

    Attributes:
        address: where the page is; once it is served with the port that was chosen.
        token: required of viewers; None if the page is for this machine alone.
        takes_uploads: see `digitedge.web.server.WebServer`.
    """

    takes_uploads = False

    def __init__(self, address: Address, *, token: str | None, log: Callable[[str], object]) -> None:
        """Configure the server; the port is opened on entering the `with` block.

        Args:
            address: where to listen.
            token: required of viewers. None: a new one if the page is served beyond this machine, else no token.
            log: receives a line with the URL; with the token only if it is a new one.

        Raises:
            InputError: the token is too short or has characters that a URL would escape.
            MissingExtraError: starlette or uvicorn is not installed.
        """
        require("starlette", extra="web")
        require("uvicorn", extra="web")
        if token is not None and not re.fullmatch(r"[A-Za-z0-9._~-]{8,}", token):
            raise InputError("expected a token of 8 or more letters, digits, dots, dashes, got another. Leave it out.")
        self.address = address
        self.token = token
        self._is_new_token = token is None
        self._log = log
        self._server: WebServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The URL to open, with the token."""
        return self.address.url + (f"?token={self.token}" if self.token else "")

    def make_page(self) -> "Page":
        """Make the page when the port is open; it needs the web extra."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Open the port and serve.

        Raises:
            InputError: see `listen`.
            DigitEdgeError: the server does not start.
        """
        from digitedge.web.server import WebServer

        listener = listen(self.address)
        host, port = listener.getsockname()[:2]
        self.address = replace(self.address, port=port)
        is_local = ip_address(host).is_loopback
        if not is_local and self.token is None:
            self.token = secrets.token_urlsafe(16)
        hosts = [*LOCAL_HOSTS, bracketed(self.address.host)] if is_local else ["*"]
        server = WebServer(
            self.make_page(),
            token=self.token,
            allowed_hosts=hosts,
            cookie=f"digitedge_{port}",
            takes_uploads=self.takes_uploads,
        )
        started = threading.Event()

        def serve() -> None:
            # The selector loop on every system: the listener waits for sockets, which Windows' own loop cannot.
            with listener, asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(server.run(listener, started.set))

        self._server = server
        self._thread = threading.Thread(target=serve, name=f"web page {port}", daemon=True)
        self._thread.start()
        if not started.wait(START_LIMIT_S):
            raise DigitEdgeError(f"the page did not start within {START_LIMIT_S:.0f} s. Is this machine very busy?")
        # A token that was given is a secret, which no log may hold. A new one must be printed.
        self._log(f"page: {self.url}" if self._is_new_token else f"page: {self.address.url}?token=..., with your token")
        return self

    def __exit__(self, *_: object) -> None:
        """End all streams and close the port."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join(STOP_LIMIT_S)
