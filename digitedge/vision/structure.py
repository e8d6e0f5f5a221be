"""Structure of a document: the lines of tables, forms, boxes and ruled paper, told from the strokes of digits.

Everything is searched on one level of the pyramid, on which a digit is at most `MAX_DIGIT_PX` high. A line is a chain
of thin strokes that is longer than any stroke of such a digit. A short straight stroke is a line too if both its ends
lie on lines (the divider of a comb field), or if four of them make a box around a digit.
See docs/decisions/line-removal.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2
from digitedge.vision.line_removal import Line, remove_lines
from digitedge.vision.median import median
from digitedge.vision.segment import MAX_DIGIT_PX, MAX_OUTLINE_PX, MIN_DIGIT_PX, Components

# Largest thickness of a line, in pixels.
MAX_THICKNESS = 8
# Least width of a stroke, in pixels: shorter ones are bends of digits and letters.
MIN_STROKE_WIDTH = 9
# Largest gap between two strokes of a chain, and how far the next one may lie beside the course of the last, in pixels.
MAX_GAP = 30
MAX_OFFSET = 2
# Number of pixels at the end of a stroke that tell where it goes on.
END_WIDTH = 24
# Least length of a line, and of its longest part without a gap unless it is longer than the strokes of several digits.
MIN_LINE_LENGTH = 1.5 * MAX_DIGIT_PX
MIN_LONGEST_PART = MAX_DIGIT_PX
MIN_BROKEN_LENGTH = 2.5 * MAX_DIGIT_PX
# The strokes of a column of digits continue each other too, but they are less straight than a line: the largest mean
# deviation of a line of the least length, of any, and of one that has no part without a gap as high as a digit, in
# pixels. One stroke that is as long as a line may have any shape.
MAX_SHORT_DEVIATION = 0.6
MAX_DEVIATION = 1.6
MAX_BROKEN_DEVIATION = 0.45
# Lines from this length on may be curved (pages curl), and as thick as they like. Shorter ones are not thicker than the
# longer ones by more than this factor and half a pixel: they are not strokes of a pen that link two printed lines.
MIN_CURVED_LENGTH = 4 * MAX_DIGIT_PX
MAX_RELATIVE_THICKNESS = 1.25
# Least share of its length in which a line is thin, and in which it is no gap; least ratio of length to thickness.
MIN_THIN = 0.5
MIN_INKED = 0.7
MIN_SLENDERNESS = 12
# How far beyond its ends a line may go on in other strokes, in pixels, and how often.
END_REACH = 69
MAX_EXTENSIONS = 2
# Where a stroke is thicker than usual by this factor and a pixel, another stroke crosses or touches it.
CROSSING_THICKNESS = 1.6
# The path of a line is averaged over so many pixels, or over more if it is drawn by hand: if less than this share of it
# is as near as this to a polynomial of this degree, in pixels.
SMOOTHING_PX = 7
HAND_SMOOTHING_PX = 41
MIN_STRAIGHT = 0.7
MAX_WOBBLE = 1.25
CURVE_DEGREE = 3
# Least length of a divider or of the side of a box, least ratio of it to the thickness, largest distance of its ends
# from the lines on which they lie, and largest mean deviation from a straight line, in pixels.
MIN_SIDE_LENGTH = 0.8 * MIN_DIGIT_PX
MIN_SIDE_SLENDERNESS = 4
MAX_END_DISTANCE = 3
MAX_SIDE_DEVIATION = 0.6
# How far the slope of a divider may differ from that of the lines beside it: rise over run.
MAX_SIDE_SLANT = 0.15
# Least side of a box around a digit; least share of each side that is drawn, and that is one straight stroke.
MIN_BOX_SIDE = 1.2 * MIN_DIGIT_PX
MIN_BOX_DRAWN = 0.9
MIN_BOX_STRAIGHT = 0.7


# Pixels of paper around what is searched.
MARGIN = 16


@dataclass(frozen=True, slots=True, eq=False)
class _Paths:
    """Nearly horizontal strokes or lines: one row of the tables for each, one value of the profiles for each column.

    Attributes:
        start: int64 (N,), first column.
        width: int64 (N,), number of columns.
        typical: float64 (N,), median thickness in pixels.
        centre: float64 (sum of widths,), y of the middle.
    """

    start: NDArray[np.int64]
    width: NDArray[np.int64]
    typical: NDArray[np.float64]
    centre: NDArray[np.float64]

    @property
    def end(self) -> NDArray[np.int64]:
        """The column after the last."""
        return self.start + self.width

    @property
    def offset(self) -> NDArray[np.int64]:
        """int64 (N + 1,), where in the profiles each begins."""
        return np.concatenate([[0], np.cumsum(self.width)])

    @property
    def owner(self) -> NDArray[np.int64]:
        """int64 (sum of widths,), the row to which each value of a profile belongs."""
        return np.repeat(np.arange(len(self.width)), self.width)

    @property
    def column(self) -> NDArray[np.int64]:
        """int64 (sum of widths,), x of each value of a profile."""
        return np.arange(len(self.centre)) + np.repeat(self.start - self.offset[:-1], self.width)


@dataclass(frozen=True, slots=True, eq=False)
class _Strokes(_Paths):
    """Thin strokes.

    Attributes:
        labels: int32 (H, W), 0 for no stroke.
        rank: int64 (largest label + 1,), the row of each label, -1 for none.
        thickness: int64 (sum of widths,), in pixels.
        is_thin: bool (sum of widths,), whether nothing crosses or touches the stroke there.
    """

    labels: NDArray[np.int32]
    rank: NDArray[np.int64]
    thickness: NDArray[np.int64]
    is_thin: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Chains:
    """Strokes that continue each other. One row for each stroke; what it says of the chain is in the row of its first.

    Attributes:
        first: int64 (N,), the first stroke of the chain.
        part: int64 (N,), the first stroke of the part of the chain that has no gap.
        length: int64 (N,), from its first column to its last.
        longest: int64 (N,), length of its longest part without a gap.
        inked: float64 (N,), number of its columns that are not in a gap.
    """

    first: NDArray[np.int64]
    part: NDArray[np.int64]
    length: NDArray[np.int64]
    longest: NDArray[np.int64]
    inked: NDArray[np.float64]


def find_structure(components: Components, finer: Sequence[Line] = ()) -> list[Line]:
    """Find the lines of tables, forms, boxes and ruled paper on one level of the pyramid.

    Args:
        components: of the mask of this level.
        finer: lines of the next finer level, in pixels of this one; those that are still long are kept.

    Returns:
        Lines in pixels of this level, in no particular order.

    Examples:
        >>> from digitedge.vision.segment import connected_components
        >>> mask = np.zeros((100, 200), np.uint8)
        >>> mask[50:53, 10:190] = mask[15:45, 60:64] = 255  # an underline and a one
        >>> [(line.vertical, len(line.path)) for line in find_structure(connected_components(mask))]
        [(False, 180)]
    """
    known = _straight_lines([line for line in finer if len(line.path) >= MIN_LINE_LENGTH])
    is_outline = _are_outlines(components)
    if not is_outline.any():
        return known
    # Only the part of the level that holds them is searched, a tenth of the page if it is a row of large digits. The
    # margin keeps ink away from the border; even coordinates keep the rounding of halves as it is on the whole level.
    boxes = components.boxes[is_outline]
    left, top = ((boxes[:, :2].min(axis=0) - MARGIN).clip(0) // 2 * 2).tolist()
    right, bottom = ((boxes[:, :2] + boxes[:, 2:]).max(axis=0) + MARGIN).tolist()
    levels = np.append(False, is_outline).astype(np.uint8) * 255
    mask = np.take(levels, components.labels[top:bottom, left:right])
    inside = [line.moved(-left, -top) for line in known]
    found = _find_lines(remove_lines(mask, mask, inside) if inside else mask, inside)
    return [*known, *(line.moved(left, top) for line in found)]


def _find_lines(mask: NDArray[np.uint8], known: list[Line]) -> list[Line]:
    """Find the lines of the mask of the outlines, in which the known ones are removed."""
    lines: list[list[Line]] = []
    sides = []
    for vertical in (False, True):
        upright = as_uint8(cv2.transpose(mask)) if vertical else mask
        strokes = _find_strokes(upright)
        chains = _chain(strokes, upright)
        owner = _long_chains(strokes, chains)
        lines.append(_follow(strokes, owner, vertical))
        for _ in range(MAX_EXTENSIONS):
            if not _extend(strokes, owner, lines[-1]):
                break
            lines[-1] = _follow(strokes, owner, vertical)
        sides.append(_find_sides(strokes, chains, owner < 0))
    every = [[*lines[i], *(line for line in known if line.vertical == i)] for i in (0, 1)]
    return [*lines[0], *lines[1], *_find_short_lines(sides, every)]


def _are_outlines(components: Components) -> NDArray[np.bool_]:
    """Tell which components may hold lines: what is too large for a digit, or a box; then also what is slim."""
    width, height = components.boxes[:, 2], components.boxes[:, 3]
    is_outline = np.maximum(width, height) > MAX_OUTLINE_PX
    is_outline |= _is_box_shaped(components)
    if is_outline.any():
        is_outline |= (width >= 3 * height) & (height <= MAX_THICKNESS)
        is_outline |= (height >= 3 * width) & (width <= MAX_THICKNESS)
    return is_outline


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


def _find_strokes(mask: NDArray[np.uint8]) -> _Strokes:
    """Find the thin, nearly horizontal strokes of a mask."""
    thick = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((MAX_THICKNESS + 1, 1), np.uint8))
    thin = cv2.subtract(mask, thick)
    broad = cv2.dilate(thin, np.ones((3, 1), np.uint8))  # so that a stroke may rise or fall by a third of its length
    runs = cv2.morphologyEx(broad, cv2.MORPH_OPEN, np.ones((1, MIN_STROKE_WIDTH), np.uint8))
    inked = as_uint8(cv2.bitwise_and(runs, thin))
    _, found, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(inked, 8, cv2.CV_32S, cv2.CCL_GRANA)
    labels = found.astype(np.int32, copy=False)
    wide = np.flatnonzero(stats[1:, cv2.CC_STAT_WIDTH] >= MIN_STROKE_WIDTH) + 1
    rank = np.full(len(stats), -1)
    rank[wide] = np.arange(len(wide))
    start = stats[wide, cv2.CC_STAT_LEFT].astype(np.int64)
    width = stats[wide, cv2.CC_STAT_WIDTH].astype(np.int64)

    pixels = np.flatnonzero(inked > 0)
    row = rank[labels.ravel()[pixels]]
    pixels, row = pixels[row >= 0], row[row >= 0]
    y, x = np.divmod(pixels, mask.shape[1])
    place = (np.cumsum(width) - width - start)[row] + x
    top, bottom = np.zeros((2, int(width.sum())), np.int64)
    bottom[place] = y  # sorted by y: the last of each column stays
    top[place[::-1]] = y[::-1]
    thickness = bottom - top + 1
    owner = np.repeat(np.arange(len(wide)), width)
    typical = _medians(thickness, owner, len(wide))
    is_thin = thickness <= CROSSING_THICKNESS * typical[owner] + 1
    return _Strokes(start, width, typical, (top + bottom) / 2, labels, rank, thickness, is_thin)


def _medians(thickness: NDArray[np.int64], owner: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return the median of the thicknesses of each of `count` owners."""
    most = 2 * MAX_THICKNESS
    table = np.bincount(owner * (most + 1) + thickness.clip(0, most), minlength=count * (most + 1))
    below = np.cumsum(table.reshape(count, most + 1), axis=1)
    return np.asarray((2 * below >= below[:, -1:]).argmax(axis=1), np.float64)


def _chain(strokes: _Strokes, mask: NDArray[np.uint8]) -> _Chains:
    """Join strokes that continue each other."""
    count = len(strokes.start)
    index = np.arange(count)
    after, before = _next_stroke(strokes, forward=True), _next_stroke(strokes, forward=False)
    forward = (after >= 0) & ((before[after] == index) | (before[after] < 0))
    backward = (before >= 0) & (after[before] < 0)
    first = np.concatenate([index[forward], before[backward]])
    second = np.concatenate([after[forward], index[backward]])
    gap = strokes.start[second] - strokes.end[first]
    order = np.argsort(-gap, kind="stable")
    order = order[gap[order] >= -MAX_OFFSET]
    after[first[order]] = second[order]  # the last, which is the nearest, stays
    before[:] = -1
    before[second[order]] = first[order]
    is_joined = (before >= 0) & (after[before] == index)
    is_bridged = is_joined.copy()
    is_bridged[is_joined] = _is_bridged(strokes, mask, before[is_joined], index[is_joined])

    chain, part = _follow_links(np.where(is_joined, before, index)), _follow_links(np.where(is_bridged, before, index))
    length = _most(strokes.end, chain) + _most(-strokes.start, chain)
    part_length = _most(strokes.end, part) + _most(-strokes.start, part)
    bridge = np.where(is_bridged, strokes.start - strokes.end[before], 0)
    inked = np.bincount(chain, strokes.width + bridge, minlength=count).astype(np.float64)
    return _Chains(chain, part, length, _most(part_length[part], chain), inked)


def _next_stroke(strokes: _Strokes, *, forward: bool) -> NDArray[np.int64]:
    """Return the stroke that each meets when it is continued at one of its ends; -1 for none."""
    count = len(strokes.start)
    window = np.minimum(strokes.width, END_WIDTH)
    half = window // 2
    summed = np.concatenate([[0.0], np.cumsum(strokes.centre)])
    if forward:
        end = strokes.offset[1:]
        outer, inner = summed[end] - summed[end - half], summed[end - window + half] - summed[end - window]
        x, sign = strokes.end - 1, 1
    else:
        first = strokes.offset[:-1]
        outer, inner = summed[first + half] - summed[first], summed[first + window] - summed[first + window - half]
        x, sign = strokes.start, -1
    slope = (outer - inner) / half / (window - half)  # for each pixel outwards
    y = outer / half + slope * (half - 1) / 2
    ahead = np.arange(1, MAX_GAP + 1)[:, None]
    beside = np.array(sorted(range(-MAX_OFFSET, MAX_OFFSET + 1), key=abs))
    columns = x[:, None, None] + sign * ahead  # (N, MAX_GAP, 1)
    rows = np.rint(y[:, None, None] + slope[:, None, None] * ahead).astype(np.int64) + beside
    height, width = strokes.labels.shape
    is_inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    met = strokes.rank[strokes.labels[rows.clip(0, height - 1), columns.clip(0, width - 1)] * is_inside]
    met[met == np.arange(count)[:, None, None]] = -1
    met = met.reshape(count, MAX_GAP * len(beside))
    return np.asarray(met[np.arange(count), (met >= 0).argmax(axis=1)])


def _is_bridged(
    strokes: _Strokes, mask: NDArray[np.uint8], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell whether there is ink all the way from the end of one stroke to the start of the next."""
    x, y = strokes.end[first] - 1, strokes.centre[strokes.offset[first + 1] - 1]
    to_x, to_y = strokes.start[second], strokes.centre[strokes.offset[second]]
    way = np.linspace(0, 1, MAX_GAP)[:, None]
    rows = np.rint(y + (to_y - y) * way).astype(np.int64)
    return np.asarray((mask[rows, np.rint(x + (to_x - x) * way).astype(np.int64)] > 0).all(axis=0))


def _follow_links(before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Follow the link of each stroke to the one before it, until the first; that one links to itself."""
    while (before[before] != before).any():
        before = before[before]
    return before


def _most(values: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the largest value of each owner; owners are among the rows of the values."""
    most = values.copy()
    np.maximum.at(most, owner, values)
    return most


def _long_chains(strokes: _Strokes, chains: _Chains) -> NDArray[np.int64]:
    """Find the chains that are longer than any stroke of a digit.

    Returns:
        int64 (N,), for each stroke the number of its line, -1 for none.
    """
    count = len(chains.first)
    owner = chains.first[strokes.owner]
    thin = np.bincount(owner, strokes.is_thin, minlength=count)
    thickness = _medians(strokes.thickness, owner, count)
    is_long = (chains.first == np.arange(count)) & (chains.length >= MIN_LINE_LENGTH)
    is_long &= (chains.longest >= MIN_LONGEST_PART) | (chains.length >= MIN_BROKEN_LENGTH)
    is_long &= (thin >= MIN_THIN * chains.length) & (chains.inked >= MIN_INKED * chains.length)
    is_long &= chains.length >= MIN_SLENDERNESS * thickness
    if not is_long.any():
        return np.full(count, -1)
    is_long &= (_most(strokes.width, chains.first) >= MIN_LINE_LENGTH) | _is_straight(strokes, chains, is_long)
    is_curved = chains.length >= MIN_CURVED_LENGTH
    if (is_long & is_curved).any():
        most = MAX_RELATIVE_THICKNESS * thickness[is_long & is_curved].max() + 0.5
        is_long &= is_curved | (thickness <= most)
    return np.where(is_long, np.cumsum(is_long) - 1, -1)[chains.first]


def _is_straight(strokes: _Strokes, chains: _Chains, is_long: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which of the long chains are straight, or curved as a page is."""
    count = len(is_long)
    is_curved = chains.length >= MIN_CURVED_LENGTH
    deviation = np.zeros(count)
    for degree, chosen in ((1, is_long & ~is_curved), (2, is_long & is_curved)):
        place = np.flatnonzero(chosen[chains.first][strokes.owner] & strokes.is_thin)
        x, y, owner = strokes.column[place], strokes.centre[place], chains.first[strokes.owner[place]]
        square = (y - _fit_curves(x, y, owner, count, degree)) ** 2
        number = np.maximum(np.bincount(owner, minlength=count), 1)
        deviation += np.sqrt(np.bincount(owner, square, minlength=count) / number)
    most = np.minimum(MAX_DEVIATION, MAX_SHORT_DEVIATION * chains.length / MIN_LINE_LENGTH)
    return deviation <= np.where(chains.longest >= MIN_LONGEST_PART, most, MAX_BROKEN_DEVIATION)


def _fit_curves(
    x: NDArray[np.int64],
    y: NDArray[np.float64],
    owner: NDArray[np.int64],
    count: int,
    degree: int,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Fit a polynomial to the points of each of `count` owners, and return its value at each x."""
    number = np.maximum(np.bincount(owner, minlength=count), 1)
    middle, mean = np.bincount(owner, x, minlength=count) / number, np.bincount(owner, y, minlength=count) / number
    u, v = x - middle[owner], y - mean[owner]
    reach = np.sqrt(np.bincount(owner, u**2, minlength=count) / number) + 1
    u /= reach[owner]
    powers = [np.ones(len(u)) if weights is None else weights]
    for _ in range(2 * degree):
        powers.append(powers[-1] * u)
    moments = np.stack([np.bincount(owner, power, minlength=count) for power in powers])
    right = np.stack([np.bincount(owner, power * v, minlength=count) for power in powers[: degree + 1]])
    index = np.add.outer(np.arange(degree + 1), np.arange(degree + 1))
    left = moments[index].transpose(2, 0, 1) + 1e-6 * np.eye(degree + 1)  # owners of few points stay solvable
    coefficients = np.linalg.solve(left, right.T[:, :, None])[:, :, 0]
    value = np.zeros(len(u))
    for column in coefficients.T[::-1]:
        value = value * u + column[owner]
    return mean[owner] + value


def _follow(strokes: _Strokes, line: NDArray[np.int64], vertical: bool) -> list[Line]:
    """Return the lines, each from its first pixel to its last.

    Args:
        strokes: all of them.
        line: int64 (N,), the number of the line of each stroke, -1 for none.
        vertical: direction of the lines.
    """
    count = int(line.max(initial=-1)) + 1
    if not count:
        return []
    owner = line[strokes.owner]
    chosen = np.flatnonzero((owner >= 0) & strokes.is_thin)
    x = strokes.column[chosen]
    order = np.lexsort((x, owner[chosen]))
    x, owner = x[order], owner[chosen[order]]
    y, thickness = strokes.centre[chosen[order]], strokes.thickness[chosen[order]]
    # Digits that touch a line draw the middle of the ink aside; it is taken where it is near the curve of the line.
    weights = np.ones(len(x))
    for _ in range(3):
        distance = np.abs(y - _fit_curves(x, y, owner, count, CURVE_DEGREE, weights))
        weights = 1 / (1 + (distance / MAX_WOBBLE) ** 2) ** 2
    near = distance <= MAX_WOBBLE
    lines = []
    limits = np.searchsorted(owner, np.arange(count + 1))
    for i, (first, last) in enumerate(pairwise(limits)):
        start = int(strokes.start[line == i].min())
        every = np.arange(start, strokes.end[line == i].max())
        columns, centre, is_near = x[first:last], y[first:last], near[first:last]
        if is_near.mean() < MIN_STRAIGHT:
            course = _smooth(np.interp(every, columns, centre), HAND_SMOOTHING_PX)
            is_near = np.abs(centre - course[columns - start]) <= MAX_WOBBLE
        if is_near.any():
            columns, centre = columns[is_near], centre[is_near]
        path = _smooth(np.interp(every, columns, centre), SMOOTHING_PX)
        lines.append(Line(vertical, start, path, median(thickness[first:last])))
    return lines


def _extend(strokes: _Strokes, line: NDArray[np.int64], lines: list[Line]) -> bool:
    """Add to `line` the strokes that lie on lines, in gaps or beyond the ends; tell whether there is any."""
    free = np.flatnonzero(line < 0)
    if not lines or not len(free):
        return False
    paths = _paths_of(lines)
    offset = paths.offset
    near = np.minimum(paths.width, END_REACH) - 1
    slopes = np.stack(
        [
            (paths.centre[offset[:-1] + near] - paths.centre[offset[:-1]]) / near,
            (paths.centre[offset[1:] - 1] - paths.centre[offset[1:] - 1 - near]) / near,
        ]
    )
    is_on = strokes.typical[free][:, None] <= CROSSING_THICKNESS * paths.typical + 1
    for x, y in (
        (strokes.start[free], strokes.centre[strokes.offset[free]]),
        (strokes.end[free] - 1, strokes.centre[strokes.offset[free + 1] - 1]),
    ):
        place = x[:, None] - paths.start  # (strokes, lines)
        beyond = np.where(place < 0, place, np.maximum(place - paths.width + 1, 0))
        course = paths.centre[offset[:-1] + place.clip(0, paths.width - 1)] + beyond * np.where(place < 0, *slopes)
        is_on &= (np.abs(beyond) <= END_REACH) & (np.abs(course - y[:, None]) <= MAX_WOBBLE + 0.5)
    extends = is_on.any(axis=1)
    line[free[extends]] = is_on[extends].argmax(axis=1)
    return bool(extends.any())


def _smooth(path: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Average over an odd number of pixels; beyond its ends a path goes on as its mirror image."""
    half = min(width, len(path) - 1) // 2
    padded = np.concatenate([2 * path[0] - path[half:0:-1], path, 2 * path[-1] - path[-2 : -half - 2 : -1]])
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), "valid")


def _straight_lines(lines: list[Line]) -> list[Line]:
    """Return the lines that are near to a parabola."""
    if not lines:
        return []
    paths = _paths_of(lines)
    square = (paths.centre - _fit_curves(paths.column, paths.centre, paths.owner, len(lines), 2)) ** 2
    deviation = np.sqrt(np.bincount(paths.owner, square) / paths.width)
    return [line for line, distance in zip(lines, deviation, strict=True) if distance <= MAX_SHORT_DEVIATION]


def _paths_of(lines: list[Line]) -> _Paths:
    start = np.array([line.start for line in lines], np.int64)
    width = np.array([len(line.path) for line in lines], np.int64)
    typical = np.array([line.thickness for line in lines], np.float64)
    return _Paths(start, width, typical, np.concatenate([line.path for line in lines] or [np.zeros(0)]))


def _find_sides(strokes: _Strokes, chains: _Chains, is_free: NDArray[np.bool_]) -> _Paths:
    """Return what is straight and long enough for a divider or the side of a box: strokes, and parts of chains."""
    count = len(chains.part)
    start, end = -_most(-strokes.start, chains.part), _most(strokes.end, chains.part)
    width = end - start
    typical = _medians(strokes.thickness, chains.part[strokes.owner], count)
    is_side = (chains.part == np.arange(count)) & is_free
    is_side &= width >= np.maximum(MIN_SIDE_LENGTH, MIN_SIDE_SLENDERNESS * typical)
    chosen = np.flatnonzero(is_side[chains.part[strokes.owner]] & strokes.is_thin)
    x, y, owner = strokes.column[chosen], strokes.centre[chosen], chains.part[strokes.owner[chosen]]
    number = np.maximum(np.bincount(owner, minlength=count), 1)
    middle, mean = np.bincount(owner, x, minlength=count) / number, np.bincount(owner, y, minlength=count) / number
    u, v = x - middle[owner], y - mean[owner]
    slope = np.bincount(owner, u * v, minlength=count) / np.maximum(np.bincount(owner, u * u, minlength=count), 1)
    deviation = np.sqrt(np.bincount(owner, (v - slope[owner] * u) ** 2, minlength=count) / number)
    rows = np.flatnonzero(is_side & (deviation <= MAX_SIDE_DEVIATION))
    owner = np.repeat(rows, width[rows])
    column = np.arange(len(owner)) + np.repeat(start[rows] - np.cumsum(width[rows]) + width[rows], width[rows])
    return _Paths(start[rows], width[rows], typical[rows], mean[owner] + slope[owner] * (column - middle[owner]))


def _find_short_lines(sides: list[_Paths], lines: list[list[Line]]) -> list[Line]:
    """Return the dividers and boxes among the sides.

    Args:
        sides: horizontal and vertical ones.
        lines: horizontal and vertical ones.
    """
    paths = [_paths_of(lines[0]), _paths_of(lines[1])]
    on_lines = [_ends_on(sides[i], paths[1 - i]).any(axis=2) for i in (0, 1)]  # (2, sides)
    on_sides = [_ends_on(sides[i], sides[1 - i]) for i in (0, 1)]  # (2, sides, other sides)
    slopes = [_slopes(side) for side in sides]
    is_divider = [np.asarray(both.all(axis=0)) for both in on_lines]
    for i in (0, 1, 0, 1):  # the second time, dividers between dividers
        if is_divider[i].any() or lines[i]:
            usual = median(np.concatenate([_slopes(paths[i]), slopes[i][is_divider[i] & (len(lines[i]) == 0)]]))
            both = (on_lines[i] | (on_sides[i] & is_divider[1 - i]).any(axis=2)).all(axis=0)
            is_divider[i] = np.asarray(both & (np.abs(slopes[i] - usual) <= MAX_SIDE_SLANT))
    is_closed: list[NDArray[np.bool_]] = [~is_divider[0], ~is_divider[1]]
    count = -1
    while count != (count := int(is_closed[0].sum() + is_closed[1].sum())):
        for i in (0, 1):
            is_closed[i] &= (on_lines[i] | (on_sides[i] & is_closed[1 - i]).any(axis=2)).all(axis=0)
    touching = (on_sides[0].any(axis=0) | on_sides[1].any(axis=0).T) & is_closed[0][:, None] & is_closed[1]
    for first in np.flatnonzero(is_closed[0]):
        level, upright = _group(touching, int(first))
        if _is_box(sides[0], sides[1], level, upright):
            is_divider[0] |= level
            is_divider[1] |= upright
    found = []
    for vertical, (path, chosen) in enumerate(zip(sides, is_divider, strict=True)):
        for row in np.flatnonzero(chosen):
            centre = path.centre[path.offset[row] : path.offset[row + 1]]
            found.append(Line(bool(vertical), int(path.start[row]), centre, float(path.typical[row])))
    return found


def _slopes(paths: _Paths) -> NDArray[np.float64]:
    """Return the rise over run of each path, from end to end."""
    return (paths.centre[paths.offset[1:] - 1] - paths.centre[paths.offset[:-1]]) / np.maximum(paths.width - 1, 1)


def _ends_on(sides: _Paths, lines: _Paths) -> NDArray[np.bool_]:
    """Tell whether the ends of sides lie on lines across them, that are not much thinner.

    Returns:
        bool (2, sides, lines), for the first end and for the last.
    """
    place = sides.centre[np.stack([sides.offset[:-1], sides.offset[1:] - 1])][:, :, None] - lines.start
    across = np.stack([sides.start, sides.end - 1])[:, :, None]
    if not place.size:
        return np.zeros(place.shape, bool)
    index = lines.offset[:-1] + np.rint(place).astype(np.int64).clip(0, lines.width - 1)
    thickness = sides.typical[:, None]
    beyond = MAX_END_DISTANCE + thickness / 2
    is_on = (place >= -beyond) & (place <= lines.width - 1 + beyond)
    is_on &= np.abs(lines.centre[index] - across) <= MAX_END_DISTANCE + lines.typical / 2
    return np.asarray(is_on & (thickness <= MAX_RELATIVE_THICKNESS * lines.typical + 0.5))


def _group(touching: NDArray[np.bool_], first: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the rows and columns of a table that are connected with its row `first`."""
    rows = np.arange(len(touching)) == first
    columns = touching[first]
    while (rows != (rows := rows | touching[:, columns].any(axis=1))).any():
        columns = touching[rows].any(axis=0)
    return rows, columns


def _is_box(level: _Paths, upright: _Paths, rows: NDArray[np.bool_], columns: NDArray[np.bool_]) -> bool:
    """Tell whether some sides make a box: two and two of them, as long as it is wide and high."""
    if rows.sum() < 2 or columns.sum() < 2:
        return False
    width = level.end[rows].max() - level.start[rows].min()
    height = upright.end[columns].max() - upright.start[columns].min()
    is_long = (level.width[rows] >= MIN_BOX_STRAIGHT * width).sum() >= 2
    is_high = (upright.width[columns] >= MIN_BOX_STRAIGHT * height).sum() >= 2
    return bool(min(width, height) >= MIN_SIDE_LENGTH and is_long and is_high)
