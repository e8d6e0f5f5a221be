"""Patterns: dashed and dotted lines and punched holes, equal marks at an equal distance that are no digits.

No hand writes so regularly: marks are a pattern if their sizes, places and distances are more alike than those of a
column of ones.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.segment import Components

# Longest dash, largest thickness of one and largest dot, in pixels of a level.
MAX_DASH_LENGTH = 46
MAX_DASH_THICKNESS = 8
# Least ratio of the length of a dash to its thickness; what is shorter is a dot.
MIN_DASH_ASPECT = 1.8
# Least share of its box that a mark fills: a dash has no serif and no slant of its own.
MIN_DASH_FILL = 0.65
# A pattern has at least this many marks.
MIN_DASHES = 5
# Largest distance from one mark to the next, in lengths and in pixels more.
MAX_PITCH = 3.0
MAX_PITCH_PX = 8.0
# How far a dashed line may slant: rise over run.
MAX_SLANT = 0.2
# Largest standard deviation of lengths, of distances and of the offset from a straight line, as shares of the length of
# a mark, and the pixel fraction that is always allowed.
MAX_SPREAD = 0.05
ROUNDING_PX = 0.7
# How much more than its row a dash may lean: rise over run.
MAX_LEAN = 0.01
# Punched holes: at least so many circles of so many pixels, near a border of the image (a share of its side). They are
# alike in size, place and fill to this share, and their ratio of width to height is within this distance of 1.
MIN_HOLES = 3
MIN_HOLE_PX = 6
HOLE_MARGIN = 0.15
HOLE_SPREAD = 0.08
HOLE_ASPECT = 0.15
# Share of its box that the ink of a hole covers if it is a ring, and least share if it is a disc, pi / 4 of its box.
MAX_RING_FILL = 0.5
MIN_DISC_FILL = 0.72
# Above this number of marks of one kind they are noise: nothing is searched.
MAX_MARKS = 400


def find_patterns(components: Components) -> NDArray[np.bool_]:
    """Tell which components belong to dashed or dotted lines, or are punched holes.

    Args:
        components: of the mask of one level of the pyramid, without lines.

    Returns:
        bool (N,), a row for each component.

    Examples:
        >>> from digitedge.vision.segment import connected_components
        >>> mask = np.zeros((200, 100), np.uint8)
        >>> for y in range(10, 180, 16):
        ...     mask[y : y + 10, 50:52] = 255  # a dashed line
        >>> mask[60:90, 20:24] = 255  # a one
        >>> int(find_patterns(connected_components(mask)).sum())
        11
    """
    width, height = components.boxes[:, 2], components.boxes[:, 3]
    found = np.zeros(len(width), bool)
    long, thick = np.maximum(width, height), np.minimum(width, height)
    is_mark = (long <= MAX_DASH_LENGTH) & (thick <= MAX_DASH_THICKNESS) & (thick >= 2)
    is_mark &= components.areas >= MIN_DASH_FILL * width * height
    is_dot = is_mark & (long < MIN_DASH_ASPECT * thick)
    for vertical in (False, True):
        is_dash = is_mark & ((height if vertical else width) >= MIN_DASH_ASPECT * thick)
        for kind in (is_dash, is_dot):
            marks = np.flatnonzero(kind & ~found)
            if MIN_DASHES <= len(marks) <= MAX_MARKS:
                boxes = components.boxes[marks]
                in_line = _in_line(boxes[:, [1, 0, 3, 2]] if vertical else boxes, components.areas[marks])
                found[marks[in_line]] = True
    return found | _holes(components)


def _holes(components: Components) -> NDArray[np.bool_]:
    """Tell which components are punched holes: equal circles in a straight column or row along a border."""
    width, height = components.boxes[:, 2].astype(np.float64), components.boxes[:, 3].astype(np.float64)
    fill = components.areas / (width * height)
    is_round = (np.abs(np.log(width / height)) <= HOLE_ASPECT) & (width >= MIN_HOLE_PX)
    is_round &= (fill <= MAX_RING_FILL) | (fill >= MIN_DISC_FILL)
    is_hole = np.zeros(len(width), bool)
    sides = components.labels.shape[::-1]
    for axis in (0, 1):  # a column along the left or right border, then a row along the upper or lower one
        middle = components.boxes[:, :2] + components.boxes[:, 2:] / 2
        at_border = np.minimum(middle[:, axis], sides[axis] - middle[:, axis]) <= HOLE_MARGIN * sides[axis]
        rounds = np.flatnonzero(is_round & at_border)
        if not MIN_HOLES <= len(rounds) <= MAX_MARKS:
            continue
        for i in rounds.tolist():
            size = width[i]
            alike = np.abs(middle[rounds, axis] - middle[i, axis]) <= HOLE_SPREAD * size + ROUNDING_PX
            alike &= np.abs(width[rounds] - size) <= HOLE_SPREAD * size + ROUNDING_PX
            alike &= np.abs(height[rounds] - height[i]) <= HOLE_SPREAD * size + ROUNDING_PX
            alike &= np.abs(fill[rounds] - fill[i]) <= HOLE_SPREAD
            column = np.sort(middle[rounds[alike], 1 - axis])
            pitch = np.diff(column)
            if (
                len(column) >= MIN_HOLES
                and np.ptp(pitch) <= HOLE_SPREAD * size + 2 * ROUNDING_PX
                and pitch.min() > 2 * size
            ):
                is_hole[rounds[alike]] = True
    return is_hole


def _in_line(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which horizontal marks (N, 4) are in a row of equal ones at equal distances, all in its direction."""
    x, y, length, thickness = boxes.T.astype(np.float64)
    x, y = x + (length - 1) / 2, y + (thickness - 1) / 2
    ahead, aside = x - x[:, None], np.abs(y - y[:, None])  # from row to column
    is_next = (ahead > 0) & (ahead <= MAX_PITCH * length[:, None] + MAX_PITCH_PX)
    is_next &= aside <= MAX_SLANT * ahead + ROUNDING_PX
    is_next &= np.abs(length - length[:, None]) <= MAX_SPREAD * 2 * length + 2 * ROUNDING_PX
    is_next &= np.abs(thickness - thickness[:, None]) <= 1
    distance = np.where(is_next, np.hypot(ahead, 2 * aside), np.inf)
    following, leading = distance.argmin(axis=1), distance.argmin(axis=0)
    index = np.arange(len(x))
    is_linked = np.isfinite(distance.min(axis=0)) & (following[leading] == index)
    first = np.where(is_linked, leading, index)
    while (first[first] != first).any():
        first = first[first]
    found = np.zeros(len(x), bool)
    for i in np.flatnonzero(np.bincount(first, minlength=len(x)) >= MIN_DASHES):
        chain = np.flatnonzero(first == i)
        chain = chain[np.argsort(x[chain])]
        limit = MAX_SPREAD * length[chain].mean() + ROUNDING_PX
        pitch = np.diff(x[chain])
        slope, middle = np.polyfit(x[chain], y[chain], 1)
        # The box of a mark that leans is higher than the mark is thick.
        lean = (thickness[chain] - areas[chain] / length[chain]).mean() - abs(slope) * length[chain].mean()
        aside = (y[chain] - slope * x[chain] - middle).std()
        spreads = length[chain].std(), pitch.std(), 2 * aside, 2 * thickness[chain].std()
        found[chain] = max(spreads) <= limit and abs(lean) <= ROUNDING_PX + MAX_LEAN * length[chain].mean()
    return found
