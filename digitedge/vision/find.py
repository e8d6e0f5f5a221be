"""The way of a frame: even light, mask, groups of parts, one crop each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.opencv import cv2
from digitedge.vision.binarize import binarize
from digitedge.vision.illumination import ink_of
from digitedge.vision.layout import Box
from digitedge.vision.normalize import normalize_digit
from digitedge.vision.segment import Group, segment

# Larger pictures are searched at this longer side: 0.5 % of it are the 8 pixels that a digit needs.
SEARCH_SIDE = 1600


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """Something in a frame that may be a digit.

    Attributes:
        box: x, y, width, height in pixels of the frame.
        crop: uint8 (28, 28), the model's input.
    """

    box: Box
    crop: NDArray[np.uint8]


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
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    scale = min(1.0, SEARCH_SIDE / max(grey.shape))
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    ink = ink_of(grey)
    labels, groups = segment(binarize(ink))
    return [_candidate(group, ink, labels, frame.shape[:2], scale) for group in groups]


def _candidate(
    group: Group, ink: NDArray[np.uint8], labels: NDArray[np.int32], shape: tuple[int, ...], scale: float
) -> Candidate:
    """Cut out the ink of one group, without that of its neighbours, and put its box back on the frame."""
    x, y, width, height = group.box
    window = slice(y, y + height), slice(x, x + width)
    own = np.isin(labels[window], group.labels)
    crop = normalize_digit(np.where(own, ink[window], 0).astype(np.uint8))
    left, top = round(x / scale), round(y / scale)
    right, bottom = min(shape[1], round((x + width) / scale)), min(shape[0], round((y + height) / scale))
    return Candidate((left, top, right - left, bottom - top), crop)
