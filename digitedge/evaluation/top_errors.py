"""Top errors: the wrong predictions with the highest confidence, as a list and as an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.classification import is_correct
from digitedge.utils.drawing import WHITE, YELLOW, Colour, draw_text, shorten_text, text_width
from digitedge.utils.opencv import cv2, resize

LIMIT = 60
"""Number of top errors that are kept of a classifier."""

COLUMNS = 10
# In pixels of the image. A band of text is below each tile.
TILE = 112
GAP = 8
HEADER = 40
BAND = 38
# Heights of capitals, in pixels.
TITLE_HEIGHT = 13
TEXT_HEIGHT = 10
NAME_HEIGHT = 8
BACKGROUND: Colour = (52, 48, 44)


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
        errors: at least one.
        crops: uint8 (N, 28, 28), which `TopError.index` refers to.
        names: of the crops.
        title: for the top line.
    """
    rows = -(-len(errors) // COLUMNS)
    columns_of_title = -(-(text_width(title, TITLE_HEIGHT) + 2 * GAP) // (TILE + GAP))
    columns = max(min(COLUMNS, len(errors)), columns_of_title)
    shape = (HEADER + rows * (TILE + BAND + GAP), GAP + columns * (TILE + GAP), 3)
    image = np.full(shape, BACKGROUND, np.uint8)
    draw_text(image, title, (GAP, HEADER - 14), TITLE_HEIGHT, WHITE)
    for number, error in enumerate(errors):
        row, column = divmod(number, columns)
        x, y = GAP + column * (TILE + GAP), HEADER + row * (TILE + BAND + GAP)
        enlarged = resize(crops[error.index], (TILE, TILE), cv2.INTER_NEAREST)
        image[y : y + TILE, x : x + TILE] = enlarged[:, :, None]
        text = f"{error.label}, read {error.prediction}  {error.confidence:.0%}"
        draw_text(image, text, (x, y + TILE + 15), TEXT_HEIGHT, YELLOW)
        draw_text(image, shorten_text(names[error.index], NAME_HEIGHT, TILE), (x, y + TILE + 30), NAME_HEIGHT, WHITE)
    return image
