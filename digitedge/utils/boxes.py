"""Boxes of pixels: x, y, width, height."""

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
    """Return the smallest box around one or more boxes.

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


def intersection_matrix(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the area that all pairs of boxes have in common, int64 (N, 4) and (M, 4): int64 (N, M), in pixels.

    Examples:
        >>> intersection_matrix(np.array([[0, 0, 10, 10]]), np.array([[5, 0, 10, 10], [50, 0, 10, 10]]))
        array([[50,  0]])
    """
    starts = np.maximum(a[:, None, :2], b[None, :, :2])
    ends = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    return np.asarray((ends - starts).clip(0).prod(axis=2))


def iou_matrix(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the intersection over union of all pairs of boxes, int64 (N, 4) and (M, 4): float64 (N, M), 0 to 1.

    Examples:
        >>> iou_matrix(np.array([[0, 0, 10, 10]]), np.array([[5, 0, 10, 10], [50, 0, 10, 10]])).round(2)
        array([[0.33, 0.  ]])
    """
    common = intersection_matrix(a, b)
    return np.asarray(common / (a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1) - common))


def height_overlap(a: Box, b: Box) -> float:
    """Return the overlap of two boxes in height, as a share of the smaller height; negative in a vertical gap."""
    return (min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])) / min(a[3], b[3])


def vertical_overlap(a: Box, b: Box) -> float:
    """Return the overlap of two boxes in height, as a share of the larger height; 0 if they do not overlap in width."""
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0, height) / max(a[3], b[3]) if intersection_area(a, b) else 0.0


def share_within(inner: Box, outer: Box) -> float:
    """Return the share of the area of `inner` that lies in `outer`, 0 to 1."""
    return intersection_area(inner, outer) / (inner[2] * inner[3])


def is_centre_in(box: Box, areas: Sequence[Box]) -> bool:
    """Tell whether the centre of a box lies in one of the areas."""
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return any(left <= x <= left + width and top <= y <= top + height for left, top, width, height in areas)


def gaps(box: Box, others: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the horizontal and vertical gaps, int64 (N,), between a box and others, int64 (N, 4); 0 in an overlap."""
    x, y, width, height = others.T
    across = np.maximum(np.maximum(box[0] - x - width, x - box[0] - box[2]), 0)
    down = np.maximum(np.maximum(box[1] - y - height, y - box[1] - box[3]), 0)
    return across, down


def is_free(box: Box, boxes: Sequence[Box]) -> bool:
    """Tell whether a box, which is not empty, touches none of the others.

    Examples:
        >>> is_free((0, 0, 10, 10), [(20, 0, 5, 5)]), is_free((0, 0, 10, 10), [(9, 9, 5, 5)])
        (True, False)
    """
    x, y, w, h = box
    apart = (x + w < b[0] or b[0] + b[2] < x or y + h < b[1] or b[1] + b[3] < y for b in boxes)
    return w > 0 and h > 0 and all(apart)


def clip_box(box: Box, width: int, height: int) -> Box:
    """Return the part of a box inside an image; its sides are not positive if there is none.

    Examples:
        >>> clip_box((-5, 90, 20, 20), 100, 100)
        (0, 90, 15, 10)
    """
    x, y = max(0, box[0]), max(0, box[1])
    return x, y, min(width, box[0] + box[2]) - x, min(height, box[1] + box[3]) - y


def pad_box(box: Box, pixels: int) -> Box:
    """Return a box that is larger by some pixels on each side."""
    x, y, width, height = box
    return x - pixels, y - pixels, width + 2 * pixels, height + 2 * pixels


def scale_box(box: Box, x_scale: float, y_scale: float) -> Box:
    """Return a box in an image that is larger by these factors."""
    x, y, width, height = box
    return round(x * x_scale), round(y * y_scale), round(width * x_scale), round(height * y_scale)
