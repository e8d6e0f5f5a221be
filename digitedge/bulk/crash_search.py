"""Which page of a shard ends the process that reads it, or never comes to an end.

A process may also be ended from outside: by the system that needs memory, by a person, by a node of a cluster that is
switched off. So a shard is tried again first. When it has cost MAX_DEATHS processes, its pages are tried in halves, and
halves of halves, until single pages have cost as many. They are left out, and the shard is read without them.
"""

from collections import Counter, deque
from dataclasses import dataclass, field

MAX_DEATHS = 3
"""Processes that a shard, or a single page, may cost before something else is tried."""
MAX_FAILED_TRIES = 40
"""Of one shard: three pages that end their processes among 256 cost fewer. Beyond, it is set aside."""


@dataclass(slots=True)
class CrashSearch:
    """The state of one shard: what to try next.

    Attributes:
        pages: number of its pages.
        crashing: indices of pages that end the process.
        stuck: indices of pages that take too long.

    Examples:
        >>> search = CrashSearch(pages=4)
        >>> while search.pages_to_try() != range(2, 3):
        ...     search.died() if search.pages_to_try() is None or 2 in search.pages_to_try() else search.succeeded()
        >>> search.pages_to_try()
        range(2, 3)
    """

    pages: int
    crashing: set[int] = field(default_factory=set)
    stuck: set[int] = field(default_factory=set)
    _deaths: int = 0
    _failed_tries: int = 0
    _spans: deque[range] = field(default_factory=deque)
    _deaths_of_page: Counter[int] = field(default_factory=Counter)

    def pages_to_try(self) -> range | None:
        """The pages to try next; None for all but those that crash."""
        return self._spans[0] if self._spans else None

    @property
    def is_hopeless(self) -> bool:
        """Whether too many tries have failed."""
        return self._failed_tries >= MAX_FAILED_TRIES

    def succeeded(self) -> None:
        """Note that the pages that were tried did not end their process."""
        self._spans.popleft()

    def was_stuck(self, page: int, others: range) -> None:
        """Note that a page takes too long; if it is the second time, so do the `others` of its document.

        Then the document takes too long even before the page is reached.
        """
        self._failed_tries += 1
        self.stuck.update(others if page in self.stuck else (page,))

    def died(self, deaths: int = 1) -> None:
        """Note that what was tried has ended its process, so many times."""
        self._failed_tries += 1
        if not self._spans:
            self._deaths += deaths
            if self._deaths >= MAX_DEATHS:
                self._deaths = 0
                self._spans.extend(_halves(range(self.pages)))
            return
        span = self._spans[0]
        if len(span) > 1:
            self._spans.popleft()
            self._spans.extendleft(reversed(_halves(span)))
            return
        self._deaths_of_page[span.start] += deaths
        if self._deaths_of_page[span.start] >= MAX_DEATHS:
            self._spans.popleft()
            self.crashing.add(span.start)


def _halves(span: range) -> list[range]:
    middle = span.start + len(span) // 2
    return [half for half in (range(span.start, middle), range(middle, span.stop)) if half]
