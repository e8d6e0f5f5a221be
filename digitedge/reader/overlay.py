"""The overlay: a reading drawn on its image, with boxes, digits, confidence, rows and a caption.

All sizes follow the image, so a frame of 320 pixels and a photograph of 12 megapixels look alike on the same screen.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.reading import Digit, Reading, format_confidence
from digitedge.utils.boxes import height_overlap, intersection_area
from digitedge.utils.drawing import draw_text, text_width
from digitedge.utils.images import check_image
from digitedge.utils.opencv import cv2, to_bgr

# Colours are BGR. HIGH and LOW also differ in lightness, for people who cannot distinguish red from green.
HIGH_CONFIDENCE_COLOUR = (90, 220, 60)
LOW_CONFIDENCE_COLOUR = (0, 150, 255)
TEXT_COLOUR = (255, 255, 255)
LABEL_TEXT_COLOUR = (32, 28, 24)
# Least confidence of the first colour.
HIGH_CONFIDENCE = 0.8
MAX_ROWS = 4
# Least height of text in pixels; below it OpenCV's digits run together.
MIN_TEXT_HEIGHT = 8


def draw_reading(image: NDArray[np.uint8], reading: Reading, *, caption: str | None = None) -> NDArray[np.uint8]:
    """Draw a reading on a copy of its image.

    Args:
        image: uint8 (H, W, 3) BGR or (H, W) grey.
        reading: what `Reader.read` returned for this image.
        caption: a short line for the upper right corner, such as "30 fps".

    Returns:
        uint8 (H, W, 3) BGR, same height and width.

    Raises:
        InputError: the image has another type or shape.
    """
    check_image(image)
    canvas = np.array(to_bgr(image), order="C")
    for digit in reading.digits:
        _draw_digit(canvas, digit, space=_space_to_neighbour(digit, reading.digits))
    _draw_rows(canvas, reading)
    if caption:
        _draw_caption(canvas, caption)
    return canvas


def _unit(image: NDArray[np.uint8]) -> float:
    """Return the unit of all sizes in pixels: 1 on a 640x480 image, at least 0.6 so that text stays legible."""
    height, width = image.shape[:2]
    return max(0.6, float(min(height / 480, width / 640)))


def _space_to_neighbour(digit: Digit, digits: Sequence[Digit]) -> float:
    """Return the pixels from a digit to its right neighbour, which its label must not cover."""
    x = digit.box[0]
    beside = (d.box[0] - x for d in digits if d.box[0] > x and height_overlap(d.box, digit.box) > 0)
    return min(beside, default=math.inf)


def _draw_digit(image: NDArray[np.uint8], digit: Digit, *, space: float) -> None:
    """Draw a box, and above it (below at the upper border) a label with the digit and its confidence.

    The confidence is left out if the label would be wider than `space` pixels.
    """
    unit = _unit(image)
    x, y, width, height = digit.box
    colour = HIGH_CONFIDENCE_COLOUR if digit.confidence >= HIGH_CONFIDENCE else LOW_CONFIDENCE_COLOUR
    cv2.rectangle(image, (x, y), (x + width, y + height), colour, max(1, round(2 * unit)))
    gap = round(3 * unit)
    text, label_text_size = str(digit.digit), max(MIN_TEXT_HEIGHT, min(round(22 * unit), height // 2))
    percent, percent_height = f" {format_confidence(digit.confidence)}", max(MIN_TEXT_HEIGHT, round(10 * unit))
    digit_width, percent_width = text_width(text, label_text_size), text_width(percent, percent_height)
    if digit_width + percent_width + 2 * gap > min(space, max(width, height)):
        percent, percent_width = "", 0
    label_width, label_height = digit_width + percent_width + 2 * gap, label_text_size + 2 * gap
    left = max(0, min(x, image.shape[1] - label_width))
    top = y - label_height if y >= label_height else y + height
    cv2.rectangle(image, (left, top), (left + label_width, top + label_height), colour, cv2.FILLED)
    baseline = top + label_height - gap
    draw_text(image, text, (left + gap, baseline), label_text_size, LABEL_TEXT_COLOUR)
    draw_text(image, percent, (left + gap + digit_width, baseline), percent_height, LABEL_TEXT_COLOUR)


def _draw_rows(image: NDArray[np.uint8], reading: Reading) -> None:
    """Draw the rows in large text on a dark patch in the emptiest corner; smaller if a row would not fit."""
    shown = reading.rows[:MAX_ROWS]
    if not shown:
        return
    height, width = image.shape[:2]
    margin = max(2, round(10 * _unit(image)))
    text_size = max(MIN_TEXT_HEIGHT, round(30 * _unit(image)))
    widest = max(text_width(row, text_size) for row in shown)
    if widest > width - 2 * margin:
        text_size = max(MIN_TEXT_HEIGHT, text_size * (width - 2 * margin) // widest)
        widest = width - 2 * margin
    line = text_size + margin
    patch_width, patch_height = widest + 2 * margin, min(height, line * len(shown) + margin)
    left, top = _emptiest_corner(image, (patch_width, patch_height), reading.digits)
    _darken(image, (left, top, patch_width, patch_height))
    for number, row in enumerate(shown, start=1):
        draw_text(image, row, (left + margin, top + number * line), text_size, TEXT_COLOUR)


def _emptiest_corner(image: NDArray[np.uint8], size: tuple[int, int], digits: Sequence[Digit]) -> tuple[int, int]:
    """Return the corner where a patch of this size covers the fewest digits; the upper right one is for the caption."""
    right, bottom = image.shape[1] - size[0], image.shape[0] - size[1]

    def covered(corner: tuple[int, int]) -> int:
        return sum(intersection_area((*corner, *size), digit.box) > 0 for digit in digits)

    return min([(0, bottom), (right, bottom), (0, 0)], key=covered)


def _draw_caption(image: NDArray[np.uint8], caption: str) -> None:
    unit = _unit(image)
    margin, text_size = max(2, round(6 * unit)), max(MIN_TEXT_HEIGHT, round(11 * unit))
    width = text_width(caption, text_size)
    left = max(0, image.shape[1] - width - 2 * margin)
    _darken(image, (left, 0, image.shape[1] - left, text_size + 2 * margin))
    draw_text(image, caption, (left + margin, margin + text_size), text_size, TEXT_COLOUR)


def _darken(image: NDArray[np.uint8], area: tuple[int, int, int, int]) -> None:
    """Darken an area to a quarter, so that white text is legible on any background and the image shows through."""
    x, y, width, height = area
    part = image[y : y + height, x : x + width]
    part >>= 2
