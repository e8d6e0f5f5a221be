"""An answer that comes before the end of the body is read by the client only if the rest of the body is taken, too.

If a connection is closed while data is unread, the system sends a reset, and clients report a broken connection
instead of the answer.
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DRAIN_S = 5.0


class DrainBody:
    """ASGI middleware that sends an early answer, and then reads the rest of the body and throws it away."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        """Drain at most so many bytes of a request to `app`, for at most `DRAIN_S`."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, and hold back the end of its answer until its body has been read."""
        is_read = False

        async def watch() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = not message.get("more_body", False)
            return message

        async def drain() -> None:
            left = self._max_bytes
            while not is_read and left > 0:
                left -= len((await watch()).get("body", b""))

        async def send_and_drain(message: Message) -> None:
            # A client that waits for "100 Continue" sends no body now, and would take it for a part of the answer.
            waits = any(name == b"expect" for name, _ in scope["headers"])
            if message["type"] != "http.response.body" or message.get("more_body", False) or is_read or waits:
                await send(message)
                return
            await send({**message, "more_body": True})
            with suppress(TimeoutError):
                await asyncio.wait_for(drain(), DRAIN_S)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(scope, watch, send_and_drain)
