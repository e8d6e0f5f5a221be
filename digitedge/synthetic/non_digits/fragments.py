"""What wrong cuts make of writing: pieces of digits, two digits in one, pieces of words."""

from bisect import bisect
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import PENS, render_ink
from digitedge.synthetic.handwriting.letters import sample_word, write_word
from digitedge.synthetic.handwriting.pen import Pen
from digitedge.synthetic.handwriting.writer import one_hand
from digitedge.utils.opencv import cv2

# Pieces that are no digit: the digit, and the left, upper, right and lower edge of what is left of it, in shares of its
# box. Not here, because they are digits again: the shank of a 9 is a 1, its head a 0, the right half of an 8 a 3.
_PIECES = (
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
# How far a cut may lie beside its place, in shares of the box.
_ASTRAY = 0.06
# Gap between two digits in heights, from touching on; a 1 stands clear, or it would be the shank of its neighbour.
_GAP, _GAP_OF_ONE = (-0.06, 0.2), (0.12, 0.25)


def sample_pen(rng: np.random.Generator) -> Pen:
    """Choose a pen as often as digits are written with it."""
    shares = list(accumulate(share for _, share in PENS[:-1]))
    return PENS[bisect(shares, rng.random())][0]


def sample_pen_width(rng: np.random.Generator) -> float:
    """Choose the width of a line, in heights."""
    return float(np.exp(rng.normal(np.log(0.1), 0.33)).clip(0.04, 0.22))


def fragment(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Cut off so much of a digit that it is none any more.

    Args:
        rng: where chance comes from.
        size: height of the whole digit in pixels.

    Returns:
        uint8 (H, W), bright on 0, as large as the whole digit; now and then nothing is left.

    Examples:
        >>> fragment(np.random.default_rng(0), 60).shape[0]
        60
    """
    digit, window = _PIECES[rng.integers(len(_PIECES))]
    whole = render_ink(digit, rng, height=size, pen_width=sample_pen_width(rng) * size, pen=sample_pen(rng))
    return _cut_out(whole, window, rng)


def _cut_out(
    ink: NDArray[np.uint8], window: tuple[float, float, float, float], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Keep what is in the window; its inner edges are not quite straight to the digit."""
    left, top, right, bottom = window
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    inner = (corners > 0) & (corners < 1)
    corners = np.where(inner, corners + rng.uniform(-_ASTRAY, _ASTRAY, (4, 2)), 1.5 * corners - 0.2)
    mask = np.zeros_like(ink)
    cv2.fillPoly(mask, [np.rint(corners * ink.shape[::-1]).astype(np.int32)], 255)
    return np.asarray(cv2.bitwise_and(ink, mask), np.uint8)


def several_digits(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Write two or three digits so close that they are one mark, beside or above each other.

    Args:
        rng: where chance comes from.
        size: height of one digit in pixels.

    Returns:
        uint8 (H, W), bright on 0.

    Examples:
        >>> ink = several_digits(np.random.default_rng(0), 60)
        >>> max(ink.shape) > 60
        True
    """
    hand, pen, width = one_hand(rng, 1), sample_pen(rng), sample_pen_width(rng) * size
    above = rng.random() < 0.2
    # A 1 or a 7 above another digit is a longer one, and two round ones an 8.
    digits = rng.choice([2, 3, 4, 5], 2) if above else rng.integers(0, 10, 3 if rng.random() < 0.2 else 2)
    inks = [
        render_ink(digit, rng, height=max(4, round(size * rng.uniform(0.85, 1))), pen_width=width, pen=pen, hand=hand)
        for digit in digits.tolist()
    ]
    if above:
        return _beside([ink.T for ink in inks], rng, size, _GAP_OF_ONE).T
    return _beside(inks, rng, size, _GAP_OF_ONE if 1 in digits else _GAP)


def _beside(
    inks: list[NDArray[np.uint8]], rng: np.random.Generator, size: int, gap: tuple[float, float]
) -> NDArray[np.uint8]:
    """Lay ink side by side, not quite level."""
    lefts, right = [], 0
    for ink in inks:
        lefts.append(max(0, right))
        right = lefts[-1] + ink.shape[1] + round(rng.uniform(*gap) * size)
    tops = rng.integers(0, 1 + round(0.25 * size), len(inks)).tolist()
    field = np.zeros(
        (
            max(top + ink.shape[0] for top, ink in zip(tops, inks, strict=True)),
            max(left + ink.shape[1] for left, ink in zip(lefts, inks, strict=True)),
        ),
        np.uint8,
    )
    for left, top, ink in zip(lefts, tops, inks, strict=True):
        part = field[top : top + ink.shape[0], left : left + ink.shape[1]]
        np.maximum(part, ink, out=part)
    return field


def word_piece(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Write a few letters of a word, joined or printed, and cut off some at both ends; what is left is wider than one.

    Args:
        rng: where chance comes from.
        size: height of a capital in pixels.

    Returns:
        uint8 (H, W), bright on 0.
    """
    ink = write_word(
        rng,
        height=size,
        text=sample_word(rng)[: int(rng.integers(2, 5))],
        pen_width=sample_pen_width(rng) * size,
        pen=sample_pen(rng),
        joined=bool(rng.random() < 0.7),
    )
    spare = max(0, ink.shape[1] - round(1.3 * size))
    first, last = rng.integers(0, 1 + round(min(spare, size) / 2), 2).tolist()
    return ink[:, first : ink.shape[1] - last]
