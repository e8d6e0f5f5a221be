"""Rows of numbers by one writer: from a single digit that fills the page to a hundred small ones, apart or touching."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.defects import NO_DEFECTS, VISIBLE_INK, Defects, render_digit_with_defects
from digitedge.synthetic.handwriting.writer import sample_single_writer
from digitedge.synthetic.noise import blend_colour
from digitedge.synthetic.page.pens import Pen
from digitedge.utils.boxes import Box, union
from digitedge.utils.opencv import cv2

# Least gap between two numbers of a row, in heights of the digits; digits of one number are at most 0.9 apart.
SPACE_BETWEEN_NUMBERS = 1.5
# Smallest height of a digit in pixels.
MIN_HEIGHT = 10
# Largest overlap of touching digits in heights, and least distance of their left edges in widths of the first.
MAX_OVERLAP = 0.04
MIN_DISTANCE = 0.55
# Smallest stroke width in pixels.
MIN_PEN_WIDTH = 1.4


class Layout(StrEnum):
    """How many digits a page has, and how they are arranged."""

    ROWS = "rows"
    SINGLE = "single"
    FEW = "few"
    NUMBERS = "numbers"
    LIST = "list"
    BLOCK = "block"
    MANY = "many"
    TABLE = "table"


# Range of the gap between the digits of a number, in heights; range of the share of the possible height that the digits
# take; least height in pixels that rows are made for.
_GAPS = {Layout.ROWS: (0.24, 0.45), Layout.MANY: (0.1, 0.3)}
_FILLS = {Layout.SINGLE: (0.3, 1.0), Layout.MANY: (0.7, 1.0)}
_ROW_HEIGHTS = {Layout.ROWS: 34.0, Layout.MANY: 1.0 * MIN_HEIGHT}


@dataclass(frozen=True, slots=True, eq=False)
class PlacedInk:
    """Ink, uint8 (H, W), bright on 0, with its upper left corner in pixels of the page; a digit is 0 to 9, or None."""

    ink: NDArray[np.uint8]
    x: int
    y: int
    pen: Pen
    digit: int | None = None

    @property
    def box(self) -> Box:
        """Its box on the page."""
        return self.x, self.y, self.ink.shape[1], self.ink.shape[0]

    def moved(self, x: int, y: int) -> "PlacedInk":
        """Return the same ink, moved by so many pixels."""
        return replace(self, x=self.x + x, y=self.y + y)

    def outline(self) -> NDArray[np.float64]:
        """Return the convex hull of the visible ink, float64 (P, 2), in pixels of the page."""
        hull = cv2.convexHull(cv2.findNonZero((self.ink >= VISIBLE_INK).view(np.uint8)))[:, 0]
        return np.asarray(hull + np.array([self.x, self.y]), np.float64)


# A row contains numbers, a number contains digits.
Row = list[list[PlacedInk]]
# x and y of the lines of a table.
GridLines = tuple[list[float], list[float]]


@dataclass(frozen=True, slots=True)
class PageStyle:
    """How a page is written: each row takes one of the pens, `touching` is a share of the neighbours within a number.

    The slope of the rows is in radians.
    """

    layout: Layout
    pens: tuple[Pen, ...]
    defects: Defects = NO_DEFECTS
    touching: float = 0.0
    slope: float = 0.0


def write_rows(
    style: PageStyle, rng: np.random.Generator, *, width: int, height: int
) -> tuple[list[Row], float, GridLines | None]:
    """Fill an area of so many pixels with rows of numbers.

    Returns:
        Rows from top to bottom, their digits from left to right, in pixels from the upper left corner of the area; the
        distance of two rows in pixels; and the lines of a table.
    """
    if style.layout is Layout.TABLE:
        return _write_table(style, rng, width, height)
    lengths = _sample_lengths(style.layout, rng)
    gap = rng.uniform(*_GAPS.get(style.layout, (0.12, 0.5)))
    pitch = rng.uniform(1.45, 2.2) if len(lengths) > 1 else 1.1
    room = max(0.5 * height, height - abs(np.tan(style.slope)) * width)
    row_height = _ROW_HEIGHTS.get(style.layout, 2.2 * MIN_HEIGHT)
    lengths = lengths[: max(1, int(room / (pitch * row_height)))]
    longest = max(_estimate_length(numbers, gap) for numbers in lengths)
    largest = min(width / longest, room / (pitch * len(lengths)), 0.86 * height, 0.9 * width)
    size = max(MIN_HEIGHT, round(largest * rng.uniform(*_FILLS.get(style.layout, (0.55, 1.0)))))
    if style.layout is Layout.ROWS:
        size = max(size, round(row_height))
    writer = _PageWriter(style, rng, size)
    rows = [_clip_row(_write_row(numbers, writer, rng, gap), width) for numbers in lengths]
    rows = _place(rows, rng, round(pitch * size), style.slope, width, height)
    # The slope may take the last rows out of the area.
    inside = [row for row in rows[1:] if min(one.y for one in all_ink([row])) >= 0 and bounds(row)[3] <= height]
    return rows[:1] + inside, pitch * size, None


class _PageWriter:
    """One writer with several pens, who writes digit after digit."""

    def __init__(self, style: PageStyle, rng: np.random.Generator, size: int) -> None:
        self.style = style
        self.size = size
        self._rng = rng
        self._writer = sample_single_writer(rng, 16)
        self._written = 0
        self._pen = style.pens[0]

    def change_pen(self) -> None:
        """Take any of the pens."""
        self._pen = self.style.pens[self._rng.integers(len(self.style.pens))]

    def write(self, x: int) -> PlacedInk:
        """Write a random digit with its left edge at x and its foot at about 0."""
        height = max(4, round(self.size * self._rng.normal(1, 0.05)))
        digit = int(self._rng.integers(10))
        self._written += 1
        ink = render_digit_with_defects(
            digit,
            self._rng,
            height=height,
            pen_width=max(self._pen.width, MIN_PEN_WIDTH / height),
            pen_type=self._pen.type,
            writer=self._writer.at(self._written % 16),
            defects=self.style.defects,
        )
        return PlacedInk(ink, x, round(self._rng.normal(0, 0.035) * self.size) - height, self._pen, digit)


def _write_row(numbers: list[int], writer: _PageWriter, rng: np.random.Generator, gap: float) -> Row:
    """Write numbers of the given lengths beside each other, with one pen."""
    writer.change_pen()
    row: Row = []
    x = 0
    for length in numbers:
        number: list[PlacedInk] = []
        for _ in range(length):
            placed = writer.write(x)
            if number and rng.random() < writer.style.touching:
                placed = _move_until_touching(number[-1], placed, rng)
            number.append(placed)
            x = placed.x + placed.ink.shape[1] + max(2, round(writer.size * gap * rng.uniform(0.75, 1.3)))
        row.append(number)
        x += round(writer.size * (SPACE_BETWEEN_NUMBERS - 0.3 * gap + rng.exponential(0.4)))
    return row


def _write_table(
    style: PageStyle, rng: np.random.Generator, width: int, height: int
) -> tuple[list[Row], float, GridLines]:
    """Write digits into some cells of a table, as in a sudoku; each row has at least one."""
    columns, lines = int(rng.integers(3, 10)), int(rng.integers(2, min(10, 3 + height // 40)))
    cell_height = min(width / columns, height / lines) * rng.uniform(0.6, 0.98)
    cell_width = min(cell_height * rng.uniform(1, 1.5), width / columns)
    writer = _PageWriter(style, rng, max(MIN_HEIGHT, round(cell_height * rng.uniform(0.45, 0.75))))
    left, top = rng.uniform(0, width - cell_width * columns), rng.uniform(0, height - cell_height * lines)
    filled = rng.uniform(0.25, 1)
    rows: list[Row] = []
    for line in range(lines):
        writer.change_pen()
        row: Row = []
        for column in range(columns):
            if rng.random() > filled and not (column == columns - 1 and not row):
                continue
            placed = writer.write(0)
            x, y = np.array([cell_width, cell_height]) * (np.array([column, line]) + 0.5 + rng.normal(0, 0.04, 2))
            h, w = placed.ink.shape
            row.append([placed.moved(round(left + x - w / 2), round(top + y - h / 2) - placed.y)])
        rows.append(_join_close_numbers(row, 1.2 * writer.size))
    xs = (left + cell_width * np.arange(columns + 1)).tolist()
    ys = (top + cell_height * np.arange(lines + 1)).tolist()
    return rows, cell_height, (xs, ys)


def _join_close_numbers(row: Row, max_gap: float) -> Row:
    """Join numbers whose gap is smaller, as a reader of the table would without its lines."""
    joined: Row = []
    for number in row:
        if joined and number[0].x - joined[-1][-1].x - joined[-1][-1].ink.shape[1] < max_gap:
            joined[-1] += number
        else:
            joined.append(number)
    return joined


def paste_ink(page: NDArray[np.uint8], placed: PlacedInk) -> None:
    """Write ink onto a page, in place; what is beyond the page is lost."""
    top, left = max(0, -placed.y), max(0, -placed.x)
    ink = placed.ink[top : max(0, page.shape[0] - placed.y), left : max(0, page.shape[1] - placed.x)]
    if ink.size:
        y, x = placed.y + top, placed.x + left
        part = page[y : y + ink.shape[0], x : x + ink.shape[1]]
        blend_colour(part, ink, placed.pen.colour, opacity=placed.pen.opacity)


def all_ink(rows: Sequence[Row]) -> list[PlacedInk]:
    """Return all digits of all rows, in reading order."""
    return [placed for row in rows for number in row for placed in number]


def bounds(numbers: Sequence[Sequence[PlacedInk]]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the ink of some numbers."""
    x, y, w, h = union([placed.box for number in numbers for placed in number])
    return x, y, x + w, y + h


def _sample_lengths(layout: Layout, rng: np.random.Generator) -> list[list[int]]:
    """Sample how many digits each number of each row has."""
    match layout:
        case Layout.ROWS:
            longest = int(rng.integers(1, 9))
            count = int(rng.integers(1, 4))
            lengths = rng.integers(1, longest + 1, count)
            lengths[rng.integers(count)] = longest
            return [[length] for length in lengths.tolist()]
        case Layout.SINGLE:
            return [[1]]
        case Layout.FEW:
            count = int(rng.choice([1, 1, 1, 1, 2, 3]))
            if rng.random() < 0.3:
                return [[1] * int(rng.integers(2, 6)) for _ in range(count)]
            return [[int(rng.integers(2, 8))] for _ in range(count)]
        case Layout.NUMBERS:
            return [rng.integers(1, 4, rng.integers(2, 5)).tolist() for _ in range(rng.integers(1, 4))]
        case Layout.LIST:
            return [[int(rng.integers(1, 4))] for _ in range(rng.integers(2, 7))]
        case Layout.BLOCK:
            return [[int(rng.integers(5, 11))] for _ in range(rng.integers(3, 9))]
        case Layout.MANY:
            if rng.random() < 0.4:
                return [[10] for _ in range(rng.integers(6, 11))]
            return [rng.integers(1, 3, rng.integers(4, 8)).tolist() for _ in range(rng.integers(6, 11))]
        case Layout.TABLE:
            raise AssertionError("a table has cells, not rows of numbers")


def _estimate_length(numbers: list[int], gap: float) -> float:
    """Estimate the length of a row in heights."""
    return sum(numbers) * (0.62 + gap) - gap * len(numbers) + (len(numbers) - 1) * (SPACE_BETWEEN_NUMBERS + 0.5)


def _move_until_touching(left: PlacedInk, right: PlacedInk, rng: np.random.Generator) -> PlacedInk:
    """Move the right digit until its ink touches the left one, or overlaps it a little."""
    distance = touching_distance(left.ink, right.ink, right.y - left.y)
    if distance is None:
        return right
    overlap = 1 + round(rng.uniform(0, MAX_OVERLAP) * left.ink.shape[0])
    return replace(right, x=left.x + max(distance - overlap, round(MIN_DISTANCE * left.ink.shape[1])))


def touching_distance(left: NDArray[np.uint8], right: NDArray[np.uint8], drop: int) -> int | None:
    """Return the distance in pixels between the left edges of two pieces of ink at which they touch.

    `drop` is how many pixels lower the right one is; None if there is no row with ink of both.

    Examples:
        >>> corner, bar = np.uint8([[255, 0, 0], [255, 255, 255]]), np.uint8([[255], [0]])
        >>> touching_distance(corner, bar, 0), touching_distance(corner, bar, 1), touching_distance(corner, bar, 2)
        (1, 3, None)
    """
    top, bottom = max(0, drop), min(left.shape[0], drop + right.shape[0])
    left_ink, right_ink = left[top:bottom] >= VISIBLE_INK, right[top - drop : bottom - drop] >= VISIBLE_INK
    both = left_ink.any(axis=1) & right_ink.any(axis=1)
    if not both.any():
        return None
    ends = left_ink.shape[1] - left_ink[:, ::-1].argmax(axis=1)
    return int((ends - right_ink.argmax(axis=1))[both].max())


def _clip_row(row: Row, width: int) -> Row:
    """Leave out the digits beyond the area, but never the first one."""
    first = row[0][0]
    kept = [[one for one in number if one is first or one.x + one.ink.shape[1] <= width] for number in row]
    return [number for number in kept if number]


def _place(rows: list[Row], rng: np.random.Generator, pitch: int, slope: float, width: int, height: int) -> list[Row]:
    """Place the rows below each other somewhere in the area."""
    widths = [row[-1][-1].x + row[-1][-1].ink.shape[1] for row in rows]
    left = rng.uniform(0, max(0.0, width - max(widths)))
    rise = np.tan(slope)
    lowest = (len(rows) - 1) * pitch + max(0.0, rise * max(widths))
    top = max(one.ink.shape[0] for one in all_ink(rows)) + max(0.0, -rise * max(widths))
    start = top + rng.uniform(0, max(1.0, height - lowest - top))
    indents = np.minimum(rng.uniform(0, 0.3 * pitch, len(rows)), np.maximum(0, width - left - np.array(widths)))

    def move(one: PlacedInk, index: int) -> PlacedInk:
        foot = start + index * pitch + rise * (one.x + one.ink.shape[1] / 2)
        return one.moved(round(left + indents[index]), round(foot))

    return [[[move(one, index) for one in number] for number in row] for index, row in enumerate(rows)]
