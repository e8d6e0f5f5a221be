"""An image of errors: each digit that was missed, misread or invented as a tile, the worst frames first.

Tiles are cut while the frames pass by, so no frame is kept. There is room for LIMIT of them: the first error of each
kind in every frame comes before any second one, so that a page of a hundred mistakes leaves room for the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.detection import Comparison
from digitedge.reader.reader import Digit
from digitedge.utils.boxes import Box, iou
from digitedge.utils.drawing import (
    BLACK,
    BLUE,
    VERMILION,
    WHITE,
    YELLOW,
    Colour,
    draw_box,
    shortened,
    text_width,
    write,
)
from digitedge.utils.opencv import cv2

LIMIT = 120
COLUMNS = 12

# Pixels of the sheet.
TILE = 160
GAP = 6
TITLE_TYPE, WORD_TYPE, NAME_TYPE = 14, 11, 8
WORD_BAND, NAME_BAND = 20, 16
HEADER = 64

# How much of a tile's side the longer side of its box takes.
SHARE = 0.42
# Least side of the part of a frame that a tile shows, in pixels of the frame: a speck needs its surroundings.
LEAST_VIEW = 40

# Colours are BGR.
BACKGROUND, OUTSIDE = (52, 48, 44), (110, 106, 102)
# Behind the names of one frame's tiles and of the next one's.
SHADES = (BACKGROUND, (96, 88, 80))

Rank = tuple[float, int, str]
"""How bad the reading of a frame is, the lowest first: F1, minus the number of errors, and a name for a sure order."""


class Kind(StrEnum):
    """What can go wrong with a digit."""

    MISSED = "missed"
    WRONG = "wrong"
    INVENTED = "invented"


class _Look(NamedTuple):
    """How one kind of error is shown and explained."""

    colour: Colour
    lettering: Colour
    meaning: str


# These three differ in lightness too.
LOOKS = {
    Kind.MISSED: _Look(BLUE, WHITE, "a digit where nothing was read"),
    Kind.WRONG: _Look(YELLOW, BLACK, "read as another digit"),
    Kind.INVENTED: _Look(VERMILION, WHITE, "read where no digit is"),
}


class _Error(NamedTuple):
    """One error of a frame: where it is, and what to say about it."""

    kind: Kind
    box: Box
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class _Tile:
    """The image of one error, uint8 (TILE, TILE, 3), with what decides whether and where it is shown."""

    error: _Error
    number: int
    rank: Rank
    name: str
    image: NDArray[np.uint8]

    @property
    def urgency(self) -> tuple[int, Rank]:
        return self.number, self.rank

    @property
    def place(self) -> tuple[Rank, int, int]:
        return self.rank, list(Kind).index(self.error.kind), self.number


@dataclass(slots=True, eq=False)
class ContactSheet:
    """Collects errors frame by frame, and draws those that there is room for.

    Attributes:
        limit: the most tiles to draw.
        counts: errors of each kind that were added, shown or not.
    """

    limit: int = LIMIT
    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    _tiles: list[_Tile] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """Errors that were added."""
        return sum(self.counts.values())

    @property
    def shown(self) -> int:
        """Errors that there is room for."""
        return len(self._tiles)

    def add(self, name: str, frame: NDArray[np.uint8], compared: Comparison[Digit], *, rank: Rank) -> None:
        """Add the errors of one frame.

        Args:
            name: for the captions.
            frame: uint8 (H, W, 3), BGR.
            compared: what became of its digits.
            rank: of the frame among the others.
        """
        boxes = [(read.box, str(read.digit)) for read in _all_read(compared)]
        numbers = dict.fromkeys(Kind, 0)
        for error in _errors(compared):
            if numbers[error.kind] < self.limit:
                self._tiles.append(_Tile(error, numbers[error.kind], rank, name, _cut(frame, error, boxes)))
            numbers[error.kind] += 1
            self.counts[error.kind] += 1
        self._tiles = sorted(self._tiles, key=lambda tile: tile.urgency)[: self.limit]

    def draw(self, title: str = "") -> NDArray[np.uint8]:
        """Draw the sheet.

        Args:
            title: what was read, for the first line.

        Returns:
            uint8 (H, W, 3), BGR.
        """
        tiles = sorted(self._tiles, key=lambda tile: tile.place)
        rows = -(-len(tiles) // COLUMNS)
        pitch = (TILE + GAP, TILE + WORD_BAND + NAME_BAND + GAP)
        sheet = np.empty((HEADER + rows * pitch[1] + GAP, COLUMNS * pitch[0] + GAP, 3), np.uint8)
        sheet[:] = BACKGROUND
        self._draw_header(sheet, title)
        frames = list(dict.fromkeys(tile.rank for tile in tiles))
        for number, tile in enumerate(tiles):
            row, column = divmod(number, COLUMNS)
            x, y = GAP + column * pitch[0], HEADER + row * pitch[1]
            shade = SHADES[frames.index(tile.rank) % len(SHADES)]
            _draw_tile(sheet[y : y + pitch[1] - GAP, x : x + TILE], tile, shade)
        return sheet

    def _draw_header(self, sheet: NDArray[np.uint8], title: str) -> None:
        hidden = f", {self.errors - self.shown} more left out" if self.errors > self.shown else ""
        text = f"{self.shown} errors, worst images first{hidden}. {title}"
        write(sheet, text, (GAP, 12 + TITLE_TYPE), TITLE_TYPE, WHITE)
        x = GAP
        for kind, look in LOOKS.items():
            words = f"{self.counts[kind]} {kind}: {look.meaning}"
            width = text_width(words, WORD_TYPE) + 2 * GAP
            cv2.rectangle(sheet, (x, 36), (x + width, 36 + WORD_BAND), look.colour, cv2.FILLED)
            write(sheet, words, (x + GAP, 36 + WORD_BAND - 5), WORD_TYPE, look.lettering)
            x += width + 2 * GAP
        write(sheet, "thin box: what else was read there", (x, 36 + WORD_BAND - 5), WORD_TYPE, WHITE)


def _errors(compared: Comparison[Digit]) -> Iterator[_Error]:
    """All errors of a frame, of each kind the gravest first: the largest that was missed, the surest that was read."""
    for true in sorted(compared.missed, key=lambda true: -true.box[2] * true.box[3]):
        yield _Error(Kind.MISSED, true.box, f"missed {true.digit}")
    for true, read in sorted(compared.wrong, key=lambda pair: -pair[1].confidence):
        yield _Error(Kind.WRONG, read.box, f"read {read.digit}, is {true.digit}  {read.confidence:.0%}")
    for read in sorted(compared.invented, key=lambda read: -read.confidence):
        yield _Error(Kind.INVENTED, read.box, f"invented {read.digit}  {read.confidence:.0%}")


def _all_read(compared: Comparison[Digit]) -> list[Digit]:
    paired = [read for _, read in (*compared.right, *compared.wrong)]
    return [*paired, *compared.invented, *compared.ignored]


def _cut(frame: NDArray[np.uint8], error: _Error, read: Sequence[tuple[Box, str]]) -> NDArray[np.uint8]:
    """Cut a square around the error out of the frame, scale it to a tile, and draw the boxes in."""
    x, y, width, height = error.box
    side = max(LEAST_VIEW, round(max(width, height) / SHARE))
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    image = _scaled(frame, (left, top, side, side))
    for box, label in read:
        if box != error.box and iou(box, (left, top, side, side)) > 0:
            moved = _moved(box, left, top, TILE / side)
            draw_box(image, moved, WHITE, width=1)
            _draw_label(image, label, moved)
    draw_box(image, _moved(error.box, left, top, TILE / side), LOOKS[error.kind].colour, width=2)
    return image


def _scaled(frame: NDArray[np.uint8], view: Box) -> NDArray[np.uint8]:
    """A square part of the frame as uint8 (TILE, TILE, 3); what lies outside of the frame is grey."""
    left, top, side, _ = view
    image = np.empty((TILE, TILE, 3), np.uint8)
    image[:] = OUTSIDE
    (x, right), (y, bottom) = (
        (max(0, start), min(start + side, end)) for start, end in zip((left, top), frame.shape[1::-1], strict=True)
    )
    if x < right and y < bottom:
        tile_x, tile_y, width, height = _moved((x, y, right - x, bottom - y), left, top, TILE / side)
        part = image[tile_y : tile_y + max(1, height), tile_x : tile_x + max(1, width)]
        way = cv2.INTER_AREA if side > TILE else cv2.INTER_CUBIC
        cv2.resize(frame[y:bottom, x:right], part.shape[1::-1], dst=part, interpolation=way)
    return image


def _moved(box: Box, left: int, top: int, scale: float) -> Box:
    x, y, width, height = box
    return round((x - left) * scale), round((y - top) * scale), round(width * scale), round(height * scale)


def _draw_label(image: NDArray[np.uint8], text: str, box: Box) -> None:
    """What was read in a thin box, on a dark patch above its corner."""
    x, y = max(0, box[0] - 2), max(NAME_TYPE + 5, box[1] - 2)
    cv2.rectangle(image, (x, y - NAME_TYPE - 5), (x + text_width(text, NAME_TYPE) + 3, y), BLACK, cv2.FILLED)
    write(image, text, (x + 2, y - 3), NAME_TYPE, WHITE)


def _draw_tile(place: NDArray[np.uint8], tile: _Tile, shade: Colour) -> None:
    """Lay a tile in its place (TILE + WORD_BAND + NAME_BAND, TILE, 3), with its words and the frame's name below."""
    place[:] = shade
    place[:TILE] = tile.image
    look = LOOKS[tile.error.kind]
    place[TILE : TILE + WORD_BAND] = look.colour
    write(place, tile.error.words, (GAP, TILE + WORD_BAND - 5), WORD_TYPE, look.lettering)
    name = shortened(tile.name, NAME_TYPE, TILE - GAP)
    write(place, name, (GAP // 2, TILE + WORD_BAND + NAME_BAND - 4), NAME_TYPE, WHITE)
