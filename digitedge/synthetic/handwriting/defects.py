"""Digits that are hard to see whole: retraced or hollow, displaced strokes, gaps, a dry or lightly pressed pen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import crop_to_ink
from digitedge.synthetic.handwriting.hollow import draw_hollow_strokes
from digitedge.synthetic.handwriting.pen import (
    MAX_DRAWING_SIZE,
    PenType,
    add_grain,
    draw_strokes,
    line_widths,
    sample_stroke_profile,
    scale_ink,
)
from digitedge.synthetic.handwriting.writer import Writer, sample_digit_skeletons, write_skeleton
from digitedge.synthetic.noise import fine_noise, smooth_noise
from digitedge.utils.opencv import as_uint8, cv2, resize

# Largest distance of a retraced line, in heights, however broad the pen: beyond it a 1 becomes a knot.
MAX_RETRACE_DISTANCE = 0.07
# Ink that counts for the outline of a digit, 0 to 255; paler ink is lost in the blur of any camera.
VISIBLE_INK = 72


@dataclass(frozen=True, slots=True)
class Defects:
    """What makes the digits of a page imperfect.

    Attributes:
        retraces: how often the pen draws the line, >= 1; hollow digits are drawn once.
        displacement: of the last stroke of a digit, in heights.
        gaps: places where ink is missing.
        dryness: 0 to 1, share of the ink that the grain of the paper leaves out.
        unevenness: 0 to 1, how much paler the line gets where the writer presses less.
        hollow: width of the strokes that the pen draws the outline of, in heights; 0 for usual strokes.
    """

    retraces: int = 1
    displacement: float = 0.0
    gaps: int = 0
    dryness: float = 0.0
    unevenness: float = 0.0
    hollow: float = 0.0


NO_DEFECTS = Defects()


def render_digit_with_defects(
    digit: int,
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float,
    pen_type: PenType,
    writer: Writer,
    defects: Defects = NO_DEFECTS,
) -> NDArray[np.uint8]:
    """Render the ink of one digit of a page: uint8 (height, W), ink bright on 0, cropped to ink of VISIBLE_INK.

    The height, >= 4, is in pixels, the width of the pen in heights; the writer is one for one digit.
    """
    (skeleton,) = sample_digit_skeletons(digit, rng, 1, plain=True)
    line = write_skeleton(skeleton, rng, writer)[0]
    if len(skeleton.lengths) > 1:
        line[-skeleton.lengths[-1] :] += defects.displacement * _sample_direction(rng)
    wide, high = np.ptp(line, axis=0).tolist()
    longer_side = max(1.0, wide / max(high, 1e-3))  # in heights
    profile = sample_stroke_profile(rng, 1, width=(defects.hollow or pen_width) / longer_side)
    widths = line_widths(line[None], skeleton.lengths, profile)[0]
    size = round(min(max(2 * height, 96) * longer_side, MAX_DRAWING_SIZE))
    if defects.hollow:
        ink = draw_hollow_strokes(line, widths, skeleton.lengths, rng, size=size, pen_width=pen_width / longer_side)
    else:
        line, widths = _retrace(line, widths, rng, defects.retraces, pen_width)
        ink = draw_strokes(line, widths, skeleton.lengths * defects.retraces, size=size)
    ink = _wear(add_grain(ink, pen_type, rng), rng, defects, pen_width * size / longer_side)
    ink = crop_to_ink(ink, above=VISIBLE_INK - 1)
    return scale_ink(ink, height, of=ink.shape[0])


def _sample_direction(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _retrace(
    line: NDArray[np.float64], widths: NDArray[np.float64], rng: np.random.Generator, times: int, pen_width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Repeat the line with a thinner pen, each time a little displaced."""
    if times == 1:
        return line, widths
    along = np.linspace(0, 1, len(line))[:, None]
    waves = rng.uniform(1, 6, (times, 1, 2)) * along + rng.uniform(0, 1, (times, 1, 2))
    distance = min(pen_width, MAX_RETRACE_DISTANCE)
    offsets = 0.45 * distance * np.sin(2 * np.pi * waves) + rng.normal(0, 0.2 * distance, (times, 1, 2))
    return (line + offsets).reshape(-1, 2), np.tile(widths * (0.4 + 0.3 / times), times)


def _wear(ink: NDArray[np.uint8], rng: np.random.Generator, defects: Defects, thickness: float) -> NDArray[np.uint8]:
    """Remove ink: gaps across the line, the grain of the paper, less pressure in places."""
    worn = ink.copy()
    places = np.argwhere(ink > 128)
    for _ in range(defects.gaps if len(places) else 0):
        y, x = places[rng.integers(len(places))].tolist()
        dx, dy = (1.6 * thickness * _sample_direction(rng)).tolist()
        gap_width = max(2, round(thickness * rng.uniform(0.5, 1.6)))
        cv2.line(worn, (round(x - dx), round(y - dy)), (round(x + dx), round(y + dy)), 0, gap_width, cv2.LINE_AA)
    if defects.dryness:
        left = fine_noise(rng, (ink.shape[0] // 2 + 1, ink.shape[1] // 2 + 1)).astype(np.float32)
        left = (left - 128 + 75 * (1 - defects.dryness)) * np.float32(5) + 100
        holes = resize(left.clip(0, 255).astype(np.uint8), ink.shape[::-1], cv2.INTER_LINEAR)
        worn = as_uint8(cv2.multiply(worn, holes, scale=1 / 255))
    if defects.unevenness:
        pressure = smooth_noise(rng, ink.shape, max(ink.shape) / 4).astype(np.float32) / 128
        worn = (worn * (1 - defects.unevenness * pressure.clip(0, 1))).astype(np.uint8)
    return worn if (worn >= VISIBLE_INK).sum() > 0.3 * (ink >= VISIBLE_INK).sum() else ink
