"""Print: fonts that are drawn here from strokes, the same on every machine, and those of OpenCV.

A drawn font is one of three designs (sans serif, roman with thick and thin strokes, typewriter), at random as bold,
wide and slanted as real ones. OpenCV's are its own and changed in OpenCV 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import print_white, to_pixel
from digitedge.synthetic.handwriting.digit_skeletons import Skeleton
from digitedge.synthetic.handwriting.letter_skeletons import LETTERS, SIGNS
from digitedge.synthetic.handwriting.pen import draw_strokes_on
from digitedge.utils.opencv import cv2, resize

# The notation is that of `digit_skeletons`. A design takes what it has, and the rest from the one before it.
_SANS = {
    "0": "27 0, 6 16, 1 50, 6 84, 27 100, 48 84, 53 50, 48 16, 27 0",
    "1": "4 20, 26 2!, 26 50, 26 100",
    "2": "3 24, 12 6, 28 0, 46 8, 49 30, 34 56, 2 100!, 52 100",
    "3": "3 14, 24 0, 46 10, 46 36, 24 46!, 48 56, 50 84, 26 100, 2 86",
    "4": "42 100, 42 50, 42 2!, 0 72!, 56 72",
    "5": "48 2, 10 2!, 5 48!, 24 36, 46 46, 52 68, 44 92, 22 100, 2 86",
    "6": "47 14, 28 0, 8 18, 1 56, 8 90, 27 100, 47 88, 51 68, 42 46, 24 40, 4 58",
    "7": "1 2, 52 2!, 30 44, 20 100",
    "8": "27 0, 8 8, 8 36, 27 46, 46 36, 46 8, 27 0; 27 46, 4 58, 4 90, 27 100, 50 90, 50 58, 27 46",
    "9": "5 86, 24 100, 44 82, 51 44, 44 10, 25 0, 5 12, 1 32, 10 54, 28 60, 48 42",
}
_ROMAN = {
    "1": "8 12, 26 2!, 26 50, 26 99!; 8 99, 44 99",
    "2": "4 22, 12 4, 28 0, 46 10, 46 32, 30 60, 2 97!, 46 97!, 52 82",
    "7": "3 16, 5 3!, 52 3!, 34 44, 20 100",
}
_TYPEWRITER = {
    "1": "6 18, 28 0!, 28 50, 28 99!; 6 99, 50 99",
    "4": "40 100, 40 50, 40 0!, 0 68!, 56 68; 26 99, 52 99",
    "6": "42 0, 14 28, 2 62, 10 92, 28 100, 48 86, 50 64, 38 46, 18 48, 5 62",
    "7": "2 14, 2 2!, 52 2!, 36 40, 26 70, 24 100",
    "9": "12 100, 38 74, 51 38, 44 8, 26 0, 6 14, 3 36, 14 54, 34 52, 48 38",
}
_DIGITS = {"sans": _SANS, "roman": _SANS | _ROMAN, "typewriter": _SANS | _TYPEWRITER}
DESIGNS = tuple(_DIGITS)
OPENCV_FONTS = {
    "opencv": (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX),
    "opencv italic": (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX),
}
TRAINING_FONTS = ("sans", "sans", "roman", "opencv", "opencv")
EVALUATION_FONTS = ("typewriter", "opencv italic", *TRAINING_FONTS)


@dataclass(frozen=True, slots=True, eq=False)
class Glyphs:
    """Printed or written ink, uint8 (H, W), bright on 0, and where it is.

    Attributes:
        left: of its left edge from the start of the text, in pixels.
        top: of its upper edge below the baseline, in pixels; most are negative.
        text: what it shows.
    """

    ink: NDArray[np.uint8]
    left: int
    top: int
    text: str


@dataclass(frozen=True, slots=True)
class Font:
    """One font.

    Attributes:
        design: one of DESIGNS or OPENCV_FONTS.
        weight: stroke width in heights of a capital, 0 to 0.5.
        aspect: how much wider than usual it is, > 0.
        slant: how far the top leans to the right, in heights.
        face: OpenCV's number of its font; the designs drawn here do not use it.
        spacing: between two characters, in heights.
    """

    design: str
    weight: float
    aspect: float
    slant: float
    face: int
    spacing: float
    _cache: dict[tuple[str, int], tuple[NDArray[np.uint8], int, int]] = field(default_factory=dict, repr=False)

    def set(self, text: str, *, height: int) -> list[Glyphs]:
        """Set a text, one glyph for each visible character; `height` >= 4 is that of a capital, in pixels."""
        x = 0.0
        line: list[Glyphs] = []
        for character in text:
            if character == " ":
                x += 0.4 * height * self.aspect
                continue
            ink, top, left = self._glyph(character, height)
            line.append(Glyphs(ink, round(x) + left, top, character))
            x += ink.shape[1] + max(1.0, self.spacing * height)
        return line

    def _glyph(self, character: str, height: int) -> tuple[NDArray[np.uint8], int, int]:
        """One character: its ink, its upper edge below the baseline and its left edge."""
        key = character, height
        if key not in self._cache:
            draw = self._draw_with_opencv if self.design in OPENCV_FONTS else self._draw_strokes
            self._cache[key] = draw(character, height)
        return self._cache[key]

    def _draw_with_opencv(self, character: str, height: int) -> tuple[NDArray[np.uint8], int, int]:
        thickness = max(1, round(self.weight * height * 0.6))
        side = round(3.0 * height) + 8
        canvas = np.zeros((side, side), np.uint8)
        foot = 2 * side // 3
        print_white(canvas, character, (side // 4, foot), font=self.face, height=height, thickness=thickness)
        return _crop(canvas, foot)

    def _draw_strokes(self, character: str, height: int) -> tuple[NDArray[np.uint8], int, int]:
        skeleton = _find_skeleton(self.design, character)
        scale = max(1, -(-48 // height))  # drawn larger and scaled down, so that edges are grey
        size = height * scale
        points = (skeleton.matrix @ skeleton.points) * [self.aspect, 1 - self.weight] + [0, self.weight / 2]
        points[:, 0] += self.slant * (1 - points[:, 1])
        thickness = np.full(len(points), max(1.0, self.weight * size))
        if self.design == "roman":  # upright strokes are thick, level ones thin
            direction = np.gradient(points, axis=0)
            upright = np.abs(direction[:, 1]) / np.maximum(np.hypot(*direction.T), 1e-9)
            thickness *= 0.35 + 0.85 * upright
        pad = 2 + size
        canvas = np.zeros((round(1.6 * size) + 2 * pad, round(1.2 * size * self.aspect) + 2 * pad), np.uint8)
        draw_strokes_on(canvas, points * size + pad, thickness, skeleton.lengths, points_per_width=2)
        if self.design in ("roman", "typewriter") and character.isalpha():
            self._draw_serifs(canvas, skeleton, points * size + pad, size)
        if scale > 1:
            shape = (canvas.shape[1] // scale, canvas.shape[0] // scale)
            canvas = resize(canvas[: shape[1] * scale, : shape[0] * scale], shape, cv2.INTER_AREA)
        return _crop(canvas, round((pad + size) / scale))

    def _draw_serifs(
        self, canvas: NDArray[np.uint8], skeleton: Skeleton, points: NDArray[np.float64], size: int
    ) -> None:
        """Draw short level strokes at the ends of upright strokes."""
        reach, width = 0.09 * size, max(1, round(0.4 * self.weight * size))
        start = 0
        for length in skeleton.lengths:
            stop = start + length
            for end, inner in ((points[start], points[start + 1]), (points[stop - 1], points[stop - 2])):
                if abs(end[1] - inner[1]) > 3 * abs(end[0] - inner[0]):
                    x, y = to_pixel(end)
                    cv2.line(canvas, (round(x - reach), y), (round(x + reach), y), 255, width)
            start = stop


def sample_font(rng: np.random.Generator, names: Sequence[str] = TRAINING_FONTS) -> Font:
    """Sample one font of these designs."""
    name = names[int(rng.integers(len(names)))]
    faces = OPENCV_FONTS.get(name, (0,))
    return Font(
        design=name,
        weight=float(rng.uniform(*((0.06, 0.12), (0.1, 0.15), (0.14, 0.22))[rng.integers(3)])),
        aspect=float(rng.uniform(0.8, 1.2)),
        slant=float(rng.uniform(0.1, 0.25)) if rng.random() < 0.25 else 0.0,
        face=faces[rng.integers(len(faces))],
        spacing=float(rng.uniform(0.08, 0.17)),
    )


@cache
def _find_skeleton(design: str, character: str) -> Skeleton:
    """Return the strokes of a printed character; unknown ones look like an x."""
    if character in _DIGITS[design]:
        return Skeleton(character, design, 1.0, _DIGITS[design][character])
    drawn = LETTERS | SIGNS
    return drawn[character if character in drawn else "x"][0]


def _crop(canvas: NDArray[np.uint8], foot: int) -> tuple[NDArray[np.uint8], int, int]:
    """Crop a drawing to its ink; its upper edge is relative to the foot."""
    x, y, w, h = cv2.boundingRect((canvas > 24).view(np.uint8))
    return canvas[y : y + h, x : x + w], y - foot, 0
