"""Strokes: what is thin and nearly horizontal in a mask. Lines are made of them, and so are parts of digits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2
from digitedge.vision.lines.paths import Paths

# Largest thickness of a line, in pixels.
MAX_THICKNESS = 8
# Least width of a stroke, in pixels: shorter ones are bends of digits and letters.
MIN_STROKE_WIDTH = 9
# Where a stroke is thicker than usual by this factor and a pixel, another stroke crosses or touches it.
CROSSING_THICKNESS = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Strokes(Paths):
    """Thin strokes: paths whose profiles also have the thickness.

    Attributes:
        labels: int32 (H, W), 0 for no stroke.
        rank: int64 (largest label + 1,), the path of each label, -1 for none.
        thickness_at: int64 (V,), profile: thickness in pixels.
        is_thin: bool (V,), profile: whether nothing crosses or touches the stroke.
    """

    labels: NDArray[np.int32]
    rank: NDArray[np.int64]
    thickness_at: NDArray[np.int64]
    is_thin: NDArray[np.bool_]


def find_strokes(mask: NDArray[np.uint8]) -> Strokes:
    """Find the thin, nearly horizontal strokes of a mask.

    Args:
        mask: uint8 (H, W), 255 where there is ink, else 0.

    Examples:
        >>> mask = np.zeros((60, 100), np.uint8)
        >>> mask[20:23, 10:90] = mask[30:50, 40:60] = 255  # a line and a blot
        >>> strokes = find_strokes(mask)
        >>> strokes.start, strokes.width, strokes.thickness, strokes.centre[:3]
        (array([10]), array([80]), array([3.]), array([21., 21., 21.]))
    """
    thick = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((MAX_THICKNESS + 1, 1), np.uint8))
    thin = cv2.subtract(mask, thick)
    broad = cv2.dilate(thin, np.ones((3, 1), np.uint8))  # so that a stroke may rise or fall by a third of its length
    runs = cv2.morphologyEx(broad, cv2.MORPH_OPEN, np.ones((1, MIN_STROKE_WIDTH), np.uint8))
    inked = as_uint8(cv2.bitwise_and(runs, thin))
    _, found, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(inked, 8, cv2.CV_32S, cv2.CCL_GRANA)
    labels = found.astype(np.int32, copy=False)
    wide = np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= MIN_STROKE_WIDTH) + 1
    rank = np.full(len(stats), -1)
    rank[wide] = np.arange(len(wide))
    start = stats[wide, cv2.CC_STAT_LEFT].astype(np.int64)
    width = stats[wide, cv2.CC_STAT_WIDTH].astype(np.int64)
    top, bottom = _edges(inked, labels, rank, start, width)

    thickness_at = bottom - top + 1
    owner = np.repeat(np.arange(len(wide)), width)
    thickness = median_thickness(thickness_at, owner, len(wide))
    is_thin = thickness_at <= CROSSING_THICKNESS * thickness[owner] + 1
    return Strokes(start, width, thickness, (top + bottom) / 2, labels, rank, thickness_at, is_thin)


def _edges(
    inked: NDArray[np.uint8],
    labels: NDArray[np.int32],
    rank: NDArray[np.int64],
    start: NDArray[np.int64],
    width: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return y of the upper and of the lower edge in each column of each stroke: int64 (V,)."""
    pixels = np.flatnonzero(inked > 0)
    row = rank[labels.ravel()[pixels]]
    pixels, row = pixels[row >= 0], row[row >= 0]
    y, x = np.divmod(pixels, inked.shape[1])
    place = (np.cumsum(width) - width - start)[row] + x
    top, bottom = np.zeros((2, int(width.sum())), np.int64)
    bottom[place] = y  # sorted by y: the last of each column stays
    top[place[::-1]] = y[::-1]
    return top, bottom


def median_thickness(thickness_at: NDArray[np.int64], owner: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the median thickness of each group of columns, in pixels.

    Args:
        thickness_at: int64 (V,), thickness of each column in pixels.
        owner: int64 (V,), the group of each column.
        count: number of groups.

    Returns:
        float64 (count,), the lower of two middle values; 0 for a group without columns. What is more than twice as
        thick as a line counts as twice as thick.

    Examples:
        >>> median_thickness(np.array([2, 3, 90, 5]), np.array([0, 0, 0, 2]), 3)
        array([3., 0., 5.])
    """
    most = 2 * MAX_THICKNESS
    table = np.bincount(owner * (most + 1) + thickness_at.clip(0, most), minlength=count * (most + 1))
    below = np.cumsum(table.reshape(count, most + 1), axis=1)
    return np.asarray((2 * below >= below[:, -1:]).argmax(axis=1), np.float64)
