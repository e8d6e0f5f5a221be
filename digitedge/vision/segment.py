"""Segmentation: a mask becomes candidates, groups of connected components that are as large and dark as the writing.

Most digits are one connected component; a 5 whose bar stands apart is two. The typical height and darkness of the
components give the scale of the writing. What is far smaller is a speck, what is far larger or paler is not writing:
both are left out. What has no digit's shape (whole words, bars, blobs) stays as a candidate with a reject reason,
because it shows what else is written there.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box, as_box, gaps, union
from digitedge.utils.opencv import cv2

# Least height of a readable digit, in pixels.
MIN_HEIGHT_PX = 8
# Least longer side of a component that is not a speck, in typical heights.
MIN_PART_SIZE = 0.15
# Least and largest height of a digit, in typical heights.
MIN_DIGIT_HEIGHT = 0.4
MAX_DIGIT_HEIGHT = 3.0
# Components with a longer side than this, in typical heights, are left out: tables, hands, frames.
MAX_SIZE = 8.0
# A slim component that is higher than this, in typical heights, or touches the border of the image is a line, not a 1.
MAX_BAR_HEIGHT = 2.0
# Largest ratio of width to height of a digit, and of several touching digits.
MAX_DIGIT_ASPECT = 1.7
MAX_WORD_ASPECT = 4.0
# Ratio of width to height under which a component is slim, like a 1.
SLIM_ASPECT = 0.4
# Largest share of its box that the ink of a digit covers, unless it is slim.
MAX_FILL = 0.75
# Least darkness in typical darknesses: paler components are lines, shadows, or show through from the other side.
MIN_DARKNESS = 0.4
# Components under this height, in typical heights, are parts that may belong to a digit.
MAX_PART_HEIGHT = 0.6
# Largest distance between a part and its digit, and largest distance to the side, in heights of the digit.
PART_REACH = 0.2
PART_SIDE_REACH = 0.05
# Width of the margin around a candidate in which clutter is measured, in heights of the candidate.
CLUTTER_MARGIN = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The connected components of a mask; row i of the tables belongs to label i + 1.

    Attributes:
        labels: int32 (H, W), 0 for paper.
        boxes: int64 (N, 4): x, y, width, height.
        areas: int64 (N,): pixels of ink.
        darkness: float64 (N,): mean ink level of those pixels, 0 to 255.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]
    darkness: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scale:
    """Typical height in pixels and typical mean ink level, 0 to 255, of the components of an image."""

    height: float
    darkness: float


@dataclass(frozen=True, slots=True)
class Group:
    """Connected components that belong together: their labels and their common box."""

    labels: tuple[int, ...]
    box: Box


class RejectReason(StrEnum):
    """Why the size or shape of a candidate is not that of a digit."""

    TOO_SHORT = "too short"
    TOO_TALL = "too tall"
    BAR = "bar"
    TOO_WIDE = "too wide"
    SOLID = "solid"


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A group of connected components that may be a digit.

    Attributes:
        box: x, y, width, height in pixels of the working images.
        ink: uint8 (height, width), 0 is paper; without the ink of other components.
        darkness: mean ink level of its pixels, 0 to 255.
        clutter: mean ink level around it of components that are not writing, relative to `darkness`: 0 on clean paper.
        reject_reason: why it cannot be a digit; None if it may be one.
    """

    box: Box
    ink: NDArray[np.uint8] = field(repr=False)
    darkness: float
    clutter: float
    reject_reason: RejectReason | None = None


def connected_components(mask: NDArray[np.uint8], ink: NDArray[np.uint8]) -> Components:
    """Label the 8-connected components of a mask.

    Args:
        mask: uint8 (H, W), 0 where there is no ink.
        ink: uint8 (H, W), 0 is paper.
    """
    # CCL_GRANA takes a third of the time of OpenCV 5's default (1.7 and 5.7 ms at 1280x720).
    count, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(mask, 8, cv2.CV_32S, cv2.CCL_GRANA)
    boxes, areas = stats[1:, :4].astype(np.int64), stats[1:, cv2.CC_STAT_AREA].astype(np.int64)
    darkness = np.zeros(count - 1)
    if count > 1:
        inked = np.flatnonzero(mask > 0)  # a sixth of the time of cv2.findNonZero
        darkness = np.bincount(labels.ravel()[inked], weights=ink.ravel()[inked])[1:] / areas
    return Components(labels.astype(np.int32, copy=False), boxes, areas, darkness)


def estimate_scale(components: Components) -> Scale | None:
    """Estimate height and darkness of the writing: weighted medians over the components.

    The weight is height times darkness, so that specks and ruled lines do not outvote digits. Components that touch
    the border of the image (tables, hands) count only if there is no other; those as wide as several touching digits
    count only if there is none with the shape of one digit.

    Returns:
        None without any component that is shaped like a digit, or like several.
    """
    x, y, width, height = components.boxes.T
    tall_enough = height >= MIN_HEIGHT_PX
    shaped = tall_enough & _has_digit_shape(width, height, components.areas)
    image_height, image_width = components.labels.shape
    inside = shaped & (x > 0) & (y > 0) & (x + width < image_width) & (y + height < image_height)
    touching = tall_enough & (width <= MAX_WORD_ASPECT * height) & (components.areas <= MAX_FILL * width * height)
    chosen = next((tier for tier in (inside, shaped, touching) if tier.any()), None)
    if chosen is None:
        return None
    heights, darkness = height[chosen], components.darkness[chosen]
    weights = heights * darkness
    return Scale(_weighted_median(heights, weights), _weighted_median(darkness, weights))


def extract_candidates(components: Components, ink: NDArray[np.uint8]) -> list[Candidate]:
    """Group components into candidates: each digit with its parts, and everything else of the same size and darkness.

    Args:
        components: of the image.
        ink: uint8 (H, W), the same image, 0 is paper.

    Examples:
        >>> ink = np.zeros((60, 60), np.uint8)
        >>> ink[10:40, 20:24] = ink[50, 50] = 255  # a one and a speck
        >>> [candidate.box for candidate in extract_candidates(connected_components(ink, ink), ink)]
        [(20, 10, 4, 30)]
    """
    scale = estimate_scale(components)
    if scale is None:
        return []
    longer = components.boxes[:, 2:].max(axis=1)
    is_writing = (longer >= MIN_PART_SIZE * scale.height) & (longer <= MAX_SIZE * scale.height)
    is_writing &= components.darkness >= MIN_DARKNESS * scale.darkness
    groups = [Group((int(i) + 1,), as_box(components.boxes[i])) for i in np.flatnonzero(is_writing)]
    least = max(MIN_HEIGHT_PX, MIN_DIGIT_HEIGHT * scale.height)
    clutter_of_label = np.where(np.append(False, is_writing), 0, 255).astype(np.uint8)
    return [
        _cut_out(group, components, ink, clutter_of_label, scale)
        for group in _group_parts(groups, scale)
        if max(group.box[2:]) >= least
    ]


def _cut_out(
    group: Group, components: Components, ink: NDArray[np.uint8], clutter_of_label: NDArray[np.uint8], scale: Scale
) -> Candidate:
    """Cut a group out of the image; `clutter_of_label` is 255 for each label that is not writing, else 0."""
    x, y, width, height = group.box
    window = slice(y, y + height), slice(x, x + width)
    labels = components.labels[window]
    own = np.logical_or.reduce([labels == label for label in group.labels]).view(np.uint8)
    darkness = cv2.mean(ink[window], own)[0]
    margin = round(CLUTTER_MARGIN * height)
    around = slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)
    clutter = cv2.mean(ink[around], clutter_of_label[components.labels[around]])[0] / darkness
    return Candidate(group.box, ink[window] * own, darkness, clutter, _check_shape(group, components, scale))


def _has_digit_shape(
    width: NDArray[np.int64] | int, height: NDArray[np.int64] | int, area: NDArray[np.int64] | int
) -> NDArray[np.bool_] | bool:
    """Tell which boxes are neither horizontal bars nor solid blobs; a vertical bar may be a 1."""
    is_open = (area <= MAX_FILL * width * height) | (width <= SLIM_ASPECT * height)
    return (width <= MAX_DIGIT_ASPECT * height) & is_open


def _weighted_median(values: NDArray[np.int64] | NDArray[np.float64], weights: NDArray[np.int64]) -> float:
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(cumulated, cumulated[-1] / 2)]])


def _group_parts(groups: list[Group], scale: Scale) -> list[Group]:
    """Join each small part with the nearest digit in reach; other parts stay single."""
    digits = [group for group in groups if group.box[3] >= MAX_PART_HEIGHT * scale.height]
    parts = [group for group in groups if group.box[3] < MAX_PART_HEIGHT * scale.height]
    if not digits:
        return parts
    boxes = np.array([digit.box for digit in digits])
    single = []
    for part in parts:
        nearest = _nearest_digit(part.box, boxes)
        if nearest is None:
            single.append(part)
        else:
            digit = digits[nearest]
            digits[nearest] = Group(digit.labels + part.labels, union([digit.box, part.box]))
    return digits + single


def _nearest_digit(part: Box, digits: NDArray[np.int64]) -> int | None:
    """Return the index of the nearest box that is above, below or touching a part, and in reach; else None."""
    height = digits[:, 3]
    across, down = gaps(part, digits)
    distance = np.hypot(across, down) / height
    distance[across > PART_SIDE_REACH * height] = np.inf
    nearest = int(distance.argmin())
    return nearest if distance[nearest] <= PART_REACH else None


def _check_shape(group: Group, components: Components, scale: Scale) -> RejectReason | None:
    """Return why the size or shape of a group is not that of a digit; None if it may be one."""
    x, y, width, height = group.box
    area = sum(int(components.areas[label - 1]) for label in group.labels)
    image_height, image_width = components.labels.shape
    at_border = x == 0 or y == 0 or x + width == image_width or y + height == image_height
    if height < max(MIN_HEIGHT_PX, MIN_DIGIT_HEIGHT * scale.height):
        return RejectReason.TOO_SHORT
    if height > MAX_DIGIT_HEIGHT * scale.height:
        return RejectReason.TOO_TALL
    if width <= SLIM_ASPECT * height and (at_border or height > MAX_BAR_HEIGHT * scale.height):
        return RejectReason.BAR
    if width > MAX_DIGIT_ASPECT * height:
        return RejectReason.TOO_WIDE
    return None if _has_digit_shape(width, height, area) else RejectReason.SOLID
