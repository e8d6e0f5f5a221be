"""Line removal: ruled lines, underlines and frames are removed from a mask, and the digits that they cross stay.

A line is a run of ink that is longer than any stroke of a digit. A smooth curve is fitted through it (pages curl) and
followed: ink on the curve is removed, unless it is thicker or darker than the line usually is, because a stroke of a
digit crosses it there. Staff lines are removed from sheet music in this way. See docs/decisions/line-removal.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2
from digitedge.vision.median import median

# Lines are searched in a small copy in which the shortest run is this many pixels long.
RUN_PX = 13
# How far a run may rise or fall, and its largest gap, in pixels of the small copy.
RUN_DRIFT_PX = 3
RUN_GAP_PX = 5
# Ink that is this thick in every direction, in pixels of the small copy, is not a line: tables, hands, shadows.
SOLID_PX = 5
# Slopes that a line may have.
SLOPES = np.linspace(-0.25, 0.25, 26)
# Least ratio of the length of a line to its thickness.
MIN_SLENDERNESS = 12
# Degree of the curve: 3 follows the curl of a page.
CURVE_DEGREE = 3
# Length of the run that shows a ruled line, and least length of one, in longer sides of the image.
RULED_LINE_RUN = 0.065
MIN_RULED_LINE_LENGTH = 0.2
# A ruled paper has at least this many lines of this share of the image. The strokes of a few large digits have not, nor
# have the two sides of a box around them.
MIN_RULED_LINES = 3
LONG_RULED_LINE = 0.4
# Least share of its length in which a line is visible and thin.
MIN_COVERAGE = 0.75
# Largest gap in a line drawn by hand, as a share of its length; ones that stand in a column have larger gaps.
MAX_GAP = 0.08
# Where ink is thicker or darker than the line by these factors, a stroke crosses it.
CROSSING_THICKNESS = 1.6
CROSSING_DARKNESS = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A nearly horizontal or nearly vertical line.

    Attributes:
        vertical: whether it runs from top to bottom rather than from left to right.
        start: x of its first pixel, or y if it is vertical.
        path: float64 (N,), the other coordinate of each pixel from `start` on.
        thickness: median along the line, in pixels.
    """

    vertical: bool
    start: int
    path: NDArray[np.float64]
    thickness: float

    def scaled(self, scale: float) -> "Line":
        """Return the same line in an image that is `scale` times as large."""
        at = np.arange(round(len(self.path) * scale))
        path = np.interp((at + 0.5) / scale - 0.5, np.arange(len(self.path)), self.path)
        return Line(self.vertical, round(self.start * scale), (path + 0.5) * scale - 0.5, self.thickness * scale)

    def extended(self, extent: int) -> "Line":
        """Return the line continued straight from 0 to `extent`: ruled lines go on where they are not visible."""
        slope = np.polyfit(np.arange(len(self.path)), self.path, 1)[0]
        before = self.path[0] - slope * np.arange(self.start, 0, -1)
        after = self.path[-1] + slope * np.arange(1, extent - self.start - len(self.path) + 1)
        return Line(self.vertical, 0, np.concatenate([before, self.path, after]), self.thickness)


def find_ruled_lines(mask: NDArray[np.uint8]) -> list[Line]:
    """Find the ruled lines of a paper: sets of long lines with one direction and thickness.

    Args:
        mask: uint8 (H, W), 255 where there is ink, of a whole image.
    """
    side = max(mask.shape)
    lines = find_lines(mask, min_run=RULED_LINE_RUN * side, min_length=MIN_RULED_LINE_LENGTH * side, max_gap=1.0)
    ruled_lines = []
    for vertical in (False, True):
        same = [line for line in lines if line.vertical == vertical]
        lengths = np.array([len(line.path) for line in same])
        extent = mask.shape[0 if vertical else 1]
        long = lengths >= max(lengths.max(initial=0) / 2, LONG_RULED_LINE * extent)
        if np.count_nonzero(long) >= MIN_RULED_LINES:
            thickness = median(np.array([line.thickness for line in same]))
            ruled_lines += [line.extended(extent) for line in same if line.thickness <= thickness + 1]
    return ruled_lines


def find_lines(mask: NDArray[np.uint8], *, min_run: float, min_length: float, max_gap: float = MAX_GAP) -> list[Line]:
    """Find all nearly horizontal and nearly vertical lines.

    Args:
        mask: uint8 (H, W), 255 where there is ink.
        min_run: least length of uninterrupted ink, in pixels; longer than the strokes of digits.
        min_length: least length of a line, in pixels.
        max_gap: largest gap in a line, as a share of its length, 0 to 1.

    Examples:
        >>> mask = np.zeros((100, 200), np.uint8)
        >>> mask[50:53, 10:190] = mask[20:80, 60:64] = 255  # an underline and a one
        >>> [(line.vertical, len(line.path) > 150) for line in find_lines(mask, min_run=80, min_length=120)]
        [(False, True)]
    """
    step = max(1, round(min_run / RUN_PX))
    small = as_uint8(cv2.dilate(mask, np.ones((step, step), np.uint8), anchor=(0, 0))[::step, ::step])
    lines = []
    for vertical in (False, True):
        full = mask.T if vertical else mask
        for x, y in _long_runs(np.ascontiguousarray(small.T if vertical else small), min_length / step):
            for columns, rows in _separate_lines(x, y, min_length / step):
                middle = np.asarray(rows * step + (step - 1) / 2, np.float64)
                line = _follow(full, columns * step, middle, step, max_gap)
                if line is not None:
                    lines.append(Line(vertical, *line))
    return lines


def _follow(
    mask: NDArray[np.uint8], x: NDArray[np.intp], y: NDArray[np.float64], step: int, max_gap: float
) -> tuple[int, NDArray[np.float64], float] | None:
    """Follow a horizontal line at full resolution.

    Returns:
        Its start, path and thickness; None if it is not a line, but for instance a row of digits.
    """
    columns = np.arange(x.min(), min(x.max() + step, mask.shape[1]))
    first, length = _nearest_runs(mask, columns, _fit_curve(x, y, columns), step + 1)
    found = length > 0
    if np.count_nonzero(found) <= CURVE_DEGREE:
        return None
    thickness = median(length[found])
    found &= length >= thickness / CROSSING_THICKNESS - 1  # remnants of a removed line do not close gaps
    thin = found & (length <= CROSSING_THICKNESS * thickness + 1)
    largest_gap = (np.diff(np.flatnonzero(np.r_[True, found, True])) - 1).max()
    is_covered = np.count_nonzero(thin) >= MIN_COVERAGE * len(columns)
    if not is_covered or max(thickness * MIN_SLENDERNESS, largest_gap / max_gap) > len(columns):
        return None
    path = _fit_curve(columns[thin], (first + (length - 1) / 2)[thin], columns)
    return int(columns[0]), path, thickness


def _long_runs(small: NDArray[np.uint8], min_length: float) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return x and y of the ink of each connected bundle of nearly horizontal lines."""
    solid = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((SOLID_PX, SOLID_PX), np.uint8))
    closed = cv2.morphologyEx(cv2.subtract(small, solid), cv2.MORPH_CLOSE, np.ones((1, RUN_GAP_PX), np.uint8))
    broad = cv2.dilate(closed, np.ones((RUN_DRIFT_PX, 1), np.uint8))
    runs = cv2.bitwise_and(cv2.morphologyEx(broad, cv2.MORPH_OPEN, np.ones((1, RUN_PX), np.uint8)), closed)
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(runs, 8, cv2.CV_32S, cv2.CCL_GRANA)
    bundles = []
    for label in np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= min_length) + 1:
        x, y, width, height, _ = (int(value) for value in stats[label])
        rows, columns = np.nonzero(labels[y : y + height, x : x + width] == label)
        bundles.append((columns + x, rows + y))
    return bundles


def _separate_lines(
    x: NDArray[np.intp], y: NDArray[np.intp], min_length: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Separate the lines of a bundle: the straight band with most ink is where the fit of the next curve starts."""
    while len(x) >= min_length:
        heights = np.rint(y - SLOPES[:, None] * (x - x.min())).astype(int)  # (slopes, N)
        heights -= heights.min()
        heights += np.arange(len(SLOPES))[:, None] * (int(heights.max()) + 3)  # so that no two slopes share a height
        near = np.abs(heights - np.bincount(heights.ravel()).argmax()).min(axis=0) <= 1
        for _ in range(2):
            near = np.abs(y - _fit_curve(x[near], y[near], x)) <= 1.5
        if np.count_nonzero(np.bincount(x[near])) < min_length:
            return
        yield x[near], y[near]
        x, y = x[~near], y[~near]


def _fit_curve(
    x: NDArray[np.intp], y: NDArray[np.intp] | NDArray[np.float64], at: NDArray[np.float64] | NDArray[np.intp]
) -> NDArray[np.float64]:
    """Fit a polynomial to points, then again to the half that is nearest to it; return its value at each `at`."""
    middle, reach = float(x.mean()), max(1.0, float(np.ptp(x)) / 2)
    powers = np.vander((x - middle) / reach, CURVE_DEGREE + 1)
    coefficients = np.linalg.lstsq(powers, y)[0]
    distance = np.abs(powers @ coefficients - y)
    near = distance <= median(distance)
    coefficients = np.linalg.lstsq(powers[near], y[near])[0]
    return np.asarray(np.vander((at - middle) / reach, CURVE_DEGREE + 1) @ coefficients)


def remove_lines(mask: NDArray[np.uint8], ink: NDArray[np.uint8], lines: list[Line]) -> NDArray[np.uint8]:
    """Remove lines from a mask, and keep the strokes that cross them.

    Args:
        mask: uint8 (H, W), 255 where there is ink.
        ink: uint8 (H, W), 0 is paper.
        lines: in pixels of the mask.

    Returns:
        uint8 (H, W), a copy.
    """
    cleaned = mask.copy()
    for line in lines:
        if line.vertical:
            _remove_line(mask.T, ink.T, cleaned.T, line)
        else:
            _remove_line(mask, ink, cleaned, line)
    return cleaned


def _remove_line(mask: NDArray[np.uint8], ink: NDArray[np.uint8], cleaned: NDArray[np.uint8], line: Line) -> None:
    """Remove a horizontal line from `cleaned` where it is neither thicker nor darker than usual."""
    columns = np.arange(line.start, min(line.start + len(line.path), mask.shape[1]))
    path = line.path[: len(columns)]
    darkness = ink[np.rint(path).astype(int).clip(0, len(ink) - 1), columns]
    first, length = _nearest_runs(mask, columns, path, max(1, round(line.thickness)))
    is_line = (length <= CROSSING_THICKNESS * line.thickness + 1) & (darkness <= CROSSING_DARKNESS * median(darkness))
    for offset in range(int(length[is_line].max(initial=0))):
        chosen = is_line & (length > offset)
        cleaned[(first + offset)[chosen], columns[chosen]] = 0


def _nearest_runs(
    mask: NDArray[np.uint8], columns: NDArray[np.int64], path: NDArray[np.float64], reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first row and length of the run of ink nearest to the path in each column; length 0 if none is near."""
    around = 4 * reach
    offsets = np.arange(-around, around + 1)[:, None]
    rows = np.rint(path).astype(int) + offsets  # (2 * around + 1, N)
    strip = (mask[rows.clip(0, len(mask) - 1), columns] > 0) & (rows >= 0) & (rows < len(mask))
    near = np.where(strip & (np.abs(offsets) <= reach), np.abs(offsets), len(rows))
    seed = near.argmin(axis=0)
    index = np.arange(len(rows))[:, None]
    above = np.where(~strip & (index <= seed), index, -1).max(axis=0)
    below = np.where(~strip & (index >= seed), index, len(rows)).min(axis=0)
    found = near.min(axis=0) <= reach
    return rows[0] + above + 1, np.where(found, below - above - 1, 0)
