"""Boxes -> rows in reading order."""

from collections.abc import Sequence

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""

# A digit continues a row when it shares this much of its height (or of its neighbour's, the smaller one) with it.
SHARED_HEIGHT = 0.4


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


def _shared_height(a: Box, b: Box) -> float:
    """Height that two boxes have in common, as a share of the smaller one; at most 1."""
    common = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return common / min(a[3], b[3])
