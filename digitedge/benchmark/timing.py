"""Time calls in a few blocks: percentiles over all calls, and the median of each block, whose spread is the noise."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

BLOCKS = 5
"""Blocks of calls, measured one after the other; see `digitedge.benchmark.compare`."""

MIN_CALLS = 20
"""Minimum calls in a block: five blocks give a 99th percentile."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long calls took, in milliseconds; `medians_ms` has one median for each block."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    medians_ms: list[float]

    @classmethod
    def of(cls, blocks: Sequence[Sequence[float]]) -> "Latency":
        """Summarize the times of all calls. Percentiles are measured values, not interpolated ones.

        Examples:
            >>> Latency.of([[1.0, 2.0, 9.0], [1.0, 3.0, 3.0]])
            Latency(p50_ms=2.0, p95_ms=9.0, p99_ms=9.0, medians_ms=[2.0, 3.0])
        """
        p50, p95, p99 = np.quantile(np.concatenate(blocks), (0.5, 0.95, 0.99), method="inverted_cdf").tolist()
        return cls(rounded(p50), rounded(p95), rounded(p99), [rounded(median(block)) for block in blocks])


def time_call(call: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def time_calls(call: Callable[[], object], *, seconds: float, min_calls: int = MIN_CALLS) -> Latency:
    """Time calls for `seconds`, in blocks of at least `min_calls`, after one of warm-up (the CPU raises its clock)."""
    blocks = []
    for _ in range(BLOCKS + 1):
        times: list[float] = []
        end = time.perf_counter() + seconds / BLOCKS
        while len(times) < min_calls or time.perf_counter() < end:
            times.append(time_call(call))
        blocks.append(times)
    return Latency.of(blocks[1:])


def rounded(ms: float) -> float:
    """Round to a tenth of a microsecond."""
    return round(ms, 4)


def pluralize(count: int, noun: str) -> str:
    """Return a count with its noun: "1 thread", "0 threads"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
