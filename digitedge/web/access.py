"""Who may ask: the token, the names of this machine, requests from other pages, and how long a request may be.

A page that shows a camera has three kinds of uninvited guests: others in the network, who lack the token; pages of
other sites in the viewer's own browser, which send requests to 127.0.0.1 or give it a name of theirs (DNS rebinding);
and clumsy or hostile programs. Everything is looked at here, before any route.
"""

import hmac
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATHS = frozenset({"/healthz"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_TARGET, LONGEST_HEADERS = 2048, 8192
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # an address may hold the token
    "Cross-Origin-Resource-Policy": "same-origin",  # no other page shows the stream
    "Cache-Control": "no-store",
}
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>digitedge</title><p>{sentence}</p>'
    '<p><a href="/">Try again</a></p></html>'
)


class Access:
    """ASGI middleware: answers uninvited guests itself, and lets the others through."""

    def __init__(self, app: ASGIApp, *, token: str | None, names: frozenset[str] | None, cookie: str) -> None:
        """Set the rules.

        Args:
            app: what is guarded.
            token: what everyone must bring; None where everyone is invited.
            names: those by which this machine may be called; None for any.
            cookie: name of the cookie that remembers the token.
        """
        self._app = app
        self._token = token
        self._names = names
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on.

        The path is that of the scope: `request.url` is put together from what the client calls this host, "x/healthz?".
        """
        answer = self._answer(Request(scope))
        await (answer or self._app)(scope, receive, send)

    def _answer(self, request: Request) -> Response | None:
        headers = request.scope["headers"]
        if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > LONGEST_TARGET:
            return refusal(request, 414, "That address is too long.")
        if sum(len(name) + len(value) for name, value in headers) > LONGEST_HEADERS:
            return refusal(request, 431, "The headers of that request are too long.")
        host = _host(request)
        if self._names is not None and host not in self._names:
            return refusal(request, 403, "This page is for this machine alone. Open it as localhost or 127.0.0.1.")
        if request.method not in SAFE_METHODS and not _is_from_this_page(request):
            return refusal(request, 403, "Pages of other sites may change nothing here.")
        if self._token is None or request.scope["path"] in OPEN_PATHS:
            return None
        if not self._brings_token(request):
            return refusal(
                request, 401, "This page needs its whole address, with the token, as digitedge printed it at its start."
            )
        if request.scope["path"] == "/" and "token" in request.query_params:
            return self._welcome(self._token)
        return None

    def _brings_token(self, request: Request) -> bool:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        offered = (
            request.query_params.get("token", ""),
            bearer.strip() if scheme.lower() == "bearer" else "",
            request.cookies.get(self._cookie, ""),
        )
        return any([_equal(one, self._token or "") for one in offered if one])

    def _welcome(self, token: str) -> Response:
        """Keep the token in a cookie and lead to the address without it, which may be shown and bookmarked.

        A browser that followed a link of another site holds the strict cookie back until the viewer follows one of
        ours: that is what "Try again" is for.
        """
        response = RedirectResponse("/", 303)
        response.set_cookie(self._cookie, token, httponly=True, samesite="strict")
        return response


def refusal(request: Request, status: int, sentence: str) -> Response:
    """Answer with a sentence: a page for browsers, JSON for programs."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_PAGE.format(sentence=sentence), status, headers)
    return JSONResponse({"error": sentence}, status, headers)


def _host(request: Request) -> str:
    """The name by which a browser calls this machine, without the port."""
    return _parts(f"//{request.headers.get('host', '')}").hostname or ""


def _parts(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:  # such as an unclosed bracket
        return urlsplit("")


def _is_from_this_page(request: Request) -> bool:
    """Whether no browser says that a request comes from another site. Programs that are no browsers say nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or _parts(origin).netloc == request.headers.get("host", "")


def _equal(one: str, other: str) -> bool:
    """Compare in a time that does not tell how much is equal."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))
