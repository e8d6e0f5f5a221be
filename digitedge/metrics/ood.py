"""How well confidence tells digits from what is none: the question that a camera asks of every cutting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NOTHING = 255
"""In place of a digit: what was cut out is none, or not one whole digit."""

KEPT_SHARE = 0.99
"""Share of the digits that a net reads rightly that a reject threshold keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """Confidences of digits against those of other marks.

    Attributes:
        digits: how many digits were read rightly; only these are worth keeping.
        others: how many other marks were scored.
        threshold: the confidence that 99 of 100 of those digits reach, 0 to 1.
        accepted: share of the others that reach it too, 0 to 1.
        auroc: how often a digit is more confident than another mark, a tie counting half; 0.5 is chance, 1 perfect.
    """

    digits: int
    others: int
    threshold: float
    accepted: float
    auroc: float


def threshold_for(probabilities: NDArray[np.float32], digits: NDArray[np.uint8]) -> float:
    """The confidence that KEPT_SHARE of the digits reach that are read rightly.

    To reject one that is read wrongly is no loss, so those do not pull the threshold down.

    Args:
        probabilities: float32 (N, 10).
        digits: uint8 (N,), the truth; where it is NOTHING, a row does not count.

    Returns:
        0 to 1; 1 where nothing is read rightly, NaN included.

    Examples:
        >>> threshold_for(np.eye(10, dtype=np.float32)[[1, 2, 3]] * 0.9, np.uint8([1, 2, 4]))
        0.8999999761581421
    """
    confidence = _confidence_of_right(probabilities, digits)
    return float(np.quantile(confidence, 1 - KEPT_SHARE, method="higher")) if len(confidence) else 1.0


def separate(probabilities: NDArray[np.float32], digits: NDArray[np.uint8]) -> Separation | None:
    """Measure how far the confidences of digits lie above those of other marks.

    Args:
        probabilities: float32 (N, 10), of digits and others.
        digits: uint8 (N,), the truth: 0 to 9 or NOTHING.

    Returns:
        None where there are no others, or no digit is read rightly.

    Source:
        AUROC as the Mann-Whitney statistic: Fawcett 2006, "An introduction to ROC analysis", section 7.
    """
    right = _confidence_of_right(probabilities, digits)
    others = probabilities[digits == NOTHING].max(axis=1)
    if not (len(right) and len(others)):
        return None
    threshold = threshold_for(probabilities, digits)
    ranked = np.sort(right)
    below = (np.searchsorted(ranked, others, "left") + np.searchsorted(ranked, others, "right")) / 2
    return Separation(
        digits=len(right),
        others=len(others),
        threshold=threshold,
        accepted=float((others >= threshold).mean()),
        auroc=float(1 - below.mean() / len(right)),
    )


def _confidence_of_right(probabilities: NDArray[np.float32], digits: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Confidences of the digits that are read rightly: float32 (M,), finite."""
    confidence = probabilities.max(axis=1)
    right = (probabilities.argmax(axis=1) == digits) & np.isfinite(confidence)
    return np.asarray(confidence[right], np.float32)
