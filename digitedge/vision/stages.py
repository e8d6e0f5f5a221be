"""The stages of the pipeline from an image to a reading: names, captions and a clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Stage(StrEnum):
    """A stage of the pipeline, in the order in which they run.

    Attributes:
        heading: a name for people.
        caption: what the stage does, in one line.
    """

    heading: str
    caption: str

    GREY = "grey", "Grey", "without colour, scaled to the writing"
    INK = "ink", "Illumination removed", "ink is bright, paper and shadows are dark"
    MASK = "mask", "Binarized", "every pixel is ink or paper"
    LINES = "lines", "Lines removed", "ruled lines, underlines and frames, in orange"
    CANDIDATES = "candidates", "Candidates", "connected components: kept in blue, rejected in orange"
    CROPS = "crops", "Crops", "28 x 28 pixels each, as the model sees them"
    PREDICTIONS = "predictions", "Predictions", "the most probable digit of each crop and its probability"
    SPLIT_MERGE = "split_merge", "Split and merge", "touching digits are split, broken ones merged"
    DECISIONS = "decisions", "Decisions", "all evidence decides which candidates are digits"
    ROWS = "rows", "Rows", "digits in reading order"

    def __new__(cls, name: str, heading: str, caption: str) -> "Stage":
        """Make a stage whose value is its name."""
        stage = str.__new__(cls, name)
        stage._value_ = name
        stage.heading = heading
        stage.caption = caption
        return stage


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
