"""Ink -> mask: where the pen was.

One threshold for the whole frame is enough once the light is even. It comes from the picture: Otsu's, among the
pixels that stand out from the grain of the paper. Taken over all pixels, Otsu splits the paper instead when ink
covers less than one in a hundred.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.opencv import cv2

# The faintest ink that counts, of 255: pencil reflects four fifths of its paper; shading and creases more.
FAINTEST = 24
# How far ink stands out from the grain of the paper, in standard deviations.
CLEAR_OF_GRAIN = 5.0


def binarize(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Separate ink from paper.

    Args:
        ink: uint8 (H, W), 0 is paper.

    Returns:
        uint8 (H, W), 255 where the pen was, else 0.

    Examples:
        >>> ink = np.full((100, 100), 6, np.uint8)
        >>> ink[40:60, 50:53] = 90
        >>> mask = binarize(ink)
        >>> int((mask > 0).sum()), int((binarize(np.full((9, 9), 7, np.uint8)) > 0).sum())
        (60, 0)
    """
    counts = cv2.calcHist([ink], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    level = _otsu(counts, floor=max(FAINTEST, _grain(counts)))
    return cv2.threshold(ink, level, 255, cv2.THRESH_BINARY)[1].astype(np.uint8, copy=False)


def _grain(counts: NDArray[np.int64]) -> int:
    """Level that the grain of bare paper stays under: its median and the spread of its lower half."""
    below = np.cumsum(counts) / counts.sum()
    median, low = int(np.searchsorted(below, 0.5)), int(np.searchsorted(below, 0.16))
    return round(median + CLEAR_OF_GRAIN * max(1, median - low))


def _otsu(counts: NDArray[np.int64], *, floor: int) -> int:
    """Otsu's threshold of the part of a histogram above `floor`; at least `floor`.

    Source:
        Otsu 1979, "A threshold selection method from gray-level histograms", between-class variance.
    """
    levels = np.arange(256, dtype=np.float64)
    weights = np.where(levels > floor, counts, 0.0)
    if not weights.any():
        return 255
    dark, total = np.cumsum(weights), weights.sum()
    mass = np.cumsum(weights * levels)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * dark / total - mass) ** 2 / (dark * (total - dark))
    between[~np.isfinite(between)] = 0
    # Halfway between floor and Otsu's: the split among ink pixels cuts soft edges off, the floor keeps shadows of
    # strokes.
    return (floor + int(between.argmax())) // 2 if between.any() else floor
