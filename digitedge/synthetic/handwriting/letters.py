"""Ink that is no digit: letters, signs and words, written by the hands and pens that write the digits."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS, Letter
from digitedge.synthetic.handwriting.pen import Pen, check_pen, line_ink
from digitedge.synthetic.handwriting.writer import Hand, draw, one_hand, write

# How often each letter comes in a pseudo-word: rounded shares of English text, in percent.
_VOWELS = {"e": 12.7, "a": 8.2, "o": 7.5, "i": 7.0, "u": 2.8, "y": 2.0}
_CONSONANTS = {
    **{"t": 9.1, "n": 6.7, "s": 6.3, "h": 6.1, "r": 6.0, "d": 4.3, "l": 4.0, "c": 2.8, "m": 2.4, "w": 2.4},
    **{"f": 2.2, "g": 2.0, "p": 1.9, "b": 1.5, "v": 1.0, "k": 0.8, "x": 0.3, "j": 0.3, "q": 0.2, "z": 0.2},
}
# Gap between the ink of neighbours in a printed word, and from pen to pen in a joined one, in heights of a capital.
_GAP, _JOINT = 0.16, 0.06
# Weights of a Bézier curve's four points, at the places between its ends that are drawn.
_ALONG = np.arange(1, 8)[:, None] / 8
_BRIDGE = np.hstack([(1 - _ALONG) ** 3, 3 * _ALONG * (1 - _ALONG) ** 2, 3 * _ALONG**2 * (1 - _ALONG), _ALONG**3])


def render_letter(
    text: str,
    rng: np.random.Generator,
    *,
    height: int,
    pen_width: float | None = None,
    pen: Pen = Pen.BALL,
    hand: Hand | None = None,
    roughness: float | None = None,
) -> NDArray[np.uint8]:
    """Draw one letter or sign for a scene.

    Args:
        text: one of LETTERS or SIGNS.
        rng: where chance comes from.
        height: of a capital, in pixels, >= 4. An x comes out about half as high, a dash as high as its line.
        pen_width: of the line, in pixels, > 0; None chooses one that suits the height.
        pen: what it is written with.
        hand: habits of the writer, for one letter (`Hand.one`); None takes another careful writer each time.
        roughness: of the ink, as `any_roughness` gives it for the pen; None takes another each time.

    Returns:
        uint8 (H, W), ink bright on 0, cut tight.

    Raises:
        InputError: no known letter, a height under 4, or a width that is not positive.

    Examples:
        >>> small, capital = (render_letter(text, np.random.default_rng(0), height=60) for text in "xX")
        >>> small.shape[0] < 45 < capital.shape[0]
        True
    """
    check_pen(height, pen_width)
    (letter,) = draw(letters_of(text), rng, 1)
    line = write(letter, rng, one_hand(rng, 1) if hand is None else hand)[0]
    return line_ink(line, letter.lengths, rng, height=height, pen_width=pen_width, pen=pen, roughness=roughness)


def letters_of(text: str, *, cursive: bool | None = None) -> list[Letter]:
    """Give the skeletons of one letter or sign.

    Args:
        text: one of LETTERS or SIGNS.
        cursive: only those that join (True) or do not (False), unless there are no others.

    Raises:
        InputError: no known letter.

    Examples:
        >>> [letter.name for letter in letters_of("t")], [letter.name for letter in letters_of("t", cursive=True)]
        (['hooked', 'cross', 'cursive'], ['cursive'])
    """
    if text not in LETTERS and text not in SIGNS:
        raise InputError(f"expected a letter or sign out of {''.join(LETTERS | SIGNS)}, got {text!r}.")
    letters = (LETTERS | SIGNS)[text]
    return [letter for letter in letters if cursive is None or letter.cursive is cursive] or list(letters)


def write_word(
    rng: np.random.Generator,
    *,
    height: int,
    text: str | None = None,
    pen_width: float | None = None,
    pen: Pen = Pen.BALL,
    hand: Hand | None = None,
    roughness: float | None = None,
    joined: bool = False,
) -> NDArray[np.uint8]:
    """Write one word on its baseline.

    Args:
        rng: where chance comes from.
        height: of a capital, in pixels, >= 4.
        text: what to write, letters and signs; None makes up a word of 2 to 9 letters.
        pen_width: of the line, in pixels, > 0; None chooses one that suits the height.
        pen: what it is written with.
        hand: habits of the writer, for one letter; None takes another careful writer each time.
        roughness: of the ink, as `any_roughness` gives it for the pen; None takes another each time.
        joined: small letters run into each other, as in handwriting; else each stands for itself, as in print.

    Returns:
        uint8 (H, W), ink bright on 0, cut tight.

    Raises:
        InputError: an unknown letter or none at all, a height under 4, or a width that is not positive.

    Examples:
        >>> word = write_word(np.random.default_rng(0), height=40, text="Total", joined=True)
        >>> word.shape[1] > 2 * word.shape[0]
        True
    """
    check_pen(height, pen_width)
    text = sample_word(rng) if text is None else text
    if not text:
        raise InputError("write_word() takes one letter or more, got none. Leave `text` out for any word.")
    hand = one_hand(rng, 1) if hand is None else hand
    letters = [draw(letters_of(sign, cursive=joined), rng, 1)[0] for sign in text]
    strokes = _run_together(letters, rng, hand) if joined else _set_apart(letters, rng, hand)
    return line_ink(
        np.concatenate(strokes),
        tuple(map(len, strokes)),
        rng,
        height=height,
        pen_width=pen_width,
        pen=pen,
        roughness=roughness,
    )


def sample_word(rng: np.random.Generator) -> str:
    """Make up a word of 2 to 9 letters that could be pronounced; one in five starts with a capital.

    Examples:
        >>> sample_word(np.random.default_rng(5))
        'Re'
    """
    kinds = [_VOWELS, _CONSONANTS] if rng.random() < 0.35 else [_CONSONANTS, _VOWELS]
    shares = [np.array(list(kind.values())) for kind in kinds]
    signs = [
        rng.choice(list(kinds[place % 2]), p=shares[place % 2] / shares[place % 2].sum())
        for place in range(int(rng.integers(2, 10)))
    ]
    word = "".join(signs)
    return word.capitalize() if rng.random() < 0.2 else word


def _set_apart(letters: Iterable[Letter], rng: np.random.Generator, hand: Hand) -> list[NDArray[np.float64]]:
    """Strokes (M, 2) of printed letters beside each other."""
    strokes: list[NDArray[np.float64]] = []
    right = 0.0
    for letter in letters:
        line = _on_baseline(letter, rng, hand)
        line[:, 0] += right - line[:, 0].min()
        right = float(line[:, 0].max()) + _GAP * rng.uniform(0.6, 1.4)
        strokes += _strokes(line, letter)
    return strokes


def _run_together(letters: Iterable[Letter], rng: np.random.Generator, hand: Hand) -> list[NDArray[np.float64]]:
    """Strokes (M, 2) of cursive letters: one long stroke through their first ones, then the dots and bars."""
    running: list[list[NDArray[np.float64]]] = []
    extra: list[NDArray[np.float64]] = []
    before: Letter | None = None
    right = 0.0
    for letter in letters:
        line = _on_baseline(letter, rng, hand)
        joins = before is not None and before.cursive and letter.cursive
        line[:, 0] += right - (line[0, 0] if joins else line[:, 0].min())
        first, *others = _strokes(line, letter)
        if joins:
            running[-1].append(first)
        else:
            running.append([first])
        extra += others
        right = float(first[-1, 0] + _JOINT if letter.cursive else line[:, 0].max() + _GAP)
        before = letter
    return [_bridged(parts) for parts in running] + extra


def _on_baseline(letter: Letter, rng: np.random.Generator, hand: Hand) -> NDArray[np.float64]:
    """Write one letter, (M, 2), with y = 1 on the baseline, however high it is."""
    heights = letter.matrix @ letter.points[:, 1]
    return np.asarray(write(letter, rng, hand)[0] + np.array([0, (heights.min() + heights.max()) / 2]), np.float64)


def _strokes(line: NDArray[np.float64], letter: Letter) -> list[NDArray[np.float64]]:
    return np.split(line, np.cumsum(letter.lengths)[:-1])


def _bridged(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """One smooth stroke through all parts; each bridge is a Bézier curve that goes on as its part ends."""
    whole = [parts[0]]
    for before, after in pairwise(parts):
        start, end = before[-1], after[0]
        reach = np.hypot(*(end - start)) / 3
        ahead, back = (_direction(before[-3], start), _direction(after[2], end))
        whole += [_BRIDGE @ np.stack([start, start + reach * ahead, end + reach * back, end]), after]
    return np.concatenate(whole)


def _direction(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    way = end - start
    return np.asarray(way / max(float(np.hypot(*way)), 1e-9), np.float64)
