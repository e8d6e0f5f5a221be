"""Handwritten digits without a data set: as crops for training, calibration and tests, and as ink for scenes."""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.digit_skeletons import Skeleton
from digitedge.synthetic.handwriting.hollow import draw_hollow_strokes
from digitedge.synthetic.handwriting.pen import (
    PenType,
    add_grain,
    check_pen_size,
    draw_ink,
    draw_strokes,
    line_widths,
    sample_stroke_profile,
    scale_ink,
)
from digitedge.synthetic.handwriting.writer import (
    Writer,
    sample_digit_skeletons,
    sample_single_writer,
    sample_writers,
    write_skeleton,
)
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.vision.normalize import WORKING_SIZE, normalize_digit

# Share of the digits that each pen writes.
PEN_SHARES = ((PenType.BALL, 0.62), (PenType.FELT, 0.2), (PenType.PENCIL, 0.12), (PenType.CHALK, 0.06))
# Share of the digits that are hollow; how broad their strokes are and the pen that draws these, in longer sides.
HOLLOW_SHARE = 0.04
_HOLLOW_WIDTHS = (0.16, 0.28)
_HOLLOW_PEN_WIDTHS = (0.04, 0.07)


def synthetic_digits(count: int, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Render crops of handwritten digits, each by another writer; the same seed gives the same digits.

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
        skeletons = np.array(sample_digit_skeletons(digit, rng, len(places)), dtype=object)
        for skeleton in dict.fromkeys(skeletons.tolist()):
            same = places[skeletons == skeleton]
            # Ones vary more: without loops to fill, any bar is a one.
            crops[same] = _render_crops(skeleton, rng, len(same), spread=0.5 if digit == 1 else 0.33)
    return crops, digits


def _render_crops(skeleton: Skeleton, rng: np.random.Generator, count: int, *, spread: float) -> NDArray[np.uint8]:
    """Render one skeleton as crops, uint8 (count, 28, 28), each by another writer with another pen."""
    crops = np.zeros((count, CROP_SIZE, CROP_SIZE), np.uint8)
    lines = write_skeleton(skeleton, rng, sample_writers(rng, count))
    widths = line_widths(lines, skeleton.lengths, sample_stroke_profile(rng, count, spread=spread))
    pens = rng.choice(np.array([pen for pen, _ in PEN_SHARES], dtype=object), count, p=[p for _, p in PEN_SHARES])
    hollow = rng.random(count) < HOLLOW_SHARE
    for crop, line, width, pen, is_hollow in zip(crops, lines, widths, pens, hollow.tolist(), strict=True):
        if is_hollow:
            broad, pen_width = width / width.mean() * rng.uniform(*_HOLLOW_WIDTHS), rng.uniform(*_HOLLOW_PEN_WIDTHS)
            ink = draw_hollow_strokes(line, broad, skeleton.lengths, rng, size=WORKING_SIZE, pen_width=pen_width)
        else:
            ink = draw_strokes(line, width, skeleton.lengths, size=WORKING_SIZE)
        crop[:] = normalize_digit(add_grain(ink, pen, rng))
    return crops


def render_digit(
    digit: int,
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float,
    pen_type: PenType = PenType.BALL,
    writer: Writer | None = None,
) -> NDArray[np.uint8]:
    """Render the ink of one plain digit: uint8 (height, W), ink bright on 0, cropped to the ink.

    Sizes are in pixels, `height` >= 4. The writer is one for one digit (`Writer.at`); None samples a careful one.

    Raises:
        InputError: not a digit, a height under 4, or a width that is not positive.
    """
    check_pen_size(height, pen_width)
    (skeleton,) = sample_digit_skeletons(digit, rng, 1, plain=True)
    lines = write_skeleton(skeleton, rng, sample_single_writer(rng, 1) if writer is None else writer)
    wide, high = np.ptp(lines[0], axis=0).tolist()
    side = max(1.0, wide / max(high, 1e-3))
    ink = draw_ink(
        lines, skeleton.lengths, rng, longer_side=side, height=height, pen_width=pen_width, pen_type=pen_type
    )
    return scale_ink(ink, height, of=ink.shape[0])
