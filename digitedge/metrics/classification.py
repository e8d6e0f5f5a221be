"""How often a model is right, how often two models agree, and whether the difference means anything."""

import math

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError

BINS = 15
"""Equal parts of confidence from 0 to 1, as in most papers."""


def top1(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Share of samples whose largest probability stands at the label, 0 to 1.

    A row with NaN counts as wrong.

    Args:
        probabilities: float32 (N, 10), N >= 1.
        labels: uint8 (N,), 0 to 9.

    Raises:
        InputError: no samples, or lengths that differ.

    Examples:
        >>> top1(np.float32([[0.9, 0.1], [0.8, 0.2]]), np.uint8([0, 1]))
        0.5
    """
    return float(np.mean(right_answers(probabilities, labels)))


def right_answers(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell for each sample whether the answer is the label: bool (N,). Errors as in `top1`."""
    if not len(labels) or len(probabilities) != len(labels):
        raise InputError(f"expected as many rows as labels and at least 1, got {len(probabilities)} and {len(labels)}")
    finite = np.isfinite(probabilities).all(axis=1)
    return np.asarray((probabilities.argmax(axis=1) == labels) & finite)


def agreement(reference: NDArray[np.float32], candidate: NDArray[np.float32]) -> float:
    """Share of samples to which two models give the same answer, 0 to 1. NaN agrees with nothing.

    Args:
        reference: float32 (N, 10), N >= 1.
        candidate: float32 (N, 10), row by row the same samples.

    Raises:
        InputError: no samples, or shapes that differ.
    """
    if not len(reference) or reference.shape != candidate.shape:
        raise InputError(f"expected two equal shapes with at least 1 row, got {reference.shape} and {candidate.shape}")
    finite = np.isfinite(reference).all(axis=1) & np.isfinite(candidate).all(axis=1)
    return float(np.mean((reference.argmax(axis=1) == candidate.argmax(axis=1)) & finite))


def confusion(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count answers by truth: int64 (10, 10), rows the true digit, columns the answer."""
    counts = np.zeros((10, 10), np.int64)
    np.add.at(counts, (labels, probabilities.argmax(axis=1)), 1)
    return counts


def mcnemar_p(only_first_right: int, only_second_right: int) -> float:
    """Probability of a split at least this uneven if both models were equally good; exact and two-sided.

    Args:
        only_first_right: samples that only the first model answers rightly.
        only_second_right: samples that only the second model answers rightly.

    Returns:
        p from 0 to 1; 1.0 when the models never differ.

    Source:
        McNemar 1947, doi:10.1007/BF02295996, as the exact binomial test on the discordant pairs.

    Examples:
        >>> mcnemar_p(0, 0), mcnemar_p(1, 9)
        (1.0, 0.021484375)
    """
    n = only_first_right + only_second_right
    tail = sum(math.comb(n, k) for k in range(min(only_first_right, only_second_right) + 1))
    return float(min(1.0, 2 * tail / 2**n))


def expected_calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> float:
    """Mean distance between confidence and accuracy, over answers that are about equally sure.

    Args:
        probabilities: float32 (N, 10), N >= 1, finite.
        labels: uint8 (N,), 0 to 9.

    Returns:
        0 for a model of whose answers with 90 % confidence 90 % are right, and so on; 1 at most.

    Raises:
        InputError: no samples, or lengths that differ.

    Source:
        Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599, equation 3.

    Examples:
        >>> sure = np.float32([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.8, 0.2]])
        >>> round(expected_calibration_error(sure, np.uint8([0, 0, 0, 1])), 4)  # 80 % sure, 75 % right
        0.05
    """
    right = right_answers(probabilities, labels)
    confidence = probabilities.max(axis=1).astype(np.float64)
    bins = np.clip(np.ceil(confidence * BINS) - 1, 0, BINS - 1).astype(int)  # (0, 1/15], (1/15, 2/15], ...
    gaps = np.bincount(bins, right - confidence, BINS)  # sums, so the share of each bin is in them already
    return float(np.abs(gaps).sum() / len(labels))
