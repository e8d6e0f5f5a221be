"""The routes of the labelling page."""

import asyncio
import secrets
import threading
from base64 import b64encode
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, ValidationError
from msgspec.json import decode
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from digitedge.datasets.label_session import LabelChange, LabelSession
from digitedge.errors import DigitEdgeError
from digitedge.web.routes import CSS, ERROR_HANDLERS, HTML, JAVASCRIPT, SVG, read_body, static_routes

STATIC_FILES = {
    "/": ("label.html", HTML),
    "/page.css": ("page.css", CSS),
    "/label.css": ("label.css", CSS),
    "/label.js": ("label.js", JAVASCRIPT),
    "/icon.svg": ("icon.svg", SVG),
}
MAX_THUMBNAILS = 120
MAX_CHANGES = 500
MAX_CHANGES_BYTES = 100 * MAX_CHANGES
# The page may have been loaded from an earlier start, whose ids belong to other images.
OTHER_SESSION = "This page belongs to an earlier start of digitedge label. Reload it; what was saved is kept."


@dataclass(frozen=True, slots=True)
class _Order:
    """Changes of a page."""

    session: str
    changes: Annotated[list[LabelChange], Meta(max_length=MAX_CHANGES)]


class LabelPage:
    """The page and its API. See `digitedge.web.server.Page`."""

    def __init__(self, session: LabelSession, done: threading.Event) -> None:
        """Set up the page of a session; `done` is set when the user ends it."""
        self._session = session
        self._done = done
        self._key = secrets.token_hex(8)
        routes = static_routes(STATIC_FILES)
        routes += [
            Route("/healthz", self.health),
            Route("/api/images", self.images),
            Route("/api/thumbnails", self.thumbnails),
            Route("/api/labels", self.change, methods=["POST"]),
            Route("/api/done", self.end, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes, exception_handlers=ERROR_HANDLERS)

    def start(self) -> None:
        """Nothing runs beside the routes."""

    def close(self) -> None:
        """No response is endless."""

    async def finish(self) -> None:
        """Nothing is waited for."""

    async def health(self, _: Request) -> Response:
        """Whether the page is served."""
        return JSONResponse({"status": "ok"})

    async def images(self, _: Request) -> Response:
        """All images, listed anew, and the key of the session, which changes of labels must name."""
        try:
            await asyncio.to_thread(self._session.scan)
        except DigitEdgeError as exc:
            raise HTTPException(409, str(exc)) from exc
        images = await asyncio.to_thread(self._session.images)
        return JSONResponse({"session": self._key, "folder": self._session.folder.resolve().name, "images": images})

    async def thumbnails(self, request: Request) -> Response:
        """Images by id, as data URLs; null for those that cannot be shown."""
        texts = request.query_params.get("ids", "").split(",")
        if len(texts) > MAX_THUMBNAILS or not all(text.isascii() and text.isdecimal() for text in texts):
            raise HTTPException(422, f"Expected ids=1,2,3 with up to {MAX_THUMBNAILS} ids.")
        return JSONResponse(await asyncio.to_thread(self._encode, texts))

    async def change(self, request: Request) -> Response:
        """Set labels, and whether they are checked."""
        body = await read_body(request, MAX_CHANGES_BYTES)
        try:
            order = decode(body, type=_Order)
        except (ValidationError, ValueError, RecursionError) as exc:
            expected = 'Expected {"session": KEY, "changes": [{"id": 1, "label": 7 or null, "checked": true}]}'
            raise HTTPException(422, f"{expected}: {exc}") from exc
        if order.session != self._key:
            raise HTTPException(409, OTHER_SESSION)
        images, problems = await asyncio.to_thread(self._session.apply, order.changes)
        return JSONResponse({"images": images, "problems": problems})

    async def end(self, request: Request) -> Response:
        """End the page."""
        if (await read_body(request, MAX_CHANGES_BYTES)).decode(errors="replace") != self._key:
            raise HTTPException(409, OTHER_SESSION)
        asyncio.get_running_loop().call_later(0.1, self._done.set)  # when this is answered
        return JSONResponse({"status": "done"})

    def _encode(self, texts: list[str]) -> dict[str, str | None]:
        thumbnails = ((text, self._session.thumbnail(int(text))) for text in texts)
        return {text: None if png is None else _data_url(png) for text, png in thumbnails}


def _data_url(png: bytes) -> str:
    return f"data:image/png;base64,{b64encode(png).decode()}"
