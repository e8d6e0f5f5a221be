"""Times of calls: percentiles over all of them, and the medians of a few blocks, whose spread is the noise."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from digitedge.errors import InputError

# Calls are timed in so many blocks, one after the other; `compare` tells why.
BLOCKS = 5
# Calls of a block, at least: five times as many give a 99th percentile.
LEAST_CALLS = 20


@dataclass(frozen=True, slots=True)
class Latency:
    """How long calls took, in milliseconds; `medians_ms` has one for each block."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    medians_ms: list[float]

    @classmethod
    def of(cls, blocks: Sequence[Sequence[float]]) -> "Latency":
        """Sum up the times of all calls, block by block.

        Examples:
            >>> Latency.of([[1.0, 2.0, 9.0], [1.0, 3.0, 3.0]])
            Latency(p50_ms=2.0, p95_ms=9.0, p99_ms=9.0, medians_ms=[2.0, 3.0])
        """
        times = [took for block in blocks for took in block]
        p50, p95, p99 = (rounded(percentile(times, share)) for share in (0.5, 0.95, 0.99))
        return cls(p50, p95, p99, [rounded(median(block)) for block in blocks])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values do not exceed: always one that was measured.

    Args:
        values: any order, at least one.
        share: over 0 to 1.

    Raises:
        InputError: no values, or a share outside.

    Examples:
        >>> percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.95)
        (2, 4)
    """
    if not values or not 0 < share <= 1:
        raise InputError(f"percentile() takes values and a share over 0 to 1, got {len(values)} values and {share}.")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def time_call(call: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def time_calls(call: Callable[[], object], *, seconds: float, least: int = LEAST_CALLS) -> Latency:
    """Time calls for about so many seconds, after one block to warm up: a governor takes a while to raise the clock.

    Args:
        call: what to time.
        seconds: for all blocks but the first.
        least: calls in a block, whatever they take.
    """
    blocks = [_time_block(call, seconds / BLOCKS, least) for _ in range(BLOCKS + 1)]
    return Latency.of(blocks[1:])


def _time_block(call: Callable[[], object], seconds: float, least: int) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < end:
        times.append(time_call(call))
    return times


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    Examples:
        >>> counted(1, "thread"), counted(0, "digit")
        ('1 thread', '0 digits')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def rounded(ms: float) -> float:
    """Four digits after the point: a tenth of a microsecond."""
    return round(ms, 4)
