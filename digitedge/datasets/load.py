"""Load the digits that `--data` names: MNIST, rendered digits, and the user's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.custom import load_custom_digits, load_non_digits
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import LabelledCrops, join_labelled_crops, number_crops
from digitedge.datasets.mnist import find_mnist, has_mnist, load_mnist
from digitedge.datasets.own_digits import OwnDigits, split_own_digits
from digitedge.errors import DataError
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.utils.crop_format import CROP_SIZE

SYNTHETIC = "synthetic"
MNIST = "mnist"
OWN = "own"
# Number of rendered digits; they take about ten seconds.
SYNTHETIC_TRAIN = 30_000
SYNTHETIC_TEST = 4_000

Log = Callable[[str], object]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingDigits:
    """What one or several `--data` name.

    Attributes:
        name: "mnist", "synthetic" or "own", or several joined with "+".
        base: MNIST or rendered digits; None if only own digits were named.
        own: the user's digits; None if there are none.
        non_digits: uint8 (N, 28, 28), what the user's folders hold besides digits.
    """

    name: str
    base: Dataset | None
    own: OwnDigits | None
    non_digits: NDArray[np.uint8]

    def joined(self) -> Dataset:
        """All digits as one data set; own digits that are held out are test images."""
        if self.own is None:
            assert self.base is not None
            return self.base
        training, held_out = self.own.training, self.own.held_out
        own = Dataset(training.crops, training.labels, held_out.crops, held_out.labels)
        if self.base is None:
            return own
        return Dataset(*(np.concatenate(pair) for pair in zip(self.base, own, strict=True)))


def load_training_digits(sources: Sequence[str] | None = None, *, log: Log = lambda line: None) -> TrainingDigits:
    """Load digits to train on and to judge by.

    Args:
        sources: each is "mnist", "synthetic", the path of MNIST, or of own digits (see `load_custom_digits`); None or
            none to find or download MNIST.
        log: gets a line about each set of own digits.

    Raises:
        DataError: see `load_mnist` and `load_custom_digits`.
        CameraError: an image is damaged.
    """
    bases: dict[str, Dataset] = {}
    own: list[LabelledCrops] = []
    non_digits = [np.zeros((0, CROP_SIZE, CROP_SIZE), np.uint8)]
    for source in sources or [MNIST]:
        name = base_name(source)
        if name is not None:
            bases[name] = _load_base(name, source)
        else:
            own.append(load_custom_digits(source, log=log))
            if Path(source).is_dir():
                non_digits.append(load_non_digits(source))
    base = Dataset(*(np.concatenate(parts) for parts in zip(*bases.values(), strict=True))) if bases else None
    split = split_own_digits(join_labelled_crops(OWN, own)) if own else None
    return TrainingDigits("+".join([*bases, *([OWN] if own else [])]), base, split, np.concatenate(non_digits))


def load_dataset(sources: Sequence[str] | None = None, *, log: Log = lambda line: None) -> tuple[str, Dataset]:
    """Load all digits as one data set; return its name and its arrays. Arguments and errors as above."""
    digits = load_training_digits(sources, log=log)
    return digits.name, digits.joined()


def load_mnist_or_rendered(*, log: Log) -> tuple[str, Dataset]:
    """Load MNIST, or rendered digits if it is neither on this machine nor can be downloaded, which is logged.

    Raises:
        DataError: MNIST is here, but damaged.
    """
    try:
        return load_dataset()
    except DataError:
        if find_mnist() is not None:
            raise
        log("MNIST is not available and cannot be downloaded; using rendered digits")
        return load_dataset([SYNTHETIC])


def load_test_crops(sources: Sequence[str] | None = None, *, log: Log = lambda line: None) -> LabelledCrops:
    """Load digits to judge a model by: the test images of MNIST or rendered digits, and all of the user's own.

    Arguments and errors as above.
    """
    sets = []
    for source in sources or [MNIST]:
        name = base_name(source)
        if name == SYNTHETIC:
            sets.append(number_crops(SYNTHETIC, *_synthetic_test()))
        elif name is not None:
            data = _load_base(name, source)
            sets.append(number_crops(name, data.x_test, data.y_test))
        else:
            sets.append(load_custom_digits(source, log=log))
    return join_labelled_crops(", ".join(one.name for one in sets), sets)


def base_name(source: str) -> str | None:
    """Return "mnist" or "synthetic" if a source is one of the two, else None: it is the path of own digits."""
    if source in (MNIST, SYNTHETIC):
        return source
    return MNIST if has_mnist(Path(source)) else None


def _load_base(name: str, source: str) -> Dataset:
    if name == SYNTHETIC:
        return Dataset(*synthetic_digits(SYNTHETIC_TRAIN, seed=1), *_synthetic_test())
    return load_mnist(None if source == MNIST else source)


def _synthetic_test() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return synthetic_digits(SYNTHETIC_TEST, seed=2)
