"""Marks that are no digits, to teach a net when to be unsure and to litter scenes with.

Outlier exposure (Hendrycks, Mazeika, Dietterich 2019, arXiv:1812.04606) asks for everything but digits: letters, signs,
scribbles, pieces of digits, two digits in one, ruled lines, blots, textures, outlines. What a person could take for a
digit (an O, an upright stroke, a ring) is left out: it would teach the net to doubt digits.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS, Letter
from digitedge.synthetic.handwriting.pen import line_ink
from digitedge.synthetic.handwriting.writer import Hand, sample_hands, write
from digitedge.synthetic.non_digits.blots import blot, texture
from digitedge.synthetic.non_digits.doodles import Strokes, outline, ruled_lines, scribble
from digitedge.synthetic.non_digits.fragments import fragment, sample_pen, sample_pen_width, several_digits, word_piece
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.opencv import cv2
from digitedge.vision.normalize import normalize_digit


class Mark(StrEnum):
    """What a mark is, if it is no digit."""

    LETTER = "letter"  # by hand
    PRINT = "print"  # letters of a printer
    SIGN = "sign"
    WORD = "word"  # or a piece of one
    SCRIBBLE = "scribble"
    FRAGMENT = "fragment"  # a piece of a digit
    PAIR = "pair"  # two digits or three
    LINES = "lines"  # of frames, tables and squared paper
    BLOT = "blot"
    TEXTURE = "texture"
    OUTLINE = "outline"


# Height at which marks for crops are drawn, in pixels: twice the crop's own, so that edges come out grey.
_HEIGHT = 40
# Kinds that are as they are written: an i is slim.
_WRITTEN = (Mark.LETTER, Mark.PRINT, Mark.SIGN, Mark.WORD, Mark.PAIR)
# Longer than this in its own widths, and higher than this in its box's, a mark is a 1.
_SLIM, _LYING = 2.0, 0.6
# Ink that counts for the outline of a mark, 0 to 255.
_VISIBLE = 32
# Width of the line in the letter's own size, at most, or an e would be filled.
_BROAD = 0.18
# Share of its box that a drawing covers, at most, as far as its lines do not cross.
_FILLED = 0.6
_PRINTED = "AaCcEeFfHhJjKkLMmNnPpRrTtUuVvWwXxY#%@+="  # not those that could be digits
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def synthetic_marks(count: int, *, seed: int) -> NDArray[np.uint8]:
    """Make crops of marks that are no digits.

    Args:
        count: how many, >= 0.
        seed: the same seed gives the same marks. (PRINT depends on OpenCV's own fonts: they changed in OpenCV 5.)

    Returns:
        Crops uint8 (count, 28, 28), as `normalize_digit` makes them of marks taken for digits, shuffled; each kind
        comes equally often, give or take one.

    Raises:
        InputError: a negative count.

    Examples:
        >>> crops = synthetic_marks(22, seed=1)
        >>> crops.shape, crops.dtype, bool(crops.any(axis=(1, 2)).all())
        ((22, 28, 28), dtype('uint8'), True)
    """
    if count < 0:
        raise InputError(f"synthetic_marks() takes a count of 0 or more, got {count}.")
    rng = np.random.default_rng(seed)
    crops = np.zeros((count, CROP_SIZE, CROP_SIZE), np.uint8)
    for crop, kind in zip(crops, rng.permutation(np.resize(list(Mark), count)), strict=True):
        crop[:] = normalize_digit(render_mark(Mark(kind), rng, height=_HEIGHT))
    return crops


def render_mark(kind: Mark, rng: np.random.Generator, *, height: int) -> NDArray[np.uint8]:
    """Draw one mark.

    Args:
        kind: what to draw.
        rng: where chance comes from.
        height: of a capital or a digit that it is written with, or the longer side of what is no writing; in pixels,
            about, >= 4.

    Returns:
        uint8 (H, W), ink bright on 0, cut tight.

    Raises:
        InputError: a height under 4.

    Examples:
        >>> max(render_mark(Mark.OUTLINE, np.random.default_rng(0), height=60).shape)
        60
    """
    if height < 4:
        raise InputError(f"render_mark() takes a height of 4 pixels or more, got {height}.")
    while True:
        ink = _cut_tight(_DRAWN[kind](rng, height))
        if kind in _WRITTEN or not is_stroke(ink):
            return ink


def _cut_tight(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    x, y, w, h = cv2.boundingRect((ink > _VISIBLE).view(np.uint8))
    return ink[y : y + h, x : x + w]


def is_stroke(ink: NDArray[np.uint8]) -> bool:
    """Whether it is slim and stands, as a 1 does; so is what is left of ink when nothing is."""
    if not ink.size:
        return True
    wide, high = cv2.minAreaRect(cv2.findNonZero((ink > _VISIBLE).view(np.uint8)))[1]
    return bool(max(wide, high) > _SLIM * min(wide, high) and ink.shape[0] > _LYING * ink.shape[1])


def _letter(letters: tuple[Letter, ...], rng: np.random.Generator, height: int) -> NDArray[np.uint8]:
    """Write any of these, nearly as loosely as digits are written: the loosest could be read as anything."""
    letter = letters[rng.integers(len(letters))]
    any_, calm = sample_hands(rng, 1), 0.7
    hand = Hand(any_.slant, calm * any_.turn, any_.aspect, calm * any_.looseness)
    line = write(letter, rng, hand)[0]
    strokes = np.split(line, np.cumsum(letter.lengths)[:-1])
    return _in_ink(strokes, rng, height, broadest=_BROAD * float(np.ptp(line, axis=0).max()))


def _printed(rng: np.random.Generator, height: int) -> NDArray[np.uint8]:
    """One letter in one of OpenCV's fonts, leaning and stretched a little."""
    text, font = _PRINTED[rng.integers(len(_PRINTED))], _FONTS[rng.integers(len(_FONTS))]
    side = 2 * height
    ink = np.zeros((side, side), np.uint8)
    thickness = max(1, round(height * rng.uniform(0.03, 0.2)))
    cv2.putText(ink, text, (side // 4, 3 * side // 4), font, height / 22, 255, thickness, cv2.LINE_AA)
    change = np.eye(2) + rng.normal(0, 0.12, (2, 2))
    middle = np.full(2, side / 2)
    matrix = np.column_stack([change, middle - change @ middle])
    return np.asarray(cv2.warpAffine(ink, matrix, (side, side), flags=cv2.INTER_LINEAR), np.uint8)


def _drawn(
    strokes_of: Callable[[np.random.Generator], Strokes], rng: np.random.Generator, height: int
) -> NDArray[np.uint8]:
    """Strokes, their longer side 1, in ink; the more there is to draw, the thinner the pen, or all would be a blot."""
    strokes = strokes_of(rng)
    longer = float(np.ptp(np.concatenate(strokes), axis=0).max())
    length = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes) / longer
    return _in_ink([stroke / longer for stroke in strokes], rng, height, broadest=_FILLED / length)


def _in_ink(strokes: Strokes, rng: np.random.Generator, height: int, *, broadest: float = 1.0) -> NDArray[np.uint8]:
    width = min(sample_pen_width(rng), broadest) * height
    lengths = tuple(map(len, strokes))
    return line_ink(np.concatenate(strokes), lengths, rng, height=height, pen_width=width, pen=sample_pen(rng))


def _sure(table: dict[str, tuple[Letter, ...]]) -> tuple[Letter, ...]:
    """Those that could not be digits."""
    return tuple(letter for letters in table.values() for letter in letters if not letter.ambiguous)


_DRAWN: dict[Mark, Callable[[np.random.Generator, int], NDArray[np.uint8]]] = {
    Mark.LETTER: partial(_letter, _sure(LETTERS)),
    Mark.PRINT: _printed,
    Mark.SIGN: partial(_letter, _sure(SIGNS)),
    Mark.WORD: word_piece,
    Mark.SCRIBBLE: partial(_drawn, scribble),
    Mark.FRAGMENT: fragment,
    Mark.PAIR: several_digits,
    Mark.LINES: partial(_drawn, ruled_lines),
    Mark.BLOT: blot,
    Mark.TEXTURE: texture,
    Mark.OUTLINE: partial(_drawn, outline),
}
