"""Printed letters that cannot be digits: sans serif and serif, light to bold, upright and italic, some with accents.

OpenCV draws the letters; what its fonts lack is made of their ink. Its fonts changed in OpenCV 5.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import print_white
from digitedge.utils.opencv import as_uint8, cv2

_LETTERS = "AaCcdEeFfHhJjKkLMmNnPpRrTtUuVvWwXxY"
_SIGNS = "#%@+=*<~"
_ACCENTED = "AaCcEeHJKLMmNnRrTUuVvWwXxY"
_SECOND_LETTERS = "acefhmnprtuvw"
_SIGN_SHARE = 0.15
_ACCENT_SHARE = 0.12
_PAIR_SHARE = 0.12  # two letters that touch, as in ligatures and tight print
_SERIF_SHARE = 0.35
_CONTRAST_SHARE = 0.3  # level strokes thinner than upright ones
_ITALIC_SHARE = 0.25
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def render_printed_letter(rng: np.random.Generator, height: int) -> NDArray[np.uint8]:
    """Render one letter or sign, or two that touch, a capital about `height` pixels high: uint8 (H, W)."""
    font, thickness = _FONTS[rng.integers(len(_FONTS))], max(1, round(height * rng.uniform(0.03, 0.2)))
    kind = rng.random()
    if kind < _SIGN_SHARE:
        ink = _print(_sample(_SIGNS, rng), font, height, thickness)
    elif kind < _SIGN_SHARE + _ACCENT_SHARE:
        ink = _add_accent(_print(_sample(_ACCENTED, rng), font, height, thickness), rng, height, thickness)
    elif kind < _SIGN_SHARE + _ACCENT_SHARE + _PAIR_SHARE:
        second = _print(_sample(_SECOND_LETTERS, rng), font, height, thickness)
        ink = _touch(_print(_sample(_LETTERS, rng), font, height, thickness), second, height)
    else:
        ink = _print(_sample(_LETTERS, rng), font, height, thickness)
    serifs, contrast = rng.random(2) < [_SERIF_SHARE, _CONTRAST_SHARE]
    if contrast:
        ink = as_uint8(cv2.erode(ink, np.ones((1 + round(0.4 * thickness), 1), np.uint8)))
    if serifs and kind >= _SIGN_SHARE:
        ink = _add_serifs(ink, height)
    return _shear_and_stretch(ink, rng)


def _sample(text: str, rng: np.random.Generator) -> str:
    return text[rng.integers(len(text))]


def _print(letter: str, font: int, height: int, thickness: int) -> NDArray[np.uint8]:
    """Print one letter, its baseline 1.5 heights below the upper edge of a (2 * height, 2 * height) image."""
    ink = np.zeros((2 * height, 2 * height), np.uint8)
    print_white(ink, letter, (height // 2, 3 * height // 2), font=font, height=height, thickness=thickness)
    return ink


def _add_accent(ink: NDArray[np.uint8], rng: np.random.Generator, height: int, thickness: int) -> NDArray[np.uint8]:
    """Add an acute, a grave, a circumflex, a macron or two dots above a letter."""
    x, y, width, _ = cv2.boundingRect(ink)
    gap, size = 0.6 * thickness + 0.1 * height, 0.16 * height
    middle, foot = np.array([x + width / 2, y - gap]), np.array([0, size])
    left, right = np.array([-size, 0]), np.array([size, 0])
    strokes = (
        [(right - foot, left)],
        [(left - foot, right)],
        [(left, -foot), (-foot, right)],
        [(left, right)],
        [(left, left), (right, right)],
    )[rng.integers(5)]
    for start, end in strokes:
        first, last = (np.rint(middle + point).astype(int).tolist() for point in (start, end))
        cv2.line(ink, first, last, 255, thickness, cv2.LINE_AA)
    return ink


def _touch(first: NDArray[np.uint8], second: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Set two letters on one line so that their boxes share a few pixels."""
    left, _, width, _ = cv2.boundingRect(first)
    second_left, _, second_width, _ = cv2.boundingRect(second)
    x = left + width - max(1, height // 16)
    both = np.zeros((2 * height, x + second_width + height // 2), np.uint8)
    both[:, left : left + width] = first[:, left : left + width]
    part = both[:, x : x + second_width]
    np.maximum(part, second[:, second_left : second_left + second_width], out=part)
    return both


def _add_serifs(ink: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Broaden the ink in a band at its top and one at its foot."""
    _, y, _, h = cv2.boundingRect(ink)
    band, brush = max(1, round(0.07 * height)), np.ones((1, 1 + 2 * round(0.1 * height)), np.uint8)
    for first in (y, y + h - band):
        ink[first : first + band] = cv2.dilate(ink[first : first + band], brush)
    return ink


def _shear_and_stretch(ink: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change the ink linearly, a little at random and for italics by a slant."""
    change = np.eye(2) + rng.normal(0, 0.1, (2, 2))
    if rng.random() < _ITALIC_SHARE:
        change[0, 1] -= rng.uniform(0.1, 0.35)
    x, y, width, height = cv2.boundingRect(ink)
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]) @ change.T
    matrix = np.column_stack([change, 2 - corners.min(axis=0)])
    columns, rows = np.ceil(np.ptp(corners, axis=0) + 4).astype(int).tolist()
    return as_uint8(cv2.warpAffine(ink, matrix, (columns, rows), flags=cv2.INTER_LINEAR))
