"""Texts that are no digits: words by hand and in print, whole pages of them, and what cameras print on images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS
from digitedge.synthetic.handwriting.letters import render_letter, sample_word, write_word
from digitedge.synthetic.handwriting.pen import Pen
from digitedge.synthetic.page.occluders import is_free
from digitedge.synthetic.page.surface import Tool
from digitedge.synthetic.page.writing import LEAST_PEN, Placed, put
from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX)
# Height of a capital in cv2's fonts at scale 1, in pixels.
_CAPITAL = 22


def print_word(text: str, rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
    """Print a word, its capitals about `height` pixels high: uint8 (H, W), ink bright on 0, cut tight."""
    font, scale = _FONTS[rng.integers(len(_FONTS))], height / _CAPITAL
    thick = max(1, round(1.6 * scale))
    (width, above), below = cv2.getTextSize(text, font, scale, thick)
    ink = np.zeros((above + below + 2 * thick, width + 2 * thick), np.uint8)
    cv2.putText(ink, text, (thick, above + thick), font, scale, 255, thick, cv2.LINE_AA)
    x, y, w, h = cv2.boundingRect(ink)
    return ink[y : y + h, x : x + w]


def sample_text(
    rng: np.random.Generator,
    tool: Tool,
    *,
    height: int,
    joined: bool = False,
    printed: bool = False,
    capitals: bool = False,
) -> NDArray[np.uint8]:
    """Write or print any word, its capitals about `height` pixels high: uint8 (H, W), ink bright on 0."""
    word = sample_word(rng).upper() if capitals else sample_word(rng)
    if printed:
        return print_word(word, rng, height=height)
    return write_word(rng, height=height, text=word, pen_width=line_width(tool, height), pen=tool.pen, joined=joined)


def line_width(tool: Tool, height: int) -> float:
    """Width of the line for letters of a height, in pixels."""
    return max(LEAST_PEN, tool.width * height)


def stamp(frame: NDArray[np.uint8], rng: np.random.Generator, boxes: Sequence[Box]) -> Box | None:
    """Print a date or a file name into a free corner of a frame, in place, as cameras do.

    Args:
        frame: uint8 (H, W, 3), BGR.
        rng: where chance comes from.
        boxes: x, y, width, height of what must stay free.

    Returns:
        x, y, width, height of the text; None where no corner was free.
    """
    height, width = frame.shape[:2]
    year, month, day = 2000 + int(rng.integers(30)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    texts = (
        f"{day:02}.{month:02}.{year}",
        f"{year}/{month:02}/{day:02} {day % 24:02}:{year % 60:02}",
        f"IMG_{rng.integers(10**4)}",
        sample_word(rng),
    )
    ink = print_word(texts[rng.integers(len(texts))], rng, height=max(8, round(height * rng.uniform(0.02, 0.05))))
    colour = ((40, 140, 250), (250, 250, 250), (20, 20, 20), (60, 60, 230))[rng.integers(4)]
    h, w = ink.shape
    pad = 4 + height // 60
    for corner in rng.permutation(4).tolist():
        x, y = (pad, width - w - pad)[corner % 2], (pad, height - h - pad)[corner // 2]
        if is_free((x, y, w, h), boxes):
            put(frame, Placed(ink, x, y, Tool(Pen.FELT, colour, 1.0, 0.1)))
            return x, y, w, h
    return None


def fill_with_words(
    page: NDArray[np.uint8], rng: np.random.Generator, tool: Tool, *, pitch: float, slope: float
) -> None:
    """Write a page of words, in place: sentences, a list, an alphabet or one big word."""
    height, width = page.shape[:2]
    high = max(10, round(pitch * rng.uniform(0.45, 0.7)))
    joined, spelled, printed, capitals = rng.random(4) < [0.5, 0.25, 0.2, 0.3]
    left, right = width * rng.uniform(0.06, 0.25), width * rng.uniform(0.7, 0.97)
    for foot in np.arange(0.1 * height + pitch, 0.95 * height, pitch)[: rng.integers(1, 12)].tolist():
        if rng.random() < 0.12:
            continue
        x = left + rng.exponential(0.2) * high
        while True:
            if spelled:
                sign = str(rng.choice(list(LETTERS if rng.random() < 0.9 else SIGNS)))
                ink = render_letter(sign, rng, height=high, pen_width=line_width(tool, high), pen=tool.pen)
            else:
                ink = sample_text(rng, tool, height=high, joined=joined, printed=printed, capitals=capitals)
            if x + ink.shape[1] > right:
                break
            y = foot - ink.shape[0] + np.tan(slope) * (x - width / 2)
            put(page, Placed(ink, round(x), round(y), tool))
            x += ink.shape[1] + high * rng.uniform(0.4, 0.9)
            if rng.random() < 0.08:
                break
