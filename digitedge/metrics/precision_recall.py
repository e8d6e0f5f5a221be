"""The precision-recall curve: what a threshold on the confidence rejects, and what it loses."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError

MAX_POINTS = 51
"""Largest number of points in JSON."""


class CurvePoint(NamedTuple):
    """What holds if answers below a threshold are rejected.

    Attributes:
        threshold: least confidence of an answer that is kept, 0 to 1.
        precision: share of the kept answers that are correct, 0 to 1.
        recall: share of the true digits that are kept and correct, 0 to 1.
        f1: harmonic mean of the two.
    """

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """A point for each confidence that occurs, the lowest first: there, nothing is rejected.

    Attributes:
        thresholds: float64 (M,), rising, M >= 1.
        precision: float64 (M,), 0 to 1.
        recall: float64 (M,), 0 to 1.
    """

    thresholds: NDArray[np.float64]
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]

    @property
    def f1(self) -> NDArray[np.float64]:
        """Harmonic mean of precision and recall: float64 (M,)."""
        total = self.precision + self.recall
        return np.divide(2 * self.precision * self.recall, total, out=np.zeros_like(total), where=total > 0)

    @property
    def best(self) -> CurvePoint:
        """The point with the best F1; of equal ones that with the lowest threshold."""
        return self._point(int(self.f1.argmax()))

    def at_precision(self, least: float) -> CurvePoint | None:
        """The point with the best recall of those with at least this precision; None if there is none."""
        precise = np.flatnonzero((self.precision >= least) & (self.recall > 0))
        return self._point(int(precise[self.recall[precise].argmax()])) if len(precise) else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON: the best points, and at most MAX_POINTS of the curve, spread over its answers."""
        count = len(self.thresholds)
        chosen = np.unique(np.linspace(0, count - 1, min(count, MAX_POINTS)).round().astype(int))
        precise = self.at_precision(0.99)
        return {
            "best_f1": _rounded(self.best),
            "precision_99": None if precise is None else _rounded(precise),
            "points": [_rounded(self._point(int(index))) for index in chosen],
        }

    def _point(self, index: int) -> CurvePoint:
        arrays = (self.thresholds, self.precision, self.recall, self.f1)
        return CurvePoint(*(float(array[index]) for array in arrays))


def precision_recall_curve(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], true_digits: int
) -> PrecisionRecallCurve | None:
    """Measure precision and recall at every threshold; None without answers or true digits.

    Args:
        confidence: float (N,) of each answer, 0 to 1: a prediction, or a detected digit.
        correct: bool (N,), whether the answer is right.
        true_digits: number of digits that there are to find; at least as many as there are correct answers.

    Raises:
        InputError: lengths that differ, confidence that is not finite, or more correct answers than digits.

    Source:
        Davis and Goadrich 2006, "The relationship between precision-recall and ROC curves",
        doi:10.1145/1143844.1143874.

    Examples:
        >>> curve = precision_recall_curve(np.float64([0.9, 0.8, 0.6]), np.array([True, False, True]), 4)
        >>> curve.thresholds.tolist(), curve.precision.round(3).tolist(), curve.recall.tolist()
        ([0.6, 0.8, 0.9], [0.667, 0.5, 1.0], [0.5, 0.25, 0.25])
    """
    if len(confidence) != len(correct) or not np.isfinite(confidence).all() or correct.sum() > true_digits:
        raise InputError(
            "expected as many finite values as answers and at least as many digits as correct ones, got "
            f"{len(confidence)} values, {len(correct)} answers and {true_digits} digits"
        )
    if not len(confidence) or not true_digits:
        return None
    thresholds, place = np.unique(confidence.astype(np.float64), return_inverse=True)
    kept, kept_correct = (
        np.cumsum(np.bincount(place, weights, len(thresholds))[::-1])[::-1]
        for weights in (np.ones(len(correct)), correct.astype(np.float64))
    )
    return PrecisionRecallCurve(thresholds, kept_correct / kept, kept_correct / true_digits)


def _rounded(point: CurvePoint) -> dict[str, float]:
    return {name: round(value, 6) for name, value in point._asdict().items()}
