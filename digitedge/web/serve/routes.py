"""The routes of the server: read, health, metrics, the description of the API, and a page to try it."""

import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digitedge.errors import DigitEdgeError
from digitedge.utils.version import __version__
from digitedge.web.routes import CSS, ERROR_HANDLERS, HTML, JAVASCRIPT, SVG, static_routes
from digitedge.web.serve.admission import Admission, busy
from digitedge.web.serve.metrics import MEDIA_TYPE, Metrics
from digitedge.web.serve.read_upload import JSON, Answer, UploadReader
from digitedge.web.serve.receive import declared_size, receive_upload
from digitedge.web.serve.workers import EndingError, NoWorkerError, ReadingWorkers

STATIC_FILES = {
    "/": ("read.html", HTML),
    "/page.css": ("page.css", CSS),
    "/read.css": ("read.css", CSS),
    "/read.js": ("read.js", JAVASCRIPT),
    "/icon.svg": ("icon.svg", SVG),
    "/openapi.json": ("openapi.json", JSON),
}
CLIENT_GONE = 499
"""Status in the metrics of a request whose client has gone; nginx counts it so, too."""


class ReadPage:
    """The routes and the workers behind them. See `digitedge.web.server.Page`."""

    def __init__(self, reader: UploadReader, *, workers: int, on_failure: Callable[[DigitEdgeError], None]) -> None:
        """Set up the routes; the processes start with `start`."""
        limits = self._limits = reader.limits
        self._admission = Admission(max_requests=workers * limits.requests_per_worker, max_bytes=limits.held_bytes)
        self._metrics = Metrics(
            requests_now=lambda: self._admission.requests, ready_workers=lambda: self._workers.ready
        )
        restarts = self._metrics.restarts
        self._workers = ReadingWorkers(reader, count=workers, on_restart=restarts.inc, on_failure=on_failure)
        texts = {"version": __version__, "megabytes": f"{limits.body_bytes / 1e6:g}", "pages": str(limits.pages)}
        routes = static_routes(STATIC_FILES, **texts, seconds=f"{limits.time_s:g}")
        routes += [
            Route("/v1/read", self.read, methods=["POST"]),
            Route("/healthz", self.health),
            Route("/metrics", self.metrics),
        ]
        self.app = Starlette(routes=routes, exception_handlers=ERROR_HANDLERS)

    def start(self) -> None:
        """Start the worker processes."""
        self._workers.start()

    def close(self) -> None:
        """End the worker processes."""
        self._workers.close()

    async def finish(self) -> None:
        """Wait until no worker process is being started any more."""
        await self._workers.finish()

    async def health(self, _: Request) -> Response:
        """Whether a worker is ready. Needs no token, so it reports nothing else."""
        is_ready = self._workers.ready > 0
        return JSONResponse({"status": "ok" if is_ready else "unavailable"}, 200 if is_ready else 503)

    async def metrics(self, _: Request) -> Response:
        """All figures for Prometheus."""
        return Response(self._metrics.text(), media_type=MEDIA_TYPE)

    async def read(self, request: Request) -> Response:
        """Read the file in the body of a request."""
        started, status = time.monotonic(), int(HTTPStatus.INTERNAL_SERVER_ERROR)
        try:
            answer = await self._read(request)
            status = answer.status
        except HTTPException as exc:
            status = exc.status_code
            raise
        except ClientDisconnect:
            status = CLIENT_GONE
            raise
        finally:
            self._metrics.requests.labels(str(status)).inc()
            self._metrics.seconds.observe(time.monotonic() - started)
        self._metrics.pages.inc(answer.pages)
        self._metrics.digits.inc(answer.digits)
        return Response(answer.content, status, media_type=answer.media_type)

    async def _read(self, request: Request) -> Answer:
        with self._admission.admit(declared_size(request, self._limits.body_bytes)):
            upload = await receive_upload(request, self._limits.body_bytes)
            if await request.is_disconnected():
                raise ClientDisconnect
            try:
                return await self._workers.read(upload)
            except NoWorkerError as exc:
                raise busy() from exc
            except EndingError as exc:
                raise HTTPException(503, "The server is being ended. Try again later.") from exc
            except DigitEdgeError as exc:
                raise HTTPException(500, "The model of this server cannot be used.") from exc
