"""Top errors: the wrong predictions with the highest confidence, as a list and as an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.digit_tiles import DigitTile, draw_digit_tiles
from digitedge.metrics.classification import is_correct
from digitedge.utils.drawing import YELLOW

LIMIT = 60
"""Number of top errors that are kept of a classifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopError:
    """One wrong prediction: index of the crop, true and predicted digit, and confidence from 0 to 1."""

    index: int
    label: int
    prediction: int
    confidence: float


def find_top_errors(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], *, limit: int = LIMIT
) -> tuple[TopError, ...]:
    """Return the wrong predictions, the most confident first. Arguments and errors as in `top1`; no NaN.

    Examples:
        >>> find_top_errors(np.float32([[0.9, 0.1], [0.3, 0.7]]), np.uint8([1, 1]))
        (TopError(index=0, label=1, prediction=0, confidence=0.8999999761581421),)
    """
    wrong = np.flatnonzero(~is_correct(probabilities, labels))
    confidence = probabilities[wrong].max(axis=1)
    top = wrong[np.argsort(-confidence, kind="stable")[:limit]]
    return tuple(
        TopError(index=int(i), label=int(labels[i]), prediction=int(row.argmax()), confidence=float(row.max()))
        for i, row in zip(top, probabilities[top], strict=True)
    )


def draw_top_errors(
    errors: Sequence[TopError], crops: NDArray[np.uint8], names: Sequence[str], *, title: str
) -> NDArray[np.uint8]:
    """Draw crops with their label, prediction and confidence: uint8 (H, W, 3) BGR.

    Args:
        errors: the title alone is drawn if there are none.
        crops: uint8 (N, 28, 28), which `TopError.index` refers to.
        names: of the crops.
        title: for the top line.
    """
    tiles = [
        DigitTile(
            crops[error.index],
            f"{error.label}, read {error.prediction}  {error.confidence:.0%}",
            YELLOW,
            names[error.index],
        )
        for error in errors
    ]
    return draw_digit_tiles(tiles, title=title)
