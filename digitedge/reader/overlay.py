"""A reading drawn over the frame it was read from: boxes, digits, confidence, rows, caption.

Sizes follow the image, so a 320 pixel webcam frame and a 12 megapixel photo look alike when they fill the same
screen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.utils.drawing import text_width, write
from digitedge.utils.opencv import cv2

if TYPE_CHECKING:
    from digitedge.reader.reader import Digit, Reading

# Colours are BGR. SURE and UNSURE differ in lightness as well as in hue, for those who do not see red and green apart.
SURE = (90, 220, 60)
UNSURE = (0, 150, 255)
INK = (255, 255, 255)
PAPER = (32, 28, 24)
SURE_FROM = 0.8
ROWS_SHOWN = 4
# Pixels; below this cv2's digits run together.
SMALLEST_TYPE = 8


def draw_reading(frame: NDArray[np.uint8], reading: Reading, *, caption: str | None = None) -> NDArray[np.uint8]:
    """Draw what was read over a copy of the frame.

    Args:
        frame: uint8 (H, W, 3) BGR or (H, W) grey, 0 to 255. It is left as it is.
        reading: what `Reader.read` returned for this frame.
        caption: a short line for the upper right corner, such as "30 fps".

    Returns:
        uint8 (H, W, 3) BGR, same height and width.

    Raises:
        InputError: the frame has another type or shape.
    """
    image = _colour_copy(frame)
    for digit in reading.digits:
        _draw_digit(image, digit, room=_room_beside(digit, reading.digits))
    _draw_rows(image, reading)
    if caption:
        _draw_caption(image, caption)
    return image


def _colour_copy(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if frame.dtype == np.uint8 and frame.size:
        if frame.ndim == 2:
            return np.repeat(frame[:, :, None], 3, axis=2)  # (H, W, 3)
        if frame.ndim == 3 and frame.shape[2] == 3:
            return np.array(frame, order="C")
    raise InputError(f"draw_reading() takes uint8 (H, W, 3) or (H, W), got {frame.dtype} {frame.shape}.")


def _unit(image: NDArray[np.uint8]) -> float:
    """One step of the drawing in pixels: 1 on a 640x480 frame, never under 0.6 (smaller type is not legible)."""
    height, width = image.shape[:2]
    return max(0.6, float(min(height / 480, width / 640)))


def _room_beside(digit: Digit, digits: Sequence[Digit]) -> float:
    """Pixels from the left edge of a digit to that of its right neighbour, which its label must not cover."""
    x, y, _, height = digit.box
    beside = [d.box[0] - x for d in digits if d.box[0] > x and d.box[1] < y + height and y < d.box[1] + d.box[3]]
    return min(beside, default=math.inf)


def _draw_digit(image: NDArray[np.uint8], digit: Digit, *, room: float) -> None:
    """A box, and above it (below it at the upper edge) a label with the digit and its confidence in percent.

    The percent is left out where it would reach past `room` pixels, onto the neighbour's label.
    """
    unit = _unit(image)
    x, y, width, height = digit.box
    colour = SURE if digit.confidence >= SURE_FROM else UNSURE
    cv2.rectangle(image, (x, y), (x + width, y + height), colour, max(1, round(2 * unit)))
    gap = round(3 * unit)
    text, text_height = str(digit.digit), max(SMALLEST_TYPE, min(round(22 * unit), height // 2))
    percent, percent_height = f" {100 * digit.confidence:.0f}", max(SMALLEST_TYPE, round(10 * unit))
    digit_width, percent_width = text_width(text, text_height), text_width(percent, percent_height)
    if digit_width + percent_width + 2 * gap > min(room, max(width, height)):
        percent, percent_width = "", 0
    label_width, label_height = digit_width + percent_width + 2 * gap, text_height + 2 * gap
    left = max(0, min(x, image.shape[1] - label_width))
    top = y - label_height if y >= label_height else y + height
    cv2.rectangle(image, (left, top), (left + label_width, top + label_height), colour, cv2.FILLED)
    baseline = top + label_height - gap
    write(image, text, (left + gap, baseline), text_height, PAPER)
    write(image, percent, (left + gap + digit_width, baseline), percent_height, PAPER)


def _draw_rows(image: NDArray[np.uint8], reading: Reading) -> None:
    """The rows in large type on a dark patch in the emptiest corner; smaller type where a row would not fit."""
    shown = reading.rows[:ROWS_SHOWN]
    if not shown:
        return
    height, width = image.shape[:2]
    margin = max(2, round(10 * _unit(image)))
    type_height = max(SMALLEST_TYPE, round(30 * _unit(image)))
    widest = max(text_width(row, type_height) for row in shown)
    if widest > width - 2 * margin:
        type_height = max(SMALLEST_TYPE, type_height * (width - 2 * margin) // widest)
        widest = width - 2 * margin
    line = type_height + margin
    patch_width, patch_height = widest + 2 * margin, min(height, line * len(shown) + margin)
    left, top = _emptiest_corner(image, (patch_width, patch_height), reading.digits)
    _darken(image, (left, top, patch_width, patch_height))
    for number, row in enumerate(shown, start=1):
        write(image, row, (left + margin, top + number * line), type_height, INK)


def _emptiest_corner(image: NDArray[np.uint8], size: tuple[int, int], digits: Sequence[Digit]) -> tuple[int, int]:
    """Where a patch of this size covers the fewest digits. The upper right corner is the caption's."""
    right, bottom = image.shape[1] - size[0], image.shape[0] - size[1]

    def covered(corner: tuple[int, int]) -> int:
        x, y = corner
        boxes = [digit.box for digit in digits]
        return sum(b[0] < x + size[0] and x < b[0] + b[2] and b[1] < y + size[1] and y < b[1] + b[3] for b in boxes)

    return min([(0, bottom), (right, bottom), (0, 0)], key=covered)


def _draw_caption(image: NDArray[np.uint8], caption: str) -> None:
    unit = _unit(image)
    margin, type_height = max(2, round(6 * unit)), max(SMALLEST_TYPE, round(11 * unit))
    width = text_width(caption, type_height)
    left = max(0, image.shape[1] - width - 2 * margin)
    _darken(image, (left, 0, image.shape[1] - left, type_height + 2 * margin))
    write(image, caption, (left + margin, margin + type_height), type_height, INK)


def _darken(image: NDArray[np.uint8], area: tuple[int, int, int, int]) -> None:
    """Leave a quarter of the light, so that white type reads on any background and the image still shows through."""
    x, y, width, height = area
    part = image[y : y + height, x : x + width]
    part >>= 2
