"""Characters of no script: two to six strokes in a box, in place of all scripts of the world.

See docs/decisions/synthetic-non-digits.md.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.pen import render_strokes
from digitedge.synthetic.non_digits.fragments import sample_pen_type, sample_pen_width
from digitedge.synthetic.non_digits.samples import CROP_INK_HEIGHT, looks_like_one
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.vision.normalize import normalize_digit

# Share of the characters with so many strokes.
STROKE_COUNTS = {2: 0.3, 3: 0.3, 4: 0.2, 5: 0.12, 6: 0.08}
# Share of horizontal and of vertical strokes, which most scripts prefer; the rest has any direction.
HORIZONTAL = 0.3
VERTICAL = 0.25
# Share of the strokes that are bent, and the standard deviation of their middle, in heights.
BENT = 0.45
BEND = 0.5
# Length of the shortest stroke, in heights; shorter ones are dots, which are never read.
MIN_STROKE_LENGTH = 0.3


def synthetic_glyphs(count: int, *, seed: int) -> NDArray[np.uint8]:
    """Render `count` >= 0 crops of characters that no script has, uint8 (count, 28, 28), made by `normalize_digit`.

    Raises:
        InputError: a negative count.
    """
    if count < 0:
        raise InputError(f"synthetic_glyphs() takes a count of 0 or more, got {count}.")
    rng = np.random.default_rng(seed)
    crops = np.zeros((count, CROP_SIZE, CROP_SIZE), np.uint8)
    for crop in crops:
        crop[:] = normalize_digit(render_glyph(rng, height=CROP_INK_HEIGHT))
    return crops


def render_glyph(rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
    """Render one character, about `height` >= 4 pixels long and never like a 1: uint8 (H, W), cropped to the ink."""
    while True:
        count = int(rng.choice(list(STROKE_COUNTS), p=list(STROKE_COUNTS.values())))
        strokes = [_sample_stroke(rng) for _ in range(count)]
        line = np.concatenate(strokes) * [rng.uniform(0.5, 1), 1]
        line = (line - line.min(axis=0)) / max(np.ptp(line, axis=0).max(), MIN_STROKE_LENGTH)
        # The more strokes, the thinner, or they would merge to a blot.
        width = min(sample_pen_width(rng), 0.3 / np.sqrt(count)) * height
        lengths, pen_type = tuple(map(len, strokes)), sample_pen_type(rng)
        ink = render_strokes(line, lengths, rng, height=height, pen_width=width, pen_type=pen_type)
        if not looks_like_one(ink):
            return ink


def _sample_stroke(rng: np.random.Generator) -> NDArray[np.float64]:
    """Sample one stroke in a box of 1 by 1, straight or bent: float64 (24, 2)."""
    start, end = rng.uniform(0, 1, (2, 2))
    direction = rng.random()
    if direction < HORIZONTAL:
        end[1] = start[1] + rng.normal(0, 0.06)
    elif direction < HORIZONTAL + VERTICAL:
        end[0] = start[0] + rng.normal(0, 0.06)
    length = float(np.hypot(*(end - start)))
    if length < MIN_STROKE_LENGTH:
        end = start + (end - start) / max(length, 1e-3) * MIN_STROKE_LENGTH
    middle = (start + end) / 2 + rng.normal(0, BEND if rng.random() < BENT else 0.04, 2)
    along = np.linspace(0, 1, 24)[:, None]
    return np.asarray((1 - along) ** 2 * start + 2 * along * (1 - along) * middle + along**2 * end, np.float64)
