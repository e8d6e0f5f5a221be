"""A bounded queue that is fair to addresses: one that sends much delays and evicts itself, not others."""

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items by address; each address has its own queue, oldest first.

    Examples:
        >>> queue = FairQueue[str](limit=3)
        >>> [queue.add(item, address) for item, address in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")]]
        [None, None, None, 'a1']
        >>> list(queue.round_robin()), list(queue)
        (['b1', 'a2'], ['b1', 'b2', 'a2'])
    """

    def __init__(self, *, limit: int) -> None:
        """Set up an empty queue for at most `limit` items."""
        self._limit = limit
        self._count = 0
        self._lines: dict[str, dict[T, None]] = {}

    def __len__(self) -> int:
        """Count the items."""
        return self._count

    def __iter__(self) -> Iterator[T]:
        """Yield all items; they may be removed meanwhile."""
        for line in list(self._lines.values()):
            yield from list(line)

    def add(self, item: T, address: str) -> T | None:
        """Add an item. Above the limit, remove and return the oldest of the address that has most."""
        self._lines.setdefault(address, {})[item] = None
        self._count += 1
        if self._count <= self._limit:
            return None
        longest = max(self._lines, key=lambda one: len(self._lines[one]))
        oldest = next(iter(self._lines[longest]))
        self.remove(oldest, longest)
        return oldest

    def remove(self, item: T, address: str) -> None:
        """Remove an item. Its address then comes after all others in the round robin."""
        line = self._lines.pop(address)
        del line[item]
        self._count -= 1
        if line:
            self._lines[address] = line

    def round_robin(self) -> Iterator[T]:
        """Yield the oldest item of each address; it may be removed meanwhile."""
        for line in list(self._lines.values()):
            yield next(iter(line))
