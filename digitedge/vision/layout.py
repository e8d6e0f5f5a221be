"""Layout: boxes of digits in rows and numbers, in reading order."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from digitedge.utils.boxes import Box, height_overlap

# Least overlap in height of two neighbours in a row, as a share of the smaller height.
MIN_HEIGHT_OVERLAP = 0.4
# Digits of one row differ in height by this factor at most: a large one beside two small rows belongs to neither.
MAX_HEIGHT_RATIO = 2.5
# A gap separates two numbers if it is wider than this many heights of a digit, and than this many of the least gap of
# the row: some people write all digits far apart.
NUMBER_GAP = 1.2
NUMBER_GAP_RATIO = 2.0


def split_rows(boxes: Sequence[Box]) -> list[list[int]]:
    """Sort boxes into rows.

    From left to right, each box is added to the row whose last box it overlaps most in height, if both are about as
    high. Comparing with the last box, not with the whole row, lets a row climb across a tilted page.

    Args:
        boxes: x, y, width, height of each digit.

    Returns:
        Indices of the boxes: rows from top to bottom, each from left to right.

    Examples:
        >>> split_rows([(50, 12, 9, 20), (10, 10, 9, 20), (12, 60, 9, 20)])
        [[1, 0], [2]]
        >>> split_rows([(0, 0, 9, 20), (0, 40, 9, 20), (20, 0, 40, 60)])  # two small rows beside a large digit
        [[0], [2], [1]]
    """
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda i: boxes[i][0]):
        overlaps = [_row_overlap(boxes[row[-1]], boxes[index]) for row in rows]
        best = max(range(len(rows)), key=overlaps.__getitem__, default=None)
        if best is not None and overlaps[best] >= MIN_HEIGHT_OVERLAP:
            rows[best].append(index)
        else:
            rows.append([index])
    return sorted(rows, key=lambda row: sum(boxes[i][1] + boxes[i][3] / 2 for i in row) / len(row))


def _row_overlap(a: Box, b: Box) -> float:
    """Return the overlap in height, as a share of the smaller one; 0 if one box is much higher than the other."""
    return height_overlap(a, b) if max(a[3], b[3]) <= MAX_HEIGHT_RATIO * min(a[3], b[3]) else 0.0


def split_numbers(row: Sequence[Box]) -> list[list[int]]:
    """Split a row into numbers at wide gaps.

    Args:
        row: x, y, width, height of its digits, from left to right.

    Returns:
        Indices of the boxes, number by number.

    Examples:
        >>> split_numbers([(0, 0, 20, 40), (26, 0, 20, 40), (110, 0, 20, 40)])
        [[0, 1], [2]]
        >>> split_numbers([(0, 0, 20, 40), (80, 0, 20, 40), (160, 0, 20, 40)])
        [[0, 1, 2]]
    """
    if not row:
        return []
    widths = [after[0] - before[0] - before[2] for before, after in pairwise(row)]
    wide = NUMBER_GAP * median([box[3] for box in row])
    if len(widths) > 1:
        wide = max(wide, NUMBER_GAP_RATIO * min(widths))
    starts = [0, *(index for index, gap in enumerate(widths, 1) if gap > wide)]
    return [list(range(start, end)) for start, end in pairwise([*starts, len(row)])]
