"""Pages for hard scenes: a sheet, what is written on it, and the marks around that; or anything but digits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.non_digits.samples import Mark, render_mark
from digitedge.synthetic.page.clutter import add_extra, add_table
from digitedge.synthetic.page.desk import lay_on, make_desk, sheet_corners
from digitedge.synthetic.page.paper_types import LINED, Sheet, make_sheet
from digitedge.synthetic.page.scene_types import BALL, BOARD, CHALK, FELT, KINDS, PAPERS, Difficulty, Extra, Kind, Nib
from digitedge.synthetic.page.surface import Tool
from digitedge.synthetic.page.texts import fill_with_words
from digitedge.synthetic.page.writing import Cells, Placed, Row, Style, all_marks, bounds, put, write_rows

# How much of the frame's size a page goes on beyond it on each side.
BEYOND = 0.08
# Share of the frame that digits may fill; with words around them, less of its height.
FILLED, WITH_WORDS = 0.9, 0.63
# Slope of the rows: deviation in degrees; and at most.
SLOPES = {Difficulty.EASY: 0.8, Difficulty.MEDIUM: 2.0, Difficulty.HARD: 4.0}
STEEPEST = 12.0


@dataclass(frozen=True, slots=True, eq=False)
class HardPage:
    """A page with everything on it, and the outlines of what is to be ignored."""

    image: NDArray[np.uint8]
    sheet: Sheet
    rows: list[Row]
    ignore: list[NDArray[np.float64]]

    @property
    def marks(self) -> list[Placed]:
        """All digits, in reading order."""
        return all_marks(self.rows)


def write_hard_page(kind: Kind, difficulty: Difficulty, rng: np.random.Generator, frame: tuple[int, int]) -> HardPage:
    """Make a page of a kind.

    Args:
        kind: what there may be.
        difficulty: how much the rows slope.
        rng: where chance comes from.
        frame: width and height in pixels of the image that it is for.
    """
    sheet = kind.sheets[rng.integers(len(kind.sheets))]
    style = _sample_style(kind, sheet, difficulty, rng)
    rows, pitch, cells = _write_within(kind, style, rng, frame)
    shape = (round(frame[1] * (1 + 2 * BEYOND)), round(frame[0] * (1 + 2 * BEYOND)))
    page = _make_sheet_for(rows, pitch, rng, sheet, shape, slope=style.slope, bold=float(rng.uniform(*kind.bold)))
    if cells:
        add_table(page, rows, rng, *cells)
    ignore = [outline for extra in kind.extras for outline in add_extra(extra, page, rows, rng)]
    for mark in all_marks(rows):
        put(page, mark)
    if Extra.DESK in kind.extras or Extra.DARK_DESK in kind.extras:
        desk = make_desk(rng, shape, dark=Extra.DARK_DESK in kind.extras)
        pad = 0.25 * rows[0][0][0].ink.shape[0] + 4
        corners = sheet_corners(bounds(all_marks(rows)), rng, shape, pad=pad, sides=int(rng.integers(1, 5)))
        page = lay_on(desk, page, rng, corners)
    return HardPage(page, sheet, rows, ignore)


def _sample_style(kind: Kind, sheet: Sheet, difficulty: Difficulty, rng: np.random.Generator) -> Style:
    """Choose pens, how many digits there will be, and how they are written."""
    return Style(
        layout=kind.layouts[rng.integers(len(kind.layouts))],
        tools=tuple(_sample_nib(kind, sheet, rng).one(rng) for _ in range(kind.pens)),
        manner=kind.manners[rng.integers(len(kind.manners))],
        joined=kind.joined,
        slope=float(np.radians(np.clip(rng.normal(0, SLOPES[difficulty]), -STEEPEST, STEEPEST))),
    )


def _write_within(
    kind: Kind, style: Style, rng: np.random.Generator, frame: tuple[int, int]
) -> tuple[list[Row], float, Cells | None]:
    """Write rows around the middle of the page, or across the border of the frame; see `write_rows`."""
    worded = Extra.WORDS in kind.extras or Extra.PRINT in kind.extras
    room = (round(frame[0] * FILLED), round(frame[1] * (WITH_WORDS if worded else FILLED)))
    rows, pitch, cells = write_rows(style, rng, width=room[0], height=room[1])
    left, top = (round(side * (0.5 + BEYOND) - inner / 2) for side, inner in zip(frame, room, strict=True))
    rows = [[[mark.moved(left, top) for mark in number] for number in row] for row in rows]
    if Extra.CUT in kind.extras:
        move = _across_border(rows, rng, frame)
        rows = [[[mark.moved(*move) for mark in number] for number in row] for row in rows]
    return rows, pitch, ([x + left for x in cells[0]], [y + top for y in cells[1]]) if cells else None


def _make_sheet_for(
    rows: list[Row],
    pitch: float,
    rng: np.random.Generator,
    sheet: Sheet,
    shape: tuple[int, int],
    *,
    slope: float,
    bold: float,
) -> NDArray[np.uint8]:
    """Make the sheet; if it is lined, the digits stand on the lines or across them."""
    first = rows[0][0][0]
    size = first.ink.shape[0]
    standing = rng.random() < 0.5
    spacing = size * rng.uniform(0.5, 2) * (0.6 if sheet is Sheet.SQUARED else 1)
    return make_sheet(
        sheet,
        rng,
        width=shape[1],
        height=shape[0],
        pitch=pitch if standing and len(rows) > 1 else spacing,
        start=first.y + size - np.tan(slope) * first.x if standing else rng.uniform(0, shape[0]),
        angle=slope if standing else slope * rng.uniform(0, 0.5),
        bold=bold,
    )


def _sample_nib(kind: Kind, sheet: Sheet, rng: np.random.Generator) -> Nib:
    """A pen of the kind that writes on the sheet."""
    nibs = {Sheet.BLACKBOARD: (CHALK,), Sheet.WHITEBOARD: (BOARD,), Sheet.BROWN: (BALL, FELT)}.get(sheet, kind.nibs)
    return nibs[rng.integers(len(nibs))]


def _across_border(rows: list[Row], rng: np.random.Generator, frame: tuple[int, int]) -> tuple[int, int]:
    """How far to move the rows until a side of the frame runs through the outermost digits, but not through all."""
    marks = all_marks(rows)
    left, top, right, bottom = bounds(marks)
    share = rng.uniform(0.2, 0.6)  # of the outermost digit, cut off
    high, wide = (share * np.median([mark.ink.shape[axis] for mark in marks]) for axis in (0, 1))
    x, y = BEYOND * frame[0], BEYOND * frame[1]
    moves = [(x - left - wide, 0.0), (x + frame[0] - right + wide, 0.0)]
    if len(rows) > 1:
        moves += [(0.0, y - top - high), (0.0, y + frame[1] - bottom + high)]
    move = moves[rng.integers(len(moves))]
    return round(move[0]), round(move[1])


def write_no_digits(name: str, rng: np.random.Generator, frame: tuple[int, int]) -> NDArray[np.uint8]:
    """Make a page without digits.

    Args:
        name: blank, letters, or doodles.
        rng: where chance comes from.
        frame: width and height in pixels.

    Returns:
        uint8 (H, W, 3), BGR.
    """
    width, height = frame
    sheets = (Sheet.NAPKIN, Sheet.WHITEBOARD, Sheet.BLACKBOARD, Sheet.ENVELOPE, *PAPERS)
    sheet = sheets[rng.integers(len(sheets))]
    pitch = height / rng.uniform(*((4, 30) if sheet in LINED else (2.5, 16)))
    slope = float(np.radians(rng.normal(0, 2.0)))
    page = make_sheet(sheet, rng, width=width, height=height, pitch=pitch, angle=slope, bold=rng.uniform(0, 0.8))
    tool = _sample_nib(KINDS["plain"], sheet, rng).one(rng)
    if name == "letters":
        fill_with_words(page, rng, tool, pitch=max(pitch, 16.0), slope=slope)
    elif name == "doodles":
        _doodle(page, rng, tool)
    if rng.random() < 0.25:
        middle = (width // 4, height // 4, width * 3 // 4, height * 3 // 4)
        corners = sheet_corners(middle, rng, (height, width), pad=10, sides=2)
        page = lay_on(make_desk(rng, (height, width)), page, rng, corners)
    return page


def _doodle(page: NDArray[np.uint8], rng: np.random.Generator, tool: Tool) -> None:
    """Draw anything but digits or pieces of them."""
    height, width = page.shape[:2]
    kinds = [kind for kind in Mark if kind not in (Mark.FRAGMENT, Mark.PAIR)]
    for _ in range(rng.integers(1, 20)):
        ink = render_mark(kinds[rng.integers(len(kinds))], rng, height=max(8, round(height * rng.uniform(0.04, 0.4))))
        put(page, Placed(ink, int(rng.uniform(0, 0.9) * width), int(rng.uniform(0, 0.9) * height), tool))
