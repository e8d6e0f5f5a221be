"""Texts without digits, handwritten and printed: words, whole pages of words, and the timestamps of cameras."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import CAPITAL_HEIGHT, crop_to_ink, print_white
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS
from digitedge.synthetic.handwriting.letters import render_letter, render_word, sample_word
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.page.pens import Pen
from digitedge.synthetic.page.writing import MIN_PEN_WIDTH, PlacedInk, paste_ink
from digitedge.utils.boxes import Box, is_free
from digitedge.utils.opencv import cv2

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX)


def print_word(text: str, rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
    """Print a word, its capitals about `height` pixels high: uint8 (H, W), ink bright on 0, cropped to the ink."""
    font, scale = _FONTS[rng.integers(len(_FONTS))], height / CAPITAL_HEIGHT
    thickness = max(1, round(1.6 * scale))
    (width, above), below = cv2.getTextSize(text, font, scale, thickness)
    ink = np.zeros((above + below + 2 * thickness, width + 2 * thickness), np.uint8)
    print_white(ink, text, (thickness, above + thickness), font=font, height=height, thickness=thickness)
    return crop_to_ink(ink, above=0)


def sample_text(
    rng: np.random.Generator,
    pen: Pen,
    *,
    height: int,
    joined: bool = False,
    printed: bool = False,
    capitals: bool = False,
) -> NDArray[np.uint8]:
    """Write or print a random word, its capitals about `height` pixels high: uint8 (H, W), ink bright on 0."""
    word = sample_word(rng).upper() if capitals else sample_word(rng)
    if printed:
        return print_word(word, rng, height=height)
    pen_width = letter_pen_width(pen, height)
    return render_word(word, rng, height=height, pen_width=pen_width, pen_type=pen.type, joined=joined)


def letter_pen_width(pen: Pen, height: int) -> float:
    """Return the stroke width of a pen in letters of this height, in pixels."""
    return max(MIN_PEN_WIDTH, pen.width * height)


def add_timestamp(frame: NDArray[np.uint8], rng: np.random.Generator, boxes: Sequence[Box]) -> Box | None:
    """Print a date or a file name into a free corner of a frame, uint8 (H, W, 3), in place, as cameras do.

    Returns:
        The box of the text; None if every corner overlaps one of the boxes.
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
            paste_ink(frame, PlacedInk(ink, x, y, Pen(PenType.FELT, colour, 1.0, 0.1)))
            return x, y, w, h
    return None


def fill_with_words(page: NDArray[np.uint8], rng: np.random.Generator, pen: Pen, *, pitch: float, slope: float) -> None:
    """Write a page of words, in place: sentences, a list, an alphabet or one large word.

    `pitch` is the distance of the rows in pixels, `slope` is in radians.
    """
    height, width = page.shape[:2]
    capital = max(10, round(pitch * rng.uniform(0.45, 0.7)))
    joined, spelled, printed, capitals = rng.random(4) < [0.5, 0.25, 0.2, 0.3]
    left, right = width * rng.uniform(0.06, 0.25), width * rng.uniform(0.7, 0.97)
    for foot in np.arange(0.1 * height + pitch, 0.95 * height, pitch)[: rng.integers(1, 12)].tolist():
        if rng.random() < 0.12:
            continue
        x = left + rng.exponential(0.2) * capital
        while True:
            if spelled:
                sign = str(rng.choice(list(LETTERS if rng.random() < 0.9 else SIGNS)))
                pen_width = letter_pen_width(pen, capital)
                ink = render_letter(sign, rng, height=capital, pen_width=pen_width, pen_type=pen.type)
            else:
                ink = sample_text(rng, pen, height=capital, joined=joined, printed=printed, capitals=capitals)
            if x + ink.shape[1] > right:
                break
            y = foot - ink.shape[0] + np.tan(slope) * (x - width / 2)
            paste_ink(page, PlacedInk(ink, round(x), round(y), pen))
            x += ink.shape[1] + capital * rng.uniform(0.4, 0.9)
            if rng.random() < 0.08:
                break
