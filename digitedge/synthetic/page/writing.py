"""Rows of numbers in one hand: from a single digit that fills the page to a hundred small ones, apart or touching."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.defects import NEAT, VISIBLE, Manner, hard_ink
from digitedge.synthetic.handwriting.writer import one_hand
from digitedge.synthetic.noise import stain
from digitedge.synthetic.page.surface import Tool
from digitedge.utils.opencv import cv2

# Room between two digits of a number, at most, and between two numbers, at least, in heights of the digits.
NARROW, WIDE = 0.9, 1.5
# Height of the smallest digits in pixels.
SMALLEST = 10
# Width of the thinnest line in pixels.
LEAST_PEN = 1.4


class Layout(StrEnum):
    """How many digits, and how they stand."""

    SINGLE = "single"
    FEW = "few"
    NUMBERS = "numbers"
    LIST = "list"
    BLOCK = "block"
    MANY = "many"
    TABLE = "table"


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Ink at a place of the page.

    Attributes:
        ink: uint8 (H, W), ink bright on 0.
        x: left edge of the ink on the page, in pixels.
        y: upper edge.
        tool: what it is written with.
        digit: 0 to 9; None for what is no digit.
    """

    ink: NDArray[np.uint8]
    x: int
    y: int
    tool: Tool
    digit: int | None = None

    def moved(self, x: int, y: int) -> "Placed":
        """The same ink further to the right and below."""
        return Placed(self.ink, self.x + x, self.y + y, self.tool, self.digit)

    def outline(self) -> NDArray[np.float64]:
        """Convex hull of the visible ink, float64 (P, 2), in pixels of the page."""
        hull = cv2.convexHull(cv2.findNonZero((self.ink >= VISIBLE).view(np.uint8)))[:, 0]
        return np.asarray(hull + np.array([self.x, self.y]), np.float64)


# A row holds numbers, a number holds digits.
Row = list[list[Placed]]


@dataclass(frozen=True, slots=True)
class Style:
    """How a page is written.

    Attributes:
        layout: how many digits, and how they stand.
        tools: the pens; each row takes one of them.
        manner: what goes wrong with the digits.
        joined: share of neighbours within a number that touch.
        slope: of the rows, in radians.
    """

    layout: Layout
    tools: tuple[Tool, ...]
    manner: Manner = NEAT
    joined: float = 0.0
    slope: float = 0.0


Cells = tuple[list[float], list[float]]


def write_rows(
    style: Style, rng: np.random.Generator, *, width: int, height: int
) -> tuple[list[Row], float, Cells | None]:
    """Fill a room with rows of numbers.

    Args:
        style: how.
        rng: where chance comes from.
        width: of the room in pixels.
        height: of the room in pixels.

    Returns:
        Rows from top to bottom, their digits from left to right, in pixels from the upper left corner of the room; the
        distance of two rows in pixels; and for a table the x and y of its lines.
    """
    if style.layout is Layout.TABLE:
        return _write_table(style, rng, width, height)
    lengths = _sample_lengths(style.layout, rng)
    gap = rng.uniform(0.12, 0.5) if style.layout is not Layout.MANY else rng.uniform(0.1, 0.3)
    pitch = rng.uniform(1.45, 2.2) if len(lengths) > 1 else 1.1
    room = max(0.5 * height, height - abs(np.tan(style.slope)) * width)
    least = SMALLEST if style.layout is Layout.MANY else 2.2 * SMALLEST
    lengths = lengths[: max(1, int(room / (pitch * least)))]
    longest = max(_length(numbers, gap) for numbers in lengths)
    largest = min(width / longest, room / (pitch * len(lengths)), 0.86 * height, 0.9 * width)
    size = max(SMALLEST, round(largest * _fill(style.layout, rng)))
    pens = _Pens(style, rng, size)
    rows = [_clipped(_write_row(numbers, pens, rng, gap), width) for numbers in lengths]
    rows = _place(rows, rng, round(pitch * size), style.slope, width, height)
    return rows[:1] + [row for row in rows[1:] if _is_within(row, height)], pitch * size, None


class _Pens:
    """One writer with some pens, who writes digit after digit."""

    def __init__(self, style: Style, rng: np.random.Generator, size: int) -> None:
        self.style = style
        self.size = size
        self._rng = rng
        self._hand = one_hand(rng, 16)
        self._written = 0
        self.tool = style.tools[0]

    def change(self) -> None:
        """Take any of the pens."""
        self.tool = self.style.tools[self._rng.integers(len(self.style.tools))]

    def write(self, x: int) -> Placed:
        """Write any digit, its left edge at x and its foot about at 0."""
        high = max(4, round(self.size * self._rng.normal(1, 0.05)))
        digit = int(self._rng.integers(10))
        self._written += 1
        ink = hard_ink(
            digit,
            self._rng,
            height=high,
            pen_width=max(self.tool.width, LEAST_PEN / high),
            pen=self.tool.pen,
            hand=self._hand.one(self._written % 16),
            manner=self.style.manner,
        )
        return Placed(ink, x, round(self._rng.normal(0, 0.035) * self.size) - high, self.tool, digit)


def _write_row(numbers: list[int], pens: _Pens, rng: np.random.Generator, gap: float) -> Row:
    """Write numbers of so many digits beside each other, with one pen."""
    pens.change()
    row: Row = []
    x = 0
    for length in numbers:
        number: list[Placed] = []
        for _ in range(length):
            mark = pens.write(x)
            if number and rng.random() < pens.style.joined:
                mark = _touching(number[-1], mark, rng)
            number.append(mark)
            x = mark.x + mark.ink.shape[1] + max(2, round(pens.size * gap * rng.uniform(0.75, 1.3)))
        row.append(number)
        x += round(pens.size * (WIDE - 0.3 * gap + rng.exponential(0.4)))
    return row


def _write_table(style: Style, rng: np.random.Generator, width: int, height: int) -> tuple[list[Row], float, Cells]:
    """Write digits into some cells of a table, as in a sudoku; each row holds at least one."""
    columns, lines = int(rng.integers(3, 10)), int(rng.integers(2, min(10, 3 + height // 40)))
    cell = min(width / columns, height / lines) * rng.uniform(0.6, 0.98)
    wide = min(cell * rng.uniform(1, 1.5), width / columns)
    pens = _Pens(style, rng, max(SMALLEST, round(cell * rng.uniform(0.45, 0.75))))
    left, top = rng.uniform(0, width - wide * columns), rng.uniform(0, height - cell * lines)
    share = rng.uniform(0.25, 1)
    rows: list[Row] = []
    for line in range(lines):
        pens.change()
        row: Row = []
        for column in range(columns):
            if rng.random() > share and not (column == columns - 1 and not row):
                continue
            mark = pens.write(0)
            x, y = np.array([wide, cell]) * (np.array([column, line]) + 0.5 + rng.normal(0, 0.04, 2))
            high, across = mark.ink.shape
            row.append([mark.moved(round(left + x - across / 2), round(top + y - high / 2) - mark.y)])
        rows.append(_by_gaps(row, 1.2 * pens.size))
    xs, ys = (left + wide * np.arange(columns + 1)).tolist(), (top + cell * np.arange(lines + 1)).tolist()
    return rows, cell, (xs, ys)


def _by_gaps(row: Row, gap: float) -> Row:
    """Join neighbours that are no further apart, as a reader of a table without its lines would."""
    joined: Row = []
    for number in row:
        if joined and number[0].x - joined[-1][-1].x - joined[-1][-1].ink.shape[1] < gap:
            joined[-1] += number
        else:
            joined.append(number)
    return joined


def put(page: NDArray[np.uint8], mark: Placed) -> None:
    """Write ink onto a page, in place; what is beyond the page is lost."""
    top, left = max(0, -mark.y), max(0, -mark.x)
    ink = mark.ink[top : max(0, page.shape[0] - mark.y), left : max(0, page.shape[1] - mark.x)]
    if ink.size:
        y, x = mark.y + top, mark.x + left
        part = page[y : y + ink.shape[0], x : x + ink.shape[1]]
        stain(part, ink, mark.tool.colour, opacity=mark.tool.opacity)


def all_marks(rows: list[Row]) -> list[Placed]:
    """All digits of all rows, in reading order."""
    return [mark for row in rows for number in row for mark in number]


def bounds(marks: list[Placed]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all ink."""
    left, top = min(mark.x for mark in marks), min(mark.y for mark in marks)
    right = max(mark.x + mark.ink.shape[1] for mark in marks)
    return left, top, right, max(mark.y + mark.ink.shape[0] for mark in marks)


def _sample_lengths(layout: Layout, rng: np.random.Generator) -> list[list[int]]:
    """Digits of each number of each row."""
    match layout:
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
            raise AssertionError("a table has cells")


def _length(numbers: list[int], gap: float) -> float:
    """Length of a row in heights, about."""
    return sum(numbers) * (0.62 + gap) - gap * len(numbers) + (len(numbers) - 1) * (WIDE + 0.5)


def _fill(layout: Layout, rng: np.random.Generator) -> float:
    """Share of the possible height that the digits take."""
    low, high = {Layout.SINGLE: (0.3, 1.0), Layout.MANY: (0.7, 1.0)}.get(layout, (0.55, 1.0))
    return float(rng.uniform(low, high))


def _touching(left: Placed, right: Placed, rng: np.random.Generator) -> Placed:
    """Move the right digit until its ink touches, or overlaps a little, the ink on its left."""
    top, bottom = max(left.y, right.y), min(left.y + left.ink.shape[0], right.y + right.ink.shape[0])
    one = left.ink[top - left.y : bottom - left.y] >= VISIBLE
    two = right.ink[top - right.y : bottom - right.y] >= VISIBLE
    both = one.any(axis=1) & two.any(axis=1)
    if not both.any():
        return right
    ends = one.shape[1] - 1 - one[:, ::-1].argmax(axis=1)
    room = int((two.argmax(axis=1) - ends)[both].min())
    overlap = round(rng.uniform(0, 0.04) * left.ink.shape[0])
    x = max(left.x - room - overlap, left.x + round(0.55 * left.ink.shape[1]))
    return Placed(right.ink, x, right.y, right.tool, right.digit)


def _clipped(row: Row, width: int) -> Row:
    """Leave out what goes beyond the room, but never the first digit."""
    first = row[0][0]
    kept = [[mark for mark in number if mark is first or mark.x + mark.ink.shape[1] <= width] for number in row]
    return [number for number in kept if number]


def _is_within(row: Row, height: int) -> bool:
    """Whether a sloping row ends in the room; the slope takes the last ones out of it."""
    marks = [mark for number in row for mark in number]
    return min(mark.y for mark in marks) >= 0 and max(mark.y + mark.ink.shape[0] for mark in marks) <= height


def _place(rows: list[Row], rng: np.random.Generator, pitch: int, slope: float, width: int, height: int) -> list[Row]:
    """Put the rows below each other somewhere in the room."""
    widths = [row[-1][-1].x + row[-1][-1].ink.shape[1] for row in rows]
    spare = max(0.0, width - max(widths))
    left = rng.uniform(0, spare)
    rise = np.tan(slope)
    lowest = (len(rows) - 1) * pitch + max(0.0, rise * max(widths))
    top = max(mark.ink.shape[0] for row in rows for number in row for mark in number) + max(0.0, -rise * max(widths))
    start = top + rng.uniform(0, max(1.0, height - lowest - top))
    indent = np.minimum(rng.uniform(0, 0.3 * pitch, len(rows)), np.maximum(0, width - left - np.array(widths)))
    return [
        [
            [
                mark.moved(
                    round(left + indent[index]), round(start + index * pitch + rise * (mark.x + mark.ink.shape[1] / 2))
                )
                for mark in number
            ]
            for number in row
        ]
        for index, row in enumerate(rows)
    ]
