"""The trace of a reading: the result and the time of every stage of the pipeline."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.classify import Prediction
from digitedge.reader.rejection import Decision
from digitedge.vision import Candidate, Detection, Stage


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Every stage of the pipeline for one image, from one run.

    Attributes:
        image: uint8 (H, W, 3) BGR or (H, W), as it was given.
        detection: the levels with their working images, and the candidates as they were detected.
        decisions: for every candidate after splits and merges, its prediction and whether it is a digit.
        rows: indices of the decisions that are kept: rows from top to bottom, each from left to right.
        stage_ms: milliseconds of each stage, in the order of the pipeline.
    """

    image: NDArray[np.uint8] = field(repr=False)
    detection: Detection = field(repr=False)
    decisions: tuple[Decision, ...]
    rows: tuple[tuple[int, ...], ...]
    stage_ms: dict[Stage, float]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates after splits and merges, in the order of `decisions`."""
        return tuple(decision.prediction.candidate for decision in self.decisions)

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The prediction for each candidate."""
        return tuple(decision.prediction for decision in self.decisions)

    def sorted_decisions(self) -> list[Decision]:
        """Return the decisions that are kept in reading order, then the rejected ones, the most confident first."""
        kept = [self.decisions[index] for row in self.rows for index in row]
        rejected = [decision for decision in self.decisions if not decision.kept]
        return kept + sorted(rejected, key=lambda decision: -decision.prediction.confidence)
