"""Load the data set that `--data` names: MNIST, or rendered digits."""

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import LabelledCrops, number_crops
from digitedge.datasets.mnist import load_mnist
from digitedge.synthetic.handwriting.digits import synthetic_digits

SYNTHETIC = "synthetic"
MNIST = "mnist"
# Number of rendered digits; they take about ten seconds.
SYNTHETIC_TRAIN = 30_000
SYNTHETIC_TEST = 4_000


def load_dataset(source: str | None = None) -> tuple[str, Dataset]:
    """Load a data set; return its name ("mnist" or "synthetic") and its arrays.

    Args:
        source: "synthetic", the path of MNIST, or None to find or download MNIST.

    Raises:
        DataError: see `load_mnist`.
    """
    if source == SYNTHETIC:
        return SYNTHETIC, Dataset(*synthetic_digits(SYNTHETIC_TRAIN, seed=1), *_synthetic_test())
    return MNIST, load_mnist(source)


def load_test_crops(source: str | None = None) -> LabelledCrops:
    """Load the test images of a data set. Arguments and errors as in `load_dataset`."""
    if source == SYNTHETIC:
        return number_crops(SYNTHETIC, *_synthetic_test())
    name, digits = load_dataset(source)
    return number_crops(name, digits.x_test, digits.y_test)


def _synthetic_test() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return synthetic_digits(SYNTHETIC_TEST, seed=2)
