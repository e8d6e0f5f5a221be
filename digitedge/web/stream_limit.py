"""How many endless responses there are at once, so that room is left for all others."""

from collections import Counter
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from digitedge.web.address import network

# A visible page holds two: a hundred pages, half of them from one address. Below the numbers of `connection`, so that
# viewers who only come or draw find room.
MAX_STREAMS = 200
MAX_STREAMS_PER_ADDRESS = 100


class StreamLimit:
    """Counts endless responses by address."""

    def __init__(self) -> None:
        self._counts = Counter[str]()

    def respond(self, request: Request, parts: AsyncIterator[bytes], media_type: str) -> Response:
        """Stream the parts to a viewer.

        Raises:
            HTTPException: 503, there are too many streams.
        """
        if request.method == "HEAD":
            return Response(headers={"Content-Type": media_type})
        address = network(request.client.host) if request.client else ""
        if self._counts.total() >= MAX_STREAMS or self._counts[address] >= MAX_STREAMS_PER_ADDRESS:
            raise HTTPException(503, "There are too many viewers. Try again later.", {"Retry-After": "10"})
        return _CountedStream(parts, media_type=media_type, counts=self._counts, address=address)


class _CountedStream(StreamingResponse):
    def __init__(self, parts: AsyncIterator[bytes], *, media_type: str, counts: Counter[str], address: str) -> None:
        super().__init__(parts, media_type=media_type)
        self._counts = counts
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._counts[self._address] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._counts[self._address] -= 1
            if not self._counts[self._address]:
                del self._counts[self._address]
