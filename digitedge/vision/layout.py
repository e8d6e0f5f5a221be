"""Boxes -> rows in reading order, and the numbers that stand apart in a row."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from digitedge.utils.boxes import Box

# A digit continues a row when it shares this much of its height (or of its neighbour's, the smaller one) with it.
SHARED_HEIGHT = 0.4
# A gap parts two numbers if it is wider than this many heights of a digit, and than this many of the row's least gap:
# some people write all digits far apart.
WIDE_GAP, WIDE_RATIO = 1.2, 2.0


def rows_of(boxes: Sequence[Box]) -> list[list[int]]:
    """Arrange boxes in rows.

    From left to right, each box continues the row whose last box it shares the most height with. Comparing with the
    last box, not with the whole row, lets a row climb across a tilted page.

    Args:
        boxes: x, y, width, height of each digit.

    Returns:
        Indices of the boxes: rows from top to bottom, each from left to right.

    Examples:
        >>> rows_of([(50, 12, 9, 20), (10, 10, 9, 20), (12, 60, 9, 20)])
        [[1, 0], [2]]
    """
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda i: boxes[i][0]):
        shared = [_shared_height(boxes[row[-1]], boxes[index]) for row in rows]
        best = max(range(len(rows)), key=shared.__getitem__, default=None)
        if best is not None and shared[best] >= SHARED_HEIGHT:
            rows[best].append(index)
        else:
            rows.append([index])
    return sorted(rows, key=lambda row: sum(boxes[i][1] + boxes[i][3] / 2 for i in row) / len(row))


def numbers_of(row: Sequence[Box]) -> list[list[int]]:
    """Part a row where gaps are wide.

    Args:
        row: x, y, width, height of its digits, from left to right.

    Returns:
        Indices of the boxes, number by number.

    Examples:
        >>> numbers_of([(0, 0, 20, 40), (26, 0, 20, 40), (110, 0, 20, 40)])
        [[0, 1], [2]]
        >>> numbers_of([(0, 0, 20, 40), (80, 0, 20, 40), (160, 0, 20, 40)])
        [[0, 1, 2]]
    """
    if not row:
        return []
    gaps = [after[0] - before[0] - before[2] for before, after in pairwise(row)]
    wide = WIDE_GAP * median([box[3] for box in row])
    if len(gaps) > 1:
        wide = max(wide, WIDE_RATIO * min(gaps))
    starts = [0, *(index for index, gap in enumerate(gaps, 1) if gap > wide)]
    return [list(range(start, end)) for start, end in pairwise([*starts, len(row)])]


def _shared_height(a: Box, b: Box) -> float:
    """Height that two boxes have in common, as a share of the smaller one; at most 1."""
    common = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return common / min(a[3], b[3])
