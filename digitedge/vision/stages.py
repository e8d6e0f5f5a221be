"""The stages of the pipeline from an image to a reading: names and a clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Stage(StrEnum):
    """A stage of the pipeline, in the order in which they run."""

    GREY = "grey"
    INK = "ink"
    MASK = "mask"
    LINES = "lines"
    CANDIDATES = "candidates"
    CROPS = "crops"
    PREDICTIONS = "predictions"
    SPLIT_MERGE = "split_merge"
    DECISIONS = "decisions"
    ROWS = "rows"


class StageClock:
    """Measures the time of each stage. The time of a stage that runs inside another one counts only for the inner one.

    Attributes:
        ms: milliseconds of each stage, in the order of the pipeline.

    Examples:
        >>> clock = StageClock()
        >>> with clock.measure(Stage.GREY):
        ...     pass
        >>> clock.ms[Stage.GREY] > 0, clock.ms[Stage.INK]
        (True, 0.0)
    """

    def __init__(self) -> None:
        self.ms = dict.fromkeys(Stage, 0.0)
        self._inner_ms = [0.0]

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        """Add the time of the block to a stage."""
        self._inner_ms.append(0.0)
        started = time.perf_counter()
        try:
            yield
        finally:
            took = 1000 * (time.perf_counter() - started)
            self.ms[stage] += took - self._inner_ms.pop()
            self._inner_ms[-1] += took
