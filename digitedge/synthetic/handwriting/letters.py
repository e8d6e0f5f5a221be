"""Ink of letters, signs and words, written by the same writers and pens as the digits."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS, LetterSkeleton
from digitedge.synthetic.handwriting.pen import PenType, check_pen_size, render_strokes
from digitedge.synthetic.handwriting.writer import Writer, sample_single_writer, sample_skeletons, write_skeleton

# Frequency of each letter in a pseudo-word: rounded shares of English text, in percent.
_VOWELS = {"e": 12.7, "a": 8.2, "o": 7.5, "i": 7.0, "u": 2.8, "y": 2.0}
_CONSONANTS = {
    **{"t": 9.1, "n": 6.7, "s": 6.3, "h": 6.1, "r": 6.0, "d": 4.3, "l": 4.0, "c": 2.8, "m": 2.4, "w": 2.4},
    **{"f": 2.2, "g": 2.0, "p": 1.9, "b": 1.5, "v": 1.0, "k": 0.8, "x": 0.3, "j": 0.3, "q": 0.2, "z": 0.2},
}
# Gap between the ink of neighbours in a printed word, in heights of a capital.
_PRINTED_GAP = 0.16
# Distance from the end of a letter to the start of the next in a joined word, in heights of a capital.
_JOINED_GAP = 0.06
# Weights of a Bézier curve's four points, at the places between its ends that are drawn.
_ALONG = np.arange(1, 8)[:, None] / 8
_BEZIER = np.hstack([(1 - _ALONG) ** 3, 3 * _ALONG * (1 - _ALONG) ** 2, 3 * _ALONG**2 * (1 - _ALONG), _ALONG**3])


def render_letter(
    text: str,
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float,
    pen_type: PenType = PenType.BALL,
    writer: Writer | None = None,
) -> NDArray[np.uint8]:
    """Render the ink of one of LETTERS or SIGNS: uint8 (H, W), ink bright on 0, cropped to the ink.

    Sizes are in pixels; `height` >= 4 is that of a capital: an x is about half as high, a dash as high as its line. The
    writer is one for one letter (`Writer.at`); None samples a careful one.

    Raises:
        InputError: an unknown letter, a height under 4, or a width that is not positive.
    """
    check_pen_size(height, pen_width)
    (letter,) = sample_skeletons(find_skeletons(text), rng, 1)
    line = write_skeleton(letter, rng, sample_single_writer(rng, 1) if writer is None else writer)[0]
    return render_strokes(line, letter.lengths, rng, height=height, pen_width=pen_width, pen_type=pen_type)


def find_skeletons(text: str, *, cursive: bool | None = None) -> list[LetterSkeleton]:
    """Return the skeletons of one of LETTERS or SIGNS: only cursive ones or only others, unless there are none.

    Raises:
        InputError: an unknown letter.

    Examples:
        >>> [one.name for one in find_skeletons("t")], [one.name for one in find_skeletons("t", cursive=True)]
        (['hooked', 'cross', 'cursive'], ['cursive'])
    """
    if text not in LETTERS and text not in SIGNS:
        raise InputError(f"expected a letter or sign out of {''.join(LETTERS | SIGNS)}, got {text!r}.")
    letters = (LETTERS | SIGNS)[text]
    return [letter for letter in letters if cursive is None or letter.cursive is cursive] or list(letters)


def render_word(
    text: str,
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float,
    pen_type: PenType = PenType.BALL,
    writer: Writer | None = None,
    joined: bool = False,
) -> NDArray[np.uint8]:
    """Render the ink of one word of letters and signs, its small letters joined or not; the rest as in `render_letter`.

    Raises:
        InputError: an unknown letter or none at all, a height under 4, or a width that is not positive.
    """
    check_pen_size(height, pen_width)
    if not text:
        raise InputError("render_word() takes one letter or more, got none. See sample_word() for any word.")
    writer = sample_single_writer(rng, 1) if writer is None else writer
    letters = [sample_skeletons(find_skeletons(sign, cursive=joined), rng, 1)[0] for sign in text]
    strokes = _write_joined(letters, rng, writer) if joined else _write_printed(letters, rng, writer)
    lengths = tuple(map(len, strokes))
    return render_strokes(np.concatenate(strokes), lengths, rng, height=height, pen_width=pen_width, pen_type=pen_type)


def sample_word(rng: np.random.Generator) -> str:
    """Make up a pronounceable word of 2 to 9 letters, such as Re; one in five starts with a capital."""
    kinds = [_VOWELS, _CONSONANTS] if rng.random() < 0.35 else [_CONSONANTS, _VOWELS]
    shares = [np.array(list(kind.values())) for kind in kinds]
    places = [place % 2 for place in range(rng.integers(2, 10))]
    word = "".join(rng.choice(list(kinds[place]), p=shares[place] / shares[place].sum()) for place in places)
    return word.capitalize() if rng.random() < 0.2 else word


def _write_printed(
    letters: Iterable[LetterSkeleton], rng: np.random.Generator, writer: Writer
) -> list[NDArray[np.float64]]:
    """Strokes (M, 2) of printed letters beside each other."""
    strokes: list[NDArray[np.float64]] = []
    right = 0.0
    for letter in letters:
        line = _write_on_baseline(letter, rng, writer)
        line[:, 0] += right - line[:, 0].min()
        right = float(line[:, 0].max()) + _PRINTED_GAP * rng.uniform(0.6, 1.4)
        strokes += _split_strokes(line, letter)
    return strokes


def _write_joined(
    letters: Iterable[LetterSkeleton], rng: np.random.Generator, writer: Writer
) -> list[NDArray[np.float64]]:
    """Strokes (M, 2) of cursive letters: one long stroke through their first strokes, then the dots and bars."""
    runs: list[list[NDArray[np.float64]]] = []
    dots_and_bars: list[NDArray[np.float64]] = []
    previous: LetterSkeleton | None = None
    right = 0.0
    for letter in letters:
        line = _write_on_baseline(letter, rng, writer)
        joins = previous is not None and previous.cursive and letter.cursive
        line[:, 0] += right - (line[0, 0] if joins else line[:, 0].min())
        first, *others = _split_strokes(line, letter)
        if joins:
            runs[-1].append(first)
        else:
            runs.append([first])
        dots_and_bars += others
        right = float(first[-1, 0] + _JOINED_GAP if letter.cursive else line[:, 0].max() + _PRINTED_GAP)
        previous = letter
    return [_connect(parts) for parts in runs] + dots_and_bars


def _write_on_baseline(letter: LetterSkeleton, rng: np.random.Generator, writer: Writer) -> NDArray[np.float64]:
    """Write one letter, (M, 2), with y = 1 on the baseline, however high it is."""
    heights = letter.matrix @ letter.points[:, 1]
    line = write_skeleton(letter, rng, writer)[0]
    return np.asarray(line + np.array([0, (heights.min() + heights.max()) / 2]), np.float64)


def _split_strokes(line: NDArray[np.float64], letter: LetterSkeleton) -> list[NDArray[np.float64]]:
    return np.split(line, np.cumsum(letter.lengths)[:-1])


def _connect(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join parts to one smooth stroke; each connection is a Bézier curve that continues the direction of its part."""
    stroke = [parts[0]]
    for before, after in pairwise(parts):
        start, end = before[-1], after[0]
        reach = np.hypot(*(end - start)) / 3
        ahead, back = _direction(before[-3], start), _direction(after[2], end)
        stroke += [_BEZIER @ np.stack([start, start + reach * ahead, end + reach * back, end]), after]
    return np.concatenate(stroke)


def _direction(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    step = end - start
    return np.asarray(step / max(float(np.hypot(*step)), 1e-9), np.float64)
