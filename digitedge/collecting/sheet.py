"""The digit sheet: where its markers and cells are, in millimetres.

The same block of markers and cells stands in the middle of every paper, so reading a sheet needs to know neither the
paper nor how the printer scaled it. The twelve markers go round the block, clockwise from the upper left; their numbers
also say which version of the sheet it is.

    0 --- 1 --- 2 --- 3
    |   rows of cells |
    11                4
    |                 |
    10                5
    |                 |
    9 --- 8 --- 7 --- 6
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2

SHEET_VERSION = 1
"""Of the layout below. Whoever moves a marker or a cell gives it the next number, at most `MAX_VERSION`."""

# Width and height of the block of markers and cells, in millimetres. Letter paper is 215.9 wide, A4 279.4 high or more.
BLOCK_MM = (190.0, 252.0)
MARKER_MM = 11.0
ROWS = 10
COLUMNS = 12
# Upper left corner of the first cell, distance from cell to cell, and size of a cell.
FIRST_CELL_MM = (20.0, 27.0)
PITCH_MM = (13.0, 21.0)
CELL_MM = (11.5, 17.5)

# 5x5 bits are easy to see at a thousand pixels, and its 250 markers differ in six bits at least.
_DICTIONARY = cv2.aruco.DICT_5X5_250
MARKER_BITS = 7  # with the black border
MARKERS = 12
MAX_VERSION = 250 // MARKERS - 1
_MARKER_CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * MARKER_MM


class Paper(StrEnum):
    """Papers that a sheet is printed on."""

    A4 = "a4"
    LETTER = "letter"

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height in millimetres."""
        return (210.0, 297.0) if self is Paper.A4 else (215.9, 279.4)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the sheet.

    Attributes:
        row: 0 to 9: the digit that it asks for.
        column: 0 to `COLUMNS` - 1.
    """

    row: int
    column: int

    @property
    def name(self) -> str:
        """Row and column, such as "r3c07"."""
        return f"r{self.row}c{self.column:02}"

    @property
    def box_mm(self) -> tuple[float, float, float, float]:
        """x, y, width and height in millimetres from the upper left corner of the block."""
        x, y = (
            first + index * pitch
            for first, index, pitch in zip(FIRST_CELL_MM, (self.column, self.row), PITCH_MM, strict=True)
        )
        return x, y, *CELL_MM

    @property
    def corners_mm(self) -> NDArray[np.float64]:
        """Its corners, float64 (4, 2), clockwise from the upper left."""
        x, y, width, height = self.box_mm
        return np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


CELLS = tuple(Cell(row, column) for row in range(ROWS) for column in range(COLUMNS))
"""All cells, row by row."""


def block_corner_mm(paper: Paper) -> tuple[float, float]:
    """Return where the upper left corner of the block is on a paper, in millimetres.

    Examples:
        >>> block_corner_mm(Paper.A4)
        (10.0, 22.5)
    """
    width, height = paper.size_mm
    return (width - BLOCK_MM[0]) / 2, (height - BLOCK_MM[1]) / 2


@cache
def marker_corners_mm() -> NDArray[np.float64]:
    """Return the corners of all markers, float64 (MARKERS, 4, 2): x and y in millimetres, clockwise from upper left."""
    right, bottom = BLOCK_MM[0] - MARKER_MM, BLOCK_MM[1] - MARKER_MM
    thirds = np.arange(3) / 3
    top = [(share * right, 0.0) for share in thirds]
    side = [(right, share * bottom) for share in thirds]
    places = np.array([*top, *side, *((right - x, bottom) for x, _ in top), *((0.0, bottom - y) for _, y in side)])
    return np.asarray(places[:, None] + _MARKER_CORNERS, np.float64)


def marker_id(number: int, version: int = SHEET_VERSION) -> int:
    """Return the id of a marker in OpenCV's dictionary, by its number on a sheet of some version."""
    return version * MARKERS + number


def split_marker_id(marker: int) -> tuple[int, int]:
    """Return the version of the sheet and the number of the marker on it.

    Examples:
        >>> split_marker_id(marker_id(3, version=2))
        (2, 3)
    """
    return divmod(marker, MARKERS)


@cache
def marker_dictionary() -> cv2.aruco.Dictionary:
    """Return OpenCV's dictionary of the markers."""
    return cv2.aruco.getPredefinedDictionary(_DICTIONARY)


def marker_bits(number: int, version: int = SHEET_VERSION) -> NDArray[np.bool_]:
    """Return the squares of a marker, bool (MARKER_BITS, MARKER_BITS): True is white."""
    image = marker_dictionary().generateImageMarker(marker_id(number, version), MARKER_BITS)
    return np.asarray(as_uint8(image) > 0, np.bool_)
