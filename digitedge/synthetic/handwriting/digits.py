"""Handwritten digits without a data set: for tests, calibration, demos and the clip of a camera that is not there.

The way of one digit: a style (strokes) is written by a hand (handwriting), pressed onto paper (pen) and cut out
(normalize), like a digit in front of a camera.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.digit_skeletons import Skeleton
from digitedge.synthetic.handwriting.pen import (
    Pen,
    check_pen,
    draw_line,
    fit_ink,
    grain,
    lay_ink,
    line_widths,
    sample_roughness,
    sample_touch,
)
from digitedge.synthetic.handwriting.writer import Hand, choose_styles, one_hand, sample_hands, write
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.vision.normalize import WORKING, normalize_digit

# How often each pen writes in `synthetic_digits`.
PENS = ((Pen.BALL, 0.62), (Pen.FELT, 0.2), (Pen.PENCIL, 0.12), (Pen.CHALK, 0.06))

# Spread of the width of lines. Ones spread more: without loops to fill, any bar is one.
SPREAD, BROAD_ONES = 0.33, 0.5


def synthetic_digits(count: int, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Make crops of handwritten digits, each by another writer.

    Args:
        count: how many, >= 0.
        seed: the same seed gives the same digits.

    Returns:
        Crops uint8 (count, 28, 28), in the geometry of MNIST, and digits uint8 (count,), shuffled; each digit comes
        equally often, give or take one.

    Raises:
        InputError: a negative count.

    Examples:
        >>> crops, digits = synthetic_digits(20, seed=1)
        >>> crops.shape, crops.dtype, np.bincount(digits).tolist()
        ((20, 28, 28), dtype('uint8'), [2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    """
    if count < 0:
        raise InputError(f"synthetic_digits() takes a count of 0 or more, got {count}.")
    rng = np.random.default_rng(seed)
    digits = rng.permutation(np.resize(np.arange(10, dtype=np.uint8), count))
    crops = np.zeros((count, CROP_SIZE, CROP_SIZE), np.uint8)
    for digit in range(10):
        places = np.flatnonzero(digits == digit)
        styles = np.array(choose_styles(digit, rng, len(places)), dtype=object)
        for style in dict.fromkeys(styles.tolist()):
            same = places[styles == style]
            crops[same] = write_crops(style, rng, len(same), spread=BROAD_ONES if digit == 1 else SPREAD)
    return crops, digits


def write_crops(style: Skeleton, rng: np.random.Generator, count: int, *, spread: float = SPREAD) -> NDArray[np.uint8]:
    """Let `count` writers write the same skeleton, each with a pen of their own.

    Args:
        style: what to write.
        rng: where chance comes from.
        count: how many, >= 0.
        spread: of the width of lines, see `any_touch`.

    Returns:
        Crops uint8 (count, 28, 28).
    """
    crops = np.zeros((count, CROP_SIZE, CROP_SIZE), np.uint8)
    lines = write(style, rng, sample_hands(rng, count))
    widths = line_widths(lines, style.lengths, sample_touch(rng, count, spread=spread))
    pens = rng.choice(np.array([pen for pen, _ in PENS], dtype=object), count, p=[share for _, share in PENS])
    for crop, line, width, pen in zip(crops, lines, widths, pens, strict=True):
        ink = lay_ink(line, width, style.lengths, size=WORKING)
        crop[:] = normalize_digit(grain(ink, pen, rng, roughness=sample_roughness(pen, rng)))
    return crops


def render_ink(
    digit: int,
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float | None = None,
    pen: Pen = Pen.BALL,
    hand: Hand | None = None,
    roughness: float | None = None,
) -> NDArray[np.uint8]:
    """Draw one plain digit for a scene.

    Args:
        digit: 0 to 9.
        rng: where chance comes from.
        height: of the ink, in pixels, >= 4.
        pen_width: of the line, in pixels, > 0; None chooses one that suits the height.
        pen: what it is written with.
        hand: habits of the writer, for one digit (`Hand.one`); None takes another careful writer each time.
        roughness: of the ink, as `any_roughness` gives it for the pen; None takes another each time.

    Returns:
        uint8 (height, W), ink bright on 0, cut tight.

    Raises:
        InputError: not a digit, a height under 4, or a width that is not positive.

    Examples:
        >>> render_ink(7, np.random.default_rng(0), height=60).shape[0]
        60
    """
    check_pen(height, pen_width)
    (style,) = choose_styles(digit, rng, 1, plain=True)
    lines = write(style, rng, one_hand(rng, 1) if hand is None else hand)
    wide, high = (lines[0].max(axis=0) - lines[0].min(axis=0)).tolist()
    ink = draw_line(
        lines,
        style.lengths,
        rng,
        longer=max(1.0, wide / max(high, 1e-3)),
        height=height,
        pen_width=pen_width,
        pen=pen,
        roughness=roughness,
    )
    return fit_ink(ink, height, of=ink.shape[0])
