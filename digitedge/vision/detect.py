"""The way of a frame: even light, mask, lines erased, marks.

A frame is looked at twice. From afar (400 pixels) it tells its light, its rulings and the size of the writing; then it
is read at the scale at which that writing is 64 pixels high. So a digit that fills the frame and one of a hundred on a
page meet the same code at the same size, and only small writing costs the full resolution.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2
from digitedge.vision.binarize import binarize, level_of
from digitedge.vision.illumination import Light, ink_of, light_of
from digitedge.vision.line_removal import Line, erase_lines, find_lines, find_rulings
from digitedge.vision.normalize import normalize_digit
from digitedge.vision.segment import Mark, components, scale_of, segment

# Larger images are searched at this longer side: 0.5 % of it are the 8 pixels that a digit needs.
SEARCH_SIDE = 1600
# Longer side of the image in which the size of the writing is estimated.
LOOK_SIDE = 400
# Typical digits are shrunk to this height before anything else: grain is averaged out, hairline gaps close. Of 80, 64,
# 56 and 48, 64 reads photographs best (mean F1 97.9, 98.9, 98.7, 98.3 %) and 627 scenes as well as any (89.8 to 90.8).
WORKING_HEIGHT = 64
# Rulings may be paler than writing: this share of the ink that makes a stroke.
FAINT = 0.6
# In heights of the writing: the run of ink that shows a line, and the least length of underlines and frames.
STROKE, LINE = 1.0, 2.2


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Something in a frame that may be a digit.

    Attributes:
        box: x, y, width, height in pixels of the frame.
        crop: uint8 (28, 28), the model's input.
    """

    box: Box
    crop: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """What was found in one frame.

    Attributes:
        marks: in pixels of the image that was searched.
        scale: pixels searched for each pixel of the frame.
        shape: height and width of the frame.
        steps: name -> uint8 (H, W), the images on the way: grey, ink (light removed), mask (where the pen was) and
            clean (lines erased). Nothing is computed for them.
    """

    marks: list[Mark]
    scale: float
    shape: tuple[int, ...]
    steps: dict[str, NDArray[np.uint8]]

    def on_frame(self, box: Box) -> Box:
        """Put a box that was searched back on the frame."""
        x, y, width, height = box
        left, top = round(x / self.scale), round(y / self.scale)
        right = min(self.shape[1], round((x + width) / self.scale))
        bottom = min(self.shape[0], round((y + height) / self.scale))
        return left, top, right - left, bottom - top


def find_digits(frame: NDArray[np.uint8]) -> list[Candidate]:
    """Find everything in a frame that may be a handwritten digit.

    Args:
        frame: uint8 (H, W, 3) BGR or (H, W), dark ink on paper or chalk on a board.

    Returns:
        Candidates in no particular order; `rows_of` puts them in reading order.

    Examples:
        >>> page = np.full((120, 200), 230, np.uint8)
        >>> page[40:80, 60:65] = 40  # a one
        >>> [candidate.box for candidate in find_digits(page)]
        [(60, 40, 5, 40)]
    """
    writing = find_writing(frame)
    return [Candidate(writing.on_frame(mark.box), normalize_digit(mark.ink)) for mark in writing.marks if not mark.flaw]


def find_writing(frame: NDArray[np.uint8]) -> Writing:
    """Find all marks in a frame that are about as large and as dark as its writing.

    Args:
        frame: uint8 (H, W, 3) BGR or (H, W), dark ink on paper or chalk on a board.
    """
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    afar = min(1.0, LOOK_SIDE / max(grey.shape))
    look = _shrink(grey, afar)
    light = light_of(look)
    rulings, height = _look(look, light)
    largest = min(1.0, SEARCH_SIDE / max(grey.shape))
    scale = min(largest, WORKING_HEIGHT * afar / height) if height else largest
    grey = _shrink(grey, scale)
    ink = ink_of(grey, light)
    mask = binarize(ink)
    clean = _without_lines(mask, ink, rulings, scale / afar, height * scale / afar)
    marks = segment(components(clean, ink), ink)
    return Writing(marks, scale, frame.shape[:2], {"grey": grey, "ink": ink, "mask": mask, "clean": clean})


def _look(look: NDArray[np.uint8], light: Light) -> tuple[list[Line], float]:
    """See from afar: the rulings of the paper, and the height of the writing (0 where there is none)."""
    ink = ink_of(look, light)
    level = level_of(ink)
    rulings = find_rulings(binarize(ink, cv2.convertScaleAbs(level, alpha=FAINT).astype(np.uint8, copy=False)))
    mask = erase_lines(binarize(ink, level), ink, rulings)
    writing = scale_of(components(mask, ink))
    return rulings, writing.height if writing else 0.0


def _without_lines(
    mask: NDArray[np.uint8], ink: NDArray[np.uint8], rulings: list[Line], closer: float, height: float
) -> NDArray[np.uint8]:
    """Erase the rulings, and what else is straight and much longer than the writing is high: underlines, frames."""
    mask = erase_lines(mask, ink, [ruling.scaled(closer) for ruling in rulings])
    if not height:
        return mask
    others = find_lines(mask, span=STROKE * height, least=LINE * height)
    return erase_lines(mask, ink, others)


def _shrink(grey: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """Scale down: by halves, which average areas, then smoothly; INTER_AREA alone takes six times as long."""
    target = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    while grey.shape[1] >= 2 * target[0] and grey.shape[0] >= 2 * target[1]:
        half = (max(target[0], grey.shape[1] // 2), max(target[1], grey.shape[0] // 2))
        grey = cv2.resize(grey, half, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cv2.resize(grey, target, interpolation=cv2.INTER_LINEAR_EXACT).astype(np.uint8, copy=False)
