"""Long lines: the chains that are longer than any stroke of a digit, and straight.

The strokes of a column of digits continue each other too, but they are less straight than a line. Only one stroke that
is as long as a line may have any shape.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.groups import fit_curves, group_maxima, group_means
from digitedge.vision.lines.chains import Chains
from digitedge.vision.lines.strokes import Strokes, median_thickness
from digitedge.vision.segment import MAX_DIGIT_PX

# Least length of a line, and of its longest part without a gap unless it is longer than the strokes of several digits,
# in pixels.
MIN_LINE_LENGTH = 1.5 * MAX_DIGIT_PX
MIN_LONGEST_PART = MAX_DIGIT_PX
MIN_BROKEN_LENGTH = 2.5 * MAX_DIGIT_PX
# Largest root mean square deviation from a curve, in pixels: of a line of the least length, of any line, and of one
# that has no part without a gap as long as a digit is high.
MAX_SHORT_DEVIATION = 0.6
MAX_DEVIATION = 1.6
MAX_BROKEN_DEVIATION = 0.45
# Lines from this length on, in pixels, may be curved (pages curl), and as thick as they like. Shorter ones are not
# thicker than the longer ones by more than this factor and half a pixel: they are not strokes of a pen that link two
# printed lines.
MIN_CURVED_LENGTH = 4 * MAX_DIGIT_PX
MAX_RELATIVE_THICKNESS = 1.25
# Least share of its length in which a line is thin, and in which it is no gap; least ratio of length to thickness.
MIN_THIN = 0.5
MIN_INKED = 0.7
MIN_SLENDERNESS = 12


def find_long_lines(strokes: Strokes, chains: Chains) -> NDArray[np.int64]:
    """Find the chains that are longer than any stroke of a digit.

    Args:
        strokes: all of one direction.
        chains: of these strokes.

    Returns:
        int64 (N,), for each stroke the number of its line, from 0 on, -1 for none.
    """
    count = len(chains.first)
    owner = chains.first[strokes.owner]
    thin = np.bincount(owner, strokes.is_thin, minlength=count)
    thickness = median_thickness(strokes.thickness_at, owner, count)
    is_long = (chains.first == np.arange(count)) & (chains.length >= MIN_LINE_LENGTH)
    is_long &= (chains.longest >= MIN_LONGEST_PART) | (chains.length >= MIN_BROKEN_LENGTH)
    is_long &= (thin >= MIN_THIN * chains.length) & (chains.inked >= MIN_INKED * chains.length)
    is_long &= chains.length >= MIN_SLENDERNESS * thickness
    if not is_long.any():
        return np.full(count, -1)
    is_long &= (group_maxima(strokes.width, chains.first) >= MIN_LINE_LENGTH) | _is_straight(strokes, chains, is_long)
    may_be_curved = chains.length >= MIN_CURVED_LENGTH
    if (is_long & may_be_curved).any():
        most = MAX_RELATIVE_THICKNESS * thickness[is_long & may_be_curved].max() + 0.5
        is_long &= may_be_curved | (thickness <= most)
    return np.where(is_long, np.cumsum(is_long) - 1, -1)[chains.first]


def _is_straight(strokes: Strokes, chains: Chains, is_long: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which of the long chains are straight, or curved as a page is."""
    count = len(is_long)
    may_be_curved = chains.length >= MIN_CURVED_LENGTH
    deviation = np.zeros(count)
    for degree, chosen in ((1, is_long & ~may_be_curved), (2, is_long & may_be_curved)):
        place = np.flatnonzero(chosen[chains.first][strokes.owner] & strokes.is_thin)
        x, y, owner = strokes.column[place], strokes.centre[place], chains.first[strokes.owner[place]]
        (mean_square,) = group_means(owner, count, (y - fit_curves(x, y, owner, count, degree)) ** 2)
        deviation += np.sqrt(mean_square)
    most = np.minimum(MAX_DEVIATION, MAX_SHORT_DEVIATION * chains.length / MIN_LINE_LENGTH)
    return deviation <= np.where(chains.longest >= MIN_LONGEST_PART, most, MAX_BROKEN_DEVIATION)
