"""From what a user says to a data set: MNIST wherever it is, or digits rendered here."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import DigitSet, numbered
from digitedge.datasets.mnist import load_mnist
from digitedge.synthetic.handwriting.digits import synthetic_digits

SYNTHETIC = "synthetic"
MNIST = "mnist"
SYNTHETIC_TRAIN, SYNTHETIC_TEST = 30_000, 4_000  # rendered in about ten seconds


def load_dataset(source: str | None = None) -> tuple[str, Dataset]:
    """Load the data set that `--data` names.

    Args:
        source: "synthetic", the path of MNIST, or None to look for MNIST and else download it.

    Returns:
        The name of the data set ("mnist" or "synthetic") and its arrays.

    Raises:
        DataError: see `load_mnist`.
    """
    if source == SYNTHETIC:
        train = synthetic_digits(SYNTHETIC_TRAIN, seed=1)
        return SYNTHETIC, Dataset(*train, *_synthetic_test())
    return MNIST, load_mnist(None if source is None else Path(source))


def load_test_digits(source: str | None = None) -> DigitSet:
    """Load the test half of the data set that `--data` names. Arguments and errors as in `load_dataset`."""
    if source == SYNTHETIC:
        return numbered(SYNTHETIC, *_synthetic_test())
    name, digits = load_dataset(source)
    return numbered(name, digits.x_test, digits.y_test)


def _synthetic_test() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return synthetic_digits(SYNTHETIC_TEST, seed=2)
