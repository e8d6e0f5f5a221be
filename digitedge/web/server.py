"""uvicorn as a page needs it: silent, without signal handlers, and shut down without waiting for streams."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, cast

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp

from digitedge.web.access import SECURITY_HEADERS, AccessControl
from digitedge.web.connection import Connection, Connections
from digitedge.web.drain import DrainBody
from digitedge.web.listener import MAX_HEAD_BYTES, Listener

# Time for streams to end by themselves before their connections are aborted.
SHUTDOWN_S = 0.2
# One thread encodes frames, one does everything else that takes milliseconds.
WORKERS = 2
# What is read of a body that is refused, by a page that takes uploads.
MAX_DRAINED_BYTES = 20_000_000


class Page(Protocol):
    """What is served. Its methods are called in the event loop."""

    @property
    def app(self) -> ASGIApp:
        """The routes, without access control."""

    def start(self) -> None:
        """Start what runs beside the routes."""

    def close(self) -> None:
        """End all endless responses; may be called twice."""

    async def finish(self) -> None:
        """Wait for the end of what `start` has started, after `close`."""


class WebServer:
    """The part of a page that runs in the event loop."""

    def __init__(
        self, page: Page, *, token: str | None, allowed_hosts: Sequence[str], cookie: str, takes_uploads: bool = False
    ) -> None:
        """Set up the server of a page.

        Args:
            page: what is served.
            token: see `AccessControl`.
            allowed_hosts: without port and IPv6 in brackets, or "*"; they stop DNS rebinding: another site that gives
                127.0.0.1 its own name.
            cookie: see `AccessControl`.
            takes_uploads: the page limits its requests itself: bodies may take long, one that is refused is read to its
                end, and without a token nobody is a guest.
        """
        app: ASGIApp = AccessControl(page.app, token=token, cookie=cookie)
        app = TrustedHostMiddleware(app, allowed_hosts, www_redirect=False)
        if takes_uploads:
            app = DrainBody(app, max_bytes=MAX_DRAINED_BYTES)
        self._page = page
        self._server = _UvicornServer(
            uvicorn.Config(
                app,
                http="h11",
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # clients' mistakes are warnings; errors are our own
                access_log=False,  # URLs may contain the token
                proxy_headers=False,
                server_header=False,
                # One request per connection: what the listener limits is limited altogether.
                headers=[*SECURITY_HEADERS.items(), ("Connection", "close")],
                h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            ),
            token=token,
            takes_uploads=takes_uploads,
            on_shutdown=page.close,
        )

    async def run(self, listener: socket.socket, on_started: Callable[[], None]) -> None:
        """Serve until `stop`."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(WORKERS, "web worker"))
        self._page.start()
        on_started()
        try:
            await self._server.serve([listener])
        finally:
            self._page.close()  # again: a server that is stopped before it has started skips `shutdown`
            await self._page.finish()

    def stop(self) -> None:
        """Start the shutdown, from any thread."""
        self._server.should_exit = True


class _UvicornServer(uvicorn.Server):
    """Takes connections from a listener; at shutdown, ends streams and aborts connections that do not read the end."""

    def __init__(
        self, config: uvicorn.Config, *, token: str | None, takes_uploads: bool, on_shutdown: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._token = token
        self._takes_uploads = takes_uploads
        self._on_shutdown = on_shutdown
        self._listener: Listener | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])  # uvicorn itself listens to nothing
        connections = Connections(self.config, self.server_state, takes_uploads=self._takes_uploads)
        [listening] = sockets or []
        limits_guests = self._token is not None or not self._takes_uploads
        self._listener = Listener(listening, token=self._token, admit=connections.admit, limits_guests=limits_guests)
        self._listener.open()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._listener is not None:
            self._listener.close()
        self._on_shutdown()
        asyncio.get_running_loop().call_later(SHUTDOWN_S, self._abort_connections)
        await super().shutdown(sockets)

    def _abort_connections(self) -> None:
        for connection in list(self.server_state.connections):
            cast(Connection, connection).abort()
