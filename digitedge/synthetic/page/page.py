"""A page, seen flat and in even light: paper, rows of digits and clutter; or a page without digits."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.non_digits.samples import NonDigit, render_non_digit
from digitedge.synthetic.page.clutter import add_clutter, add_table
from digitedge.synthetic.page.desk import lay_on_desk, make_desk, sample_paper_corners
from digitedge.synthetic.page.paper_types import LINED_PAPERS, PaperType, make_paper
from digitedge.synthetic.page.pens import BALL, CHALK, FELT, WHITEBOARD_PEN, Pen, PenRange
from digitedge.synthetic.page.scene_types import PAPERS, SCENE_TYPES, Clutter, Difficulty, SceneType
from digitedge.synthetic.page.texts import fill_with_words
from digitedge.synthetic.page.writing import (
    GridLines,
    PageStyle,
    PlacedInk,
    Row,
    all_ink,
    bounds,
    paste_ink,
    write_rows,
)

# How far a page goes beyond the frame on each side, in sides of the frame.
MARGIN = 0.08
# Share of the frame that digits may fill; with words around them, less of its height.
FILL = 0.9
FILL_WITH_WORDS = 0.63
# Standard deviation of the slope of the rows, and the steepest slope, in degrees.
SLOPES = {Difficulty.PLAIN: 0.5, Difficulty.EASY: 0.8, Difficulty.MEDIUM: 2.0, Difficulty.HARD: 4.0}
MAX_SLOPE = 12.0
# Pens for boards.
BOARD_PENS = {PaperType.BLACKBOARD: (CHALK,), PaperType.WHITEBOARD: (WHITEBOARD_PEN,)}


@dataclass(frozen=True, slots=True, eq=False)
class PageTable:
    """A table on a page: the digits of each cell, row by row, and its corners, float64 (R, C, 4, 2)."""

    texts: list[list[str]]
    corners: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A written page.

    Attributes:
        image: uint8 (H, W, 3), BGR.
        paper: what it is written on.
        rows: the digits.
        ignore: outlines, float64 (P, 2) each, of what could be taken for a digit.
        tables: those of documents.
        ambiguous: outlines of letters and signs of documents that look like a digit when they stand alone.
    """

    image: NDArray[np.uint8]
    paper: PaperType
    rows: list[Row]
    ignore: list[NDArray[np.float64]]
    tables: list[PageTable] = field(default_factory=list)
    ambiguous: list[NDArray[np.float64]] = field(default_factory=list)

    @property
    def digits(self) -> list[PlacedInk]:
        """All digits, in reading order."""
        return all_ink(self.rows)


def write_page(scene_type: SceneType, difficulty: Difficulty, rng: np.random.Generator, frame: tuple[int, int]) -> Page:
    """Write a page for a frame (width, height); it is larger by MARGIN on each side."""
    paper = scene_type.papers[rng.integers(len(scene_type.papers))]
    style = PageStyle(
        layout=scene_type.layouts[rng.integers(len(scene_type.layouts))],
        pens=tuple(sample_pen(scene_type.pens, paper, rng) for _ in range(scene_type.pen_count)),
        defects=scene_type.defects[rng.integers(len(scene_type.defects))],
        touching=scene_type.touching,
        slope=float(np.radians(np.clip(rng.normal(0, SLOPES[difficulty]), -MAX_SLOPE, MAX_SLOPE))),
    )
    rows, pitch, table = _write_rows_inside(scene_type, style, rng, frame)
    shape = (round(frame[1] * (1 + 2 * MARGIN)), round(frame[0] * (1 + 2 * MARGIN)))
    boldness = float(rng.uniform(*scene_type.boldness))
    # The digits stand on the lines of the paper, or across them.
    first, on_lines = rows[0][0][0], rng.random() < 0.5
    size = first.ink.shape[0]
    spacing = size * rng.uniform(0.5, 2) * (0.6 if paper is PaperType.SQUARED else 1)
    image = make_paper(
        paper,
        rng,
        width=shape[1],
        height=shape[0],
        pitch=pitch if on_lines and len(rows) > 1 else spacing,
        start=first.y + size - np.tan(style.slope) * first.x if on_lines else rng.uniform(0, shape[0]),
        angle=style.slope if on_lines else style.slope * rng.uniform(0, 0.5),
        boldness=boldness,
    )
    if table:
        add_table(image, rows, rng, table)
    ignore = [outline for clutter in scene_type.clutter for outline in add_clutter(clutter, image, rows, rng)]
    for placed in all_ink(rows):
        paste_ink(image, placed)
    if Clutter.DESK in scene_type.clutter or Clutter.DARK_DESK in scene_type.clutter:
        desk = make_desk(rng, shape, dark=Clutter.DARK_DESK in scene_type.clutter)
        sides = int(rng.integers(1, 5))
        corners = sample_paper_corners(bounds([all_ink(rows)]), rng, shape, pad=0.25 * size + 4, sides=sides)
        image = lay_on_desk(desk, image, rng, corners)
    return Page(image, paper, rows, ignore)


def sample_pen(pens: tuple[PenRange, ...], paper: PaperType, rng: np.random.Generator) -> Pen:
    """Sample one of these pens, but on brown paper one that can be seen there."""
    pens = (BALL, FELT) if paper is PaperType.BROWN else pens
    return pens[rng.integers(len(pens))].sample(rng)


def _write_rows_inside(
    scene_type: SceneType, style: PageStyle, rng: np.random.Generator, frame: tuple[int, int]
) -> tuple[list[Row], float, GridLines | None]:
    """Write rows around the middle of the page, or across the border of the frame; see `write_rows`."""
    has_words = Clutter.WORDS in scene_type.clutter or Clutter.PRINT in scene_type.clutter
    width, height = round(frame[0] * FILL), round(frame[1] * (FILL_WITH_WORDS if has_words else FILL))
    rows, pitch, table = write_rows(style, rng, width=width, height=height)
    left, top = round(frame[0] * (0.5 + MARGIN) - width / 2), round(frame[1] * (0.5 + MARGIN) - height / 2)
    rows = _move_rows(rows, left, top)
    if Clutter.CUT in scene_type.clutter:
        rows = _move_rows(rows, *_sample_move_across_border(rows, rng, frame))
    return rows, pitch, ([x + left for x in table[0]], [y + top for y in table[1]]) if table else None


def _move_rows(rows: list[Row], x: int, y: int) -> list[Row]:
    return [[[placed.moved(x, y) for placed in number] for number in row] for row in rows]


def _sample_move_across_border(rows: list[Row], rng: np.random.Generator, frame: tuple[int, int]) -> tuple[int, int]:
    """Sample a move after which a side of the frame cuts the outermost digits, but not all digits."""
    digits = all_ink(rows)
    left, top, right, bottom = bounds([digits])
    share = rng.uniform(0.2, 0.6)  # of the outermost digit, cut off
    high, wide = (share * np.median([placed.ink.shape[axis] for placed in digits]) for axis in (0, 1))
    x, y = MARGIN * frame[0], MARGIN * frame[1]
    moves = [(x - left - wide, 0.0), (x + frame[0] - right + wide, 0.0)]
    if len(rows) > 1:
        moves += [(0.0, y - top - high), (0.0, y + frame[1] - bottom + high)]
    move = moves[rng.integers(len(moves))]
    return round(move[0]), round(move[1])


def write_page_without_digits(name: str, rng: np.random.Generator, frame: tuple[int, int]) -> NDArray[np.uint8]:
    """Make a blank page, or one of letters or doodles, by name, for a frame (width, height): uint8 (H, W, 3), BGR."""
    width, height = frame
    papers = (PaperType.NAPKIN, PaperType.WHITEBOARD, PaperType.BLACKBOARD, PaperType.ENVELOPE, *PAPERS)
    paper = papers[rng.integers(len(papers))]
    pitch = height / rng.uniform(*((4, 30) if paper in LINED_PAPERS else (2.5, 16)))
    slope = float(np.radians(rng.normal(0, 2.0)))
    boldness = rng.uniform(0, 0.8)
    page = make_paper(paper, rng, width=width, height=height, pitch=pitch, angle=slope, boldness=boldness)
    pen = sample_pen(BOARD_PENS.get(paper, SCENE_TYPES["plain"].pens), paper, rng)
    if name == "letters":
        fill_with_words(page, rng, pen, pitch=max(pitch, 16.0), slope=slope)
    elif name == "doodles":
        _draw_doodles(page, rng, pen)
    if rng.random() < 0.25:
        middle = (width // 4, height // 4, width * 3 // 4, height * 3 // 4)
        corners = sample_paper_corners(middle, rng, (height, width), pad=10, sides=2)
        page = lay_on_desk(make_desk(rng, (height, width)), page, rng, corners)
    return page


def _draw_doodles(page: NDArray[np.uint8], rng: np.random.Generator, pen: Pen) -> None:
    """Draw non-digits of the kinds that contain no part of a digit."""
    height, width = page.shape[:2]
    kinds = [kind for kind in NonDigit if kind not in (NonDigit.FRAGMENT, NonDigit.PAIR)]
    for _ in range(rng.integers(1, 20)):
        kind = kinds[rng.integers(len(kinds))]
        ink = render_non_digit(kind, rng, height=max(8, round(height * rng.uniform(0.04, 0.4))))
        paste_ink(page, PlacedInk(ink, int(rng.uniform(0, 0.9) * width), int(rng.uniform(0, 0.9) * height), pen))
