"""uvicorn, as this page needs it: silent, without signals, and with an end that does not wait for streams."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import uvicorn

from digitedge.web.access import SECURITY_HEADERS, Access
from digitedge.web.app import make_app
from digitedge.web.connection import LONGEST_HEAD, Connection
from digitedge.web.encoded_frames import Images
from digitedge.web.hub import Hub
from digitedge.web.stages import Steps

# How long viewers may take to hear of the end before their connections are cut.
FAREWELL_S = 0.2
# One thread for the frames, one for everything else that takes milliseconds.
WORKERS = 2


class Service:
    """Everything of the page that lives in the event loop.

    Attributes:
        images: of the frames.
    """

    def __init__(self, hub: Hub, *, token: str | None, names: frozenset[str] | None, cookie: str) -> None:
        """Put it together; see `Access` for who may ask."""
        self.images = Images(hub)
        app = Access(make_app(hub, self.images, Steps(hub)), token=token, names=names, cookie=cookie)
        self._hub = hub
        self._server = _Server(
            uvicorn.Config(
                app,
                http=Connection,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # what clients do wrong is a warning; our own faults are errors, and show
                access_log=False,  # addresses may hold the token
                proxy_headers=False,
                server_header=False,
                headers=list(SECURITY_HEADERS.items()),
                h11_max_incomplete_event_size=LONGEST_HEAD,
            ),
            farewell=self._farewell,
        )

    async def run(self, listener: socket.socket, started: Callable[[], None]) -> None:
        """Serve until `stop`."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(WORKERS, "web worker"))
        self._hub.start()
        encoder = asyncio.create_task(self.images.run())
        started()
        try:
            await self._server.serve([listener])
        finally:
            self._farewell()  # once more: a server that ends before it began does not come to it
            await encoder

    def stop(self) -> None:
        """Begin to end, from any thread."""
        self._server.should_exit = True

    def _farewell(self) -> None:
        self._hub.end()
        self.images.end()


class _Server(uvicorn.Server):
    """A server that ends its streams, and cuts off whoever does not read the end."""

    def __init__(self, config: uvicorn.Config, *, farewell: Callable[[], None]) -> None:
        super().__init__(config)
        self._farewell = farewell

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._farewell()
        asyncio.get_running_loop().call_later(FAREWELL_S, self._cut)
        await super().shutdown(sockets)

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
