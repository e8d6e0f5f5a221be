"""Line detection: the lines of tables, forms, boxes and ruled paper, told from the strokes of digits.

Everything is searched on one level of the pyramid, on which a digit is at most `MAX_DIGIT_PX` high. A line is a chain
of thin strokes that is longer than any stroke of such a digit. A short straight stroke is a line too if both its ends
lie on lines (the divider of a comb field), or if four of them make a box around a digit.
See docs/decisions/line-removal.md.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2
from digitedge.vision.groups import fit_curves, group_means
from digitedge.vision.lines.chains import join_strokes
from digitedge.vision.lines.following import extend_lines, follow_lines
from digitedge.vision.lines.line import Line
from digitedge.vision.lines.long_lines import MAX_SHORT_DEVIATION, MIN_LINE_LENGTH, find_long_lines
from digitedge.vision.lines.paths import Paths
from digitedge.vision.lines.removal import remove_lines
from digitedge.vision.lines.short_lines import find_short_lines, find_sides
from digitedge.vision.lines.strokes import MAX_THICKNESS, find_strokes
from digitedge.vision.segment import MIN_DIGIT_PX, Components

# Longer side in pixels of a level from which a component is not a digit but a grid, a pen, a hand: they hold lines.
MAX_OUTLINE_PX = 60
# Least side of a box around a digit, in pixels, and least share of each of its sides that is drawn.
MIN_BOX_SIDE = 1.2 * MIN_DIGIT_PX
MIN_BOX_DRAWN = 0.9
# A component that is as thin as a line and longer than this many times its thickness may be a part of one.
MIN_SLIM_ASPECT = 3
# Pixels of paper around the part of the level that is searched.
MARGIN = 16
# How often strokes that lie on lines are added to them.
MAX_EXTENSIONS = 2


def find_lines(components: Components, finer: Sequence[Line] = ()) -> list[Line]:
    """Find the lines of tables, forms, boxes and ruled paper on one level of the pyramid.

    Args:
        components: of the mask of this level.
        finer: lines of the next finer level, in pixels of this one; those that are long and straight are kept.

    Returns:
        Lines in pixels of this level, in no particular order.

    Examples:
        >>> from digitedge.vision.segment import connected_components
        >>> mask = np.zeros((100, 200), np.uint8)
        >>> mask[50:53, 10:190] = mask[15:45, 60:64] = 255  # an underline and a one
        >>> [(line.vertical, len(line.path)) for line in find_lines(connected_components(mask))]
        [(False, 180)]
    """
    known = _long_straight_lines(finer)
    is_searched = _may_hold_lines(components)
    if not is_searched.any():
        return known
    # Only the part of the level that holds them is searched, a tenth of the page if it is a row of large digits. The
    # margin keeps ink away from the border; even coordinates keep the rounding of halves as it is on the whole level.
    boxes = components.boxes[is_searched]
    left, top = ((boxes[:, :2].min(axis=0) - MARGIN).clip(0) // 2 * 2).tolist()
    right, bottom = ((boxes[:, :2] + boxes[:, 2:]).max(axis=0) + MARGIN).tolist()
    values = np.append(False, is_searched).astype(np.uint8) * 255
    mask = np.take(values, components.labels[top:bottom, left:right])
    inside = [line.moved(-left, -top) for line in known]
    found = _find_new_lines(remove_lines(mask, mask, inside) if inside else mask, inside)
    return [*known, *(line.moved(left, top) for line in found)]


def _find_new_lines(mask: NDArray[np.uint8], known: list[Line]) -> list[Line]:
    """Find the lines of a mask from which the known ones are removed: long ones, then what is short between them."""
    lines, sides = [], []
    for vertical in (False, True):
        upright = as_uint8(cv2.transpose(mask)) if vertical else mask
        strokes = find_strokes(upright)
        chains = join_strokes(strokes, upright)
        owner = find_long_lines(strokes, chains)
        lines.append(follow_lines(strokes, owner, vertical))
        for _ in range(MAX_EXTENSIONS):
            extended = extend_lines(strokes, owner, lines[-1])
            if np.array_equal(extended, owner):
                break
            owner = extended
            lines[-1] = follow_lines(strokes, owner, vertical)
        sides.append(find_sides(strokes, chains, owner < 0))
    every = [[*lines[i], *(line for line in known if line.vertical == i)] for i in (0, 1)]
    return [*lines[0], *lines[1], *find_short_lines(sides, every, mask)]


def _may_hold_lines(components: Components) -> NDArray[np.bool_]:
    """Tell which components may hold lines: what is too large for a digit, or a box; then also what is slim."""
    width, height = components.boxes[:, 2], components.boxes[:, 3]
    is_searched = np.maximum(width, height) > MAX_OUTLINE_PX
    is_searched |= _is_box_shaped(components)
    if is_searched.any():
        is_searched |= (width >= MIN_SLIM_ASPECT * height) & (height <= MAX_THICKNESS)
        is_searched |= (height >= MIN_SLIM_ASPECT * width) & (width <= MAX_THICKNESS)
    return is_searched


def _is_box_shaped(components: Components) -> NDArray[np.bool_]:
    """Tell which components of the size of a digit have ink all along their four sides, unlike any digit."""
    width, height = components.boxes[:, 2], components.boxes[:, 3]
    is_box = (np.minimum(width, height) >= MIN_BOX_SIDE) & (np.maximum(width, height) <= MAX_OUTLINE_PX)
    for i in np.flatnonzero(is_box):
        x, y, w, h = components.boxes[i]
        inked = components.labels[y : y + h, x : x + w] == i + 1
        across, down = 2 + w // 12, 2 + h // 12
        sides = ((inked[:, :across], 1), (inked[:, -across:], 1), (inked[:down], 0), (inked[-down:], 0))
        is_box[i] = all(side.any(axis=axis).mean() >= MIN_BOX_DRAWN for side, axis in sides)
    return is_box


def _long_straight_lines(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that are still long on this level and near to a parabola."""
    long = [line for line in lines if len(line.path) >= MIN_LINE_LENGTH]
    if not long:
        return []
    paths = Paths.of(long)
    owner = paths.owner
    square = (paths.centre - fit_curves(paths.column, paths.centre, owner, len(long), 2)) ** 2
    (mean_square,) = group_means(owner, len(long), square)
    return [line for line, mean in zip(long, mean_square, strict=True) if np.sqrt(mean) <= MAX_SHORT_DEVIATION]
