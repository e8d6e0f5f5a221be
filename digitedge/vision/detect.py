"""Detection: an image becomes candidates, on the levels of a pyramid.

Writing of any size may stand beside any other, so there is no scale of the image. The image is halved again and again.
Each level is searched in the same way, and only for what is as high as a digit there, about an octave: grids, pens and
hands are too large for a fine level and small writing is too small for a coarse one. A small image that holds small
writing is doubled first. What is larger than a digit, and was read on no coarser level, is searched a second time
(`search_joined`): there may be digits that touch a line or each other.
See docs/decisions/pyramid.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box, is_centre_in
from digitedge.utils.opencv import as_uint8, cv2, resize, to_grey
from digitedge.vision.binarize import binarize, find_cores
from digitedge.vision.illumination import Illumination, estimate_illumination, extract_ink, remove_shading
from digitedge.vision.lines import Line, find_lines, remove_lines
from digitedge.vision.patterns import find_patterns
from digitedge.vision.segment import (
    MAX_DIGIT_PX,
    MIN_DIGIT_PX,
    MIN_HEIGHT_PX,
    SLIM_ASPECT,
    Candidate,
    Components,
    connected_components,
    extract_candidates,
)
from digitedge.vision.stages import Stage, StageClock

# Longer side in pixels of the finest level: 0.5 % of it are the 8 pixels that a digit needs.
SEARCH_SIDE = 1600
# Longer side in pixels of the copy in which the illumination is estimated.
OVERVIEW_SIDE = 400
# Width in pixels of a level from which a component may be more than a digit, besides those that are higher than one.
MAX_WIDTH_PX = 30
# Margin in pixels around what is searched again: lines beside it must be long enough to be found.
JOINED_MARGIN = 60


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The working images of one level of the pyramid.

    Attributes:
        scale: pixels of the level for each pixel of the image.
        grey: uint8 (h, w), the image without colour.
        ink: uint8 (h, w), illumination removed: 0 is paper.
        mask: uint8 (h, w), 255 where there is ink, else 0.
        cleaned: uint8 (h, w), the mask without lines.
        lines: that were removed, in pixels of the level.
        min_height: least height of its candidates, in pixels of the level.
        joined: int64 (N, 4), boxes of what is larger than a digit without lines, in pixels of the level.
    """

    scale: float
    grey: NDArray[np.uint8] = field(repr=False)
    ink: NDArray[np.uint8] = field(repr=False)
    mask: NDArray[np.uint8] = field(repr=False)
    cleaned: NDArray[np.uint8] = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    min_height: int
    joined: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What the vision stages found in an image.

    Attributes:
        candidates: what may be a digit, on all levels; a digit may be found on two.
        levels: from fine to coarse, each half as large as the one before.
        shape: height and width of the image.
    """

    candidates: list[Candidate]
    levels: tuple[Level, ...]
    shape: tuple[int, int]

    def lines(self) -> list[Line]:
        """Return the lines of all levels in pixels of the image; a line may be found on several levels."""
        return [line.scaled(1 / level.scale) for level in self.levels for line in level.lines]

    def to_image(self, candidate: Candidate) -> Box:
        """Return the box of a candidate in pixels of the image."""
        scale = self.levels[candidate.level].scale
        x, y, width, height = candidate.box
        left, top = round(x / scale), round(y / scale)
        right = max(left + 1, min(self.shape[1], round((x + width) / scale)))
        bottom = max(top + 1, min(self.shape[0], round((y + height) / scale)))
        return left, top, right - left, bottom - top


def detect_candidates(image: NDArray[np.uint8], clock: StageClock | None = None) -> Detection:
    """Find all connected components that are as high as a digit on one of the levels.

    Args:
        image: uint8 (H, W, 3) BGR or (H, W), dark ink on paper or chalk on a board.
        clock: measures the stages; None for no measurement.

    Returns:
        Candidates in no particular order, and the levels.

    Examples:
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:70, 60:65] = 40  # a one
        >>> detection = detect_candidates(page)
        >>> [detection.to_image(candidate) for candidate in detection.candidates]
        [(60, 40, 5, 30)]
    """
    clock = clock or StageClock()
    with clock.measure(Stage.GREY):
        scale = min(1.0, SEARCH_SIDE / max(image.shape[:2]))
        grey = _shrink(to_grey(image), scale)
        overview = _shrink(grey, min(1.0, OVERVIEW_SIDE / max(grey.shape)))
    with clock.measure(Stage.INK):
        illumination = estimate_illumination(overview)
    level, candidates = _search_level(grey, illumination, clock, scale, ())
    if 2 * max(grey.shape) <= SEARCH_SIDE and any(_is_small(one) for one in candidates):
        with clock.measure(Stage.GREY):
            grey, scale = resize(grey, (2 * grey.shape[1], 2 * grey.shape[0]), cv2.INTER_CUBIC), 2.0
        level, candidates = _search_level(grey, illumination, clock, scale, ())
    levels = [level]
    while max(grey.shape) > MAX_DIGIT_PX:
        with clock.measure(Stage.GREY):
            grey, scale = _halve(grey), scale / 2
        level, found = _search_level(grey, illumination, clock, scale, levels)
        levels.append(level)
        candidates += found
    return Detection(candidates, tuple(levels), (image.shape[0], image.shape[1]))


def _search_level(
    grey: NDArray[np.uint8],
    illumination: Illumination,
    clock: StageClock,
    scale: float,
    finer: Sequence[Level],
) -> tuple[Level, list[Candidate]]:
    """Search one level; `finer` are those before, the finest first."""
    with clock.measure(Stage.INK):
        ink = remove_shading(extract_ink(grey, illumination))
    with clock.measure(Stage.MASK):
        mask = binarize(ink, finer[-1].cleaned if finer else None)
    known = [line.scaled(0.5) for line in finer[-1].lines] if finer else []
    with clock.measure(Stage.CANDIDATES):
        components = connected_components(mask)
    cleaned, lines, components = _remove_structures(components, mask, ink, known, clock)
    with clock.measure(Stage.CANDIDATES):
        least = MIN_DIGIT_PX if finer else round(MIN_HEIGHT_PX * max(1.0, scale))
        candidates = extract_candidates(components, ink, level=len(finer), min_height=least)
        is_joined = (components.boxes[:, 2] > MAX_WIDTH_PX) | (components.boxes[:, 3] > MAX_DIGIT_PX)
    level = Level(scale, grey, ink, mask, cleaned, tuple(lines), least, components.boxes[is_joined])
    return level, candidates


def search_joined(
    level: Level, number: int, joined: NDArray[np.int64], clock: StageClock | None = None
) -> list[Candidate]:
    """Search again what is larger than a digit, with the cores of the strokes: digits that touch a line or each other.

    Args:
        level: of the pyramid.
        number: of the level, 0 is the finest.
        joined: int64 (N, 4), boxes of components of the level that are searched again.
        clock: measures the stages; None for no measurement.

    Returns:
        Candidates, some of which may be known from the first search.
    """
    clock = clock or StageClock()
    height, width = level.mask.shape
    start = (joined[:, :2] - JOINED_MARGIN).clip(0)
    end = (joined[:, :2] + joined[:, 2:] + JOINED_MARGIN).clip(0, (width, height))
    (left, top), (right, bottom) = (start.min(axis=0).tolist(), end.max(axis=0).tolist())
    ink = level.ink[top:bottom, left:right]
    with clock.measure(Stage.MASK):
        searched = np.zeros(ink.shape, np.uint8)
        for (x0, y0), (x1, y1) in zip((start - (left, top)).tolist(), (end - (left, top)).tolist(), strict=True):
            searched[y0:y1, x0:x1] = 255
        cores = find_cores(ink, as_uint8(cv2.bitwise_and(searched, level.mask[top:bottom, left:right])))
    with clock.measure(Stage.CANDIDATES):
        components = connected_components(cores)
    _, _, components = _remove_structures(
        components, cores, ink, [line.moved(-left, -top) for line in level.lines], clock
    )
    with clock.measure(Stage.CANDIDATES):
        candidates = extract_candidates(components, ink, level=number, min_height=level.min_height)
        moved = [replace(one, box=(one.box[0] + left, one.box[1] + top, *one.box[2:])) for one in candidates]
        boxes = [(x, y, wide, high) for x, y, wide, high in joined.tolist()]
        return [one for one in moved if is_centre_in(one.box, boxes)]  # the margin cuts what stands beside them


def _remove_structures(
    components: Components,
    mask: NDArray[np.uint8],
    ink: NDArray[np.uint8],
    known: Sequence[Line],
    clock: StageClock,
) -> tuple[NDArray[np.uint8], list[Line], Components]:
    """Remove lines and patterns from a mask with these components.

    Returns:
        The mask without them; the lines; the components that are left.
    """
    with clock.measure(Stage.LINES):
        lines = find_lines(components, known)
        if lines:
            mask = remove_lines(mask, ink, lines)
            components = connected_components(mask)
        is_pattern = find_patterns(components)
        if is_pattern.any():
            mask = np.where(np.append(False, is_pattern)[components.labels], 0, mask).astype(np.uint8)
            components = connected_components(mask)
    return mask, lines, components


def _is_small(candidate: Candidate) -> bool:
    """Tell whether it may be a digit that is smaller than those that a level is made for; pieces of a line are slim."""
    _, _, width, height = candidate.box
    return candidate.reject_reason is None and height < MIN_DIGIT_PX and width > SLIM_ASPECT * height


def _shrink(grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Scale down by halves, which average areas, then by interpolation; INTER_AREA alone takes six times as long."""
    if scale == 1:
        return grey
    target = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    while grey.shape[1] >= 2 * target[0] and grey.shape[0] >= 2 * target[1]:
        half = (max(target[0], grey.shape[1] // 2), max(target[1], grey.shape[0] // 2))
        grey = resize(grey, half, cv2.INTER_AREA)
    return resize(grey, target, cv2.INTER_LINEAR_EXACT)


def _halve(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average 2x2 pixels; an odd last row or column is left out, so that the scale is exactly a half."""
    height, width = (max(1, side // 2) for side in grey.shape)
    return resize(grey[: 2 * height, : 2 * width], (width, height), cv2.INTER_AREA)
