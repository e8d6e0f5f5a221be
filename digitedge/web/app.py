"""The routes of the page and its API."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digitedge.camera.capture import CameraState
from digitedge.errors import InputError
from digitedge.reader.stage_images import SHOWN_STAGES
from digitedge.web.access import error_response
from digitedge.web.drawing import CANVAS_SIDE, classify_drawing
from digitedge.web.encoded_frames import FrameEncoder
from digitedge.web.hub import Hub
from digitedge.web.stage_images import StageImages, stages_html
from digitedge.web.stream_limit import StreamLimit
from digitedge.web.streams import BOUNDARY, stream_events, stream_mjpeg

STATIC_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
MAX_THRESHOLD_BYTES = 200
NO_FRAME = "There is no frame yet. Try again in a second."


def create_app(hub: Hub, encoder: FrameEncoder, stages: StageImages) -> Starlette:
    """Create the application, without access control."""
    api = _Api(hub, encoder, stages)
    routes = [Route(path, _static(name, media_type)) for path, (name, media_type) in STATIC_FILES.items()]
    routes += [
        Route("/healthz", api.health),
        Route("/api/reading", api.reading),
        Route("/api/history", api.history),
        Route("/api/events", api.events),
        Route("/api/threshold", api.set_threshold, methods=["PUT", "POST"]),
        Route("/api/classify", api.classify, methods=["POST"]),
        Route("/stream.mjpg", api.stream),
        Route("/snapshot.jpg", api.snapshot),
        Route("/stages/{name}.jpg", api.stage),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error, ClientDisconnect: _disconnected})


def _static(name: str, media_type: str) -> Callable[[Request], Awaitable[Response]]:
    """Serve a file of the page from memory; its list of stages is filled in."""
    content = (files("digitedge.web") / "page" / name).read_text(encoding="utf-8").replace("{{stages}}", stages_html())
    response = Response(content, media_type=media_type)

    async def serve(_: Request) -> Response:
        return response

    return serve


class _Api:
    """The endpoints."""

    def __init__(self, hub: Hub, encoder: FrameEncoder, stages: StageImages) -> None:
        self._hub = hub
        self._encoder = encoder
        self._stages = stages
        self._stream_limit = StreamLimit()

    async def health(self, _: Request) -> Response:
        """Whether frames arrive. Needs no token, so it reports nothing else."""
        state = self._hub.state
        is_live = state == CameraState.LIVE
        return JSONResponse({"status": "ok" if is_live else "unavailable", "state": state}, 200 if is_live else 503)

    async def reading(self, _: Request) -> Response:
        reading = self._hub.reading_json()
        if reading is None:
            raise HTTPException(503, NO_FRAME)
        return Response(reading, media_type="application/json")

    async def history(self, _: Request) -> Response:
        """The last events of stable rows, oldest first."""
        return JSONResponse({"events": list(self._hub.events)})

    async def events(self, request: Request) -> Response:
        return self._stream_limit.respond(request, stream_events(self._hub), "text/event-stream")

    async def stream(self, request: Request) -> Response:
        parts = stream_mjpeg(self._hub, self._encoder)
        return self._stream_limit.respond(request, parts, f"multipart/x-mixed-replace; boundary={BOUNDARY}")

    async def snapshot(self, _: Request) -> Response:
        """The newest frame with boxes, to be saved."""
        frame = await self._encoder.after(self._hub.frame_count - 1) if self._hub.frame_count else None
        if frame is None:  # none yet, or the page closes
            raise HTTPException(503, NO_FRAME)
        name = f"digitedge-{datetime.now():%Y-%m-%d-%H%M%S}.jpg"
        headers = {"Content-Disposition": f'inline; filename="{name}"'}
        return Response(frame.jpeg, media_type="image/jpeg", headers=headers)

    async def stage(self, request: Request) -> Response:
        """The image of one pipeline stage of the newest frame."""
        name = request.path_params["name"]
        if name not in SHOWN_STAGES:
            raise HTTPException(404, f"Expected a stage of {', '.join(SHOWN_STAGES)}.")
        jpeg = await self._stages.image(name)
        if jpeg is None:
            raise HTTPException(503, NO_FRAME)
        return Response(jpeg, media_type="image/jpeg")

    async def set_threshold(self, request: Request) -> Response:
        """Set the confidence threshold, for all viewers."""
        threshold = _parse_threshold(await _read_body(request, MAX_THRESHOLD_BYTES))
        self._hub.set_threshold(threshold)
        return JSONResponse({"threshold": threshold})

    async def classify(self, request: Request) -> Response:
        ink = await _read_body(request, CANVAS_SIDE**2)
        try:
            return JSONResponse(await asyncio.to_thread(classify_drawing, ink, self._hub.reader.classifier))
        except InputError as exc:
            raise HTTPException(422, str(exc)) from exc


async def _read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes, and not a byte more."""
    length = request.headers.get("content-length", "")
    body = bytearray()
    if not length.isdecimal() or int(length) <= limit:
        async for part in request.stream():
            body += part
            if len(body) > limit:
                break
        else:
            return bytes(body)
    raise HTTPException(413, f"Expected at most {limit} bytes.")


def _parse_threshold(body: bytes) -> float:
    try:
        content = json.loads(body)
        threshold = content["threshold"] if isinstance(content, dict) else None
    except (ValueError, KeyError):
        threshold = None
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise HTTPException(422, 'Expected {"threshold": X} with X from 0 to 1.')
    return float(threshold)


# Both are coroutines: starlette runs plain functions in threads, which stay.
async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = error_response(request, error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response


async def _disconnected(_request: Request, _error: Exception) -> Response:
    """Nobody receives this response: the client has disconnected."""
    return Response(status_code=400)
