"""What wrong splits and merges make of writing: fragments of digits, touching digits, fragments of words."""

from bisect import bisect
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import corners_of
from digitedge.synthetic.handwriting.digits import PEN_SHARES, render_digit
from digitedge.synthetic.handwriting.letters import render_word, sample_word
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.handwriting.writer import sample_single_writer
from digitedge.utils.opencv import as_uint8, cv2

# Digit, and left, upper, right and lower edge of the part that is kept, in shares of its box. Fragments that are digits
# again are left out: the stem of a 9 is a 1, its head a 0, the right half of an 8 a 3.
_FRAGMENTS = (
    (0, (0.0, 0.0, 1.0, 0.5)),
    (0, (0.0, 0.5, 1.0, 1.0)),
    (0, (0.0, 0.0, 0.58, 1.0)),
    (0, (0.0, 0.0, 0.6, 0.6)),
    (0, (0.0, 0.4, 0.6, 1.0)),
    (0, (0.4, 0.4, 1.0, 1.0)),
    (2, (0.0, 0.6, 1.0, 1.0)),
    (3, (0.0, 0.0, 0.45, 1.0)),
    (3, (0.0, 0.3, 1.0, 0.7)),
    (4, (0.0, 0.0, 0.4, 1.0)),
    (5, (0.0, 0.0, 1.0, 0.3)),
    (6, (0.0, 0.4, 0.5, 1.0)),
    (6, (0.0, 0.86, 1.0, 1.0)),
    (8, (0.0, 0.0, 0.4, 1.0)),
    (8, (0.0, 0.32, 1.0, 0.68)),
    (9, (0.0, 0.0, 0.45, 0.6)),
    (9, (0.0, 0.0, 1.0, 0.2)),
)
# Largest displacement of a cut, in shares of the box.
_CUT_JITTER = 0.06
# Gap between two digits in heights, from overlapping on; a 1 stands clear, or it would be the stem of its neighbour.
_GAP = (-0.06, 0.2)
_GAP_OF_ONES = (0.12, 0.25)


def sample_pen_type(rng: np.random.Generator) -> PenType:
    """Sample a pen as often as digits are written with it."""
    shares = list(accumulate(share for _, share in PEN_SHARES[:-1]))
    return PEN_SHARES[bisect(shares, rng.random())][0]


def sample_pen_width(rng: np.random.Generator) -> float:
    """Sample a stroke width, in heights."""
    return float(np.exp(rng.normal(np.log(0.1), 0.33)).clip(0.04, 0.22))


def render_digit_fragment(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Render a digit, `size` pixels high, of which so much is cut off that it is no digit any more: uint8 (H, W).

    The array is as large as the whole digit; sometimes no ink is left.
    """
    digit, kept = _FRAGMENTS[rng.integers(len(_FRAGMENTS))]
    pen_width = sample_pen_width(rng) * size
    ink = render_digit(digit, rng, height=size, pen_width=pen_width, pen_type=sample_pen_type(rng))
    corners = corners_of(kept)
    inner = (corners > 0) & (corners < 1)
    corners = np.where(inner, corners + rng.uniform(-_CUT_JITTER, _CUT_JITTER, (4, 2)), 1.5 * corners - 0.2)
    mask = np.zeros_like(ink)
    cv2.fillPoly(mask, [np.rint(corners * ink.shape[::-1]).astype(np.int32)], 255)
    return as_uint8(cv2.bitwise_and(ink, mask))


def render_touching_digits(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Render two or three digits, `size` pixels high, as one component, beside or above each other: uint8 (H, W)."""
    writer, pen_type, width = sample_single_writer(rng, 1), sample_pen_type(rng), sample_pen_width(rng) * size
    stacked = rng.random() < 0.2
    # A 1 or a 7 above another digit is a longer one, and two round ones an 8.
    digits = rng.choice([2, 3, 4, 5], 2) if stacked else rng.integers(0, 10, 3 if rng.random() < 0.2 else 2)
    inks = []
    for digit in digits.tolist():
        height = max(4, round(size * rng.uniform(0.85, 1)))
        inks.append(render_digit(digit, rng, height=height, pen_width=width, pen_type=pen_type, writer=writer))
    if stacked:
        return _set_side_by_side([ink.T for ink in inks], rng, size, _GAP_OF_ONES).T
    return _set_side_by_side(inks, rng, size, _GAP_OF_ONES if 1 in digits else _GAP)


def _set_side_by_side(
    inks: list[NDArray[np.uint8]], rng: np.random.Generator, size: int, gap: tuple[float, float]
) -> NDArray[np.uint8]:
    """Place ink side by side, not quite level."""
    lefts, right = [], 0
    for ink in inks:
        lefts.append(max(0, right))
        right = lefts[-1] + ink.shape[1] + round(rng.uniform(*gap) * size)
    tops = rng.integers(0, 1 + round(0.25 * size), len(inks)).tolist()
    height = max(top + ink.shape[0] for top, ink in zip(tops, inks, strict=True))
    width = max(left + ink.shape[1] for left, ink in zip(lefts, inks, strict=True))
    canvas = np.zeros((height, width), np.uint8)
    for left, top, ink in zip(lefts, tops, inks, strict=True):
        part = canvas[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.maximum(part, ink, out=part)
    return canvas


def render_word_fragment(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Render a few letters of a word, cut off at both ends: uint8 (H, W); capitals are `size` pixels high.

    What is left is wider than one letter.
    """
    ink = render_word(
        sample_word(rng)[: int(rng.integers(2, 5))],
        rng,
        height=size,
        pen_width=sample_pen_width(rng) * size,
        pen_type=sample_pen_type(rng),
        joined=bool(rng.random() < 0.7),
    )
    spare = max(0, ink.shape[1] - round(1.3 * size))
    first, last = rng.integers(0, 1 + round(min(spare, size) / 2), 2).tolist()
    return ink[:, first : ink.shape[1] - last]
