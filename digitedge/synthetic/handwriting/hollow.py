"""Hollow digits: broad strokes drawn as outlines, as outlines shaded inside, or as two lines."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.pen import draw_strokes
from digitedge.utils.opencv import as_uint8, cv2

# Share of the hollow digits that are drawn as two lines, and of the others that are shaded or hatched inside.
_TWO_LINES_SHARE = 0.25
_SHADED_SHARE = 0.2
_HATCHED_SHARE = 0.1
# Grey inside a shaded outline, 0 to 255.
_SHADES = (30, 110)


def draw_hollow_strokes(
    line: NDArray[np.float64],
    widths: NDArray[np.float64],
    lengths: tuple[int, ...],
    rng: np.random.Generator,
    *,
    size: int,
    pen_width: float,
) -> NDArray[np.uint8]:
    """Draw strokes hollow, with a pen thinner than they are: uint8 (H, W), ink bright on 0, with a margin.

    `pen_width` is in longer sides of the digit, as `widths` are; the rest as in `draw_strokes`.
    """
    if rng.random() < _TWO_LINES_SHARE:
        left, right = _two_lines(line, (widths - pen_width) / 2, lengths)
        return draw_strokes(np.concatenate([left, right]), np.full(2 * len(line), pen_width), 2 * lengths, size=size)
    ink = draw_strokes(line, widths, lengths, size=size)
    inside = as_uint8(255 * (cv2.distanceTransform(ink, cv2.DIST_L2, 3) > max(1.0, pen_width * size)))
    filled = rng.random()
    if filled < _SHADED_SHARE:
        shade = np.full_like(ink, 255 - rng.integers(*_SHADES))
    elif filled < _SHADED_SHARE + _HATCHED_SHARE:
        shade = _hatching(ink.shape, max(1, round(0.7 * pen_width * size)))
    else:
        shade = np.full_like(ink, 255)
    return as_uint8(cv2.subtract(ink, cv2.bitwise_and(inside, shade)))


def _two_lines(
    line: NDArray[np.float64], offsets: NDArray[np.float64], lengths: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lines (M, 2) on both sides of each stroke, `offsets` (M,) longer sides away from it."""
    longer_side = float(np.ptp(line, axis=0).max())
    strokes = np.split(line, np.cumsum(lengths)[:-1])
    steps = np.concatenate([np.gradient(stroke, axis=0) for stroke in strokes])
    normals = steps[:, ::-1] * [-1, 1] / np.maximum(np.hypot(*steps.T), 1e-6)[:, None]
    aside = normals * offsets[:, None] * longer_side
    return line - aside, line + aside


def _hatching(shape: tuple[int, ...], width: int) -> NDArray[np.uint8]:
    """Slanting lines of this width in pixels, 0 on 255."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    return as_uint8(np.where((x + y) % (4 * width) < width, 0, 255))
