"""Load the digits that `--data` names: MNIST, rendered digits, and the user's own."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.custom import load_custom_digits, load_non_digits
from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import LabelledCrops, join_crops, number_crops
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
KINDS = (
    f"{MNIST}, {SYNTHETIC}, a folder or npz file with MNIST, or digits of your own: a folder with subfolders 0 to 9 or "
    "with images such as 7_0001.png, an npz file with images x and labels y, or a csv file with a digit and its pixels "
    "in each line"
)
"""What `--data` and `--dataset` take."""

Log = Callable[[str], object]
_NO_CROPS = np.zeros((0, CROP_SIZE, CROP_SIZE), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingDigits:
    """What one or several `--data` name.

    Attributes:
        name: "mnist", "synthetic" or "own", or several joined with "+".
        base: MNIST or rendered digits; None if only own digits were named.
        own: the user's digits, not split yet; None if there are none.
        non_digits: uint8 (N, 28, 28), what the user's folders hold besides digits.
    """

    name: str
    base: Dataset | None
    own: LabelledCrops | None
    non_digits: NDArray[np.uint8]

    def joined(self) -> Dataset:
        """All digits as one data set; own digits that are held out are test images."""
        if self.own is None:
            assert self.base is not None
            return self.base
        split = split_own_digits(self.own)
        own = Dataset(split.training.crops, split.training.labels, split.held_out.crops, split.held_out.labels)
        if self.base is None:
            return own
        return Dataset(*(np.concatenate(pair) for pair in zip(self.base, own, strict=True)))

    def for_evaluation(self) -> Dataset:
        """All digits to evaluate on: own ones are test images, and training images too if there are no others."""
        if self.own is None:
            return self.joined()
        crops, labels = self.own.crops, self.own.labels
        base = self.base or Dataset(crops, labels, crops[:0], labels[:0])
        return base._replace(x_test=np.concatenate([base.x_test, crops]), y_test=np.concatenate([base.y_test, labels]))


def load_training_digits(sources: Sequence[str] | None = None, *, log: Log = lambda line: None) -> TrainingDigits:
    """Load digits to train on and to evaluate on.

    Args:
        sources: any of `KINDS`; none to find or download MNIST.
        log: gets a line about each set of own digits.

    Raises:
        DataError: nothing there, a set twice, or one that is damaged or of no known kind; the message says which.
        CameraError: an image is damaged.
    """
    sources = sources or [MNIST]
    check_each_once(sources)
    bases: dict[str, Dataset] = {}
    own: dict[str, LabelledCrops] = {}
    for source in sources:
        if is_own(source):
            own[source] = load_custom_digits(source, log=log)
        else:
            name, base = _load_base(source)
            bases[name] = base
    joined = Dataset(*(np.concatenate(parts) for parts in zip(*bases.values(), strict=True))) if bases else None
    name = "+".join([*bases, *([OWN] if own else [])])
    return TrainingDigits(name, joined, join_crops(own) if own else None, load_own_non_digits(sources))


def load_dataset(sources: Sequence[str] | None = None, *, log: Log = lambda line: None) -> tuple[str, Dataset]:
    """Load all digits as one data set; return its name and its arrays. Arguments and errors as above."""
    digits = load_training_digits(sources, log=log)
    return digits.name, digits.joined()


def choose_roles(
    digits: TrainingDigits, *, split: Callable[[LabelledCrops], OwnDigits] | None, log: Log
) -> tuple[str, Dataset, OwnDigits | None]:
    """Return the name of the data, the data set, and the own digits if these are not simply a part of it.

    A fine-tuning on own digits rehearses MNIST or rendered digits, also where only own digits were named.

    Args:
        digits: what was named.
        split: splits the own digits of a fine-tuning, in which the data set is what is rehearsed; None for another
            training.
        log: gets a line if rendered digits take the place of MNIST.

    Raises:
        DataError: as `load_mnist_or_rendered`.
    """
    if split is None or digits.own is None:
        return digits.name, digits.joined(), None
    name, base = digits.name, digits.base
    if base is None:
        base_name, base = load_mnist_or_rendered(log=log)
        name = f"{base_name}+{name}"
    return name, base, split(digits.own)


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
    """Load digits to evaluate a model on: the test images of MNIST or of rendered digits, all digits of the user's own.

    Several sets become one, whose names tell the source of each digit. Arguments and errors as above.
    """
    sources = sources or [MNIST]
    check_each_once(sources)
    return join_crops({source: _load_test_set(source, log) for source in sources})


def load_own_non_digits(sources: Sequence[str] | None = None) -> NDArray[np.uint8]:
    """Load what the user's folders hold besides digits: uint8 (N, 28, 28). Arguments and errors as above."""
    folders = [source for source in sources or [] if is_own(source) and Path(source).is_dir()]
    return np.concatenate([_NO_CROPS, *map(load_non_digits, folders)])


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
        DataError: there is nothing at that path, or a file of another kind.
    """
    if source in (MNIST, SYNTHETIC):
        return False
    path = Path(source)
    if not source or not path.exists():
        raise DataError(f"nothing at {source or repr(source)}: expected {KINDS}.")
    if path.is_file() and path.suffix.lower() not in (".npz", ".csv") and not zipfile.is_zipfile(path):
        raise DataError(f"{source}: expected {KINDS}, got a file of another kind.")
    return not has_mnist(path)


def _load_base(source: str) -> tuple[str, Dataset]:
    """Load what is no set of own digits, and name it."""
    if source == SYNTHETIC:
        return SYNTHETIC, Dataset(*synthetic_digits(SYNTHETIC_TRAIN, seed=1), *_synthetic_test())
    return MNIST, load_mnist(None if source == MNIST else source)


def _load_test_set(source: str, log: Log) -> LabelledCrops:
    if source == SYNTHETIC:
        return number_crops(SYNTHETIC, *_synthetic_test())
    if is_own(source):
        return load_custom_digits(source, log=log)
    name, digits = _load_base(source)
    return number_crops(name, digits.x_test, digits.y_test)


def _synthetic_test() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return synthetic_digits(SYNTHETIC_TEST, seed=2)
