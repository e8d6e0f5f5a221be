"""What is really in a rendered frame: every digit with its box, and the rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.page.page import Page
from digitedge.synthetic.photo.photograph import project


@dataclass(frozen=True, slots=True)
class TrueDigit:
    """One digit that is in the frame.

    Attributes:
        digit: 0 to 9.
        box: x, y, width, height in pixels of the frame, tight around the ink.
    """

    digit: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame and what is written in it.

    Attributes:
        frame: uint8 (H, W, 3), BGR.
        digits: in reading order.
        rows: the digits of each row joined, top to bottom.
    """

    frame: NDArray[np.uint8]
    digits: tuple[TrueDigit, ...]
    rows: tuple[str, ...]


def true_digits(page: Page, matrix: NDArray[np.float64]) -> tuple[TrueDigit, ...]:
    """Say where the digits of a page are in the frame that `matrix` (3, 3) makes of it."""
    starts = np.cumsum([0, *(len(outline) for outline in page.outlines)])[:-1]
    seen = project(np.concatenate(page.outlines), matrix)
    low = np.rint(np.minimum.reduceat(seen, starts)).astype(int)
    size = np.rint(np.maximum.reduceat(seen, starts)).astype(int) + 1 - low
    return tuple(
        TrueDigit(digit, (x, y, w, h))
        for digit, (x, y), (w, h) in zip(page.digits, low.tolist(), size.tolist(), strict=True)
    )
