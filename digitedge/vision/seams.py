"""Touching digits -> cuts: where a blade falls through the least ink from top to bottom.

Every cut follows a path of its own, not a straight line, so it goes around the belly of a 6 and under the roof of a 7.
Whether a cut is right is not decided here: only a classifier can tell two digits from the halves of one.
"""

import numpy as np
from numpy.typing import NDArray

# Where paths may run: not in the outer sixth of the width on either side.
MARGIN = 1 / 6
# A path strays from its start by at most this share of the height.
STRAY = 0.15
# Cutting through full ink costs as much as this many steps over paper.
INK_COST = 20.0
# How many paths are proposed at most.
MOST = 3


def cut_paths(ink: NDArray[np.uint8]) -> list[NDArray[np.intp]]:
    """Propose cuts from top to bottom.

    Args:
        ink: uint8 (H, W), what may be two digits or more, 0 is paper.

    Returns:
        At most MOST paths, from left to right, each intp (H,): in each row the first column right of the cut.

    Examples:
        >>> ink = np.zeros((20, 40), np.uint8)
        >>> ink[:, 4:16] = ink[:, 22:36] = ink[9:11, 16:22] = 255  # two bars, joined in the middle
        >>> any(16 <= path.min() and path.max() <= 22 for path in cut_paths(ink))
        True
    """
    height, width = ink.shape
    low, high = round(MARGIN * width), width - round(MARGIN * width)
    reach = max(2, round(STRAY * height))
    if width < 3:
        return []
    columns = np.convolve(ink.sum(axis=0, dtype=np.float64), np.ones(3) / 3, mode="same")
    paths = []
    for start in _valleys(columns, low, high, apart=reach):
        left, right = max(1, start - reach), min(width - 1, start + reach + 1)
        paths.append(left + _cheapest_path(1 + ink[:, left:right].astype(np.float64) * (INK_COST / 255)))
    return sorted(paths, key=lambda path: int(path.sum()))


def _valleys(values: NDArray[np.float64], low: int, high: int, *, apart: int) -> list[int]:
    """The columns with the least ink, at least `apart` from each other."""
    chosen: list[int] = []
    for column in (low + np.argsort(values[low:high], kind="stable")).tolist():
        if len(chosen) == MOST:
            break
        if all(abs(column - other) > apart for other in chosen):
            chosen.append(column)
    return chosen


def _cheapest_path(cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """The cheapest way from the first to the last row, sideways by at most one column a row."""
    height, width = cost.shape
    total, steps = cost[0], np.zeros((height, width), np.intp)
    for row in range(1, height):
        ways = np.stack([np.r_[np.inf, total[:-1]] + 0.5, total, np.r_[total[1:], np.inf] + 0.5])
        steps[row] = ways.argmin(axis=0) - 1
        total = cost[row] + ways.min(axis=0)
    path = np.empty(height, np.intp)
    path[-1] = total.argmin()
    for row in range(height - 1, 0, -1):
        path[row - 1] = path[row] + steps[row, path[row]]
    return path
