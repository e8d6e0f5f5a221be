"""Boxes of pixels: x, y, width, height. Every comparison of two boxes is here."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""


def as_box(values: NDArray[np.int64]) -> Box:
    """Convert an int64 array of x, y, width, height to a box of plain integers."""
    x, y, width, height = (int(value) for value in values)
    return x, y, width, height


def union(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around all boxes.

    Args:
        boxes: at least one.

    Examples:
        >>> union([(0, 0, 10, 10), (20, 5, 10, 10)])
        (0, 0, 30, 15)
    """
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    right, bottom = max(box[0] + box[2] for box in boxes), max(box[1] + box[3] for box in boxes)
    return left, top, right - left, bottom - top


def intersection_area(a: Box, b: Box) -> int:
    """Return the area that two boxes have in common, in pixels; 0 if they do not overlap."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0, width) * max(0, height)


def iou(a: Box, b: Box) -> float:
    """Return the intersection over union of two boxes, 0 to 1.

    Examples:
        >>> iou((0, 0, 10, 10), (5, 0, 10, 10))
        0.3333333333333333
    """
    common = intersection_area(a, b)
    return common / (a[2] * a[3] + b[2] * b[3] - common) if common else 0.0


def share_within(inner: Box, outer: Box) -> float:
    """Return the share of the area of `inner` that lies in `outer`, 0 to 1."""
    return intersection_area(inner, outer) / (inner[2] * inner[3])


def is_centre_in(box: Box, areas: Sequence[Box]) -> bool:
    """Tell whether the centre of a box lies in one of the areas."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return any(left <= x <= left + width and top <= y <= top + height for left, top, width, height in areas)
