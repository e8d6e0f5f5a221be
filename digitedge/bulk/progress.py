"""How far a job is."""

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """How far a job is; pages that were done before it was resumed count as done, but not for its rate.

    Attributes:
        pages: number of all pages.
        done: number of pages that are done.
        errors: pages with an error, by kind, of this run.
        workers: processes that read now.
    """

    pages: int
    done: int
    workers: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    _done_before: int = field(init=False)
    _started: float = field(init=False)

    def __post_init__(self) -> None:
        self._done_before = self.done
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.monotonic() - self._started

    @property
    def pages_per_s(self) -> float:
        """Pages a second since the start; 0 before the first."""
        return (self.done - self._done_before) / max(self.seconds, 1e-9)

    @property
    def remaining_s(self) -> float | None:
        """Time that is left at this rate; None if it is not known yet."""
        rate = self.pages_per_s
        return (self.pages - self.done) / rate if rate else None

    def __str__(self) -> str:
        """A line such as "120 of 2,000 pages, 12.3 a second, 2 min left"."""
        parts = [f"{self.done:,} of {self.pages:,} pages"]
        if self.remaining_s is not None:
            parts += [f"{self.pages_per_s:.1f} a second", f"{format_duration(self.remaining_s)} left"]
        if self.errors:
            parts.append(f"{self.errors.total():,} with an error")
        return ", ".join(parts)


def format_duration(seconds: float) -> str:
    """Return a duration as people say it.

    Examples:
        >>> format_duration(42), format_duration(600), format_duration(9000)
        ('42 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
