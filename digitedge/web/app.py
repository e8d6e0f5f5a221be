"""The routes of the page and its API."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digitedge.camera.capture import CameraState
from digitedge.camera.sinks.crops import CropSink
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader.stage_images import SHOWN_STAGES
from digitedge.web.drawing import CANVAS_SIDE, classify_drawing
from digitedge.web.encoded_frames import FrameEncoder
from digitedge.web.hub import Hub
from digitedge.web.routes import CSS, ERROR_HANDLERS, HTML, JAVASCRIPT, SVG, read_body, static_routes
from digitedge.web.stage_images import StageImages, stages_html
from digitedge.web.stream_limit import StreamLimit
from digitedge.web.streams import BOUNDARY, stream_events, stream_mjpeg

STATIC_FILES = {
    "/": ("index.html", HTML),
    "/page.css": ("page.css", CSS),
    "/page.js": ("page.js", JAVASCRIPT),
    "/drawing.js": ("drawing.js", JAVASCRIPT),
    "/icon.svg": ("icon.svg", SVG),
}
MAX_THRESHOLD_BYTES = 200
MAX_CORRECTION_BYTES = 1000
NO_CROPS = "Corrections are saved with the crops: start digitedge camera with --save-crops DIR."
NO_FRAME = "There is no frame yet. Try again in a second."


class LivePage:
    """The live page: its routes, and the encoding of frames beside them. See `digitedge.web.server.Page`."""

    def __init__(self, hub: Hub, crops: CropSink | None) -> None:
        """Set up the page; `crops` saves the rows that viewers correct."""
        self.encoder = FrameEncoder(hub)
        self.app = _create_app(_Api(hub, self.encoder, StageImages(hub), crops))
        self._hub = hub

    def start(self) -> None:
        """Accept updates, and encode frames."""
        self._hub.start()
        self._encoding = asyncio.create_task(self.encoder.run())

    def close(self) -> None:
        """End all streams."""
        self._hub.close()
        self.encoder.close()

    async def finish(self) -> None:
        """Wait for the last frame."""
        await self._encoding


def _create_app(api: "_Api") -> Starlette:
    routes = static_routes(STATIC_FILES, stages=stages_html())
    routes += [
        Route("/healthz", api.health),
        Route("/api/reading", api.reading),
        Route("/api/history", api.history),
        Route("/api/events", api.events),
        Route("/api/threshold", api.set_threshold, methods=["PUT", "POST"]),
        Route("/api/classify", api.classify, methods=["POST"]),
        Route("/api/corrections", api.corrections),
        Route("/api/corrections", api.correct, methods=["POST"]),
        Route("/stream.mjpg", api.stream),
        Route("/snapshot.jpg", api.snapshot),
        Route("/stages/{name}.jpg", api.stage),
    ]
    return Starlette(routes=routes, exception_handlers=ERROR_HANDLERS)


class _Api:
    """The endpoints."""

    def __init__(self, hub: Hub, encoder: FrameEncoder, stages: StageImages, crops: CropSink | None) -> None:
        self._hub = hub
        self._encoder = encoder
        self._stages = stages
        self._crops = crops
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
        threshold = _parse_threshold(await read_body(request, MAX_THRESHOLD_BYTES))
        self._hub.set_threshold(threshold)
        return JSONResponse({"threshold": threshold})

    async def classify(self, request: Request) -> Response:
        ink = await read_body(request, CANVAS_SIDE**2)
        try:
            return JSONResponse(await asyncio.to_thread(classify_drawing, ink, self._hub.reader.classifier))
        except InputError as exc:
            raise HTTPException(422, str(exc)) from exc

    async def corrections(self, _: Request) -> Response:
        """Where corrections of rows are saved."""
        return JSONResponse({"folder": str(self._crop_sink().folder)})

    async def correct(self, request: Request) -> Response:
        """Save the digits of a stable row with the right labels."""
        crops = self._crop_sink()
        correction = _parse_correction(await read_body(request, MAX_CORRECTION_BYTES))
        try:
            saved = await asyncio.to_thread(crops.correct, correction.text, correction.time, correction.right)
        except InputError as exc:
            raise HTTPException(422, str(exc)) from exc
        except DigitEdgeError as exc:
            raise HTTPException(500, str(exc)) from exc
        return JSONResponse({"saved": saved, "folder": str(crops.folder)})

    def _crop_sink(self) -> CropSink:
        if self._crops is None:
            raise HTTPException(409, NO_CROPS)
        return self._crops


@dataclass(frozen=True, slots=True)
class _Correction:
    """A stable row as it was read, when it became stable, and what it is."""

    text: str
    time: float
    right: str


def _parse_correction(body: bytes) -> _Correction:
    try:
        return msgspec.json.decode(body, type=_Correction)
    except (ValueError, RecursionError) as exc:  # ValueError: also msgspec's own
        raise HTTPException(422, 'Expected {"text": "2026", "time": 1.5, "right": "2028"}.') from exc


def _parse_threshold(body: bytes) -> float:
    try:
        content = json.loads(body)
        threshold = content["threshold"] if isinstance(content, dict) else None
    except (ValueError, KeyError):
        threshold = None
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise HTTPException(422, 'Expected {"threshold": X} with X from 0 to 1.')
    return float(threshold)
