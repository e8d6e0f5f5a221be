"""The overlay: a reading drawn on its image, with boxes and labels, and the rows on a strip below it.

A label stands beside its digit and covers no other digit, candidate or label. Where there is no room, it gets smaller,
and is left out at last: the box stays, and the strip has the row. All sizes follow the image and the digits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitedge.reader.label_placement import place_labels
from digitedge.reader.reading import Digit, Reading, format_confidence
from digitedge.utils.boxes import Box, pad_box
from digitedge.utils.drawing import Colour, draw_text, shorten_text, text_width
from digitedge.utils.images import check_image
from digitedge.utils.opencv import cv2

# Colours are BGR. HIGH and LOW also differ in lightness, for people who cannot distinguish red from green.
HIGH_CONFIDENCE_COLOUR = (90, 220, 60)
LOW_CONFIDENCE_COLOUR = (0, 150, 255)
TEXT_COLOUR = (255, 255, 255)
CAPTION_COLOUR = (190, 190, 190)
STRIP_GREY = 34
LABEL_TEXT_COLOUR = (32, 28, 24)
# Least confidence of the first colour.
HIGH_CONFIDENCE = 0.8
# Least height of text in pixels; below it OpenCV's digits run together.
MIN_TEXT_HEIGHT = 8
# Between two rows that share a line of the strip.
ROW_SEPARATOR = " | "
# Heights of the rows on the strip, in units: the first is taken with which the strip is not too high for the image.
ROW_HEIGHTS = (24, 18, 14, 11)
MAX_STRIP_SHARE = 0.2


def draw_reading(image: NDArray[np.uint8], reading: Reading, *, caption: str | None = None) -> NDArray[np.uint8]:
    """Draw a reading on a copy of its image.

    Args:
        image: uint8 (H, W, 3) BGR or (H, W) grey.
        reading: what `Reader.read` returned for this image.
        caption: a short line below the rows, such as "30 fps". With it the strip has the same height for every reading,
            and rows that are too long for a line are shortened.

    Returns:
        uint8 (H + S, W, 3) BGR: the image, and below it the strip of S rows, 0 if there is nothing to write.

    Raises:
        InputError: the image has another type or shape.
    """
    check_image(image)
    height, width = image.shape[:2]
    strip = _Strip.of_frame(reading, caption, width, height) if caption else _Strip.of_image(reading, width, height)
    canvas = np.empty((height + strip.height, width, 3), np.uint8)
    canvas[:height] = image if image.ndim == 3 else image[..., None]
    canvas[height:] = STRIP_GREY
    _draw_digits(canvas[:height], reading)
    strip.draw(canvas[height:])
    return canvas


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text on the strip; `space` is its height in pixels, of which the text takes `text_height`."""

    text: str
    text_height: int
    space: int
    colour: Colour


@dataclass(frozen=True, slots=True)
class _Strip:
    """The strip below the image."""

    lines: tuple[_Line, ...]
    margin: int

    @classmethod
    def of_image(cls, reading: Reading, width: int, height: int) -> Self:
        """Lay out all rows, wrapped; as large as the share of the strip allows."""
        margin = _pixels(8, width, height, least=3)
        strip = cls((), margin)
        for text_height in (_pixels(size, width, height) for size in ROW_HEIGHTS):
            wrapped = _wrap(_rows(reading), text_height, width - 2 * margin)
            strip = cls(tuple(_Line(text, text_height, text_height, TEXT_COLOUR) for text in wrapped), margin)
            if strip.height <= MAX_STRIP_SHARE * height:
                break
        return strip

    @classmethod
    def of_frame(cls, reading: Reading, caption: str, width: int, height: int) -> Self:
        """Lay out a line with the rows, smaller or shortened if they are long, and one with the caption."""
        margin = _pixels(8, width, height, least=3)
        space, text = _pixels(ROW_HEIGHTS[0], width, height), ROW_SEPARATOR.join(_rows(reading))
        sizes = [_pixels(size, width, height) for size in ROW_HEIGHTS]
        fitting = (size for size in sizes if text_width(text, size) <= width - 2 * margin)
        text_height = next(fitting, sizes[-1])
        text = shorten_text(text, text_height, width - 2 * margin)
        caption_height = _pixels(11, width, height)
        caption = shorten_text(caption, caption_height, width - 2 * margin)
        rows = _Line(text, text_height, space, TEXT_COLOUR)
        return cls((rows, _Line(caption, caption_height, caption_height, CAPTION_COLOUR)), margin)

    @property
    def height(self) -> int:
        """In pixels; 0 without lines."""
        return sum(line.space + self.margin for line in self.lines) + self.margin * bool(self.lines)

    def draw(self, canvas: NDArray[np.uint8]) -> None:
        """Draw all lines into the strip, uint8 (`height`, W, 3)."""
        baseline = 0
        for line in self.lines:
            baseline += self.margin + line.space
            draw_text(canvas, line.text, (self.margin, baseline), line.text_height, line.colour)


def _pixels(units: float, width: int, height: int, *, least: int = MIN_TEXT_HEIGHT) -> int:
    """Return units in pixels: 1 unit is a pixel of a 640x480 image."""
    return max(least, round(units * min(width / 640, height / 480)))


def _rows(reading: Reading) -> list[str]:
    """Return the rows, with a space between their numbers if these are known."""
    if len(reading.numbers) != len(reading.rows):
        return list(reading.rows)
    return [" ".join(row) for row in reading.numbers]


def _wrap(rows: Sequence[str], text_height: int, width: int) -> list[str]:
    """Join rows to lines of at most `width` pixels; a row that is longer continues on the next line."""
    lines: list[str] = []
    for row in rows:
        joined = f"{lines[-1]}{ROW_SEPARATOR}{row}" if lines else row
        if lines and text_width(joined, text_height) <= width:
            lines[-1] = joined
            continue
        while len(row) > 1 and text_width(row, text_height) > width:
            fitting = max(1, len(row) * width // text_width(row, text_height))
            lines.append(row[:fitting])
            row = row[fitting:]
        lines.append(row)
    return lines


@dataclass(frozen=True, slots=True)
class _Label:
    """What stands beside a digit: the digit, and its confidence in smaller text if that is shown."""

    digit: str
    percent: str
    text_height: int

    @property
    def gap(self) -> int:
        """Pixels around the text."""
        return max(2, self.text_height // 6)

    @property
    def percent_height(self) -> int:
        """Height of the confidence in pixels."""
        return max(MIN_TEXT_HEIGHT, self.text_height // 2)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        percent = text_width(self.percent, self.percent_height) + self.gap if self.percent else 0
        return text_width(self.digit, self.text_height) + percent + 2 * self.gap, self.text_height + 2 * self.gap

    def draw(self, image: NDArray[np.uint8], box: Box, colour: Colour) -> None:
        """Draw the label into its box."""
        _fill(image, box, colour)
        left, baseline = box[0] + self.gap, box[1] + box[3] - self.gap
        draw_text(image, self.digit, (left, baseline), self.text_height, LABEL_TEXT_COLOUR)
        if self.percent:
            left += text_width(self.digit, self.text_height) + self.gap
            draw_text(image, self.percent, (left, baseline), self.percent_height, LABEL_TEXT_COLOUR)


def _draw_digits(image: NDArray[np.uint8], reading: Reading) -> None:
    """Draw a box around each digit, and labels beside them: with the confidence if all have room, or it is low."""
    height, width = image.shape[:2]
    widest = _pixels(2, width, height, least=1)
    lines = [max(1, min(widest, digit.box[3] // 16)) for digit in reading.digits]
    boxes = [pad_box(digit.box, line) for digit, line in zip(reading.digits, lines, strict=True)]
    colours = [HIGH_CONFIDENCE_COLOUR if _is_confident(digit) else LOW_CONFIDENCE_COLOUR for digit in reading.digits]
    for box, line, colour in zip(boxes, lines, colours, strict=True):
        _draw_frame(image, box, line, colour)
    largest = _pixels(22, width, height)
    others = _other_candidates(reading)
    for is_short in (False, True):
        labels = [_labels(digit, largest, is_short=is_short) for digit in reading.digits]
        sizes = [[label.size for label in options] for options in labels]
        places = place_labels(boxes, sizes, width=width, height=height, others=others, clearance=widest)
        if None not in places:
            break
    for options, option_sizes, place, colour in zip(labels, sizes, places, colours, strict=True):
        if place is not None:
            options[option_sizes.index(place[2:])].draw(image, place, colour)


def _labels(digit: Digit, largest: int, *, is_short: bool) -> list[_Label]:
    """Return the labels of a digit, the best first: all with the confidence, or short ones."""
    text, percent = str(digit.digit), format_confidence(digit.confidence)
    height = max(MIN_TEXT_HEIGHT, min(largest, digit.box[3] // 2))
    if not is_short:
        return [_Label(text, percent, height)]
    small = max(MIN_TEXT_HEIGHT, height // 2)
    return [_Label(text, percent, height)] * (not _is_confident(digit)) + [
        _Label(text, "", size) for size in (height, small)
    ]


def _is_confident(digit: Digit) -> bool:
    return digit.confidence >= HIGH_CONFIDENCE


def _draw_frame(image: NDArray[np.uint8], box: Box, line: int, colour: Colour) -> None:
    """Draw the border inside of a box, `line` pixels wide: OpenCV's own lines would cover some of the digit."""
    x, y, width, height = box
    for top in (y, y + height - line):
        _fill(image, (x, top, width, line), colour)
    for left in (x, x + width - line):
        _fill(image, (left, y, line, height), colour)


def _fill(image: NDArray[np.uint8], box: Box, colour: Colour) -> None:
    x, y, width, height = box
    cv2.rectangle(image, (x, y), (x + width - 1, y + height - 1), colour, cv2.FILLED)


def _other_candidates(reading: Reading) -> list[Box]:
    """Return the boxes of rejected candidates, which labels must not cover; not of those around digits, as tables."""
    if reading.trace is None:
        return []
    boxes = [reading.given_box(one.box) for one in reading.trace.decisions if not one.kept]
    if not boxes or not reading.digits:
        return boxes
    first, digits = np.array(boxes)[:, None], np.array([digit.box for digit in reading.digits])
    starts = np.maximum(first[..., :2], digits[:, :2])  # (boxes, digits, 2)
    ends = np.minimum(first[..., :2] + first[..., 2:], digits[:, :2] + digits[:, 2:])
    overlap = (starts < ends).all(axis=2).any(axis=1)
    return [box for box, covers in zip(boxes, overlap, strict=True) if not covers]
