"""A contact sheet of detection errors: one tile for each false negative, misclassified digit and false positive.

Tiles are cropped while frames are evaluated, so no frame is kept in memory. At most LIMIT tiles are shown: the first
error of each type in every frame before any second one, so that one page with a hundred errors does not fill the sheet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.detection import Matches
from digitedge.reader import Digit
from digitedge.utils.boxes import Box, iou
from digitedge.utils.drawing import (
    BLACK,
    BLUE,
    VERMILION,
    WHITE,
    YELLOW,
    Colour,
    draw_box,
    draw_text,
    shorten_text,
    text_width,
)
from digitedge.utils.opencv import cv2, resize

LIMIT = 120
COLUMNS = 12

# In pixels of the sheet. Two bands of text are below each tile.
TILE = 160
GAP = 6
HEADER = 64
TEXT_BAND = 20
NAME_BAND = 16
# Heights of capitals, in pixels.
TITLE_HEIGHT = 14
TEXT_HEIGHT = 11
NAME_HEIGHT = 8

# Share of a tile's side that the longer side of the box takes.
BOX_SHARE = 0.42
# Minimum side of the part of a frame that a tile shows, in pixels of the frame, so that a speck is shown in context.
MIN_CONTEXT = 40

# Colours are BGR.
BACKGROUND: Colour = (52, 48, 44)
OUTSIDE: Colour = (110, 106, 102)
# Alternate behind the names of the frames.
NAME_BACKGROUNDS: tuple[Colour, Colour] = (BACKGROUND, (96, 88, 80))

Rank = tuple[float, int, str]
"""Sorts frames, the worst first: F1, minus the number of errors, name."""


class ErrorType(StrEnum):
    """What can go wrong with a digit."""

    FALSE_NEGATIVE = "false negative"
    MISCLASSIFIED = "misclassified"
    FALSE_POSITIVE = "false positive"


class _Style(NamedTuple):
    colour: Colour
    text_colour: Colour
    meaning: str


# The colours differ in lightness, too.
STYLES = {
    ErrorType.FALSE_NEGATIVE: _Style(BLUE, WHITE, "a digit that was not read"),
    ErrorType.MISCLASSIFIED: _Style(YELLOW, BLACK, "read as another digit"),
    ErrorType.FALSE_POSITIVE: _Style(VERMILION, WHITE, "read where no digit is"),
}


class _Error(NamedTuple):
    type: ErrorType
    box: Box
    caption: str


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """The image of one error: uint8 (TILE, TILE, 3). `number` counts the errors of its type in its frame."""

    error: _Error
    number: int
    rank: Rank
    name: str
    image: NDArray[np.uint8]


@dataclass(slots=True, eq=False)
class ContactSheet:
    """Collects errors frame by frame and draws the first `limit` of them.

    Attributes:
        limit: maximum number of tiles.
        counts: number of errors of each type that were added, shown or not.
    """

    limit: int = LIMIT
    counts: dict[ErrorType, int] = field(default_factory=lambda: dict.fromkeys(ErrorType, 0))
    _tiles: list[_Tile] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Number of errors that were added."""
        return sum(self.counts.values())

    @property
    def shown(self) -> int:
        """Number of errors that are drawn."""
        return len(self._tiles)

    def add(self, name: str, frame: NDArray[np.uint8], matches: Matches[Digit], *, rank: Rank) -> None:
        """Add the errors of one frame, uint8 (H, W, 3) BGR; `rank` places it among the others."""
        matched = [detected for _, detected in (*matches.true_positives, *matches.misclassified)]
        detections = [*matched, *matches.false_positives, *matches.ignored]
        numbers = dict.fromkeys(ErrorType, 0)
        for error in _errors(matches):
            if numbers[error.type] < self.limit:
                image = _crop(frame, error, detections)
                self._tiles.append(_Tile(error, numbers[error.type], rank, name, image))
            numbers[error.type] += 1
            self.counts[error.type] += 1
        self._tiles = sorted(self._tiles, key=lambda tile: (tile.number, tile.rank))[: self.limit]

    def draw(self, title: str = "") -> NDArray[np.uint8]:
        """Draw the sheet, uint8 (H, W, 3) BGR, with what was evaluated as its title."""
        types = list(ErrorType)
        tiles = sorted(self._tiles, key=lambda tile: (tile.rank, types.index(tile.error.type), tile.number))
        rows = -(-len(tiles) // COLUMNS)
        row_height = TILE + TEXT_BAND + NAME_BAND + GAP
        sheet = np.full((HEADER + rows * row_height + GAP, COLUMNS * (TILE + GAP) + GAP, 3), BACKGROUND, np.uint8)
        self._draw_header(sheet, title)
        frames = list(dict.fromkeys(tile.rank for tile in tiles))
        for number, tile in enumerate(tiles):
            row, column = divmod(number, COLUMNS)
            x, y = GAP + column * (TILE + GAP), HEADER + row * row_height
            background = NAME_BACKGROUNDS[frames.index(tile.rank) % len(NAME_BACKGROUNDS)]
            _draw_tile(sheet[y : y + row_height - GAP, x : x + TILE], tile, background)
        return sheet

    def _draw_header(self, sheet: NDArray[np.uint8], title: str) -> None:
        hidden = f", {self.errors - self.shown} more not shown" if self.errors > self.shown else ""
        text = f"{self.shown} errors, worst images first{hidden}. {title}"
        draw_text(sheet, text, (GAP, 12 + TITLE_HEIGHT), TITLE_HEIGHT, WHITE)
        x, top, baseline = GAP, 36, 36 + TEXT_BAND - 5
        for error_type, style in STYLES.items():
            text = f"{self.counts[error_type]} {error_type}: {style.meaning}"
            width = text_width(text, TEXT_HEIGHT) + 2 * GAP
            cv2.rectangle(sheet, (x, top), (x + width, top + TEXT_BAND), style.colour, cv2.FILLED)
            draw_text(sheet, text, (x + GAP, baseline), TEXT_HEIGHT, style.text_colour)
            x += width + 2 * GAP
        draw_text(sheet, "thin box: other detections", (x, baseline), TEXT_HEIGHT, WHITE)


def _errors(matches: Matches[Digit]) -> Iterator[_Error]:
    """Yield the errors of a frame: of each type the largest missed and the most confident detected ones first."""
    for true in sorted(matches.false_negatives, key=lambda true: -true.box[2] * true.box[3]):
        yield _Error(ErrorType.FALSE_NEGATIVE, true.box, f"not read: {true.digit}")
    for true, detected in sorted(matches.misclassified, key=lambda pair: -pair[1].confidence):
        caption = f"read {detected.digit}, is {true.digit}  {detected.confidence:.0%}"
        yield _Error(ErrorType.MISCLASSIFIED, detected.box, caption)
    for detected in sorted(matches.false_positives, key=lambda detected: -detected.confidence):
        caption = f"read {detected.digit}  {detected.confidence:.0%}"
        yield _Error(ErrorType.FALSE_POSITIVE, detected.box, caption)


def _crop(frame: NDArray[np.uint8], error: _Error, detections: Sequence[Digit]) -> NDArray[np.uint8]:
    """Crop a square around the error, scale it to a tile, and draw the boxes in it."""
    x, y, width, height = error.box
    side = max(MIN_CONTEXT, round(max(width, height) / BOX_SHARE))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)

    def to_tile(box: Box) -> Box:
        x, y, width, height = box
        scale = TILE / side
        return round((x - left) * scale), round((y - top) * scale), round(width * scale), round(height * scale)

    image = np.full((TILE, TILE, 3), OUTSIDE, np.uint8)
    x, right = max(0, left), min(left + side, frame.shape[1])
    y, bottom = max(0, top), min(top + side, frame.shape[0])
    if x < right and y < bottom:  # the part of the square that is in the frame
        tile_x, tile_y, width, height = to_tile((x, y, right - x, bottom - y))
        part = image[tile_y : tile_y + max(1, height), tile_x : tile_x + max(1, width)]
        interpolation = cv2.INTER_AREA if side > TILE else cv2.INTER_CUBIC
        part[:] = resize(frame[y:bottom, x:right], (part.shape[1], part.shape[0]), interpolation)
    for detected in detections:
        if detected.box != error.box and iou(detected.box, (left, top, side, side)) > 0:
            draw_box(image, to_tile(detected.box), WHITE, width=1)
            _draw_label(image, str(detected.digit), to_tile(detected.box))
    draw_box(image, to_tile(error.box), STYLES[error.type].colour, width=2)
    return image


def _draw_label(image: NDArray[np.uint8], text: str, box: Box) -> None:
    """Write on a black background above the corner of a thin box."""
    x, y = max(0, box[0] - 2), max(NAME_HEIGHT + 5, box[1] - 2)
    cv2.rectangle(image, (x, y - NAME_HEIGHT - 5), (x + text_width(text, NAME_HEIGHT) + 3, y), BLACK, cv2.FILLED)
    draw_text(image, text, (x + 2, y - 3), NAME_HEIGHT, WHITE)


def _draw_tile(area: NDArray[np.uint8], tile: _Tile, background: Colour) -> None:
    """Draw a tile, its caption and the name of its frame into an area (TILE + TEXT_BAND + NAME_BAND, TILE, 3)."""
    area[:] = background
    area[:TILE] = tile.image
    style = STYLES[tile.error.type]
    area[TILE : TILE + TEXT_BAND] = style.colour
    draw_text(area, tile.error.caption, (GAP, TILE + TEXT_BAND - 5), TEXT_HEIGHT, style.text_colour)
    name = shorten_text(tile.name, NAME_HEIGHT, TILE - GAP)
    draw_text(area, name, (GAP // 2, TILE + TEXT_BAND + NAME_BAND - 4), NAME_HEIGHT, WHITE)
