"""Accuracy, agreement of two models, significance of a difference, and calibration error."""

import math

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.runtime.contract import CLASSES

BINS = 15
"""Confidence bins of equal width for the calibration error, as in Guo et al. 2017."""


def top1(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return the share of samples whose largest probability is at the label, 0 to 1. A row with NaN counts as wrong.

    Args:
        probabilities: float32 (N, 10), N >= 1.
        labels: uint8 (N,), 0 to 9.

    Raises:
        InputError: no samples, or lengths that differ.

    Examples:
        >>> top1(np.float32([[0.9, 0.1], [0.8, 0.2]]), np.uint8([0, 1]))
        0.5
    """
    return float(np.mean(is_correct(probabilities, labels)))


def is_correct(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each sample whether its prediction is the label: bool (N,). Arguments and errors as in `top1`."""
    if not len(labels) or len(probabilities) != len(labels):
        raise InputError(f"expected as many rows as labels and at least 1, got {len(probabilities)} and {len(labels)}")
    finite = np.isfinite(probabilities).all(axis=1)
    return np.asarray((probabilities.argmax(axis=1) == labels) & finite)


def agreement(reference: NDArray[np.float32], candidate: NDArray[np.float32]) -> float:
    """Return the share of samples with equal predictions of two models, float32 (N, 10). NaN agrees with nothing.

    Raises:
        InputError: no samples, or shapes that differ.
    """
    if not len(reference) or reference.shape != candidate.shape:
        raise InputError(f"expected two equal shapes with at least 1 row, got {reference.shape} and {candidate.shape}")
    finite = np.isfinite(reference).all(axis=1) & np.isfinite(candidate).all(axis=1)
    return float(np.mean((reference.argmax(axis=1) == candidate.argmax(axis=1)) & finite))


def confusion_matrix(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count predictions by label: int64 (10, 10), rows are labels, columns predictions."""
    counts = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def mcnemar_p(only_first_correct: int, only_second_correct: int) -> float:
    """Return the p-value of the exact, two-sided McNemar test: are two models equally accurate?

    The arguments are numbers of samples that only one of the models classifies correctly.

    Source:
        McNemar 1947, doi:10.1007/BF02295996, as the exact binomial test on the discordant pairs.

    Examples:
        >>> mcnemar_p(0, 0), mcnemar_p(1, 9)
        (1.0, 0.021484375)
    """
    n = only_first_correct + only_second_correct
    tail = sum(math.comb(n, k) for k in range(min(only_first_correct, only_second_correct) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def expected_calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy over bins of confidence.

    Arguments and errors as in `top1`; the probabilities are finite. 0 is best: of the predictions with 90 % confidence,
    90 % are correct, and so on.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599, equation 3.

    Examples:
        >>> probabilities = np.float32([[0.8, 0.2]] * 4)
        >>> round(expected_calibration_error(probabilities, np.uint8([0, 0, 0, 1])), 4)  # 80 % confident, 75 % correct
        0.05
    """
    correct = is_correct(probabilities, labels)
    confidence = probabilities.max(axis=1).astype(np.float64)
    bins = np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1).astype(int)  # (0, 1/15], (1/15, 2/15], ...
    gaps = np.bincount(bins, correct - confidence, BINS)  # sums: they already contain the weight of each bin
    return float(np.abs(gaps).sum() / len(labels))
