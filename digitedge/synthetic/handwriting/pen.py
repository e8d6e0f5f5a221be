"""A pen follows a line and leaves ink: stroke width, pressure, nib, grain and rough edges.

Ink is drawn as a binary image larger than needed and scaled down, which gives the grey edges of a scan.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.drawing import SUBPIXEL_BITS, crop_to_ink, to_subpixels
from digitedge.utils.opencv import cv2, resize

# Points of the line that share one stroke width; fewer cost time and look the same.
POINTS_PER_WIDTH = 4
# Largest stroke width, in longer sides of what is drawn: a full stop is a dot.
MAX_PEN_WIDTH = 0.8
# Longer side of the largest drawing in pixels; larger ink is scaled up. With its margin it fits into the noise.
MAX_DRAWING_SIZE = 640
# Side of the noise that the grain is cut from, in pixels.
NOISE_SIZE = 1024


class PenType(StrEnum):
    """What is written with."""

    BALL = "ball"  # even and sharp
    FELT = "felt"  # broad, soft edges
    PENCIL = "pencil"  # with the grain of the paper
    CHALK = "chalk"  # broad, with holes and crumbling edges; crayon too


# Mean roughness, see `sample_roughness`.
_ROUGHNESS = {PenType.BALL: 14.0, PenType.FELT: 10.0, PenType.PENCIL: 45.0, PenType.CHALK: 60.0}


@dataclass(frozen=True, slots=True, eq=False)
class StrokeProfile:
    """How the stroke width of N digits changes along the line.

    Attributes:
        width: float64 (N,), in longer sides of the digit.
        pressure: float64 (N, 3), amplitude, number of waves and phase of the change along the line.
        nib: float64 (N, 2), how much broader the line is across the nib (0: round), and the nib's angle in radians.
        taper: float64 (N, 2), share of the width that is missing at the start and the end of the line.
    """

    width: NDArray[np.float64]
    pressure: NDArray[np.float64]
    nib: NDArray[np.float64]
    taper: NDArray[np.float64]


def sample_stroke_profile(
    rng: np.random.Generator, count: int, *, width: float | None = None, spread: float = 0.33
) -> StrokeProfile:
    """Sample the stroke profiles of `count` digits, their widths given in longer sides of the digit, or as in MNIST.

    `spread` is the standard deviation of the logarithm of the width.

    Source:
        Widths: fitted to the mean ink and to the distance transform of 1,500 MNIST training images.
    """
    widths = np.exp(rng.normal(np.log(0.107), spread, count)).clip(0.04, 0.36)
    return StrokeProfile(
        width=widths if width is None else np.full(count, width),
        pressure=np.stack(
            [rng.exponential(0.09, count).clip(0, 0.4), rng.uniform(0.5, 3, count), rng.uniform(0, 6.3, count)], -1
        ),
        nib=np.stack([rng.exponential(0.12, count).clip(0, 0.5), rng.uniform(0, 3.2, count)], -1),
        taper=rng.exponential(0.15, (count, 2)).clip(0, 0.6),
    )


def line_widths(lines: NDArray[np.float64], lengths: tuple[int, ...], profile: StrokeProfile) -> NDArray[np.float64]:
    """Compute the stroke width at each point of lines, float64 (N, M, 2): float64 (N, M), in longer sides of the digit.

    `lengths` are the points of each stroke; they sum to M.
    """
    along = np.concatenate([np.linspace(0, 1, length) for length in lengths])
    amplitude, waves, phase = profile.pressure[:, :1], profile.pressure[:, 1:2], profile.pressure[:, 2:]
    pressure = 1 + amplitude * np.sin(2 * np.pi * waves * along + phase)
    taper = 1 - profile.taper[:, :1] * np.exp(-along / 0.08) - profile.taper[:, 1:] * np.exp((along - 1) / 0.12)
    direction = np.gradient(lines, axis=1)
    angle = np.arctan2(direction[..., 1], direction[..., 0])
    nib = 1 + profile.nib[:, :1] * np.cos(2 * (angle - profile.nib[:, 1:]))
    return np.asarray(profile.width[:, None] * pressure * taper * nib, np.float64)


def draw_strokes(
    line: NDArray[np.float64], widths: NDArray[np.float64], lengths: tuple[int, ...], *, size: int
) -> NDArray[np.uint8]:
    """Draw the strokes of one digit in white: uint8 (H, W), 0 and 255, with a margin of a few pixels.

    Args:
        line: float64 (M, 2), x and y in any unit.
        widths: float64 (M,), stroke width at each point, in longer sides of the digit.
        lengths: points of each stroke; they sum to M.
        size: about the longer side of the ink, in pixels.
    """
    low, high = line.min(axis=0), line.max(axis=0)
    thickness = widths * size
    mean_thickness = float(thickness.mean())
    scale = max(1.0, size - mean_thickness) / max(float((high - low).max()), 1e-3)
    margin = 3 + 0.75 * mean_thickness
    columns, rows = np.ceil((high - low) * scale + 2 * margin).astype(int).tolist()
    canvas = np.zeros((rows, columns), np.uint8)
    draw_strokes_on(canvas, (line - low) * scale + margin, thickness, lengths)
    return canvas


def draw_strokes_on(
    canvas: NDArray[np.uint8],
    points: NDArray[np.float64],
    thickness: NDArray[np.float64],
    lengths: tuple[int, ...],
    *,
    points_per_width: int = POINTS_PER_WIDTH,
) -> None:
    """Draw strokes in white on a canvas, in place: points (M, 2) and stroke width at each point (M,), in pixels."""
    fixed = to_subpixels(points)
    pixels = np.maximum(1, np.rint(thickness)).astype(int).tolist()
    start = 0
    for length in lengths:
        stop = start + length
        for first in range(start, stop - 1, points_per_width):
            run = fixed[first : min(first + points_per_width + 1, stop)]
            cv2.polylines(canvas, [run], False, 255, pixels[first], cv2.LINE_8, SUBPIXEL_BITS)
        start = stop


def add_grain(ink: NDArray[np.uint8], pen_type: PenType, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Roughen the edges of drawn ink, uint8 (H, W), up to NOISE_SIZE a side; pencil and chalk also get holes.

    Ink whose grain would not be visible is returned as it is.
    """
    # How far noise moves the edge, in grey levels of an edge five pixels wide.
    roughness = _ROUGHNESS[pen_type] * float(0.3 + 0.7 * rng.exponential())
    if roughness < 8:  # it would not be visible
        return ink
    soft = cv2.blur(ink, (5, 5))
    height, width = ink.shape
    top, left = rng.integers(0, NOISE_SIZE - height + 1), rng.integers(0, NOISE_SIZE - width + 1)
    noise = _noise(pen_type in (PenType.PENCIL, PenType.CHALK))[top : top + height, left : left + width]
    rough = soft + noise * np.float32(roughness)
    hard = ((rough - 127) * np.float32(2.0) + 127).clip(0, 255)
    return np.asarray(np.minimum(hard, soft * np.float32(3.0)), np.uint8)  # no ink where the pen did not go


@cache
def _noise(fine: bool) -> NDArray[np.float32]:
    """Fixed smooth noise, float32 (NOISE_SIZE, NOISE_SIZE), mean 0, deviation 1."""
    rng = np.random.default_rng(28)
    noise = cv2.GaussianBlur(rng.standard_normal((NOISE_SIZE, NOISE_SIZE), np.float32), (0, 0), 1.2 if fine else 3.0)
    return np.asarray(noise / noise.std(), np.float32)


def check_pen_size(height: int, pen_width: float) -> None:
    """Raise InputError for a height under 4 or a pen width that is not positive."""
    if height < 4 or not pen_width > 0:
        raise InputError(f"expected height >= 4 and pen_width > 0, got {height} and {pen_width}. Both are in pixels.")


def draw_ink(
    lines: NDArray[np.float64],
    lengths: tuple[int, ...],
    rng: np.random.Generator,
    *,
    longer_side: float,
    height: int,
    pen_width: float,
    pen_type: PenType,
) -> NDArray[np.uint8]:
    """Draw one written line (1, M, 2) for `render_strokes`, usually larger than needed; `longer_side` is in heights."""
    profile = sample_stroke_profile(rng, 1, width=pen_width / height / longer_side)
    size = round(min(max(2 * height, 96) * longer_side, MAX_DRAWING_SIZE))
    ink = draw_strokes(lines[0], line_widths(lines, lengths, profile)[0], lengths, size=size)
    grained = crop_to_ink(add_grain(ink, pen_type, rng), above=64)
    return grained if grained.size else crop_to_ink(ink, above=0)  # the pencil left nothing of a dot


def render_strokes(
    line: NDArray[np.float64],
    lengths: tuple[int, ...],
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float,
    pen_type: PenType = PenType.BALL,
) -> NDArray[np.uint8]:
    """Render strokes of a known size, such as a letter among others: uint8 (H, W), ink bright on 0, cropped to the ink.

    In the line (M, 2), 1 becomes `height` pixels, including the stroke width; the points of all strokes sum to M.

    Examples:
        >>> bar = np.array([[0, 0], [0, 0.25], [0, 0.5]])
        >>> render_strokes(bar, (3,), np.random.default_rng(0), height=40, pen_width=4).shape[0]
        22
    """
    size = float(np.ptp(line, axis=0).max()) * (height - pen_width) + pen_width
    longer_side = max(size, pen_width / MAX_PEN_WIDTH) / height
    ink = draw_ink(
        line[None], lengths, rng, longer_side=longer_side, height=height, pen_width=pen_width, pen_type=pen_type
    )
    return scale_ink(ink, max(1, round(longer_side * height)), of=max(ink.shape))


def scale_ink(ink: NDArray[np.uint8], size: int, *, of: int) -> NDArray[np.uint8]:
    """Scale ink so that `of` of its pixels become `size`."""
    height, width = ink.shape
    shape = (max(1, round(width * size / of)), max(1, round(height * size / of)))
    return resize(ink, shape, cv2.INTER_AREA if of >= size else cv2.INTER_CUBIC)
