"""Patterns: dashed and dotted lines and punched holes, equal elements at equal distances that are no digits.

No hand writes so regularly: dashes are a pattern if their sizes, places and distances are more alike than those of a
column of ones.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.groups import follow_links
from digitedge.vision.segment import Components

# Longest dash, and least and largest thickness of a dash or dot, in pixels of a level.
MAX_DASH_LENGTH = 46
MIN_DASH_THICKNESS = 2
MAX_DASH_THICKNESS = 8
# Least ratio of the length of a dash to its thickness; what is shorter is a dot.
MIN_DASH_ASPECT = 1.8
# Least share of its box that a dash or dot fills: it has no serif and no slant of its own.
MIN_DASH_FILL = 0.65
# A dashed or dotted line has at least this many elements.
MIN_DASHES = 5
# Largest distance from the middle of one element to the next: in lengths of an element, and so many pixels more.
MAX_PITCH = 3.0
MAX_PITCH_PX = 8.0
# How far a dashed line may slant: rise over run.
MAX_SLANT = 0.2
# Largest standard deviation of lengths, of distances and of the offset from a straight line, as shares of the length of
# an element, and so many pixels more, for rounding.
MAX_SPREAD = 0.05
ROUNDING_PX = 0.7
# How much more than its row an element may lean: rise over run.
MAX_LEAN = 0.01
# Punched holes: at least so many circles of at least so many pixels, near a border of the image (a share of its side).
MIN_HOLES = 3
MIN_HOLE_PX = 6
HOLE_MARGIN = 0.15
# Largest difference in place, size and distance, in diameters, and in fill; largest logarithm of the ratio of width to
# height; least distance from the middle of one hole to the next, in diameters: zeros stand closer.
HOLE_SPREAD = 0.08
HOLE_ASPECT = 0.15
MIN_HOLE_PITCH = 2.0
# Share of its box that the ink of a hole covers if it is a ring, and least share if it is a disc, pi / 4 of its box.
MAX_RING_FILL = 0.5
MIN_DISC_FILL = 0.72
# More elements of one kind than these are noise: nothing is searched.
MAX_ELEMENTS = 400


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
    return _find_dashes(components) | _find_holes(components)


def _find_dashes(components: Components) -> NDArray[np.bool_]:
    """Tell which components belong to dashed or dotted lines."""
    width, height = components.boxes[:, 2], components.boxes[:, 3]
    found = np.zeros(len(width), bool)
    length, thickness = np.maximum(width, height), np.minimum(width, height)
    is_element = (length <= MAX_DASH_LENGTH) & (thickness <= MAX_DASH_THICKNESS) & (thickness >= MIN_DASH_THICKNESS)
    is_element &= components.areas >= MIN_DASH_FILL * width * height
    is_dot = is_element & (length < MIN_DASH_ASPECT * thickness)
    for vertical in (False, True):
        is_dash = is_element & ((height if vertical else width) >= MIN_DASH_ASPECT * thickness)
        for kind in (is_dash, is_dot):
            elements = np.flatnonzero(kind & ~found)
            if MIN_DASHES <= len(elements) <= MAX_ELEMENTS:
                boxes = components.boxes[elements]
                in_row = _in_row(boxes[:, [1, 0, 3, 2]] if vertical else boxes, components.areas[elements])
                found[elements[in_row]] = True
    return found


def _in_row(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which elements, boxes (N, 4), are in a row of equal ones from left to right, at equal distances."""
    left, top, length, thickness = boxes.T.astype(np.float64)
    x, y = left + (length - 1) / 2, top + (thickness - 1) / 2
    first = _join_elements(x, y, length, thickness)
    found = np.zeros(len(x), bool)
    for i in np.flatnonzero(np.bincount(first, minlength=len(x)) >= MIN_DASHES):
        row = np.flatnonzero(first == i)
        row = row[np.argsort(x[row])]
        found[row] = _is_regular(x[row], y[row], length[row], thickness[row], areas[row])
    return found


def _join_elements(
    x: NDArray[np.float64], y: NDArray[np.float64], length: NDArray[np.float64], thickness: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Join each element with the nearest equal one to its right; return the first of the row of each, int64 (N,)."""
    ahead, aside = x - x[:, None], np.abs(y - y[:, None])  # from row to column
    is_next = (ahead > 0) & (ahead <= MAX_PITCH * length[:, None] + MAX_PITCH_PX)
    is_next &= aside <= MAX_SLANT * ahead + ROUNDING_PX
    is_next &= np.abs(length - length[:, None]) <= MAX_SPREAD * 2 * length + 2 * ROUNDING_PX
    is_next &= np.abs(thickness - thickness[:, None]) <= 1
    distance = np.where(is_next, np.hypot(ahead, 2 * aside), np.inf)
    following, leading = distance.argmin(axis=1), distance.argmin(axis=0)
    index = np.arange(len(x))
    is_linked = np.isfinite(distance.min(axis=0)) & (following[leading] == index)
    return follow_links(np.where(is_linked, leading, index))


def _is_regular(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    length: NDArray[np.float64],
    thickness: NDArray[np.float64],
    areas: NDArray[np.int64],
) -> bool:
    """Tell whether the elements of a row are alike, at equal distances, on a straight line and in its direction."""
    usual = length.mean()
    slope, middle = np.polyfit(x, y, 1)
    # The box of an element that leans is higher than the element is thick.
    lean = (thickness - areas / length).mean() - abs(slope) * usual
    aside = (y - slope * x - middle).std()
    spreads = length.std(), np.diff(x).std(), 2 * aside, 2 * thickness.std()
    return bool(max(spreads) <= MAX_SPREAD * usual + ROUNDING_PX and abs(lean) <= ROUNDING_PX + MAX_LEAN * usual)


def _find_holes(components: Components) -> NDArray[np.bool_]:
    """Tell which components are punched holes: equal circles in a straight column or row along a border."""
    width, height = components.boxes[:, 2].astype(np.float64), components.boxes[:, 3].astype(np.float64)
    middle = components.boxes[:, :2] + components.boxes[:, 2:] / 2
    fill = components.areas / (width * height)
    is_round = (np.abs(np.log(width / height)) <= HOLE_ASPECT) & (width >= MIN_HOLE_PX)
    is_round &= (fill <= MAX_RING_FILL) | (fill >= MIN_DISC_FILL)
    is_hole = np.zeros(len(width), bool)
    for axis, side in enumerate(components.labels.shape[::-1]):  # a column along the left or right border, then a row
        at_border = np.minimum(middle[:, axis], side - middle[:, axis]) <= HOLE_MARGIN * side
        circles = np.flatnonzero(is_round & at_border)
        if not MIN_HOLES <= len(circles) <= MAX_ELEMENTS:
            continue
        for i in circles.tolist():
            limit = HOLE_SPREAD * width[i] + ROUNDING_PX
            is_alike = np.abs(middle[circles, axis] - middle[i, axis]) <= limit
            is_alike &= np.abs(width[circles] - width[i]) <= limit
            is_alike &= np.abs(height[circles] - height[i]) <= limit
            is_alike &= np.abs(fill[circles] - fill[i]) <= HOLE_SPREAD
            alike = circles[is_alike]
            pitch = np.diff(np.sort(middle[alike, 1 - axis]))
            if len(alike) < MIN_HOLES:
                continue
            if np.ptp(pitch) <= limit + ROUNDING_PX and pitch.min() > MIN_HOLE_PITCH * width[i]:
                is_hole[alike] = True
    return is_hole
