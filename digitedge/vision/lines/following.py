"""Following: the path of each line along the middle of its ink, past the digits that touch it and over its gaps."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.groups import fit_curves
from digitedge.vision.lines.line import Line
from digitedge.vision.lines.paths import Paths
from digitedge.vision.lines.strokes import CROSSING_THICKNESS, Strokes
from digitedge.vision.median import median

# How far beyond its ends a line may go on in other strokes, in pixels.
END_REACH = 69
# The path of a line is averaged over so many pixels, or over more if it is drawn by hand: if less than this share of it
# is as near as this, in pixels, to a polynomial of this degree.
SMOOTHING_PX = 7
HAND_SMOOTHING_PX = 41
MIN_STRAIGHT = 0.7
MAX_WOBBLE = 1.25
CURVE_DEGREE = 3


def follow_lines(strokes: Strokes, line: NDArray[np.int64], vertical: bool) -> list[Line]:
    """Return the lines that strokes make, each from its first pixel to its last.

    Args:
        strokes: all of one direction.
        line: int64 (N,), the number of the line of each stroke, -1 for none.
        vertical: direction of the lines.
    """
    count = int(line.max(initial=-1)) + 1
    if not count:
        return []
    owner = line[strokes.owner]
    chosen = np.flatnonzero((owner >= 0) & strokes.is_thin)
    x = strokes.column[chosen]
    order = np.lexsort((x, owner[chosen]))
    x, owner = x[order], owner[chosen[order]]
    y, thickness = strokes.centre[chosen[order]], strokes.thickness_at[chosen[order]]
    # Digits that touch a line draw the middle of the ink aside; it is taken where it is near the curve of the line.
    weights = np.ones(len(x))
    for _ in range(3):
        distance = np.abs(y - fit_curves(x, y, owner, count, CURVE_DEGREE, weights))
        weights = 1 / (1 + (distance / MAX_WOBBLE) ** 2) ** 2
    near = distance <= MAX_WOBBLE
    lines = []
    limits = np.searchsorted(owner, np.arange(count + 1))
    for i, (first, last) in enumerate(pairwise(limits)):
        start, end = int(strokes.start[line == i].min()), int(strokes.end[line == i].max())
        path = _path(x[first:last], y[first:last], near[first:last], start, end)
        lines.append(Line(vertical, start, path, median(thickness[first:last])))
    return lines


def _path(
    x: NDArray[np.int64], y: NDArray[np.float64], is_near: NDArray[np.bool_], start: int, end: int
) -> NDArray[np.float64]:
    """Return the path from column `start` up to `end` through the points of a line that are near its curve."""
    columns = np.arange(start, end)
    if is_near.mean() < MIN_STRAIGHT:
        course = _smooth(np.interp(columns, x, y), HAND_SMOOTHING_PX)
        is_near = np.abs(y - course[x - start]) <= MAX_WOBBLE
    if is_near.any():
        x, y = x[is_near], y[is_near]
    return _smooth(np.interp(columns, x, y), SMOOTHING_PX)


def _smooth(path: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Average over an odd number of pixels; beyond its ends a path goes on as its mirror image."""
    half = min(width, len(path) - 1) // 2
    padded = np.concatenate([2 * path[0] - path[half:0:-1], path, 2 * path[-1] - path[-2 : -half - 2 : -1]])
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), "valid")


def extend_lines(strokes: Strokes, line: NDArray[np.int64], lines: list[Line]) -> NDArray[np.int64]:
    """Add the strokes that lie on lines, in gaps or beyond the ends.

    Args:
        strokes: all of one direction.
        line: int64 (N,), the number of the line of each stroke, -1 for none.
        lines: their paths.

    Returns:
        int64 (N,), `line` with the strokes that were added.
    """
    free = np.flatnonzero(line < 0)
    if not lines or not len(free):
        return line
    paths = Paths.of(lines)
    offset = paths.offset
    near = np.minimum(paths.width, END_REACH) - 1
    slopes = np.stack(
        [
            (paths.centre[offset[:-1] + near] - paths.centre[offset[:-1]]) / near,
            (paths.centre[offset[1:] - 1] - paths.centre[offset[1:] - 1 - near]) / near,
        ]
    )
    is_on = strokes.thickness[free][:, None] <= CROSSING_THICKNESS * paths.thickness + 1
    for x, y in (
        (strokes.start[free], strokes.centre[strokes.offset[free]]),
        (strokes.end[free] - 1, strokes.centre[strokes.offset[free + 1] - 1]),
    ):
        place = x[:, None] - paths.start  # (strokes, lines)
        beyond = np.where(place < 0, place, np.maximum(place - paths.width + 1, 0))
        course = paths.centre[offset[:-1] + place.clip(0, paths.width - 1)] + beyond * np.where(place < 0, *slopes)
        is_on &= (np.abs(beyond) <= END_REACH) & (np.abs(course - y[:, None]) <= MAX_WOBBLE + 0.5)
    extended = line.copy()
    extended[free] = np.where(is_on.any(axis=1), is_on.argmax(axis=1), -1)
    return extended
