"""Segmentation: the mask of a level becomes candidates, groups of connected components that are as high as a digit.

Most digits are one connected component; a 5 whose bar stands apart is two. What is smaller than a digit of the level
may be a part of one, or is left to a finer level; what is larger is left to a coarser one. What has no digit's shape
(whole words, bars, blobs) stays as a candidate with a reject reason, because it shows what else is written there.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box, gaps
from digitedge.utils.opencv import cv2

# Height of a digit, in pixels of a level. The range is a little more than an octave: whatever is cut off by it on one
# level is whole on the next. See docs/decisions/pyramid.md.
MIN_DIGIT_PX = 20
MAX_DIGIT_PX = 46
# Least height of a readable digit: that of the finest level.
MIN_HEIGHT_PX = 8
# Longer side of the widest word that is kept as a candidate, in pixels of a level.
MAX_WORD_PX = 370
# Least longer side of a part of a digit, and its largest height, in heights of the digit.
MIN_PART_SIZE = 0.15
MAX_PART_HEIGHT = 0.6
# Largest width of a part, in longer sides of the digit: the bar of a 5 may be wider than the rest.
MAX_PART_WIDTH = 1.2
# Largest distance between a part and its digit, and largest distance to the side, in heights of the digit.
PART_REACH = 0.2
PART_SIDE_REACH = 0.05
# Largest ratio of width to height of a digit.
MAX_DIGIT_ASPECT = 2.2
# Ratio of width to height under which a component is slim, like a 1.
SLIM_ASPECT = 0.4
# Largest share of its box that the ink of a digit covers, unless it is slim.
MAX_FILL = 0.75
# Largest number of pairs of a digit and a possible part whose distance is computed at once: limits the memory.
MAX_PAIRS = 200_000
# Width of the margin around a candidate in which clutter is measured, in heights of the candidate.
CLUTTER_MARGIN = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The connected components of a mask; row i of the tables belongs to label i + 1.

    Attributes:
        labels: int32 (H, W), 0 for paper.
        boxes: int64 (N, 4): x, y, width, height.
        areas: int64 (N,): pixels of ink.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]


class RejectReason(StrEnum):
    """Why the size or shape of a candidate is not that of a digit."""

    TOO_SHORT = "too short"
    BAR = "bar"
    TOO_WIDE = "too wide"
    SOLID = "solid"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A group of connected components that may be a digit.

    Attributes:
        box: x, y, width, height in pixels of its level.
        ink: uint8 (height, width), 0 is paper; without the ink of other components.
        darkness: mean ink level of its pixels, 0 to 255.
        clutter: mean ink level around it, paper and specks but no candidates, relative to `darkness`: near 0 on clean
            paper.
        reject_reason: why it cannot be a digit; None if it may be one.
        level: of the pyramid, 0 is the finest.
    """

    box: Box
    ink: NDArray[np.uint8] = field(repr=False)
    darkness: float
    clutter: float
    reject_reason: RejectReason | None = None
    level: int = 0


def connected_components(mask: NDArray[np.uint8]) -> Components:
    """Label the 8-connected components of a mask.

    Args:
        mask: uint8 (H, W), 255 where there is ink, else 0.

    Examples:
        >>> mask = np.zeros((50, 50), np.uint8)
        >>> mask[10:40, 20:24] = mask[45, 30] = 255  # a one and a speck
        >>> components = connected_components(mask)
        >>> components.boxes.tolist(), components.areas.tolist()
        ([[20, 10, 4, 30], [30, 45, 1, 1]], [120, 1])
    """
    labels = np.zeros(mask.shape, np.int32)
    _, y, _, height = cv2.boundingRect(mask)
    if not height:
        return Components(labels, np.empty((0, 4), np.int64), np.empty(0, np.int64))
    # Only the rows that hold ink: on a page with one row of digits that is a tenth of the work and of the memory.
    top = y - y % 2  # the blocks in which CCL_GRANA numbers the components have two rows
    inked = slice(top, y + height)
    # CCL_GRANA takes a third of the time of OpenCV 5's default (1.7 and 5.7 ms at 1280x720).
    _, _, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask[inked], 8, cv2.CV_32S, cv2.CCL_GRANA, labels=labels[inked]
    )
    boxes, areas = stats[1:, :4].astype(np.int64), stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
    boxes[:, 1] += top
    return Components(labels, boxes, areas)


def extract_candidates(
    components: Components, ink: NDArray[np.uint8], *, level: int = 0, min_height: int = MIN_HEIGHT_PX
) -> list[Candidate]:
    """Group components into candidates: each digit with its parts, and what else is as high.

    Args:
        components: of the mask of one level of the pyramid.
        ink: uint8 (H, W), of the same level, 0 is paper, 255 is ink that reflects nothing.
        level: its number, 0 is the finest.
        min_height: least height of a digit, in pixels of the level.

    Returns:
        Candidates in no particular order, each with the ink of its own components.

    Examples:
        >>> ink = np.zeros((60, 60), np.uint8)
        >>> ink[10:40, 20:24] = ink[50, 50] = 255  # a one and a speck
        >>> [candidate.box for candidate in extract_candidates(connected_components(ink), ink)]
        [(20, 10, 4, 30)]
    """
    width, height = components.boxes[:, 2], components.boxes[:, 3]
    is_digit_high = (height >= min_height) & (height <= MAX_DIGIT_PX) & (width <= MAX_WORD_PX)
    is_short = (height < min_height) & (width >= min_height) & (width <= MAX_DIGIT_PX)
    digits = np.flatnonzero(is_digit_high)
    part, owner = _find_parts(components.boxes, digits)
    is_short[part] = False
    chosen = np.concatenate([digits, np.flatnonzero(is_short)])
    boxes, areas = _join_parts(components, part, owner)
    labels = {i: [i + 1] for i in chosen.tolist()}
    for i, digit in zip(part.tolist(), owner.tolist(), strict=True):
        labels[digit].append(i + 1)
    is_clutter = np.full(len(height) + 1, 255, np.uint8)
    is_clutter[np.concatenate([chosen + 1, part + 1])] = 0  # paper counts: clean paper is little clutter
    candidates = []
    for own, (x, y, w, h), area in zip(labels.values(), boxes[chosen].tolist(), areas[chosen].tolist(), strict=True):
        box = (x, y, w, h)
        reason = _check_shape(box, area, ink.shape, min_height)
        candidates.append(_cut_out(own, box, components.labels, ink, is_clutter, reason, level))
    return candidates


def _cut_out(
    own: list[int],
    box: Box,
    labels: NDArray[np.int32],
    ink: NDArray[np.uint8],
    is_clutter: NDArray[np.uint8],
    reason: RejectReason | None,
    level: int,
) -> Candidate:
    """Cut components out of the level, given their `own` labels; `is_clutter` is 255 for labels of no candidate."""
    x, y, width, height = box
    window = slice(y, y + height), slice(x, x + width)
    mask = (labels[window] == own[0]).view(np.uint8)
    for label in own[1:]:
        mask |= labels[window] == label
    own_ink = ink[window] * mask
    darkness = cv2.mean(own_ink, mask)[0]
    margin = round(CLUTTER_MARGIN * height)
    around = slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)
    clutter = cv2.mean(ink[around], is_clutter.take(labels[around]))[0] / darkness
    return Candidate(box, own_ink, darkness, clutter, reason, level)


def _find_parts(boxes: NDArray[np.int64], digits: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the small components that are in reach of a digit, and for each the nearest digit: rows of `boxes`."""
    smallest = MIN_PART_SIZE * boxes[digits, 3].min(initial=MAX_DIGIT_PX)
    parts = np.flatnonzero((boxes[:, 3] < MIN_DIGIT_PX) & (boxes[:, 2:].max(axis=1) >= smallest))
    if not len(digits) or not len(parts):
        return parts[:0], parts[:0]
    parts = parts[np.argsort(boxes[parts, 0], kind="stable")]
    left, (x, _, width, height) = boxes[parts, 0], boxes[digits].T
    first = np.searchsorted(left, x - MAX_PART_WIDTH * np.maximum(width, height))
    count = np.searchsorted(left, x + width + PART_SIDE_REACH * height) - first
    pairs = []
    for chosen in np.array_split(np.arange(len(digits)), 1 + int(count.sum()) // MAX_PAIRS):
        digit = np.repeat(chosen, count[chosen])
        before = np.cumsum(count[chosen]) - count[chosen]
        part = parts[np.arange(len(digit)) + np.repeat(first[chosen] - before, count[chosen])]
        digit = digits[digit]
        distance = _distance_of_part(boxes[part], boxes[digit])
        near = np.flatnonzero(distance <= PART_REACH)
        pairs.append((part[near], distance[near], digit[near]))
    part, distance, digit = (np.concatenate(column) for column in zip(*pairs, strict=True))
    order = np.lexsort((digit, distance, part))
    nearest = order[np.flatnonzero(np.diff(part[order], prepend=-1))]
    return part[nearest], digit[nearest]


def _join_parts(
    components: Components, part: NDArray[np.intp], owner: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the boxes (N, 4) and areas (N,) of all components, each digit with its parts."""
    start, areas = components.boxes[:, :2], components.areas.copy()
    end = start + components.boxes[:, 2:]
    left_top, right_bottom = start.copy(), end.copy()
    np.minimum.at(left_top, owner, start[part])
    np.maximum.at(right_bottom, owner, end[part])
    np.add.at(areas, owner, components.areas[part])
    return np.hstack([left_top, right_bottom - left_top]), areas


def _distance_of_part(parts: NDArray[np.int64], digits: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far boxes (N, 4) are from digits (N, 4), in heights of the digit; infinity for what is no part."""
    part_width, part_height = parts[:, 2], parts[:, 3]
    x, y, width, height = digits.T
    across, down = gaps((x, y, width, height), parts)
    is_part = part_height < np.minimum(MIN_DIGIT_PX, MAX_PART_HEIGHT * height)
    is_part &= np.maximum(part_width, part_height) >= MIN_PART_SIZE * height
    is_part &= part_width <= MAX_PART_WIDTH * np.maximum(width, height)
    is_part &= across <= PART_SIDE_REACH * height
    return np.where(is_part, np.hypot(across, down) / height, np.inf)


def _check_shape(box: Box, area: int, shape: tuple[int, ...], min_height: int) -> RejectReason | None:
    """Return why a box with this area of ink has not the size or shape of a digit; None if it may be one."""
    x, y, width, height = box
    at_border = x == 0 or y == 0 or x + width == shape[1] or y + height == shape[0]
    is_slim = width <= SLIM_ASPECT * height
    if height < min_height:
        return RejectReason.TOO_SHORT
    if is_slim and at_border:
        return RejectReason.BAR
    if width > MAX_DIGIT_ASPECT * height:
        return RejectReason.TOO_WIDE
    return RejectReason.SOLID if area > MAX_FILL * width * height and not is_slim else None
