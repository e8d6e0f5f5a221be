"""Which digits are whole in a frame, where, and what they say."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.page.writing import Row
from digitedge.synthetic.photo.photograph import project
from digitedge.synthetic.scenes.ground_truth import TrueDigit
from digitedge.utils.boxes import Box

# How far a digit may go beyond the frame and still be called whole, in pixels.
OVER = 1


def box_in_frame(outline: NDArray[np.float64], matrix: NDArray[np.float64]) -> Box:
    """Give the box in the frame of an outline (P, 2) on the page; matrix (3, 3) takes one to the other."""
    seen = project(outline, matrix)
    x, y = np.rint(seen.min(axis=0)).astype(int).tolist()
    right, bottom = np.rint(seen.max(axis=0)).astype(int).tolist()
    return x, y, right + 1 - x, bottom + 1 - y


def whole_digits(
    rows: list[Row], boxes: list[Box], frame: tuple[int, int]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], tuple[TrueDigit, ...], list[Box]]:
    """Tell the digits that are whole in a frame from those that its border cuts.

    Args:
        rows: all digits, as they are written on the page.
        boxes: of all digits in the frame, in the same order.
        frame: width and height in pixels.

    Returns:
        The text of each row, the texts of the numbers in each row, the digits, and the boxes of those that are cut.
    """
    left = iter(boxes)
    digits: list[TrueDigit] = []
    numbers: list[tuple[str, ...]] = []
    cut: list[Box] = []
    for row in rows:
        texts: list[str] = []
        for number in row:
            here = [(mark.digit, next(left)) for mark in number]
            whole = [
                TrueDigit(digit, clip(box, frame)) for digit, box in here if digit is not None and _is_whole(box, frame)
            ]
            cut += [box for _, box in here if not _is_whole(box, frame)]
            digits += whole
            texts.append("".join(str(true.digit) for true in whole))
        numbers.append(tuple(filter(None, texts)))
    kept = tuple(row for row in numbers if row)
    return tuple("".join(row) for row in kept), kept, tuple(digits), cut


def clip(box: Box, frame: tuple[int, int]) -> Box:
    """The part of a box that is in the frame; its sides are not positive where there is none.

    Examples:
        >>> clip((-5, 90, 20, 20), (100, 100))
        (0, 90, 15, 10)
    """
    x, y = max(0, box[0]), max(0, box[1])
    return x, y, min(frame[0], box[0] + box[2]) - x, min(frame[1], box[1] + box[3]) - y


def _is_whole(box: Box, frame: tuple[int, int]) -> bool:
    x, y, w, h = box
    return min(x, y) >= -OVER and x + w <= frame[0] + OVER and y + h <= frame[1] + OVER
