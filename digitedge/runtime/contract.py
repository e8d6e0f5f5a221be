"""What every exported file must look like from outside, and the checks that refuse one that does not.

A foreign net that wants pixels from 0 to 1 and is fed 0 to 255 answers quickly, confidently and wrongly. Names and
types catch most of them. The rest is caught by asking: a digit drawn with ink 1 on black 0 is invisible to a net that
takes 0 to 255, and as plain as can be to a net that takes 0 to 1. So the answer to it must be the answer to a blank
crop. (Rejected: trusting the tensor names alone, because names are easily given; and a metadata entry, which LiteRT's
Python interpreter cannot read.)
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError, ModelError
from digitedge.runtime.classifier import Classifier
from digitedge.utils.crop_format import CROP_SIZE

CLASSES = 10
INPUT_NAME = "image"
OUTPUT_NAME = "probabilities"
# The int8 TFLite softmax has steps of 1/256, so ten of them may sum to 1 +- 10/512; all others are exact to rounding.
SUM_TOLERANCE = 0.02
# Faint digits move the probabilities of a 0-255 net by under 0.05; a 0-1 net reads them, which moves one of ten by far
# more.
FAINT_TOLERANCE = 0.5


def check_crops(crops: NDArray[np.uint8]) -> None:
    """Refuse anything but uint8 (N, 28, 28).

    Raises:
        InputError: another type or shape.
    """
    if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8 or crops.shape[1:] != (CROP_SIZE, CROP_SIZE):
        came = f"{crops.dtype} {crops.shape}" if isinstance(crops, np.ndarray) else type(crops).__name__
        raise InputError(f"probabilities() takes uint8 (N, 28, 28), got {came}. Call normalize_digit() first.")


def check_answers(classifier: Classifier, path: Path) -> None:
    """Ask a freshly loaded file about a blank crop and ten faint ones, and refuse answers that break the contract.

    Raises:
        ModelError: the outputs are not probabilities, or the file wants pixels from 0 to 1.
    """
    faint = classifier.probabilities(_faint_crops())
    sums = faint.sum(axis=1)
    if not (np.all(faint >= 0) and np.all(np.abs(sums - 1) <= SUM_TOLERANCE)):
        raise ModelError(
            f"{path}: expected {CLASSES} probabilities that sum to 1, got rows that sum to {sums.min():.3g} to "
            f"{sums.max():.3g}. Export it again with a softmax inside: digitedge export FILE.keras"
        )
    moved = float(np.abs(faint[1:] - faint[0]).max())
    if not moved <= FAINT_TOLERANCE:
        raise ModelError(
            f"{path}: expected a net that takes pixels from 0 to 255, but ink of 1 in 255 moves its answer by "
            f"{moved:.2f}: it wants 0 to 1. Export it again with: digitedge export FILE.keras --input-range 0-1"
        )


# The bars of a seven-segment display in a 28x28 field: rows from, to, columns from, to.
_SEGMENTS = {
    "a": (4, 7, 9, 20),
    "b": (4, 15, 17, 20),
    "c": (13, 24, 17, 20),
    "d": (21, 24, 9, 20),
    "e": (13, 24, 9, 12),
    "f": (4, 15, 9, 12),
    "g": (12, 15, 9, 20),
}
_DISPLAYED = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")


def _faint_crops() -> NDArray[np.uint8]:
    """A blank crop, then the ten digits of a seven-segment display in ink 1: uint8 (11, 28, 28)."""
    crops = np.zeros((11, CROP_SIZE, CROP_SIZE), np.uint8)
    for crop, segments in zip(crops[1:], _DISPLAYED, strict=True):
        for segment in segments:
            top, bottom, left, right = _SEGMENTS[segment]
            crop[top:bottom, left:right] = 1
    return crops
