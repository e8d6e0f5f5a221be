"""The images that int8 observes: training images, as many of each digit, each once, as they are."""

import numpy as np
from numpy.typing import NDArray

from digitedge.data.synthetic import synthetic_digits
from digitedge.errors import InputError
from digitedge.runtime import Classifier
from digitedge.training.augment import random_affine

CALIBRATION_SAMPLES = 500
KEPT_SHARE = 0.99


def calibration_indices(
    labels: NDArray[np.uint8], *, samples: int = CALIBRATION_SAMPLES, seed: int = 0
) -> NDArray[np.int64]:
    """Choose training images for calibration.

    Args:
        labels: uint8 (N,) of the training images, 0 to 9.
        samples: how many, a multiple of 10.
        seed: the same seed chooses the same images.

    Returns:
        int64 (samples,) indices, ascending, each once, `samples / 10` of every digit.

    Raises:
        InputError: too few images of a digit.
    """
    each = samples // 10
    counts = np.bincount(labels, minlength=10)
    if counts.min() < each:
        raise InputError(
            f"calibration takes {each} training images of each digit, got {counts.min()} of digit {counts.argmin()}"
        )
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(np.flatnonzero(labels == digit), each, replace=False) for digit in range(10)]
    return np.sort(np.concatenate(chosen))


def reject_threshold(classifier: Classifier, images: NDArray[np.uint8], *, seed: int = 0) -> float:
    """The confidence that 99 of 100 digits reach: training images moved as in training, and as many rendered ones.

    The moved ones alone gave 0.93 for a well-trained net, which has seen them, and cost rows in photographs; rendered
    digits are of hands that it has not seen. (Rejected: the test images, which only judge.)

    Args:
        classifier: the exported file.
        images: uint8 (N, 28, 28) training images.
        seed: of the movements, four for each image, and of the rendered digits.

    Returns:
        0 to 1, rounded down to 3 digits.
    """
    rng = np.random.default_rng(seed)
    moved = [random_affine(images, rng) for _ in range(4)]
    rendered, _ = synthetic_digits(4 * len(images), seed=seed)
    confidence = classifier.probabilities(np.concatenate([*moved, rendered])).max(axis=1)
    return int(1000 * np.quantile(confidence, 1 - KEPT_SHARE)) / 1000
