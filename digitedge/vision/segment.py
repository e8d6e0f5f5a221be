"""Mask -> parts that belong together, one group per digit.

A component is a connected piece of the mask. Most digits are one; a 5 with its bar apart is two. The size of the
writing comes from the picture itself: the typical height of its components. What is far smaller is a speck, what is
much larger or is shaped unlike any digit (rulings, solid blobs) is something else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.opencv import cv2
from digitedge.vision.layout import Box

# Fewer pixels of height than this hold no readable digit.
SMALLEST = 8
# Heights of digits and of their parts, in typical heights.
SPECK, SHORTEST, TALLEST = 0.15, 0.4, 3.0
# A digit is at most this many times as wide as high; bars and rulings are wider.
WIDEST = 1.5
# Share of the box that ink covers at most, unless it is as slim as a 1.
DENSEST = 0.75
SLIM = 0.4
# A part joins a digit that is at most this far away, in heights of the digit.
REACH = 0.2


@dataclass(frozen=True, slots=True)
class Group:
    """Components that form one digit: their labels and their common box."""

    labels: tuple[int, ...]
    box: Box


def segment(mask: NDArray[np.uint8]) -> tuple[NDArray[np.int32], list[Group]]:
    """Find what may be digits in a mask.

    Args:
        mask: uint8 (H, W), 0 where there is no ink.

    Returns:
        int32 (H, W), a label per component, 0 for paper; and the groups of labels that may be digits.

    Examples:
        >>> mask = np.zeros((60, 60), np.uint8)
        >>> mask[10:40, 20:24] = mask[50, 50] = 255  # a one and a speck
        >>> [group.box for group in segment(mask)[1]]
        [(20, 10, 4, 30)]
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    sizes = stats[1:].astype(np.int32)  # (N, 5): x, y, width, height, area
    typical = typical_height(sizes)
    groups = [Group((i + 1,), _box(sizes[i])) for i in _pieces(sizes, typical)]
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.int32)
    joined = _join_parts(groups, typical)
    return labels.astype(np.int32, copy=False), [g for g in joined if _looks_like_a_digit(g, areas, typical)]


def typical_height(sizes: NDArray[np.int32]) -> float:
    """Tell the height of the writing: the median over components, counted by height so that specks do not outvote it.

    Args:
        sizes: int32 (N, 5): x, y, width, height and area of each component.

    Returns:
        Pixels, or 0 without any component of at least SMALLEST.
    """
    heights = sizes[sizes[:, 3] >= SMALLEST, 3]
    if not len(heights):
        return 0.0
    heights = np.sort(heights)
    return float(heights[np.searchsorted(np.cumsum(heights), heights.sum() / 2)])


def _box(size: NDArray[np.int32]) -> Box:
    x, y, width, height = (int(value) for value in size[:4])
    return x, y, width, height


def _pieces(sizes: NDArray[np.int32], typical: float) -> NDArray[np.intp]:
    """Indices of the components that are no specks and not far too large."""
    longer = sizes[:, 2:4].max(axis=1)
    return np.flatnonzero((longer >= max(3.0, SPECK * typical)) & (longer <= TALLEST * typical))


def _join_parts(groups: list[Group], typical: float) -> list[Group]:
    """Give each small part to the nearest digit in reach; parts of parts are left alone."""
    bodies = [g for g in groups if g.box[3] >= 0.6 * typical]
    rest: list[Group] = []
    for part in groups:
        if part in bodies:
            continue
        distances = [_gap(part.box, body.box) / body.box[3] for body in bodies]
        nearest = min(range(len(bodies)), key=distances.__getitem__, default=None)
        if nearest is None or distances[nearest] > REACH or not _beside(part.box, bodies[nearest].box):
            rest.append(part)
        else:
            body = bodies[nearest]
            bodies[nearest] = Group(body.labels + part.labels, _union(body.box, part.box))
    return bodies + rest


def _gap(a: Box, b: Box) -> float:
    """Distance between two boxes; 0 if they touch or overlap."""
    across = max(a[0] - b[0] - b[2], b[0] - a[0] - a[2], 0)
    down = max(a[1] - b[1] - b[3], b[1] - a[1] - a[3], 0)
    return float(np.hypot(across, down))


def _beside(part: Box, body: Box) -> bool:
    """Whether a part lies within the columns or touches the box of its body."""
    common = min(part[0] + part[2], body[0] + body[2]) - max(part[0], body[0])
    return common > 0 or _gap(part, body) <= 0.05 * body[3]


def _union(a: Box, b: Box) -> Box:
    x, y = min(a[0], b[0]), min(a[1], b[1])
    return x, y, max(a[0] + a[2], b[0] + b[2]) - x, max(a[1] + a[3], b[1] + b[3]) - y


def _looks_like_a_digit(group: Group, areas: NDArray[np.int32], typical: float) -> bool:
    _, _, width, height = group.box
    area = int(areas[list(group.labels)].sum())
    right_size = max(SMALLEST, SHORTEST * typical) <= height <= TALLEST * typical
    no_blob = area <= DENSEST * width * height or width <= SLIM * height
    return right_size and width <= WIDEST * height and no_blob
