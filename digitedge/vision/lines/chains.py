"""Chains: strokes that continue each other, joined over the gaps that digits, folds and pale ink leave in a line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.groups import follow_links, group_maxima
from digitedge.vision.lines.strokes import Strokes

# Largest gap between two strokes of a chain, and how far the next stroke may lie beside the course of the last, in
# pixels.
MAX_GAP = 30
MAX_OFFSET = 2
# Number of columns at the end of a stroke that tell where it goes on.
END_WIDTH = 24


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Strokes that continue each other: one row for each stroke. What is said of a chain is in the row of its first.

    Attributes:
        first: int64 (N,), the first stroke of the chain.
        part: int64 (N,), the first stroke of the part of the chain that has no gap.
        length: int64 (N,), from the first column of the chain to its last.
        longest: int64 (N,), length of its longest part without a gap, in pixels.
        inked: float64 (N,), number of its columns that are not in a gap.
    """

    first: NDArray[np.int64]
    part: NDArray[np.int64]
    length: NDArray[np.int64]
    longest: NDArray[np.int64]
    inked: NDArray[np.float64]


def join_strokes(strokes: Strokes, mask: NDArray[np.uint8]) -> Chains:
    """Join strokes that continue each other.

    Args:
        strokes: of the mask.
        mask: uint8 (H, W), 255 where there is ink: where it fills a gap between two strokes, there is none.

    Examples:
        >>> from digitedge.vision.lines.strokes import find_strokes
        >>> mask = np.zeros((60, 100), np.uint8)
        >>> mask[20:23, 10:40] = mask[20:23, 50:90] = 255  # a line with a gap
        >>> chains = join_strokes(find_strokes(mask), mask)
        >>> chains.first, int(chains.length[0]), int(chains.longest[0]), float(chains.inked[0])
        (array([0, 0]), 80, 40, 70.0)
    """
    count = len(strokes.start)
    before = _stroke_before(strokes)
    is_joined = before >= 0
    is_bridged = is_joined.copy()
    is_bridged[is_joined] = _is_bridged(strokes, mask, before[is_joined], np.flatnonzero(is_joined))
    index = np.arange(count)
    chain, part = follow_links(np.where(is_joined, before, index)), follow_links(np.where(is_bridged, before, index))
    length = group_maxima(strokes.end, chain) + group_maxima(-strokes.start, chain)
    part_length = group_maxima(strokes.end, part) + group_maxima(-strokes.start, part)
    bridge = np.where(is_bridged, strokes.start - strokes.end[before], 0)
    inked = np.bincount(chain, strokes.width + bridge, minlength=count).astype(np.float64)
    return Chains(chain, part, length, group_maxima(part_length[part], chain), inked)


def _stroke_before(strokes: Strokes) -> NDArray[np.int64]:
    """Return the stroke that each continues, int64 (N,), -1 for none; no stroke is continued by two."""
    index = np.arange(len(strokes.start))
    after, before = _next_stroke(strokes, forward=True), _next_stroke(strokes, forward=False)
    # Two strokes continue each other if each meets the other, or if one meets the other and that meets none.
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
    return np.where((before >= 0) & (after[before] == index), before, -1)


def _next_stroke(strokes: Strokes, *, forward: bool) -> NDArray[np.int64]:
    """Return the stroke that each meets when it is continued at its right or left end; -1 for none."""
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
    met = met.reshape(count, MAX_GAP * len(beside))  # from near to far
    return np.asarray(met[np.arange(count), (met >= 0).argmax(axis=1)])


def _is_bridged(
    strokes: Strokes, mask: NDArray[np.uint8], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell whether there is ink all the way from the end of one stroke to the start of the next."""
    x, y = strokes.end[first] - 1, strokes.centre[strokes.offset[first + 1] - 1]
    to_x, to_y = strokes.start[second], strokes.centre[strokes.offset[second]]
    share = np.linspace(0, 1, MAX_GAP)[:, None]
    rows = np.rint(y + (to_y - y) * share).astype(np.int64)
    return np.asarray((mask[rows, np.rint(x + (to_x - x) * share).astype(np.int64)] > 0).all(axis=0))
