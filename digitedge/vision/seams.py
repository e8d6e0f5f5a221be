"""Seams: paths from top to bottom that cross the least ink, along which touching digits can be split.

A seam is not straight, so it goes around the bowl of a 6 and under the bar of a 7. Whether a split is right is decided
by the classifier: only it can tell two digits from the halves of one.
"""

import numpy as np
from numpy.typing import NDArray

# Share of the width on either side in which no seam starts.
MARGIN = 1 / 6
# Largest horizontal distance of a seam from its start, as a share of the height.
MAX_DRIFT = 0.15
# Cost of a step through full ink, in steps over paper.
INK_COST = 20.0
MAX_SEAMS = 3


def find_seams(ink: NDArray[np.uint8]) -> list[NDArray[np.intp]]:
    """Find the best seams from top to bottom.

    Args:
        ink: uint8 (H, W), possibly several digits, 0 is paper.

    Returns:
        At most MAX_SEAMS, from left to right, each intp (H,): in each row the first column to the right of the seam.

    Examples:
        >>> ink = np.zeros((20, 40), np.uint8)
        >>> ink[:, 4:16] = ink[:, 22:36] = ink[9:11, 16:22] = 255  # two bars, joined in the middle
        >>> any(16 <= path.min() and path.max() <= 22 for path in find_seams(ink))
        True
    """
    height, width = ink.shape
    low, high = round(MARGIN * width), width - round(MARGIN * width)
    reach = max(2, round(MAX_DRIFT * height))
    if width < 3:
        return []
    columns = np.convolve(ink.sum(axis=0, dtype=np.float64), np.ones(3) / 3, mode="same")
    paths = []
    for start in _valleys(columns, low, high, apart=reach):
        left, right = max(1, start - reach), min(width - 1, start + reach + 1)
        paths.append(left + _cheapest_path(1 + ink[:, left:right].astype(np.float64) * (INK_COST / 255)))
    return sorted(paths, key=lambda path: int(path.sum()))


def _valleys(values: NDArray[np.float64], low: int, high: int, *, apart: int) -> list[int]:
    """Return the columns with the least ink, more than `apart` from each other."""
    chosen: list[int] = []
    for column in (low + np.argsort(values[low:high], kind="stable")).tolist():
        if len(chosen) == MAX_SEAMS:
            break
        if all(abs(column - other) > apart for other in chosen):
            chosen.append(column)
    return chosen


def _cheapest_path(cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the path of least cost from the first to the last row, by at most one column a row: intp (H,)."""
    height, width = cost.shape
    total, steps = cost[0], np.zeros((height, width), np.intp)
    for row in range(1, height):
        before = np.stack([np.r_[np.inf, total[:-1]] + 0.5, total, np.r_[total[1:], np.inf] + 0.5])
        steps[row] = before.argmin(axis=0) - 1
        total = cost[row] + before.min(axis=0)
    path = np.empty(height, np.intp)
    path[-1] = total.argmin()
    for row in range(height - 1, 0, -1):
        path[row - 1] = path[row] + steps[row, path[row]]
    return path
