"""The worst mistakes: wrong answers with the highest confidence, as a list and as an image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.classification import right_answers
from digitedge.utils.drawing import WHITE, YELLOW, Colour, shortened, text_width, write
from digitedge.utils.opencv import cv2

SHOWN = 60
"""Mistakes that are kept of a model."""

# Pixels of the image.
COLUMNS, TILE, GAP, HEADER, BAND = 10, 112, 8, 40, 38
TITLE_TYPE, WORD_TYPE, NAME_TYPE = 13, 10, 8
BACKGROUND: Colour = (52, 48, 44)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One wrong answer.

    Attributes:
        index: of the crop.
        truth: the digit that it is.
        answer: the digit that was read.
        confidence: 0 to 1.
    """

    index: int
    truth: int
    answer: int
    confidence: float


def worst_mistakes(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], *, limit: int = SHOWN
) -> tuple[Mistake, ...]:
    """The wrong answers, the surest first.

    Args:
        probabilities: float32 (N, 10), N >= 1, finite.
        labels: uint8 (N,), 0 to 9.
        limit: how many at most.

    Raises:
        InputError: no samples, or lengths that differ.

    Examples:
        >>> worst_mistakes(np.float32([[0.9, 0.1], [0.3, 0.7]]), np.uint8([1, 1]))
        (Mistake(index=0, truth=1, answer=0, confidence=0.8999999761581421),)
    """
    wrong = np.flatnonzero(~right_answers(probabilities, labels))
    confidence = probabilities[wrong].max(axis=1)
    worst = wrong[np.argsort(-confidence, kind="stable")[:limit]]
    return tuple(
        Mistake(index=int(i), truth=int(labels[i]), answer=int(row.argmax()), confidence=float(row.max()))
        for i, row in zip(worst, probabilities[worst], strict=True)
    )


def draw_mistakes(
    mistakes: Sequence[Mistake], crops: NDArray[np.uint8], names: Sequence[str], *, title: str
) -> NDArray[np.uint8]:
    """Draw crops with what they are, what was read and how surely.

    Args:
        mistakes: at least one.
        crops: uint8 (N, 28, 28), which the mistakes' indices count.
        names: of the crops.
        title: for the top line.

    Returns:
        uint8 (H, W, 3) BGR.
    """
    lines = -(-len(mistakes) // COLUMNS)
    needed = -(-(text_width(title, TITLE_TYPE) + 2 * GAP) // (TILE + GAP))
    columns = max(min(COLUMNS, len(mistakes)), needed)
    shape = (HEADER + lines * (TILE + BAND + GAP), GAP + columns * (TILE + GAP), 3)
    image = np.full(shape, BACKGROUND, np.uint8)
    write(image, title, (GAP, HEADER - 14), TITLE_TYPE, WHITE)
    for place, mistake in enumerate(mistakes):
        row, column = divmod(place, columns)
        x, y = GAP + column * (TILE + GAP), HEADER + row * (TILE + BAND + GAP)
        enlarged = cv2.resize(crops[mistake.index], (TILE, TILE), interpolation=cv2.INTER_NEAREST)
        image[y : y + TILE, x : x + TILE] = enlarged[:, :, None]
        words = f"{mistake.truth}, read {mistake.answer}  {mistake.confidence:.0%}"
        write(image, words, (x, y + TILE + 15), WORD_TYPE, YELLOW)
        write(image, shortened(names[mistake.index], NAME_TYPE, TILE), (x, y + TILE + 30), NAME_TYPE, WHITE)
    return image
