"""Mask -> mask without rulings, underlines and frames, where these cross the writing.

A printed or drawn line is found as a run that goes on for longer than any stroke of a digit. A smooth curve is laid
through it (pages curl) and followed: what lies on the curve is erased, unless it is thicker or darker than the line
usually is, because there a stroke of a digit crosses it. Staff lines are taken out of sheet music in this way.
(Rejected: straight lines by Hough's transform, which cannot follow a curl.)

What it was worth with an earlier net (`tests/experiments/ablation.py`): without rulings the mean F1 of photographs fell
from 98.5 to 96.5 %, without underlines and frames that of rendered scenes from 88.0 to 86.3 %.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2
from digitedge.vision.median import median

# Lines are looked for where `span` is this many pixels long, and may rise or fall by DRIFT of them over it, with gaps.
SPAN, DRIFT, GAP = 13, 3, 5
# What is this thick in every direction there is no line, but a table, a hand or a shadow.
SOLID = 5
# Slopes that a line may have.
SLOPES = np.linspace(-0.25, 0.25, 26)
# A line is at least this many times as long as thick.
SLENDER = 12
# Degree of the curve: 3 follows the curl of a page.
DEGREE = 3
# Rulings, in longer sides of the frame: the run that shows them, and their length. This many of them go through this
# share of the frame, which the strokes of a few large digits do not, nor the two sides of a box around them.
RULING_SPAN, RULING = 0.065, 0.2
COMPANY, LONG_RULING = 3, 0.4
# Share of its length in which a line is seen, and thin.
COVERED = 0.75
# Longest break in a line drawn by hand, as a share of its length; between ones below each other there is more.
SMALL_GAP = 0.08
# In the usual thickness and darkness of a line: beyond these, a stroke crosses it.
THICKER, DARKER = 1.6, 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line that was found.

    Attributes:
        upright: whether it runs from top to bottom rather than from left to right.
        start: x of its first pixel, or y of an upright line; the next follow one by one.
        path: float64 (N,), the other coordinate of each pixel.
        thickness: in pixels, the median along it.
    """

    upright: bool
    start: int
    path: NDArray[np.float64]
    thickness: float

    def scaled(self, scale: float) -> "Line":
        """The same line in an image that is `scale` times as large."""
        at = np.arange(round(len(self.path) * scale))
        path = np.interp((at + 0.5) / scale - 0.5, np.arange(len(self.path)), self.path)
        return Line(self.upright, round(self.start * scale), (path + 0.5) * scale - 0.5, self.thickness * scale)

    def extended(self, extent: int) -> "Line":
        """The same line, going straight on from 0 to `extent`: rulings go through, even where they are not seen."""
        steps = np.polyfit(np.arange(len(self.path)), self.path, 1)[0]
        before = self.path[0] - steps * np.arange(self.start, 0, -1)
        after = self.path[-1] + steps * np.arange(1, extent - self.start - len(self.path) + 1)
        return Line(self.upright, 0, np.concatenate([before, self.path, after]), self.thickness)


def find_rulings(mask: NDArray[np.uint8]) -> list[Line]:
    """Find the rulings of a sheet, whatever the size of the writing: sets of long lines of one direction and thickness.

    Args:
        mask: uint8 (H, W), 255 where there is ink, of a whole frame.
    """
    side = max(mask.shape)
    lines = find_lines(mask, span=RULING_SPAN * side, least=RULING * side, gap=1.0)
    rulings = []
    for upright in (False, True):
        same = [line for line in lines if line.upright == upright]
        lengths = np.array([len(line.path) for line in same])
        long = lengths >= max(lengths.max(initial=0) / 2, LONG_RULING * mask.shape[0 if upright else 1])
        if np.count_nonzero(long) >= COMPANY:
            usual = median(np.array([line.thickness for line in same]))
            extent = mask.shape[0 if upright else 1]
            rulings += [line.extended(extent) for line in same if line.thickness <= usual + 1]
    return rulings


def find_lines(mask: NDArray[np.uint8], *, span: float, least: float, gap: float = SMALL_GAP) -> list[Line]:
    """Find all nearly level and nearly upright lines.

    Args:
        mask: uint8 (H, W), 255 where there is ink.
        span: length that ink must go on for, in pixels; longer than the strokes of digits.
        least: length of the shortest line, in pixels.
        gap: longest break in a line, as a share of its length, 0 to 1.

    Examples:
        >>> mask = np.zeros((100, 200), np.uint8)
        >>> mask[50:53, 10:190] = mask[20:80, 60:64] = 255  # a ruling and a one
        >>> [(line.upright, len(line.path) > 150) for line in find_lines(mask, span=80, least=120)]
        [(False, True)]
    """
    step = max(1, round(span / SPAN))
    small = cv2.dilate(mask, np.ones((step, step), np.uint8), anchor=(0, 0))[::step, ::step].astype(np.uint8)
    lines = []
    for upright in (False, True):
        for x, y in _long_runs(np.ascontiguousarray(small.T if upright else small), least / step):
            for columns, rows in _peel(x, y, least / step):
                seen = mask.T if upright else mask
                middle = np.asarray(rows * step + (step - 1) / 2, np.float64)
                line = _follow(seen, columns * step, middle, step, gap)
                if line is not None:
                    lines.append(Line(upright, *line))
    return lines


def _follow(
    mask: NDArray[np.uint8], x: NDArray[np.intp], y: NDArray[np.float64], step: int, gap: float
) -> tuple[int, NDArray[np.float64], float] | None:
    """Follow a line, level in this view, in full detail: its start, path and thickness.

    None if there is none, but a row of digits, say, or a column of ones.
    """
    columns = np.arange(x.min(), min(x.max() + step, mask.shape[1]))
    first, length = _nearest_runs(mask, columns, _curve(x, y, columns), step + 1)
    hit = length > 0
    if np.count_nonzero(hit) <= DEGREE:
        return None
    usual = median(length[hit])
    hit &= length >= usual / THICKER - 1  # the rest of an erased ruling does not fill the break between two ones
    thin = hit & (length <= THICKER * usual + 1)
    breaks = np.diff(np.flatnonzero(np.r_[True, hit, True])) - 1
    if np.count_nonzero(thin) < COVERED * len(columns) or max(usual * SLENDER, breaks.max() / gap) > len(columns):
        return None
    path = _curve(columns[thin], (first + (length - 1) / 2)[thin], columns)
    return int(columns[0]), path, usual


def _long_runs(small: NDArray[np.uint8], least: float) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """All x and all y of the ink of each connected bundle of nearly level lines."""
    solid = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((SOLID, SOLID), np.uint8))
    closed = cv2.morphologyEx(cv2.subtract(small, solid), cv2.MORPH_CLOSE, np.ones((1, GAP), np.uint8))
    broad = cv2.dilate(closed, np.ones((DRIFT, 1), np.uint8))
    runs = cv2.bitwise_and(cv2.morphologyEx(broad, cv2.MORPH_OPEN, np.ones((1, SPAN), np.uint8)), closed)
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(runs, 8, cv2.CV_32S, cv2.CCL_GRANA)
    bundles = []
    for label in np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= least) + 1:
        x, y, width, height, _ = (int(value) for value in stats[label])
        rows, columns = np.nonzero(labels[y : y + height, x : x + width] == label)
        bundles.append((columns + x, rows + y))
    return bundles


def _peel(
    x: NDArray[np.intp], y: NDArray[np.intp], least: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Take a bundle apart, line by line: the straight band with most ink tells where the next curve begins."""
    while len(x) >= least:
        heights = np.rint(y - SLOPES[:, None] * (x - x.min())).astype(int)  # (slopes, N)
        heights -= heights.min()
        heights += np.arange(len(SLOPES))[:, None] * (int(heights.max()) + 3)  # so that no two slopes share a height
        near = np.abs(heights - np.bincount(heights.ravel()).argmax()).min(axis=0) <= 1
        for _ in range(2):
            near = np.abs(y - _curve(x[near], y[near], x)) <= 1.5
        if np.count_nonzero(np.bincount(x[near])) < least:
            return
        yield x[near], y[near]
        x, y = x[~near], y[~near]


def _curve(
    x: NDArray[np.intp], y: NDArray[np.intp] | NDArray[np.float64], at: NDArray[np.float64] | NDArray[np.intp]
) -> NDArray[np.float64]:
    """Lay a smooth curve through points, and again without the half that is further away from it; y for each `at`."""
    middle, reach = float(x.mean()), max(1.0, float(np.ptp(x)) / 2)
    powers = np.vander((x - middle) / reach, DEGREE + 1)
    fit = np.linalg.lstsq(powers, y)[0]
    away = np.abs(powers @ fit - y)
    near = away <= median(away)
    fit = np.linalg.lstsq(powers[near], y[near])[0]
    return np.asarray(np.vander((at - middle) / reach, DEGREE + 1) @ fit)


def erase_lines(mask: NDArray[np.uint8], ink: NDArray[np.uint8], lines: list[Line]) -> NDArray[np.uint8]:
    """Take lines out of a mask, and leave the strokes that cross them.

    Args:
        mask: uint8 (H, W), 255 where there is ink.
        ink: uint8 (H, W), 0 is paper.
        lines: in pixels of the mask.

    Returns:
        uint8 (H, W), a copy.
    """
    cleaned = mask.copy()
    for line in lines:
        if line.upright:
            _erase(mask.T, ink.T, cleaned.T, line)
        else:
            _erase(mask, ink, cleaned, line)
    return cleaned


def _erase(mask: NDArray[np.uint8], ink: NDArray[np.uint8], cleaned: NDArray[np.uint8], line: Line) -> None:
    """Erase one line, level in these views, where it is neither thicker nor darker than usual."""
    columns = np.arange(line.start, min(line.start + len(line.path), mask.shape[1]))
    path = line.path[: len(columns)]
    darkness = ink[np.rint(path).astype(int).clip(0, len(ink) - 1), columns]
    first, length = _nearest_runs(mask, columns, path, max(1, round(line.thickness)))
    gone = (length <= THICKER * line.thickness + 1) & (darkness <= DARKER * median(darkness))
    for offset in range(int(length[gone].max(initial=0))):
        still = gone & (length > offset)
        cleaned[(first + offset)[still], columns[still]] = 0


def _nearest_runs(
    mask: NDArray[np.uint8], columns: NDArray[np.int64], path: NDArray[np.float64], reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row and length of the run of ink nearest to the path in each column; length 0 where none is in reach."""
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
