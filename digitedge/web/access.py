"""Access control, checked before any route: token, cross-site requests, length of a request.

Other machines in the network lack the token. Pages of other sites in the viewer's browser are refused by
`Sec-Fetch-Site`, `Origin` and a strict cookie; DNS rebinding by starlette's TrustedHostMiddleware, see `server`.
"""

import hmac

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

PUBLIC_PATHS = frozenset({"/healthz"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_TARGET_BYTES = 2048
MAX_HEADER_BYTES = 8192
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the URL may contain the token
    "Cross-Origin-Resource-Policy": "same-origin",  # no other page can embed the stream
    "Cache-Control": "no-store",
}
_ERROR_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>digitedge</title><p>{message}</p>'
    '<p><a href="/">Try again</a></p></html>'
)


class AccessControl:
    """ASGI middleware that answers forbidden requests itself and passes on the others."""

    def __init__(self, app: ASGIApp, *, token: str | None, cookie: str) -> None:
        """Require a token, unless it is None, of every client of `app`; a cookie of that name stores it."""
        self._app = app
        self._token = token
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request by its scope: `request.url` is built from the Host header, which the client controls."""
        response = self._check(Request(scope))
        await (response or self._app)(scope, receive, send)

    def _check(self, request: Request) -> Response | None:
        scope = request.scope
        if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
            return error_response(request, 414, "The URL is too long.")
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADER_BYTES:
            return error_response(request, 431, "The headers are too long.")
        if request.method not in SAFE_METHODS and not _is_same_origin(request):
            return error_response(request, 403, "Cross-site requests cannot change anything here.")
        if self._token is None or scope["path"] in PUBLIC_PATHS:
            return None
        if not self._has_token(request, self._token):
            message = "The token is missing or wrong. Open the whole URL that digitedge printed at its start."
            return error_response(request, 401, message)
        if scope["path"] == "/" and "token" in request.query_params:
            # The URL without the token can be shown and bookmarked. After a link from another site the browser holds
            # back a strict cookie until the viewer follows a link of this page: "Try again" on the error page.
            response = RedirectResponse("/", 303)
            response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
            return response
        return None

    def _has_token(self, request: Request, token: str) -> bool:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        candidates = (
            request.query_params.get("token", ""),
            bearer.strip() if scheme.lower() == "bearer" else "",
            request.cookies.get(self._cookie, ""),
        )
        return any([hmac.compare_digest(one.encode(errors="replace"), token.encode()) for one in candidates])


def error_response(request: Request, status: int, message: str) -> Response:
    """Answer with a message: an HTML page for browsers, JSON for programs."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_ERROR_PAGE.format(message=message), status, headers)
    return JSONResponse({"error": message}, status, headers)


def _is_same_origin(request: Request) -> bool:
    """Whether no header marks a request as cross-site. Programs other than browsers send none of them."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")  # scheme://host:port
    return origin is None or origin.partition("://")[2] == request.headers.get("host", "")
