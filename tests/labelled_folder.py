"""A collection for tests: a few rendered digits of the golden set, some of them with a wrong label."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import released_bundle
from digitedge.bundle.golden import load_golden
from digitedge.datasets.collection import CropRecord, add_crops, list_images
from digitedge.reader import Reader
from digitedge.runtime import Classifier

# Digit and label of each image of `make_folder`: the last two labels are wrong.
DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 7, 3]
LABELS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 8]


@cache
def classifier() -> Classifier:
    return Reader().classifier


@cache
def _golden_digits() -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Crops that the released model is sure of, uint8 (N, 28, 28), and their digits."""
    crops = load_golden(released_bundle() / "golden.npz").crops
    probabilities = classifier().probabilities(crops)
    sure = probabilities.max(axis=1) > 0.97
    return crops[sure], probabilities[sure].argmax(axis=1)


def crops_of(digits: list[int]) -> list[NDArray[np.uint8]]:
    """A crop of each of these digits, no two the same."""
    crops, found = _golden_digits()
    return [crops[np.flatnonzero(found == digit)[digits[:index].count(digit)]] for index, digit in enumerate(digits)]


@cache
def _collection() -> Path:
    """Made once, because each file is flushed to the disk."""
    folder = Path(tempfile.mkdtemp()) / "crops"
    atexit.register(shutil.rmtree, folder.parent)
    names = [f"{index:06d}.png" for index in range(len(DIGITS))]
    add_crops(folder, crops_of(DIGITS), LABELS, [CropRecord(sheet="test")] * len(DIGITS), names)
    return folder


def make_folder(folder: Path) -> Path:
    """Make a collection of DIGITS with LABELS: 000000.png, 000001.png ..."""
    return Path(shutil.copytree(_collection(), folder, dirs_exist_ok=True))


def labels_in(folder: Path) -> dict[str, tuple[int | None, bool]]:
    """Label of each file and whether it is checked, by its name."""
    return {image.path.name: (image.label, image.record.checked) for image in list_images(folder)}
