"""Digits that are hard to see whole: retraced, with strokes apart, with gaps, from a dry or a hardly pressed pen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.pen import Pen, grain, lay_ink, line_widths, sample_roughness, sample_touch
from digitedge.synthetic.handwriting.writer import Hand, choose_styles, write
from digitedge.synthetic.noise import clouds, fine_noise
from digitedge.utils.opencv import cv2

# Longer side of the largest drawing in pixels; what is larger still is enlarged.
LARGEST = 640
# How far a retraced line strays, in heights, however broad the pen: further, a 1 becomes a knot.
BESIDE = 0.07
# Ink that counts for the outline of a digit, 0 to 255; what is paler is lost in the blur of any camera.
VISIBLE = 72


@dataclass(frozen=True, slots=True)
class Manner:
    """What goes wrong, or is done thoroughly, while writing.

    Attributes:
        retraces: how often the pen goes over the line, >= 1.
        apart: how far the strokes of a digit come apart, in heights.
        gaps: places where ink is missing.
        dry: 0 to 1, how much of the ink the grain of the paper leaves out.
        uneven: 0 to 1, how much paler the line gets where the hand presses less.
    """

    retraces: int = 1
    apart: float = 0.0
    gaps: int = 0
    dry: float = 0.0
    uneven: float = 0.0


NEAT = Manner()


def hard_ink(
    digit: int,
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float,
    pen: Pen,
    hand: Hand,
    manner: Manner = NEAT,
) -> NDArray[np.uint8]:
    """Draw one digit.

    Args:
        digit: 0 to 9.
        rng: where chance comes from.
        height: of the ink, in pixels, >= 4.
        pen_width: of the line, in heights, > 0.
        pen: what it is written with.
        hand: habits of the writer, for one digit.
        manner: what goes wrong.

    Returns:
        uint8 (height, W), ink bright on 0, cut tight at VISIBLE.

    Examples:
        >>> from digitedge.synthetic.handwriting.writer import one_hand
        >>> rng = np.random.default_rng(0)
        >>> hard_ink(5, rng, height=40, pen_width=0.1, pen=Pen.PENCIL, hand=one_hand(rng, 1)).shape[0]
        40
    """
    (style,) = choose_styles(digit, rng, 1, plain=True)
    line = write(style, rng, hand)[0]
    if len(style.lengths) > 1:
        line[-style.lengths[-1] :] += manner.apart * _sample_direction(rng)
    wide, high = np.ptp(line, axis=0).tolist()
    longer = max(1.0, wide / max(high, 1e-3))  # longer side, in heights
    touch = sample_touch(rng, 1, width=pen_width / longer)
    widths = line_widths(line[None], style.lengths, touch)[0]
    line, widths = _retrace(line, widths, rng, manner.retraces, pen_width)
    size = round(min(max(2 * height, 96) * longer, LARGEST))
    ink = lay_ink(line, widths, style.lengths * manner.retraces, size=size)
    ink = grain(ink, pen, rng, roughness=sample_roughness(pen, rng))
    return _cut_tight(_wear(ink, rng, manner, pen_width * size / longer), height)


def _sample_direction(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _retrace(
    line: NDArray[np.float64], widths: NDArray[np.float64], rng: np.random.Generator, times: int, pen_width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Follow the line again and again with a thinner pen, each time a little beside it."""
    if times == 1:
        return line, widths
    along = np.linspace(0, 1, len(line))[:, None]
    waves = rng.uniform(1, 6, (times, 1, 2)) * along + rng.uniform(0, 1, (times, 1, 2))
    away = min(pen_width, BESIDE)
    beside = 0.45 * away * np.sin(2 * np.pi * waves) + rng.normal(0, 0.2 * away, (times, 1, 2))
    return (line + beside).reshape(-1, 2), np.tile(widths * (0.4 + 0.3 / times), times)


def _wear(ink: NDArray[np.uint8], rng: np.random.Generator, manner: Manner, thickness: float) -> NDArray[np.uint8]:
    """Take ink away: gaps across the line, the grain of the paper, less pressure in places."""
    worn = ink.copy()
    places = np.argwhere(ink > 128)
    for _ in range(manner.gaps if len(places) else 0):
        y, x = places[rng.integers(len(places))].tolist()
        reach = 1.6 * thickness * _sample_direction(rng)
        ends = [(round(x + way * reach[0]), round(y + way * reach[1])) for way in (-1, 1)]
        cv2.line(worn, ends[0], ends[1], 0, max(2, round(thickness * rng.uniform(0.5, 1.6))), cv2.LINE_AA)
    if manner.dry:
        left = fine_noise(rng, (ink.shape[0] // 2 + 1, ink.shape[1] // 2 + 1)).astype(np.float32)
        left = (left - 128 + 75 * (1 - manner.dry)) * np.float32(5) + 100
        holes = cv2.resize(left.clip(0, 255).astype(np.uint8), ink.shape[::-1], interpolation=cv2.INTER_LINEAR)
        worn = np.asarray(cv2.multiply(worn, holes, scale=1 / 255), np.uint8)
    if manner.uneven:
        press = clouds(rng, ink.shape, max(ink.shape) / 4).astype(np.float32) / 128
        worn = (worn * (1 - manner.uneven * press.clip(0, 1))).astype(np.uint8)
    return worn if (worn >= VISIBLE).sum() > 0.3 * (ink >= VISIBLE).sum() else ink


def _cut_tight(ink: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Cut the margin away and scale to exactly `height` rows."""
    x, y, w, h = cv2.boundingRect((ink >= VISIBLE).view(np.uint8))
    shape = (max(1, round(w * height / h)), height)
    method = cv2.INTER_AREA if h >= height else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(ink[y : y + h, x : x + w], shape, interpolation=method), np.uint8)
