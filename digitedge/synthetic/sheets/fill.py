"""A printed form is filled in: digits are written into boxes of its image, and cells are crossed out."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import to_pixel
from digitedge.synthetic.handwriting.pen import PenType, add_grain
from digitedge.synthetic.noise import blend_colour
from digitedge.synthetic.page.pens import Pen
from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2

CROSSINGS = ("cross", "scribble", "lines")
"""How a cell is crossed out: from corner to corner twice, with a zigzag, or with a few strokes."""


def put_ink(page: NDArray[np.uint8], ink: NDArray[np.uint8], corner: tuple[int, int], pen: Pen) -> None:
    """Put ink, uint8 (h, w), bright on 0, on a page, uint8 (H, W, 3), in place, with its upper left corner at x, y."""
    x, y = corner
    left, top = max(0, -x), max(0, -y)
    part = page[max(0, y) : y + ink.shape[0], max(0, x) : x + ink.shape[1]]
    shown = ink[top : top + part.shape[0], left : left + part.shape[1]]
    blend_colour(part, np.ascontiguousarray(shown), pen.colour, opacity=pen.opacity)


def write_in_box(
    page: NDArray[np.uint8],
    ink: NDArray[np.uint8],
    box: Box,
    pen: Pen,
    rng: np.random.Generator,
    *,
    stray: float = 0.05,
) -> None:
    """Put the ink of a digit near the middle of a box.

    `stray` is the standard deviation of its place, in widths and heights of the box: at 0.2 many cross a border.
    """
    x, y, width, height = box
    shift = rng.normal(0, stray, 2) * [width, height]
    middle = np.array([x + width / 2, y + height / 2]) + shift
    put_ink(page, ink, to_pixel(middle - np.array(ink.shape[::-1]) / 2), pen)


def cross_out(page: NDArray[np.uint8], box: Box, pen: Pen, rng: np.random.Generator, *, how: str, width: int) -> None:
    """Cross out a box, in one of the ways of CROSSINGS, with strokes of a width in pixels."""
    x, y, w, h = box
    low, high = np.array([x, y]) - 2, np.array([x + w, y + h]) + 2
    size = high - low

    def jitter(points: list[tuple[float, float]]) -> NDArray[np.float64]:
        return np.asarray(low + size * (np.array(points) + rng.normal(0, 0.05, (len(points), 2))), np.float64)

    if how == "cross":
        strokes = [jitter([(0.05, 0.05), (0.5, 0.5), (0.95, 0.95)]), jitter([(0.95, 0.05), (0.5, 0.5), (0.05, 0.95)])]
    elif how == "scribble":
        turns = int(rng.integers(7, 16))
        heights = np.linspace(0.12, 0.88, turns)
        strokes = [jitter([(0.1 if turn % 2 else 0.9, y) for turn, y in enumerate(heights.tolist())])]
    else:
        middles = rng.uniform(0.25, 0.75, rng.integers(2, 5)).tolist()
        strokes = [jitter([(-0.02, y), (1.02, y - rng.uniform(-0.1, 0.2))]) for y in middles]
    pad = 2 * width + round(0.25 * max(w, h))
    ink = np.zeros((h + 2 * pad, w + 2 * pad), np.uint8)
    for stroke in strokes:
        points = np.rint(stroke - [x - pad, y - pad]).astype(np.int32)
        cv2.polylines(ink, [points], False, 255, max(1, width), cv2.LINE_AA)
    put_ink(
        page, add_grain(ink, pen.type if pen.type is not PenType.CHALK else PenType.FELT, rng), (x - pad, y - pad), pen
    )
