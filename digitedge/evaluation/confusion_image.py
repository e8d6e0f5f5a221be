"""A confusion matrix as an image, of a classifier or of a reader."""

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.digit_tiles import BACKGROUND, HEADER, TITLE_HEIGHT
from digitedge.runtime.contract import CLASSES
from digitedge.utils.drawing import BLUE, VERMILION, WHITE, Colour, draw_text, text_width
from digitedge.utils.opencv import cv2
from digitedge.utils.tables import percent

# In pixels of the image.
CELL = 60
LINE = 2
LEFT = 96
TOP = HEADER + 56
MARGIN = 12
GAP = 16  # before what has no counterpart, and before the shares
# Heights of capitals, in pixels.
COUNT_HEIGHT = 11
TEXT_HEIGHT = 9
EMPTY: Colour = (72, 66, 60)
DIM: Colour = (200, 194, 188)
# Share of its colour that the palest cell with an answer has.
LEAST_COLOUR = 0.3


def draw_confusion(counts: NDArray[np.int64], *, title: str) -> NDArray[np.uint8]:
    """Draw a confusion matrix: uint8 (H, W, 3) BGR.

    Correct answers are blue, wrong ones red, the stronger the more of their row they are. The last column has the share
    of each digit that is read correctly (recall), the last row the share of what is read as a digit that is right
    (precision).

    Args:
        counts: int64 (10, 10), rows are true digits, columns predictions; or (11, 11), see `detection_confusion`.
        title: for the top line.
    """
    size = len(counts)
    places = [index * CELL + GAP * (index == CLASSES) for index in range(size)]
    shares = places[-1] + CELL + GAP  # place of the last column and row
    width = max(LEFT + shares + CELL, text_width(title, TITLE_HEIGHT) + MARGIN) + MARGIN
    image = np.full((TOP + shares + CELL // 2 + MARGIN, width, 3), BACKGROUND, np.uint8)
    draw_text(image, title, (MARGIN, HEADER - 14), TITLE_HEIGHT, WHITE)
    draw_text(image, "read as", (LEFT, HEADER + 16), TEXT_HEIGHT, DIM)
    draw_text(image, "true digit", (MARGIN, TOP - 11), TEXT_HEIGHT, DIM)
    digits = [str(digit) for digit in range(CLASSES)]
    columns = [*digits, *["missed"] * (size - CLASSES), "recall"]
    rows = [*digits, *["no digit"] * (size - CLASSES)]
    for place, column in zip([*places, shares], columns, strict=True):
        _write(image, column, (LEFT + place, TOP - CELL // 2), CELL // 2, DIM)
    for place, row in zip(places, rows, strict=True):
        _write(image, row, (MARGIN, TOP + place), CELL, DIM)
    _write(image, "precision", (MARGIN, TOP + shares), CELL // 2, DIM)
    colours = _cell_colours(counts)
    for y, row_counts, row_colours in zip(places, counts.tolist(), colours.tolist(), strict=True):
        for x, count, colour in zip(places, row_counts, row_colours, strict=True):
            if x == y == places[-1] and size > CLASSES:
                continue  # what is no digit and was not read is nothing
            corner, opposite = (LEFT + x, TOP + y), (LEFT + x + CELL - LINE - 1, TOP + y + CELL - LINE - 1)
            cv2.rectangle(image, corner, opposite, colour, cv2.FILLED)
            if count:
                _write(image, f"{count:,}", corner, CELL, WHITE, text_height=COUNT_HEIGHT)
    for digit, place in enumerate(places[:CLASSES]):
        correct = int(counts[digit, digit])
        _write(image, _share(correct, counts[digit].sum()), (LEFT + shares, TOP + place), CELL, WHITE)
        _write(image, _share(correct, counts[:, digit].sum()), (LEFT + place, TOP + shares), CELL // 2, WHITE)
    return image


def _cell_colours(counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the colour of each cell: uint8 (N, N, 3) BGR."""
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    is_correct = np.eye(len(counts), dtype=bool)
    most_wrong = max(float(shares[~is_correct].max()), 1e-9)
    # A digit that is read well has few errors, which would all look empty on a linear scale.
    strength = np.where(is_correct, shares, np.sqrt(shares / most_wrong))
    strength = np.where(counts > 0, LEAST_COLOUR + (1 - LEAST_COLOUR) * strength, 0)[..., None]
    full = np.where(is_correct[..., None], np.array(BLUE), np.array(VERMILION))
    return np.asarray(np.rint(np.array(EMPTY) + strength * (full - np.array(EMPTY))), np.uint8)


def _write(
    image: NDArray[np.uint8],
    text: str,
    corner: tuple[int, int],
    height: int,
    colour: Colour,
    *,
    text_height: int = TEXT_HEIGHT,
) -> None:
    """Write text into the middle of a cell that is CELL pixels wide."""
    x = corner[0] + (CELL - LINE - text_width(text, text_height)) // 2
    draw_text(image, text, (x, corner[1] + (height - LINE + text_height) // 2), text_height, colour)


def _share(part: int, whole: int) -> str:
    return percent(part / whole if whole else None, decimals=1)
