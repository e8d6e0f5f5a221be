"""The routes: what is served under which path."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from digitedge.camera.capture import State
from digitedge.errors import InputError
from digitedge.web import streams
from digitedge.web.access import refusal
from digitedge.web.drawing import SIDE, classify_drawing
from digitedge.web.encoded_frames import Images
from digitedge.web.hub import Hub
from digitedge.web.stages import NAMES, Steps

PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/drawing.js": ("drawing.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
LONGEST_SETTING = 200
NO_FRAME = "There is no frame yet. Try again in a second."


def make_app(hub: Hub, images: Images, steps: Steps) -> Starlette:
    """Make the application; it knows nothing of tokens, see `access`."""
    api = _Api(hub, images, steps)
    routes = [Route(path, _static(name, kind)) for path, (name, kind) in PAGE.items()]
    routes += [
        Route("/healthz", api.health),
        Route("/api/reading", api.reading),
        Route("/api/history", api.history),
        Route("/api/events", api.events),
        Route("/api/threshold", api.set_threshold, methods=["PUT", "POST"]),
        Route("/api/classify", api.classify, methods=["POST"]),
        Route("/stream.mjpg", api.stream),
        Route("/snapshot.jpg", api.snapshot),
        Route("/steps/{name}.jpg", api.step),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _say, ClientDisconnect: _let_go})


def _static(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    """Serve a file of the page, which is read once."""
    response = Response((files("digitedge.web") / "page" / name).read_bytes(), media_type=kind)

    async def serve(_: Request) -> Response:
        return response

    return serve


class _Api:
    """What is asked for, and where it comes from."""

    def __init__(self, hub: Hub, images: Images, steps: Steps) -> None:
        self._hub = hub
        self._images = images
        self._steps = steps

    async def health(self, _: Request) -> Response:
        """Whether frames come; it is open to everyone, so it says nothing else."""
        state = self._hub.state
        is_well = state == State.LIVE
        return JSONResponse({"status": "ok" if is_well else "unwell", "state": state}, 200 if is_well else 503)

    async def reading(self, _: Request) -> Response:
        """The newest update."""
        reading = self._hub.reading_json()
        if reading is None:
            raise HTTPException(503, NO_FRAME)
        return Response(reading, media_type="application/json")

    async def history(self, _: Request) -> Response:
        """What happened to stable rows, oldest first."""
        return JSONResponse({"events": list(self._hub.events)})

    async def events(self, request: Request) -> Response:
        """Server-sent events."""
        return _stream(request, streams.events(self._hub), "text/event-stream")

    async def stream(self, request: Request) -> Response:
        """MJPEG."""
        kind = f"multipart/x-mixed-replace; boundary={streams.BOUNDARY}"
        return _stream(request, streams.mjpeg(self._hub, self._images), kind)

    async def snapshot(self, _: Request) -> Response:
        """The newest image, to keep."""
        if not self._hub.frames:
            raise HTTPException(503, NO_FRAME)
        image = await self._images.after(self._hub.frames - 1)
        if image is None:  # the page is closing
            raise HTTPException(503, NO_FRAME)
        name = f"digitedge-{datetime.now():%Y-%m-%d-%H%M%S}.jpg"
        headers = {"Content-Disposition": f'inline; filename="{name}"'}
        return Response(image.jpeg, media_type="image/jpeg", headers=headers)

    async def step(self, request: Request) -> Response:
        """An image of one step on the way of the newest frame."""
        name = request.path_params["name"]
        if name not in NAMES:
            raise HTTPException(404, f"There is no such step. There are: {', '.join(NAMES)}.")
        jpeg = await self._steps.image(name)
        if jpeg is None:
            raise HTTPException(503, NO_FRAME)
        return Response(jpeg, media_type="image/jpeg")

    async def set_threshold(self, request: Request) -> Response:
        """Set the threshold, for all viewers."""
        threshold = _threshold(await _body(request, LONGEST_SETTING))
        self._hub.set_threshold(threshold)
        return JSONResponse({"threshold": threshold})

    async def classify(self, request: Request) -> Response:
        """Classify a drawing."""
        ink = await _body(request, SIDE * SIDE)
        try:
            answer = await asyncio.to_thread(classify_drawing, ink, self._hub.reader.classifier)
        except InputError as exc:
            raise HTTPException(422, f"{str(exc)[0].upper()}{str(exc)[1:]}.".replace("..", ".")) from exc
        return JSONResponse(answer)


def _stream(request: Request, pieces: AsyncIterator[bytes], kind: str) -> Response:
    if request.method == "HEAD":
        return Response(headers={"Content-Type": kind})
    return StreamingResponse(pieces, media_type=kind)


async def _body(request: Request, limit: int) -> bytes:
    """Take a body piece by piece, and not a byte more than `limit`."""
    said = request.headers.get("content-length", "")
    body = bytearray()
    if not said.isdecimal() or int(said) <= limit:
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                break
        else:
            return bytes(body)
    raise HTTPException(413, f"Expected at most {limit} bytes.")


def _threshold(body: bytes) -> float:
    try:
        asked = json.loads(body)
        threshold = asked["threshold"] if isinstance(asked, dict) else None
    except (ValueError, KeyError):
        threshold = None
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise HTTPException(422, 'Expected {"threshold": X} with X from 0 to 1.')
    return float(threshold)


def _say(request: Request, error: Exception) -> Response:
    """Answer an error with a sentence."""
    assert isinstance(error, HTTPException)
    response = refusal(request, error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response


def _let_go(_request: Request, _error: Exception) -> Response:
    """The asker has gone: nobody hears this."""
    return Response(status_code=400)
