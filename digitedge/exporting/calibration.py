"""The calibration set of int8: training images, class-balanced, each once, unchanged."""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError

CALIBRATION_SAMPLES = 500
CALIBRATION_SEED = 0


def calibration_indices(
    labels: NDArray[np.uint8], *, samples: int = CALIBRATION_SAMPLES, seed: int = 0
) -> NDArray[np.int64]:
    """Choose training images for calibration by their labels, uint8 (N,).

    Returns:
        int64 (samples,) indices, ascending, each once, `samples / 10` of each digit.

    Raises:
        InputError: too few images of a digit.
    """
    each = samples // 10
    counts = np.bincount(labels, minlength=10)
    if counts.min() < each:
        raise InputError(
            f"calibration needs {each} training images of each digit, got {counts.min()} of digit {counts.argmin()}. "
            "Give a larger data set with --data."
        )
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(np.flatnonzero(labels == digit), each, replace=False) for digit in range(10)]
    return np.sort(np.concatenate(chosen))
