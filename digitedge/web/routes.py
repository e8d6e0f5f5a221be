"""What the routes of all pages share: files of the page, bodies of requests, errors as messages."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from digitedge.web.access import error_response

CSS = "text/css; charset=utf-8"
HTML = "text/html; charset=utf-8"
JAVASCRIPT = "text/javascript; charset=utf-8"
SVG = "image/svg+xml"


def static_routes(names: Mapping[str, tuple[str, str]], **texts: str) -> list[Route]:
    """Serve files of the folder `page` from memory.

    Args:
        names: file and media type by path.
        texts: filled in where a file has {{name}}.
    """
    return [Route(path, _static(name, media_type, texts)) for path, (name, media_type) in names.items()]


def _static(name: str, media_type: str, texts: Mapping[str, str]) -> Callable[[Request], Awaitable[Response]]:
    content = (files("digitedge.web") / "page" / name).read_text(encoding="utf-8")
    for key, text in texts.items():
        content = content.replace(f"{{{{{key}}}}}", text)
    response = Response(content, media_type=media_type)

    async def serve(_: Request) -> Response:
        return response

    return serve


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes, and not a byte more.

    Raises:
        HTTPException: 413, it is longer.
    """
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


# Both are coroutines: starlette runs plain functions in threads, which stay.
async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = error_response(request, error.status_code, error.detail)
    response.headers.update(error.headers or {})
    return response


async def _disconnected(_request: Request, _error: Exception) -> Response:
    """Nobody receives this response: the client has disconnected."""
    return Response(status_code=400)


ERROR_HANDLERS: Mapping[Any, Any] = {HTTPException: _http_error, ClientDisconnect: _disconnected}
"""Of every application: errors become messages."""
