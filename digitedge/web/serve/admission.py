"""How many requests are received, wait and are read at once, decided before the body of one is read."""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException

RETRY_AFTER_S = 1


class Admission:
    """Counts requests and the bytes of their bodies.

    Attributes:
        requests: that are in the server now.
    """

    def __init__(self, *, max_requests: int, max_bytes: int) -> None:
        """Set up for at most so many requests and bytes at once."""
        self.requests = 0
        self._bytes = 0
        self._max_requests = max_requests
        self._max_bytes = max_bytes

    @contextmanager
    def admit(self, size: int) -> Iterator[None]:
        """Take a request with a body of at most `size` bytes, until the block ends.

        Raises:
            HTTPException: 429, there are too many.
        """
        if self.requests >= self._max_requests or (self.requests and self._bytes + size > self._max_bytes):
            raise busy()
        self.requests += 1
        self._bytes += size
        try:
            yield
        finally:
            self.requests -= 1
            self._bytes -= size


def busy() -> HTTPException:
    """The error for a request that there is no room for now."""
    return HTTPException(429, "There are too many requests. Try again later.", {"Retry-After": str(RETRY_AFTER_S)})
