"""Label placement: a place beside each box that covers no other box and no other label."""

from collections.abc import Sequence

import numpy as np

from digitedge.utils.boxes import Box, as_box


def place_labels(
    boxes: Sequence[Box],
    sizes: Sequence[Sequence[tuple[int, int]]],
    *,
    width: int,
    height: int,
    others: Sequence[Box] = (),
    clearance: int = 0,
) -> list[Box | None]:
    """Find a place for the label of each box, one after the other.

    A label goes above its box, else below; in its largest size, else in smaller ones. Where that is not free, it goes
    to the right, at last to the left.

    Args:
        boxes: x, y, width, height in pixels.
        sizes: for each box the width and height of its label, and smaller ones for where that has no room.
        width: of the image, in pixels, which labels do not leave.
        height: of the image, in pixels.
        others: more boxes that labels must not cover.
        clearance: least distance in pixels of a label beside its box from what else there is, so that it is clear whose
            it is.

    Returns:
        A box for each label; None where nothing is free.

    Examples:
        >>> place_labels([(20, 30, 10, 20), (40, 5, 10, 20)], [[(8, 12)], [(8, 12)]], width=100, height=100)
        [(20, 18, 8, 12), (40, 25, 8, 12)]
        >>> place_labels([(20, 30, 10, 20)], [[(200, 12)]], width=100, height=100)
        [None]
    """
    taken = np.array([*boxes, *others, *boxes], np.int64).reshape(-1, 4)  # the last ones are replaced by labels
    taken[:, 2:] += taken[:, :2]  # left, top, right, bottom
    count = len(boxes) + len(others)
    labels: list[Box | None] = []
    for index, (box, label_sizes) in enumerate(zip(boxes, sizes, strict=True)):
        places = np.array(_places(box, label_sizes, width, height), np.int64)  # (P, 4)
        first, last = places[:, :2], places[:, :2] + places[:, 2:]
        margin = np.repeat((0, clearance), len(places) // 2)[:, None, None]
        nearby = (first[:, None] - margin < taken[:count, 2:]) & (taken[:count, :2] < last[:, None] + margin)
        covers = nearby.all(axis=2)  # (P, count)
        covers[:, index] = False
        is_inside = (first >= 0).all(axis=1) & (last <= (width, height)).all(axis=1)
        free = np.flatnonzero(is_inside & ~covers.any(axis=1))
        labels.append(as_box(places[free[0]]) if len(free) else None)
        if len(free):
            taken[count] = *first[free[0]], *last[free[0]]
            count += 1
    return labels


def _places(box: Box, sizes: Sequence[tuple[int, int]], width: int, height: int) -> list[Box]:
    """Return the places for a label in an image of this size: those above and below its box, then those beside it."""
    x, y, box_width, box_height = box
    stacked, right, left = [], [], []
    for w, h in sizes:
        start = max(0, min(x + min(0, (box_width - w) // 2), width - w))  # centred if it is wider than the box
        top = max(0, min(y, height - h))
        stacked += [(start, y - h, w, h), (start, y + box_height, w, h)]
        right.append((x + box_width, top, w, h))
        left.append((x - w, top, w, h))
    return [*stacked, *right, *left]
