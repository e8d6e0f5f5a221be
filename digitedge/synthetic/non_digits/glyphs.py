"""Characters of no script: two to six strokes in a box, for all the writing of the world that holds no digits.

A net that knows the marks of `marks` doubts Latin letters, and yet reads digits in a script that it never saw. With
three in ten marks made like these it believes 36 % in place of 42 % of all marks in photographs that are no digits (275
and 323 of 768; 765 and 767 of 785 digits kept; 4 epochs on 34,000 images).
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.pen import line_ink
from digitedge.synthetic.non_digits.fragments import sample_pen, sample_pen_width
from digitedge.synthetic.non_digits.samples import is_stroke
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.vision.normalize import normalize_digit

# How many strokes a character has, and how often.
STROKES = {2: 0.3, 3: 0.3, 4: 0.2, 5: 0.12, 6: 0.08}
# Strokes that lie or stand, as most do in most scripts; the rest goes anywhere.
LYING, STANDING = 0.3, 0.25
# Strokes that are bent, and how far: deviation of their middle, in heights.
BENT, BEND = 0.45, 0.5
# Shortest stroke, in heights; a dot is in no danger of being read.
SHORTEST = 0.3
_HEIGHT = 40


def synthetic_glyphs(count: int, *, seed: int) -> NDArray[np.uint8]:
    """Make crops of characters that no script has.

    Args:
        count: how many, >= 0.
        seed: the same seed gives the same characters.

    Returns:
        Crops uint8 (count, 28, 28), as `normalize_digit` makes them of marks taken for digits.

    Raises:
        InputError: a negative count.

    Examples:
        >>> synthetic_glyphs(3, seed=1).shape
        (3, 28, 28)
    """
    if count < 0:
        raise InputError(f"synthetic_glyphs() takes a count of 0 or more, got {count}.")
    rng = np.random.default_rng(seed)
    crops = np.zeros((count, CROP_SIZE, CROP_SIZE), np.uint8)
    for crop in crops:
        crop[:] = normalize_digit(render_glyph(rng, height=_HEIGHT))
    return crops


def render_glyph(rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
    """Draw one character.

    Args:
        rng: where chance comes from.
        height: its longer side in pixels, about, >= 4.

    Returns:
        uint8 (H, W), ink bright on 0, cut tight; never one that could be a 1.
    """
    while True:
        ink = _character(rng, height)
        if not is_stroke(ink):
            return ink


def _character(rng: np.random.Generator, height: int) -> NDArray[np.uint8]:
    count = int(rng.choice(list(STROKES), p=list(STROKES.values())))
    strokes = [_stroke(rng) for _ in range(count)]
    line = np.concatenate(strokes) * [rng.uniform(0.5, 1), 1]
    line = (line - line.min(axis=0)) / max(np.ptp(line, axis=0).max(), SHORTEST)
    # The more strokes, the thinner, or they would be a blot.
    width = min(sample_pen_width(rng), 0.3 / np.sqrt(count)) * height
    return line_ink(line, tuple(map(len, strokes)), rng, height=height, pen_width=width, pen=sample_pen(rng))


def _stroke(rng: np.random.Generator) -> NDArray[np.float64]:
    """One stroke in a box of 1 by 1, straight or bent: float64 (24, 2)."""
    start, end = rng.uniform(0, 1, (2, 2))
    direction = rng.random()
    if direction < LYING:
        end[1] = start[1] + rng.normal(0, 0.06)
    elif direction < LYING + STANDING:
        end[0] = start[0] + rng.normal(0, 0.06)
    length = float(np.hypot(*(end - start)))
    if length < SHORTEST:
        end = start + (end - start) / max(length, 1e-3) * SHORTEST
    middle = (start + end) / 2 + rng.normal(0, BEND if rng.random() < BENT else 0.04, 2)
    along = np.linspace(0, 1, 24)[:, None]
    return np.asarray((1 - along) ** 2 * start + 2 * along * (1 - along) * middle + along**2 * end, np.float64)
