"""Out-of-distribution (OOD) detection: how well confidence separates digits from non-digits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NON_DIGIT = 255
"""The label of a crop that shows no digit, or not one whole digit."""

TARGET_TPR = 0.99
"""Share of the correctly classified digits that a reject threshold keeps (true positive rate)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OodResult:
    """Confidences of digits against those of non-digits.

    Attributes:
        digits: number of correctly classified digits; wrong predictions do not count.
        non_digits: their number.
        threshold_at_99_tpr: confidence that 99 % of those digits reach, 0 to 1.
        fpr_at_99_tpr: share of the non-digits that reach it too, 0 to 1.
        auroc: area under the ROC curve; 0.5 is chance, 1 perfect.
    """

    digits: int
    non_digits: int
    threshold_at_99_tpr: float
    fpr_at_99_tpr: float
    auroc: float


def threshold_at_99_tpr(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return the confidence that TARGET_TPR of the correctly classified digits reach, 0 to 1; 1 if none is correct.

    Wrong predictions are left out, because rejecting them is no loss.

    Args:
        probabilities: float32 (N, 10).
        labels: uint8 (N,), 0 to 9; rows with NON_DIGIT are left out.

    Examples:
        >>> threshold_at_99_tpr(np.eye(10, dtype=np.float32)[[1, 2, 3]] * 0.9, np.uint8([1, 2, 4]))
        0.8999999761581421
    """
    confidence = _confidence_of_correct(probabilities, labels)
    return float(np.quantile(confidence, 1 - TARGET_TPR, method="higher")) if len(confidence) else 1.0


def measure_ood(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> OodResult | None:
    """Measure how well confidence separates digits from non-digits; None without non-digits or correct predictions.

    Args:
        probabilities: float32 (N, 10).
        labels: uint8 (N,), 0 to 9 or NON_DIGIT.

    Source:
        AUROC as the Mann-Whitney statistic, ties counting half: Fawcett 2006, "An introduction to ROC analysis",
        section 7.
    """
    digits = _confidence_of_correct(probabilities, labels)
    non_digits = probabilities[labels == NON_DIGIT].max(axis=1)
    if not (len(digits) and len(non_digits)):
        return None
    threshold = threshold_at_99_tpr(probabilities, labels)
    ranked = np.sort(digits)
    below = (np.searchsorted(ranked, non_digits, "left") + np.searchsorted(ranked, non_digits, "right")) / 2
    return OodResult(
        digits=len(digits),
        non_digits=len(non_digits),
        threshold_at_99_tpr=threshold,
        fpr_at_99_tpr=float((non_digits >= threshold).mean()),
        auroc=float(1 - below.mean() / len(digits)),
    )


def _confidence_of_correct(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the confidences of the correctly classified digits: float32 (M,), finite."""
    confidence = probabilities.max(axis=1)
    correct = (probabilities.argmax(axis=1) == labels) & np.isfinite(confidence)
    return np.asarray(confidence[correct], np.float32)
