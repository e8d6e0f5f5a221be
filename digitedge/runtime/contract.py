"""The model contract: what every model file looks like from outside, and the checks that refuse one that does not.

A model that expects pixels from 0 to 1 and is fed 0 to 255 answers confidently and wrongly. So every loaded file is
tested with digits drawn with ink 1 on black 0: under the contract they are as good as blank, but a 0-1 model reads
them. See docs/decisions/contract-check.md.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError, ModelError
from digitedge.runtime.classifier import Classifier
from digitedge.utils.crop_format import CROP_SIZE


class ContractError(ModelError):
    """A file that does not meet the model contract; it may still run behind an adapter."""


CLASSES = 10
INPUT_NAME = "image"
OUTPUT_NAME = "probabilities"
FEATURES_NAME = "features"
"""Name of the second output, which a file may have: what its last dense layer reads, float32 (N, F)."""
MAX_FEATURES = 1024
FOREIGN_ADVICE = "Make a bundle of it: digitedge export FILE"
# The int8 TFLite softmax has steps of 1/256, so ten of them may sum to 1 +- 10/512; other files round less.
SUM_TOLERANCE = 0.02
# Faint digits change the probabilities of a 0-255 model by less than 0.05, those of a 0-1 model by far more.
FAINT_TOLERANCE = 0.5


def check_crops(crops: NDArray[np.uint8]) -> None:
    """Raise InputError if crops are not uint8 (N, 28, 28)."""
    if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8 or crops.shape[1:] != (CROP_SIZE, CROP_SIZE):
        received = f"{crops.dtype} {crops.shape}" if isinstance(crops, np.ndarray) else type(crops).__name__
        raise InputError(f"probabilities() takes uint8 (N, 28, 28), got {received}. Call normalize_digit() first.")


def check_outputs(classifier: Classifier, path: Path) -> None:
    """Check the outputs of a loaded file for a blank crop and ten faint ones.

    Raises:
        ContractError: the outputs are not probabilities, or the file expects pixels from 0 to 1.
    """
    outputs = classifier.probabilities(_faint_crops())
    sums = outputs.sum(axis=1)
    if not (np.all(outputs >= 0) and np.all(np.abs(sums - 1) <= SUM_TOLERANCE)):
        raise ContractError(
            f"{path}: expected {CLASSES} probabilities that sum to 1, got rows that sum to {sums.min():.3g} to "
            f"{sums.max():.3g}. {FOREIGN_ADVICE}"
        )
    change = float(np.abs(outputs[1:] - outputs[0]).max())
    if not change <= FAINT_TOLERANCE:
        raise ContractError(
            f"{path}: expected a model that takes pixels from 0 to 255, but ink of 1 in 255 changes its output by "
            f"{change:.2f}: it wants other pixels. {FOREIGN_ADVICE}"
        )


def no_features(path: Path) -> ModelError:
    """The error where the features of a file are asked for that gives none."""
    return ModelError(
        f"{path}: expected a file with the second output {FEATURES_NAME}, got one without. Export the model again; of "
        "networks that end in a dense layer and a softmax, digitedge export makes files with it."
    )


# The bars of a seven-segment display in a 28x28 crop: first and end row, first and end column.
_SEGMENTS = {
    "a": (4, 7, 9, 20),
    "b": (4, 15, 17, 20),
    "c": (13, 24, 17, 20),
    "d": (21, 24, 9, 20),
    "e": (13, 24, 9, 12),
    "f": (4, 15, 9, 12),
    "g": (12, 15, 9, 20),
}
_DIGIT_SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


def _faint_crops() -> NDArray[np.uint8]:
    """A blank crop, then the ten digits of a seven-segment display in ink 1: uint8 (11, 28, 28)."""
    crops = np.zeros((11, CROP_SIZE, CROP_SIZE), np.uint8)
    for crop, segments in zip(crops[1:], _DIGIT_SEGMENTS, strict=True):
        for segment in segments:
            top, bottom, left, right = _SEGMENTS[segment]
            crop[top:bottom, left:right] = 1
    return crops
