"""Handwritten digits without a data set: for tests, calibration, demos and the clip of a camera that is not there.

The way of one digit: a style (strokes) is written by a hand (handwriting), pressed onto paper (pen) and cut out
(normalize), like a digit in front of a camera.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.data.handwriting import Hand, any_hands, choose_styles, one_hand, write
from digitedge.data.pen import Pen, any_roughness, any_touch, grain, lay_ink, line_widths
from digitedge.data.strokes import Style
from digitedge.errors import InputError
from digitedge.opencv import cv2
from digitedge.vision.normalize import FIELD, WORKING, normalize_digit

# How often each pen writes in `synthetic_digits`.
PENS = ((Pen.BALL, 0.62), (Pen.FELT, 0.2), (Pen.PENCIL, 0.12), (Pen.CHALK, 0.06))

# Spread of the width of lines. Ones spread more: without loops to fill, any bar is one.
SPREAD, BROAD_ONES = 0.33, 0.5
# Longer side of the largest drawing; what is larger still is enlarged. With its margin it fits into the noise of `pen`.
LARGEST = 640


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
    crops = np.zeros((count, FIELD, FIELD), np.uint8)
    for digit in range(10):
        places = np.flatnonzero(digits == digit)
        styles = np.array(choose_styles(digit, rng, len(places)), dtype=object)
        for style in dict.fromkeys(styles.tolist()):
            _fill(crops, places[styles == style], style, rng)
    return crops, digits


def _fill(crops: NDArray[np.uint8], places: NDArray[np.intp], style: Style, rng: np.random.Generator) -> None:
    """Write all digits of one style into their places."""
    count = len(places)
    lines = write(style, rng, any_hands(rng, count))
    touch = any_touch(rng, count, spread=BROAD_ONES if style.digit == 1 else SPREAD)
    widths = line_widths(lines, style.lengths, touch)
    pens = rng.choice(np.array([pen for pen, _ in PENS], dtype=object), count, p=[share for _, share in PENS])
    for place, line, width, pen in zip(places, lines, widths, pens, strict=True):
        ink = lay_ink(line, width, style.lengths, size=WORKING)
        crops[place] = normalize_digit(grain(ink, pen, rng, roughness=any_roughness(pen, rng)))


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
    if height < 4 or not (pen_width is None or pen_width > 0):
        raise InputError(f"render_ink() takes height >= 4 and pen_width > 0, got {height} and {pen_width}.")
    (style,) = choose_styles(digit, rng, 1, plain=True)
    lines = write(style, rng, one_hand(rng, 1) if hand is None else hand)
    wide, high = (lines[0].max(axis=0) - lines[0].min(axis=0)).tolist()
    longer = max(1.0, wide / max(high, 1e-3))  # longer side, in heights
    touch = any_touch(rng, 1, width=(rng.uniform(0.07, 0.13) if pen_width is None else pen_width / height) / longer)
    size = round(min(max(2 * height, 96) * longer, LARGEST))
    ink = lay_ink(lines[0], line_widths(lines, style.lengths, touch)[0], style.lengths, size=size)
    rough = any_roughness(pen, rng) if roughness is None else roughness
    return _cut_to_height(grain(ink, pen, rng, roughness=rough), height)


def _cut_to_height(ink: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Cut away the margin and scale to exactly `height` rows."""
    x, y, w, h = cv2.boundingRect((ink > 64).view(np.uint8))
    shape = (max(1, round(w * height / h)), height)
    method = cv2.INTER_AREA if h >= height else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(ink[y : y + h, x : x + w], shape, interpolation=method), np.uint8)
