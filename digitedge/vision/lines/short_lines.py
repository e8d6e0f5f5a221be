"""Short lines: dividers, whose ends lie on lines, boxes, which four short strokes make, and ticks on a line.

A short straight stroke by itself may be a 1, the bar of a 7 or the foot of a 2.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.groups import connected_group, group_maxima, group_means
from digitedge.vision.lines.chains import Chains
from digitedge.vision.lines.line import Line
from digitedge.vision.lines.long_lines import MAX_RELATIVE_THICKNESS
from digitedge.vision.lines.paths import Paths
from digitedge.vision.lines.strokes import Strokes, median_thickness
from digitedge.vision.median import median
from digitedge.vision.segment import MIN_DIGIT_PX

# Least length of a divider or of the side of a box, in pixels, and least ratio of it to the thickness; largest distance
# of its ends from the lines on which they lie, and largest root mean square deviation from a straight line, in pixels.
MIN_SIDE_LENGTH = 0.8 * MIN_DIGIT_PX
MIN_SIDE_SLENDERNESS = 4
MAX_END_DISTANCE = 3
MAX_SIDE_DEVIATION = 0.6
# How far the slope of a divider may differ from that of the lines beside it: rise over run.
MAX_SIDE_SLANT = 0.15
# Least share of each side of a box that is one straight stroke.
MIN_BOX_STRAIGHT = 0.7
# Ticks stand on one line and divide a field from below: least number of them; largest distance from the line, and least
# distance of ink beyond the other end, in pixels; how much they differ at most in length, as a share and in pixels, and
# in slope; how far their distances from each other may differ from multiples of the usual one.
MIN_TICKS = 4
MAX_TICK_DISTANCE = 1
MIN_TICK_CLEARANCE = 3
MAX_TICK_DIFFERENCE = 0.1
MAX_TICK_DIFFERENCE_PX = 1.5
MAX_TICK_SLANT = 0.06
MAX_TICK_OFFSET = 0.12


def find_sides(strokes: Strokes, chains: Chains, is_free: NDArray[np.bool_]) -> Paths:
    """Find what is straight and long enough for a divider or the side of a box: strokes, and parts of chains.

    Args:
        strokes: all of one direction.
        chains: of these strokes.
        is_free: bool (N,), whether a stroke belongs to no long line.

    Returns:
        Straight paths.
    """
    count = len(chains.part)
    start, end = -group_maxima(-strokes.start, chains.part), group_maxima(strokes.end, chains.part)
    width = end - start
    thickness = median_thickness(strokes.thickness_at, chains.part[strokes.owner], count)
    is_side = (chains.part == np.arange(count)) & is_free
    is_side &= width >= np.maximum(MIN_SIDE_LENGTH, MIN_SIDE_SLENDERNESS * thickness)
    chosen = np.flatnonzero(is_side[chains.part[strokes.owner]] & strokes.is_thin)
    x, y, owner = strokes.column[chosen], strokes.centre[chosen], chains.part[strokes.owner[chosen]]
    middle, mean = group_means(owner, count, x, y)
    u, v = x - middle[owner], y - mean[owner]
    slope = np.bincount(owner, u * v, minlength=count) / np.maximum(np.bincount(owner, u * u, minlength=count), 1)
    (mean_square,) = group_means(owner, count, (v - slope[owner] * u) ** 2)
    rows = np.flatnonzero(is_side & (np.sqrt(mean_square) <= MAX_SIDE_DEVIATION))
    owner = np.repeat(rows, width[rows])
    column = np.arange(len(owner)) + np.repeat(start[rows] - np.cumsum(width[rows]) + width[rows], width[rows])
    centre = mean[owner] + slope[owner] * (column - middle[owner])
    return Paths(start[rows], width[rows], thickness[rows], centre)


def find_short_lines(sides: list[Paths], lines: list[list[Line]], mask: NDArray[np.uint8]) -> list[Line]:
    """Find the dividers, boxes and ticks among the sides.

    Args:
        sides: horizontal and vertical ones.
        lines: long ones, horizontal and vertical.
        mask: uint8 (H, W), 255 where there is ink.
    """
    paths = [Paths.of(lines[0]), Paths.of(lines[1])]
    on_lines = [np.asarray(_ends_on(sides[i], paths[1 - i]).any(axis=2)) for i in (0, 1)]  # (2, sides)
    on_sides = [_ends_on(sides[i], sides[1 - i]) for i in (0, 1)]  # (2, sides, other sides)
    is_divider = _find_dividers(sides, paths, on_lines, on_sides)
    is_in_box = _find_boxes(sides, is_divider, on_lines, on_sides)
    free = [_free_ends(sides[i], mask.T if i else mask) & ~on_lines[i] for i in (0, 1)]
    is_tick = [_find_ticks(sides[i], paths[1 - i], free[i]) for i in (0, 1)]
    return [
        sides[i].to_line(row, vertical=bool(i))
        for i in (0, 1)
        for row in np.flatnonzero(is_divider[i] | is_in_box[i] | is_tick[i]).tolist()
    ]


def _find_dividers(
    sides: list[Paths], lines: list[Paths], on_lines: list[NDArray[np.bool_]], on_sides: list[NDArray[np.bool_]]
) -> list[NDArray[np.bool_]]:
    """Tell which sides of each direction have both ends on lines or dividers, and are parallel to the others."""
    is_divider = [np.asarray(both.all(axis=0)) for both in on_lines]
    for i in (0, 1, 0, 1):  # the second time, dividers between dividers
        slope = sides[i].slope
        parallels = lines[i].slope if len(lines[i].width) else slope[is_divider[i]]
        if len(parallels):
            is_held = _is_held(on_lines[i], on_sides[i], is_divider[1 - i])
            is_divider[i] = is_held & (np.abs(slope - median(parallels)) <= MAX_SIDE_SLANT)
    return is_divider


def _find_boxes(
    sides: list[Paths],
    is_divider: list[NDArray[np.bool_]],
    on_lines: list[NDArray[np.bool_]],
    on_sides: list[NDArray[np.bool_]],
) -> list[NDArray[np.bool_]]:
    """Tell which sides of each direction belong to boxes."""
    is_closed: list[NDArray[np.bool_]] = [~is_divider[0], ~is_divider[1]]
    count = -1
    while count != (count := int(is_closed[0].sum() + is_closed[1].sum())):  # until no side has a free end
        for i in (0, 1):
            is_closed[i] &= _is_held(on_lines[i], on_sides[i], is_closed[1 - i])
    touching = (on_sides[0].any(axis=0) | on_sides[1].any(axis=0).T) & is_closed[0][:, None] & is_closed[1]
    is_in_box = [np.zeros_like(closed) for closed in is_closed]
    for first in np.flatnonzero(is_closed[0]).tolist():
        horizontal, vertical = connected_group(touching, first)
        if _is_box(sides[0], sides[1], horizontal, vertical):
            is_in_box[0] |= horizontal
            is_in_box[1] |= vertical
    return is_in_box


def _find_ticks(sides: Paths, lines: Paths, free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which sides are ticks: equally long, parallel, equally far apart, and with one end on the same line.

    Args:
        sides: all of one direction.
        lines: all across them.
        free: bool (2, sides), which of their ends are free.
    """
    on_each = _ends_on(sides, lines, MAX_TICK_DISTANCE)
    is_tick = np.zeros(len(sides.width), bool)
    slope = sides.slope
    for end, other in ((0, 1), (1, 0)):
        stands = on_each[end] & free[other][:, None]
        for line in np.flatnonzero(stands.sum(axis=0) >= MIN_TICKS).tolist():
            rows = np.flatnonzero(stands[:, line])
            length = median(sides.width[rows])
            rows = rows[
                (np.abs(sides.width[rows] - length) <= MAX_TICK_DIFFERENCE * length + MAX_TICK_DIFFERENCE_PX)
                & (np.abs(slope[rows] - median(slope[rows])) <= MAX_TICK_SLANT)
            ]
            foot = sides.centre[sides.offset[rows] if end == 0 else sides.offset[rows + 1] - 1]
            distance = np.diff(np.sort(foot))
            if len(rows) < MIN_TICKS:
                continue
            steps = distance / median(distance)
            if (np.abs(steps - np.rint(steps)) <= MAX_TICK_OFFSET).all():
                is_tick[rows] = True
    return is_tick


def _free_ends(sides: Paths, mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell beyond which ends of sides there is no ink: bool (2, sides), for the first end and for the last."""
    height, width = mask.shape
    rows = np.rint(sides.centre[np.stack([sides.offset[:-1], sides.offset[1:] - 1])]).astype(np.int64)
    beyond = np.arange(2, 2 + MIN_TICK_CLEARANCE)
    columns = np.stack([sides.start[:, None] - beyond, sides.end[:, None] - 1 + beyond]).clip(0, width - 1)
    return np.asarray(~(mask[rows[:, :, None].clip(0, height - 1), columns] > 0).any(axis=2))


def _is_held(on_lines: NDArray[np.bool_], on_sides: NDArray[np.bool_], chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which sides have both ends on lines, or on the `chosen` ones of the sides across them."""
    return np.asarray((on_lines | (on_sides & chosen).any(axis=2)).all(axis=0))


def _ends_on(sides: Paths, lines: Paths, distance: float = MAX_END_DISTANCE) -> NDArray[np.bool_]:
    """Tell whether the ends of sides lie on lines across them, that are not much thinner, or are so near to them.

    Returns:
        bool (2, sides, lines), for the first end and for the last.
    """
    place = sides.centre[np.stack([sides.offset[:-1], sides.offset[1:] - 1])][:, :, None] - lines.start
    across = np.stack([sides.start, sides.end - 1])[:, :, None]
    if not place.size:
        return np.zeros(place.shape, bool)
    index = lines.offset[:-1] + np.rint(place).astype(np.int64).clip(0, lines.width - 1)
    thickness = sides.thickness[:, None]
    beyond = MAX_END_DISTANCE + thickness / 2
    is_on = (place >= -beyond) & (place <= lines.width - 1 + beyond)
    is_on &= np.abs(lines.centre[index] - across) <= distance + lines.thickness / 2
    return np.asarray(is_on & (thickness <= MAX_RELATIVE_THICKNESS * lines.thickness + 0.5))


def _is_box(horizontal: Paths, vertical: Paths, is_row: NDArray[np.bool_], is_column: NDArray[np.bool_]) -> bool:
    """Tell whether the chosen sides make a box: two and two of them, as long as it is wide and high."""
    if is_row.sum() < 2 or is_column.sum() < 2:
        return False
    width = horizontal.end[is_row].max() - horizontal.start[is_row].min()
    height = vertical.end[is_column].max() - vertical.start[is_column].min()
    is_wide = (horizontal.width[is_row] >= MIN_BOX_STRAIGHT * width).sum() >= 2
    is_high = (vertical.width[is_column] >= MIN_BOX_STRAIGHT * height).sum() >= 2
    return bool(min(width, height) >= MIN_SIDE_LENGTH and is_wide and is_high)
