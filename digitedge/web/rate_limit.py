"""How often something may happen."""

import time


class RateLimiter:
    """A token bucket: a burst at once, and then so many a second.

    Examples:
        >>> limiter = RateLimiter(burst=2, per_s=0)
        >>> [limiter.take() for _ in range(3)]
        [True, True, False]
    """

    def __init__(self, *, burst: float, per_s: float) -> None:
        """Set up a token bucket that is full."""
        self._burst = self._left = burst
        self._per_s = per_s
        self._at = time.monotonic()

    def take(self) -> bool:
        """Use up one; False if none is left."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def give_back(self) -> None:
        """Return one that was not used."""
        self._left += 1
