"""Rejection: predictions become decisions, which candidates are digits and why the others are not.

No single feature separates digits from letters, lines and leaves, so a logistic regression weighs six: the confidence,
the evidence of neighbours in the row and on the rest of the page, clutter around the candidate, its height and how slim
it is. The weights were fitted on rendered scenes; see docs/decisions/rejection.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.classify import CONFIDENT, Prediction
from digitedge.utils.boxes import Box
from digitedge.vision import split_rows
from digitedge.vision.median import median
from digitedge.vision.segment import RejectReason

MIN_CONFIDENCE = 0.25
"""Default of the least confidence of a digit: below it, predictions are wrong more often than right."""

FEATURES = ("confidence", "row", "page", "clutter", "height", "slimness")
"""Columns of `extract_features`, and the keys of the evidence in verbose JSON."""

WEIGHTS = np.array([0.55, 0.32, 0.28, -1.71, -5.94, -5.52])
"""Log odds for each unit of a feature."""

BIAS = -3.27
"""Log odds of a candidate whose features are all 0."""

# Probabilities are clipped to this distance from 0 and 1.
MIN_DOUBT = 0.003
# Evidence of a neighbour in log odds, within limits: that of its confidence less NEUTRAL_LOG_ODDS, later its own.
# One confident digit supports little, one letter contradicts much.
NEUTRAL_LOG_ODDS = 2.0
MIN_EVIDENCE, MAX_EVIDENCE = -3.0, 1.0
# Limit for the sum over a row, and for that over the page.
MAX_CONTEXT = 10.0
# Times that all candidates are scored. In the second round, a letter is rejected because the rest of its word was.
ROUNDS = 2
# Ratio of width to height under which a candidate is a bare stroke, and the largest evidence of one: maybe a letter l.
STROKE_ASPECT = 0.35
MAX_STROKE_EVIDENCE = 0.3
# Largest value of the feature: how thin a stroke is beyond that depends on the pen only.
MAX_SLIMNESS = 0.2
# Clutter below this is noise of the paper.
MIN_CLUTTER = 0.1
# Heights that differ by less than this, in logarithms, are alike (a factor of 1.35), and the limit beyond that (2.5).
HEIGHT_TOLERANCE = 0.3
MAX_HEIGHT_DEVIATION = 0.6

_REJECT_REASONS = {
    "confidence": "low confidence",
    "row": "no digits in the row",
    "page": "no digits on the page",
    "clutter": "cluttered surroundings",
    "height": "unusual height",
    "slimness": "bare stroke",
}
# Evidence for a clear digit that stands alone on clean paper. The feature furthest below it is the reject reason.
_TYPICAL_EVIDENCE = np.array([4.5, 0.0, 0.0, np.log(MIN_CLUTTER), 0.0, 0.0]) * WEIGHTS


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """Whether a candidate is a digit.

    Attributes:
        prediction: of the candidate.
        reject_reason: why it is not a digit, in a few words; "" if it is kept.
        evidence: log odds from each of FEATURES that it is a digit; empty if its size or shape rules that out.
    """

    prediction: Prediction
    reject_reason: str
    evidence: tuple[float, ...]

    @property
    def kept(self) -> bool:
        """Whether it is reported as a digit."""
        return not self.reject_reason

    @property
    def box(self) -> Box:
        """x, y, width, height in pixels of the image."""
        return self.prediction.box

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON, as in verbose readings."""
        return {
            "box": list(self.box),
            "digit": self.prediction.digit,
            "confidence": round(self.prediction.confidence, 4),
            "kept": self.kept,
            "reject_reason": self.reject_reason,
            "evidence": dict(zip(FEATURES, self.evidence, strict=False)),
        }


def decide(
    predictions: Sequence[Prediction], *, min_confidence: float = MIN_CONFIDENCE, reject_threshold: float = 0.5
) -> list[Decision]:
    """Decide which predictions are digits.

    Args:
        predictions: of all candidates of an image.
        min_confidence: least confidence of a digit, 0 to 1, regardless of other evidence.
        reject_threshold: confidence that is evidence neither for nor against a digit, 0 to 1; from the manifest.

    Returns:
        A decision for each prediction, in the same order.
    """
    evidence = initial_evidence(predictions)
    for _ in range(ROUNDS - 1):
        evidence = BIAS + extract_features(predictions, evidence, reject_threshold) @ WEIGHTS
    rows = extract_features(predictions, evidence, reject_threshold) * WEIGHTS
    return [_decide(prediction, row, min_confidence) for prediction, row in zip(predictions, rows, strict=True)]


def _decide(prediction: Prediction, evidence: NDArray[np.float64], min_confidence: float) -> Decision:
    shape_reason = prediction.candidate.reject_reason
    if shape_reason is not None:
        return Decision(prediction, str(shape_reason), ())
    rounded = tuple(round(float(value), 2) + 0.0 for value in evidence)  # + 0.0: no -0.0 in JSON
    if not prediction.confidence >= min_confidence:  # also true for NaN
        return Decision(prediction, f"confidence under {min_confidence:g}", rounded)
    if not BIAS + evidence.sum() > 0:
        weakest = FEATURES[int((evidence - _TYPICAL_EVIDENCE).argmin())]
        return Decision(prediction, _REJECT_REASONS[weakest], rounded)
    return Decision(prediction, "", rounded)


def initial_evidence(predictions: Sequence[Prediction]) -> NDArray[np.float64]:
    """Return the evidence that each candidate gives its neighbours before any decision: float64 (N,), log odds."""
    return _log_odds(np.array([prediction.initial_confidence for prediction in predictions])) - NEUTRAL_LOG_ODDS


def extract_features(
    predictions: Sequence[Prediction], evidence: NDArray[np.float64], reject_threshold: float = 0.5
) -> NDArray[np.float64]:
    """Compute the features of every candidate.

    Args:
        predictions: of all candidates of an image.
        evidence: float64 (N,), log odds that each one is a digit, as its neighbours use it.
        reject_threshold: confidence that is evidence neither for nor against a digit, 0 to 1.

    Returns:
        float64 (N, 6), columns as in FEATURES.
    """
    if not predictions:
        return np.empty((0, len(FEATURES)))
    boxes = [prediction.candidate.box for prediction in predictions]
    width, height = np.array(boxes, np.float64)[:, 2:].T
    log_odds = _log_odds(np.array([prediction.confidence for prediction in predictions]))
    confident = log_odds >= _log_odds(np.array(CONFIDENT))
    typical_height = median(height[confident] if confident.any() else height)
    slimness = (STROKE_ASPECT - width / height).clip(0.0, MAX_SLIMNESS)
    weighted = _weigh_evidence(predictions, evidence, slimness, np.maximum(width, height) / typical_height)
    row_of = np.empty(len(predictions), int)
    for number, row in enumerate(split_rows(boxes)):
        row_of[row] = number
    in_row = np.bincount(row_of, weighted)[row_of] - weighted
    elsewhere = weighted.sum() - in_row - weighted
    # Candidates of a page are not independent: together they count as the root of their sum, and the less the more
    # evidence the row has, so that a number under a page of text stays one.
    page = np.copysign(np.sqrt(np.abs(elsewhere)).clip(0.0, MAX_CONTEXT), elsewhere) / (1 + in_row.clip(0.0))
    clutter = np.log(MIN_CLUTTER + np.array([prediction.candidate.clutter for prediction in predictions]))
    height_deviation = (np.abs(np.log(height / typical_height)) - HEIGHT_TOLERANCE).clip(0.0, MAX_HEIGHT_DEVIATION)
    confidence = log_odds - _log_odds(np.array(reject_threshold))
    row_evidence = in_row.clip(-MAX_CONTEXT, MAX_CONTEXT)
    return np.stack([confidence, row_evidence, page, clutter, height_deviation, slimness], axis=1)


def _weigh_evidence(
    predictions: Sequence[Prediction],
    evidence: NDArray[np.float64],
    slimness: NDArray[np.float64],
    size: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Limit the evidence of each candidate: words count against digits, small ones count less, other shapes nothing."""
    reasons = [prediction.candidate.reject_reason for prediction in predictions]
    is_word = np.array([reason is RejectReason.TOO_WIDE for reason in reasons])
    weighted = np.where(is_word, MIN_EVIDENCE, evidence.clip(MIN_EVIDENCE, MAX_EVIDENCE))
    weighted = np.where(slimness > 0, np.minimum(weighted, MAX_STROKE_EVIDENCE), weighted)
    is_writing = is_word | np.array([reason is None for reason in reasons])
    return np.where(is_writing, weighted * np.minimum(size, 1.0) ** 2, 0.0)


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = probability.clip(MIN_DOUBT, 1 - MIN_DOUBT)
    return np.asarray(np.log(clipped / (1 - clipped)))
