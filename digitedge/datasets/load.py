"""Load the digits that `--data` and `--dataset` name: MNIST, rendered digits, or the user's own."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.custom import load_custom_digits
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import LabelledCrops, join_crops, number_crops
from digitedge.datasets.mnist import has_mnist, load_mnist
from digitedge.errors import DataError
from digitedge.synthetic.handwriting.digits import synthetic_digits

SYNTHETIC = "synthetic"
MNIST = "mnist"
# Number of rendered digits; they take about ten seconds.
SYNTHETIC_TRAIN = 30_000
SYNTHETIC_TEST = 4_000
KINDS = (
    f"{MNIST}, {SYNTHETIC}, a folder or npz file with MNIST, or digits of your own: a folder with subfolders 0 to 9 or "
    "with images such as 7_0001.png, an npz file with images x and labels y, or a csv file with a digit and its pixels "
    "in each line"
)
"""What `--data` and `--dataset` take."""


def load_dataset(source: str | None = None) -> tuple[str, Dataset]:
    """Load a data set; return its name ("mnist" or "synthetic") and its arrays.

    Args:
        source: "mnist", "synthetic", the path of MNIST, or None to find or download MNIST.

    Raises:
        DataError: see `load_mnist`.
    """
    if source == SYNTHETIC:
        return SYNTHETIC, Dataset(*synthetic_digits(SYNTHETIC_TRAIN, seed=1), *_synthetic_test())
    return MNIST, load_mnist(None if source == MNIST and not has_mnist(Path(MNIST)) else source)


def load_test_crops(
    sources: Sequence[str] | None = None, *, log: Callable[[str], object] = lambda line: None
) -> LabelledCrops:
    """Load digits to judge a model on: the test images of MNIST or of rendered digits, all digits of the user's own.

    Several sets become one, whose names tell the source of each digit.

    Args:
        sources: any of `KINDS`; none to find or download MNIST.
        log: gets a line about each set of the user's own.

    Raises:
        DataError: nothing there, a set twice, or one that is damaged or of no known kind; the message says which.
        CameraError: an image is damaged.
    """
    sources = sources or [MNIST]
    check_each_once(sources)
    return join_crops({source: _load_test_set(source, log) for source in sources})


def check_each_once(sources: Sequence[str]) -> None:
    """Refuse a set of digits that `--data` names twice, whose digits would count double.

    Raises:
        DataError: two of them are the same place.
    """
    places = [source if source in (MNIST, SYNTHETIC) else Path(source).resolve() for source in sources]
    for index, source in enumerate(sources):
        if places[index] in places[:index]:
            raise DataError(f"expected every set of digits once, got {source} again. Leave one out.")


def is_own(source: str) -> bool:
    """Whether `--data` names digits of the user's own: no word, and no place with MNIST.

    Raises:
        DataError: there is nothing at that path.
    """
    if source in (MNIST, SYNTHETIC):
        return False
    if not Path(source).exists():
        raise DataError(f"nothing at {source}: expected {KINDS}.")
    return not has_mnist(Path(source))


def _load_test_set(source: str, log: Callable[[str], object]) -> LabelledCrops:
    if source == SYNTHETIC:
        return number_crops(SYNTHETIC, *_synthetic_test())
    if is_own(source):
        return load_custom_digits(source, log=log)
    name, digits = load_dataset(source)
    return number_crops(name, digits.x_test, digits.y_test)


def _synthetic_test() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return synthetic_digits(SYNTHETIC_TEST, seed=2)
