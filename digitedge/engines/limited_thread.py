"""A thread that works for another one, which can give up: what hangs in native code cannot be interrupted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Self, TypeVar

from digitedge.engines.engine import StuckError

R = TypeVar("R")

# Threads that wait for work. A new one for each task would have memory of its own: 70 MB more in a long job.
_WAITING: list[ThreadPoolExecutor] = []


class LimitedThread:
    """Calls functions in another thread, each in a limited time."""

    def __enter__(self) -> Self:
        """Take a thread."""
        try:
            self._executor = _WAITING.pop()
        except IndexError:
            self._executor = ThreadPoolExecutor(1, "reader")
        self._is_stuck = False
        return self

    def __exit__(self, *_: object) -> None:
        """Keep the thread for the next one, unless it is stuck."""
        if self._is_stuck:
            self._executor.shutdown(wait=False)
        else:
            _WAITING.append(self._executor)

    def call(self, limit_s: float, function: Callable[..., R], *arguments: Any) -> R:
        """Call a function.

        Raises:
            StuckError: it takes longer than `limit_s`, and goes on.
        """
        future = self._executor.submit(function, *arguments)
        try:
            return future.result(limit_s)
        except FutureTimeoutError:
            if future.done():  # just now, or it raised that itself
                return future.result()
            self._is_stuck = True
            raise StuckError(f"it takes longer than {limit_s:.0f} s") from None
