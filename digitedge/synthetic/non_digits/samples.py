"""Non-digits: crops that teach a classifier when to be unsure, and ink for the clutter of scenes.

Outlier exposure (Hendrycks, Mazeika, Dietterich 2019, arXiv:1812.04606) needs everything but digits. What a person
could take for a digit (an O, an upright stroke, a ring) is left out. See docs/decisions/synthetic-non-digits.md.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.drawing import crop_to_ink
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS, LetterSkeleton
from digitedge.synthetic.handwriting.pen import render_strokes
from digitedge.synthetic.handwriting.writer import Writer, sample_skeletons, sample_writers, write_skeleton
from digitedge.synthetic.non_digits.blots import render_blot, render_texture
from digitedge.synthetic.non_digits.doodles import Strokes, sample_lines, sample_outline, sample_scribble
from digitedge.synthetic.non_digits.fragments import (
    render_digit_fragment,
    render_touching_digits,
    render_word_fragment,
    sample_pen_type,
    sample_pen_width,
)
from digitedge.synthetic.non_digits.printed_letters import render_printed_letter
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.opencv import cv2
from digitedge.vision.normalize import normalize_digit


class NonDigit(StrEnum):
    """Kinds of non-digits."""

    LETTER = "letter"  # handwritten
    PRINT = "print"  # printed letters and signs
    SIGN = "sign"
    WORD = "word"  # or a fragment of one
    SCRIBBLE = "scribble"
    FRAGMENT = "fragment"  # of a digit
    PAIR = "pair"  # two or three touching digits
    LINES = "lines"  # of frames, tables and squared paper
    BLOT = "blot"
    TEXTURE = "texture"
    OUTLINE = "outline"


# Height at which the ink of crops is drawn, in pixels: twice that of the crop, so that edges come out grey; and heights
# for a share of them that is as small as fine print and small writing in a frame.
CROP_INK_HEIGHT = 40
SMALL_INK_HEIGHTS = (9, 16)
SMALL_SHARE = 0.2
# How often the kinds come that forms and exercises are full of; the others come once.
_TIMES = {NonDigit.LETTER: 2, NonDigit.PRINT: 2, NonDigit.SIGN: 3}
# Kinds that are kept even if they look like a 1: an i is slim.
_KEPT_IF_SLIM = (NonDigit.LETTER, NonDigit.PRINT, NonDigit.SIGN, NonDigit.WORD, NonDigit.PAIR)
# Ink that counts for the outline of a non-digit, 0 to 255.
_VISIBLE_INK = 32


def synthetic_non_digits(count: int, *, seed: int) -> NDArray[np.uint8]:
    """Render `count` >= 0 crops of non-digits: three times as many signs, twice as many letters as of other kinds.

    The same seed gives the same crops, but PRINT uses OpenCV's fonts, which changed in OpenCV 5.

    Returns:
        uint8 (count, 28, 28), as `normalize_digit` makes them, shuffled.

    Raises:
        InputError: a negative count.
    """
    if count < 0:
        raise InputError(f"synthetic_non_digits() takes a count of 0 or more, got {count}.")
    rng = np.random.default_rng(seed)
    crops = np.zeros((count, CROP_SIZE, CROP_SIZE), np.uint8)
    kinds = [kind for kind in NonDigit for _ in range(_TIMES.get(kind, 1))]
    for crop, kind in zip(crops, rng.permutation(np.resize(kinds, count)), strict=True):
        small = rng.random() < SMALL_SHARE
        height = int(rng.integers(*SMALL_INK_HEIGHTS)) if small else CROP_INK_HEIGHT
        crop[:] = normalize_digit(render_non_digit(NonDigit(kind), rng, height=height))
    return crops


def render_non_digit(kind: NonDigit, rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
    """Render one non-digit: uint8 (H, W), ink bright on 0, cropped to the ink.

    The height, >= 4 pixels, is about that of a capital or a digit of this writing, or the longer side of a drawing.

    Raises:
        InputError: a height under 4.
    """
    if height < 4:
        raise InputError(f"render_non_digit() takes a height of 4 pixels or more, got {height}.")
    while True:
        ink = crop_to_ink(_RENDERERS[kind](rng, height), above=_VISIBLE_INK)
        if kind in _KEPT_IF_SLIM or not looks_like_one(ink):
            return ink


def looks_like_one(ink: NDArray[np.uint8]) -> bool:
    """Tell whether ink is empty, or slim and upright like a 1: long in its own widths, high in widths of its box."""
    if not ink.size:
        return True
    wide, high = cv2.minAreaRect(cv2.findNonZero((ink > _VISIBLE_INK).view(np.uint8)))[1]
    return bool(max(wide, high) > 2.0 * min(wide, high) and ink.shape[0] > 0.6 * ink.shape[1])


def _render_letter(letters: tuple[LetterSkeleton, ...], rng: np.random.Generator, height: int) -> NDArray[np.uint8]:
    """Render any of these letters, a little less loosely than digits: the loosest could be read as anything."""
    (letter,) = sample_skeletons(letters, rng, 1)
    loose, calm = sample_writers(rng, 1), 0.7
    writer = Writer(loose.slant, calm * loose.turn, loose.aspect, calm * loose.looseness)
    line = write_skeleton(letter, rng, writer)[0]
    max_width = 0.18 * float(np.ptp(line, axis=0).max())  # more would fill an e
    return _render_in_ink(np.split(line, np.cumsum(letter.lengths)[:-1]), rng, height, max_width=max_width)


def _render_doodle(
    sample_strokes: Callable[[np.random.Generator], Strokes], rng: np.random.Generator, height: int
) -> NDArray[np.uint8]:
    """Render strokes, their longer side 1; the longer they are, the thinner the pen, or they would merge to a blot."""
    strokes = sample_strokes(rng)
    longer_side = float(np.ptp(np.concatenate(strokes), axis=0).max())
    length = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes) / longer_side
    # They cover 0.6 of their box at the most, if they do not cross.
    return _render_in_ink([stroke / longer_side for stroke in strokes], rng, height, max_width=0.6 / length)


def _render_in_ink(strokes: Strokes, rng: np.random.Generator, height: int, *, max_width: float) -> NDArray[np.uint8]:
    width, pen_type = min(sample_pen_width(rng), max_width) * height, sample_pen_type(rng)
    lengths = tuple(map(len, strokes))
    return render_strokes(np.concatenate(strokes), lengths, rng, height=height, pen_width=width, pen_type=pen_type)


def _unambiguous(table: dict[str, tuple[LetterSkeleton, ...]]) -> tuple[LetterSkeleton, ...]:
    return tuple(letter for letters in table.values() for letter in letters if not letter.ambiguous)


_RENDERERS: dict[NonDigit, Callable[[np.random.Generator, int], NDArray[np.uint8]]] = {
    NonDigit.LETTER: partial(_render_letter, _unambiguous(LETTERS)),
    NonDigit.PRINT: render_printed_letter,
    NonDigit.SIGN: partial(_render_letter, _unambiguous(SIGNS)),
    NonDigit.WORD: render_word_fragment,
    NonDigit.SCRIBBLE: partial(_render_doodle, sample_scribble),
    NonDigit.FRAGMENT: render_digit_fragment,
    NonDigit.PAIR: render_touching_digits,
    NonDigit.LINES: partial(_render_doodle, sample_lines),
    NonDigit.BLOT: render_blot,
    NonDigit.TEXTURE: render_texture,
    NonDigit.OUTLINE: partial(_render_doodle, sample_outline),
}
