"""How far confidence is from being the chance to be right."""

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics import right_answers

BINS = 15
"""Equal parts of confidence from 0 to 1, as in most papers."""


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
