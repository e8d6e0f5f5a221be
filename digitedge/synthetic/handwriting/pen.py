"""A pen follows a line and leaves ink: width, pressure, nib, grain and rough edges.

Drawn as a binary image four times as fine as the crop and shrunk later, which gives the grey edges of a scan. Width
changes along the line in steps of a few points; finer steps cost time and nobody sees them.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.utils.opencv import cv2

# Points of the line that share one width.
RUN = 4
# Fractional bits of cv2's coordinates.
SHIFT = 4
# Width of a pen that suits its digit, in heights.
USUAL = (0.07, 0.13)
# Width of a line in longer sides of what is drawn, at most: a full stop is a dot.
BROADEST = 0.8
# Longer side of the largest drawing; what is larger still is enlarged. With its margin it fits into the noise.
LARGEST = 640
# Side of the noise that grain is cut from, in pixels.
TILE = 1024


class Pen(StrEnum):
    """What the digit is written with."""

    BALL = "ball"  # even and sharp
    FELT = "felt"  # broad, width follows the direction, soft edges
    PENCIL = "pencil"  # grey, with the grain of the paper
    CHALK = "chalk"  # broad, with holes and crumbling edges; crayon too


# Mean roughness of each pen, see `any_roughness`.
_ROUGHNESS = {Pen.BALL: 14.0, Pen.FELT: 10.0, Pen.PENCIL: 45.0, Pen.CHALK: 60.0}


@dataclass(frozen=True, slots=True, eq=False)
class Touch:
    """How N digits are pressed onto the paper.

    Attributes:
        width: float64 (N,), of the line, in longer sides of the digit.
        pressure: float64 (N, 3), amplitude, waves along the line and phase of the change in width.
        nib: float64 (N, 2), how much broader across the nib's direction (0: round), and that direction in radians.
        taper: float64 (N, 2), how much of the width is missing where a stroke starts and ends.
    """

    width: NDArray[np.float64]
    pressure: NDArray[np.float64]
    nib: NDArray[np.float64]
    taper: NDArray[np.float64]


def sample_touch(rng: np.random.Generator, count: int, *, width: float | None = None, spread: float = 0.33) -> Touch:
    """Press each of `count` digits differently; widths spread like MNIST's unless one is given.

    Args:
        rng: where chance comes from.
        count: N.
        width: of all lines, in longer sides of the digit; None takes any.
        spread: deviation of the logarithm of the width.

    Source:
        Spread of the widths: fitted to the mean ink and to the distance transform of 1,500 MNIST training images.
    """
    widths = np.exp(rng.normal(np.log(0.107), spread, count)).clip(0.04, 0.36)
    return Touch(
        width=widths if width is None else np.full(count, width),
        pressure=np.stack(
            [rng.exponential(0.09, count).clip(0, 0.4), rng.uniform(0.5, 3, count), rng.uniform(0, 6.3, count)], -1
        ),
        nib=np.stack([rng.exponential(0.12, count).clip(0, 0.5), rng.uniform(0, 3.2, count)], -1),
        taper=rng.exponential(0.15, (count, 2)).clip(0, 0.6),
    )


def line_widths(lines: NDArray[np.float64], lengths: tuple[int, ...], touch: Touch) -> NDArray[np.float64]:
    """Give the width of the line at each of its points.

    Args:
        lines: float64 (N, M, 2).
        lengths: points of each stroke; they sum to M.
        touch: how N digits are pressed.

    Returns:
        float64 (N, M), in longer sides of the digit.
    """
    along = np.concatenate([np.linspace(0, 1, length) for length in lengths])
    amplitude, waves, phase = touch.pressure[:, :1], touch.pressure[:, 1:2], touch.pressure[:, 2:]
    pressure = 1 + amplitude * np.sin(2 * np.pi * waves * along + phase)
    taper = 1 - touch.taper[:, :1] * np.exp(-along / 0.08) - touch.taper[:, 1:] * np.exp((along - 1) / 0.12)
    direction = np.gradient(lines, axis=1)
    angle = np.arctan2(direction[..., 1], direction[..., 0])
    nib = 1 + touch.nib[:, :1] * np.cos(2 * (angle - touch.nib[:, 1:]))
    return np.asarray(touch.width[:, None] * pressure * taper * nib, np.float64)


def lay_ink(
    line: NDArray[np.float64], widths: NDArray[np.float64], lengths: tuple[int, ...], *, size: int
) -> NDArray[np.uint8]:
    """Draw the strokes of one digit in white.

    Args:
        line: float64 (M, 2), x and y in any unit.
        widths: float64 (M,), width of the line at each point, in longer sides of the digit.
        lengths: points of each stroke; they sum to M.
        size: of the longer side with its ink, about, in pixels.

    Returns:
        uint8 (H, W), 0 and 255, with a margin of a few pixels.
    """
    low, high = line.min(axis=0), line.max(axis=0)
    thickness = widths * size
    usual = float(thickness.mean())
    scale = max(1.0, size - usual) / max(float((high - low).max()), 1e-3)
    margin = 3 + 0.75 * usual
    columns, rows = np.ceil((high - low) * scale + 2 * margin).astype(int).tolist()
    canvas = np.zeros((rows, columns), np.uint8)
    _draw(canvas, (line - low) * scale + margin, thickness, lengths)
    return canvas


def _draw(
    canvas: NDArray[np.uint8], line: NDArray[np.float64], widths: NDArray[np.float64], lengths: tuple[int, ...]
) -> None:
    """Draw in pixels, RUN points at a time."""
    fixed = np.rint(line * (1 << SHIFT)).astype(np.int32)
    thickness = np.maximum(1, np.rint(widths)).astype(int).tolist()
    start = 0
    for length in lengths:
        stop = start + length
        for first in range(start, stop - 1, RUN):
            run = fixed[first : min(first + RUN + 1, stop)]
            cv2.polylines(canvas, [run], False, 255, thickness[first], cv2.LINE_8, SHIFT)
        start = stop


def sample_roughness(pen: Pen, rng: np.random.Generator) -> float:
    """How rough a pen writes: how far noise moves the edge, in grey levels of an edge five pixels wide."""
    return _ROUGHNESS[pen] * float(0.3 + 0.7 * rng.exponential())


def grain(ink: NDArray[np.uint8], pen: Pen, rng: np.random.Generator, *, roughness: float) -> NDArray[np.uint8]:
    """Give drawn ink the surface of its pen.

    Args:
        ink: uint8 (H, W), up to 1024 pixels a side, 0 and 255.
        pen: what it is written with.
        rng: where chance comes from.
        roughness: see `any_roughness`; under 8 nobody sees it and nothing is done.

    Returns:
        uint8 (H, W): edges no longer perfect; pencil and chalk with holes.
    """
    if roughness < 8:
        return ink
    soft = cv2.blur(ink, (5, 5))
    rough = soft + _noise_like(ink, rng, fine=pen in (Pen.PENCIL, Pen.CHALK)) * np.float32(roughness)
    hard = ((rough - 127) * np.float32(2.0) + 127).clip(0, 255)
    return np.asarray(np.minimum(hard, soft * np.float32(3.0)), np.uint8)  # no ink where the pen did not go


def _noise_like(ink: NDArray[np.uint8], rng: np.random.Generator, *, fine: bool) -> NDArray[np.float32]:
    height, width = ink.shape
    top, left = rng.integers(0, TILE - height + 1), rng.integers(0, TILE - width + 1)
    return _noise(fine)[top : top + height, left : left + width]


@cache
def _noise(fine: bool) -> NDArray[np.float32]:
    """Smooth noise, float32 (TILE, TILE), mean 0, deviation 1; always the same, cut at random places."""
    rng = np.random.default_rng(28)
    noise = cv2.GaussianBlur(rng.standard_normal((TILE, TILE), np.float32), (0, 0), 1.2 if fine else 3.0)
    return np.asarray(noise / noise.std(), np.float32)


def check_pen(height: int, pen_width: float | None) -> None:
    """Refuse what no pen can draw.

    Raises:
        InputError: a height under 4, or a width that is not positive.
    """
    if height < 4 or not (pen_width is None or pen_width > 0):
        raise InputError(f"expected height >= 4 and pen_width > 0, got {height} and {pen_width}. Both are in pixels.")


def draw_line(
    lines: NDArray[np.float64],
    lengths: tuple[int, ...],
    rng: np.random.Generator,
    *,
    longer: float,
    height: int,
    pen_width: float | None,
    pen: Pen,
    roughness: float | None,
) -> NDArray[np.uint8]:
    """Draw one written line, larger than it is wanted, for `fit_ink`.

    Args:
        lines: float64 (1, M, 2), x and y in any unit.
        lengths: points of each stroke; they sum to M.
        rng: where chance comes from.
        longer: longer side of the ink, in heights.
        height: in pixels; the pen suits it.
        pen_width: of the line, in pixels; None chooses one.
        pen: what it is written with.
        roughness: of the ink, as `any_roughness` gives it for the pen; None takes another each time.

    Returns:
        uint8 (H, W), ink bright on 0, cut tight.
    """
    touch = sample_touch(rng, 1, width=(rng.uniform(*USUAL) if pen_width is None else pen_width / height) / longer)
    size = round(min(max(2 * height, 96) * longer, LARGEST))
    ink = lay_ink(lines[0], line_widths(lines, lengths, touch)[0], lengths, size=size)
    ink = grain(ink, pen, rng, roughness=sample_roughness(pen, rng) if roughness is None else roughness)
    x, y, w, h = cv2.boundingRect((ink > 64).view(np.uint8))
    return ink[y : y + h, x : x + w]


def line_ink(
    line: NDArray[np.float64],
    lengths: tuple[int, ...],
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float | None = None,
    pen: Pen = Pen.BALL,
    roughness: float | None = None,
) -> NDArray[np.uint8]:
    """Draw strokes whose size is known, as those of a letter among others.

    Args:
        line: float64 (M, 2), x and y; 1 becomes `height` pixels, of which the pen takes a part.
        lengths: points of each stroke; they sum to M.
        rng: where chance comes from.
        height: in pixels.
        pen_width: of the line, in pixels; None chooses one.
        pen: what it is written with.
        roughness: of the ink, as `any_roughness` gives it for the pen; None takes another each time.

    Returns:
        uint8 (H, W), ink bright on 0, cut tight.

    Examples:
        >>> bar = np.array([[0, 0], [0, 0.25], [0, 0.5]])
        >>> line_ink(bar, (3,), np.random.default_rng(0), height=40, pen_width=4).shape[0]
        22
    """
    width = rng.uniform(*USUAL) * height if pen_width is None else pen_width
    longer = max(float(np.ptp(line, axis=0).max()) * (height - width) + width, width / BROADEST) / height
    ink = draw_line(
        line[None], lengths, rng, longer=longer, height=height, pen_width=width, pen=pen, roughness=roughness
    )
    return fit_ink(ink, max(1, round(longer * height)), of=max(ink.shape))


def fit_ink(ink: NDArray[np.uint8], size: int, *, of: int) -> NDArray[np.uint8]:
    """Scale ink so that `of` of its pixels become `size`."""
    height, width = ink.shape
    shape = (max(1, round(width * size / of)), max(1, round(height * size / of)))
    method = cv2.INTER_AREA if of >= size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(ink, shape, interpolation=method), np.uint8)
