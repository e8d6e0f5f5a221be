"""Documents that are tables: mark sheets, sudokus, score sheets, logbooks, calendars, bingo cards."""

from functools import partial

import numpy as np

from digitedge.synthetic.documents import texts
from digitedge.synthetic.documents.grid import (
    Grid,
    draw_grid,
    fit_grid,
    keep_table,
    make_grid,
    print_cell,
    print_title,
    shade_cells,
    write_cell,
)
from digitedge.synthetic.documents.hand import Hand
from digitedge.synthetic.documents.rules import Rule
from digitedge.synthetic.documents.sheet import MAX_DIGITS, Sheet
from digitedge.synthetic.drawing import Edges

# What stands in the columns of a mark sheet, besides names and an index.
_COLUMNS = (*("digit",) * 7, *("number",) * 3, "measurement", "letters", "signs")
# What stands in a column of letters: marks, results, a choice of answers.
_LETTER_SETS = ("ABCDE", "WLD", "PAX", "yn", "MTWF", "GRK", "abcd")
# What is written into the cells of a column of a mark sheet.
_CELL_TEXTS: dict[str, texts.Write] = {
    "digit": partial(texts.number, least=1, most=1),
    "number": partial(texts.number, least=1, most=3),
    "measurement": texts.measurement,
}
# A table has no more rows than this.
MAX_ROWS = 34
# What stands in the columns of a logbook, and how wide they usually are, in digits.
_LOGBOOK_COLUMNS: tuple[tuple[texts.Write, float], ...] = (
    (texts.measurement, 3.6),
    (texts.measurement, 3.6),
    (texts.number, 3.2),
    (texts.time, 3.4),
    (texts.date, 5.6),
    (texts.code, 5.0),
)


def draw_mark_sheet(sheet: Sheet, *, by_hand: bool | None = None) -> None:
    """Names, an index in print, and columns of digits, numbers, letters or signs (ticks, crosses), with empty cells."""
    rng = sheet.rng
    columns = int(rng.integers(1, 9))
    kinds: list[str] = []
    if rng.random() < 0.5 and not by_hand:
        kinds.append("index")
    if rng.random() < 0.6:
        kinds.append(sheet.pick(["name", "printed name", "blank"]))
    kinds += [sheet.pick(_COLUMNS) for _ in range(columns)]
    if not {"digit", "number", "measurement"} & set(kinds):
        kinds[-1] = "digit"
    width, wide = rng.uniform(1.3, 4), rng.uniform(3.2, 5)
    share = {"index": 1.5, "name": rng.uniform(3, 7), "printed name": 5, "blank": 4, "number": 1.4 * width}
    share["measurement"] = wide
    count = min(int(rng.integers(2, MAX_ROWS)), 2 + 200 // len(kinds))
    grid = fit_grid(sheet, [share.get(kind, width) for kind in kinds], count, rng.uniform(1.15, 2.3), skew=2)
    size = sheet.size
    rule = sheet.rule(by_hand=by_hand)
    if not by_hand:
        shade_cells(sheet, grid)
    draw_grid(sheet, grid, rule, vertical=rng.random() < 0.93, horizontal=rng.random() < 0.93)
    head = rng.random() < 0.5 and grid.shape[0] > 2
    filled, careless = rng.uniform(0.5, 1.05), rng.uniform(0.3, 2.5)
    written: dict[tuple[int, int], str] = {}
    per_column = rng.random() < 0.3
    hands = [sheet.any_hand() if per_column else sheet.hand for _ in kinds]
    letters = [sheet.pick(_LETTER_SETS) for _ in kinds]
    for r in range(grid.shape[0]):
        for c, (kind, hand) in enumerate(zip(kinds, hands, strict=True)):
            edges = grid.cell(r, c)
            if head and r == 0:
                print_cell(sheet, edges, sheet.label() if rng.random() < 0.5 else str(c + 1), height=0.4 * size)
            elif kind == "index":
                print_cell(sheet, edges, str(r + 1), height=rng.uniform(0.45, 0.65) * size)
            elif kind == "printed name":
                print_cell(sheet, edges, f"{sheet.word()} {sheet.word()}", height=0.5 * size, align=0)
            elif kind == "name":
                write_cell(sheet, edges, sheet.word(), height=0.8 * size, row=r, hand=hand, align=0.0)
            elif kind == "signs":
                _write_sign(sheet, edges, hand)
            elif kind == "letters":
                write_cell(sheet, edges, sheet.pick(letters[c]), height=0.9 * size, row=None, hand=hand)
            elif kind != "blank" and rng.random() < filled:
                written[r, c] = _CELL_TEXTS[kind](rng)
                write_cell(sheet, edges, written[r, c], height=size, row=r, hand=hand, careless=careless)
    keep_table(sheet, grid, written)
    print_title(sheet, grid)


def _write_sign(sheet: Sheet, edges: Edges, hand: Hand) -> None:
    """Write one sign into a cell, or count in it with strokes, which are ignored: they look like ones."""
    rng = sheet.rng
    if rng.random() < 0.15:
        write_cell(sheet, edges, "|" * int(rng.integers(2, 6)), height=0.7 * sheet.size, row=None, hand=hand)
        sheet.ignore_edges(*edges)
        return
    write_cell(
        sheet, edges, sheet.pick(("✓", "✓", "?", texts.DASH, "-", "✗")), height=0.9 * sheet.size, row=None, hand=hand
    )


def draw_table_by_hand(sheet: Sheet) -> None:
    """A table whose lines are drawn with the pen, wobbly and past their ends."""
    draw_mark_sheet(sheet, by_hand=True)


def draw_sudoku(sheet: Sheet) -> None:
    """A sudoku: printed digits that are given, handwritten ones, small notes, empty cells."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    order, box = ((9, 3), (9, 3), (9, 3), (6, 3), (4, 2))[rng.integers(5)]
    side = min(right - left, bottom - top) * rng.uniform(0.45, 1.0) / order
    side = max(side, 13.0)
    grid = make_grid(sheet, [side] * order, order, side, skew=1.5)
    rule = sheet.rule(by_hand=rng.random() < 0.12, size=0.6 * side)
    draw_grid(sheet, grid, rule, bold_every=box, bold=rng.uniform(1.5, 3.5))
    given, filled = rng.uniform(0, 0.55), rng.uniform(0, 1)
    if given < 0.12:
        given, filled = 0.0, max(0.4, filled)
    height, printed = side * rng.uniform(0.45, 0.75), side * rng.uniform(0.45, 0.66)
    notes = rng.random() < 0.2 and side > 40
    written: dict[tuple[int, int], str] = {}
    for r in range(order):
        for c in range(order):
            edges = grid.cell(r, c)
            digit = str(rng.integers(1, order + 1))
            if rng.random() < given:
                print_cell(sheet, edges, digit, height=printed, row=r)
                written[r, c] = digit
            elif rng.random() < filled:
                hand = sheet.any_hand() if rng.random() < 0.08 else sheet.hand
                write_cell(sheet, edges, digit, height=height * rng.normal(1, 0.06), row=r, hand=hand, careless=1.6)
                written[r, c] = digit
            elif notes and rng.random() < 0.5:
                x, y = edges[0] + 0.1 * side, edges[1] + 0.35 * side
                sheet.write(texts.number(rng, 1, 3), x, y, height=max(7, 0.2 * side), ignore=True)
    keep_table(sheet, grid, written)
    print_title(sheet, grid)
    if grid.xs[0] - left > 3 * side and rng.random() < 0.6:
        _print_solution(sheet, left, float(grid.ys[0]), min(grid.xs[0] - left - 0.5 * side, 4 * side))


def _print_solution(sheet: Sheet, x: float, y: float, side: float) -> None:
    """Print yesterday's solution small, a grid of digits that are ignored, with words above and below."""
    step = side / 9
    small = max(5.0, 0.6 * step)
    sheet.print(sheet.word(), x, y + small, height=small, width=side)
    y += 2 * small
    lines = step * np.arange(10, dtype=np.float64)
    grid = Grid(x + lines, y + lines)
    draw_grid(sheet, grid, Rule(sheet.pale(0.6), 1))
    for r in range(9):
        for c in range(9):
            left, top, right, bottom = grid.cell(r, c)
            digit = str(sheet.rng.integers(1, 10))
            sheet.print(digit, (left + right) / 2, (top + bottom + small) / 2, height=small, align=0.5)
    sheet.ignore_edges(x, y, x + side, y + side)
    sheet.paragraph((x, y + side + small, x + side, y + side + 8 * small), height=small)


def draw_score_sheet(sheet: Sheet) -> None:
    """Printed labels on the left, narrow columns of numbers of one to three digits, sums in bold lines."""
    rng = sheet.rng
    columns = int(rng.integers(2, 8))
    labels = [rng.uniform(3, 6), rng.uniform(3, 5)][: rng.integers(1, 3)]
    widths = labels + [rng.uniform(1.7, 3.2)] * columns
    grid = fit_grid(sheet, widths, int(rng.integers(6, 24)), rng.uniform(1.05, 1.9))
    size = sheet.size
    shade_cells(sheet, grid)
    draw_grid(sheet, grid, sheet.rule(by_hand=False), bold_every=sheet.pick([0, 0, 7, 9]), bold=2)
    small = size * rng.uniform(0.3, 0.55)
    used = int(rng.integers(1, columns + 1))
    written: dict[tuple[int, int], str] = {}
    for r in range(grid.shape[0]):
        for c in range(grid.shape[1]):
            edges = grid.cell(r, c)
            if c < len(labels):
                text = sheet.label() if rng.random() < 0.7 else f"{sheet.word()} {rng.integers(1, 60)}"
                print_cell(sheet, edges, text, height=small, align=0.5 if len(labels) > 1 else 0.0)
            elif r == 0:
                text = f"{c}.{sheet.label()}" if rng.random() < 0.4 else sheet.word()
                print_cell(sheet, edges, text, height=small)
            elif c < len(labels) + used and rng.random() < 0.85:
                if rng.random() < 0.08:
                    write_cell(sheet, edges, sheet.pick(("/", texts.DASH, "✗")), height=size, row=r)
                else:
                    written[r, c] = texts.number(rng, 1, 3)
                    write_cell(sheet, edges, written[r, c], height=size, row=r, hand=sheet.any_hand(), careless=1.5)
    keep_table(sheet, grid, written)
    print_title(sheet, grid)


def draw_logbook(sheet: Sheet) -> None:
    """Dense columns of measurements, times and codes under printed headings, with ditto signs and dashes."""
    rng = sheet.rng
    columns = [sheet.pick(_LOGBOOK_COLUMNS) for _ in range(rng.integers(2, 8))]
    columns[0] = _LOGBOOK_COLUMNS[0] if columns[0][0] is texts.code else columns[0]
    narrow = rng.uniform(0.75, 1.3)
    widths = [narrow * wide for _, wide in columns]
    count = int(rng.integers(5, 6 + min(MAX_ROWS, MAX_DIGITS // (3 * len(columns)))))
    grid = fit_grid(sheet, widths, count, rng.uniform(1.0, 1.9), skew=1.5)
    size = sheet.size
    kind = rng.random()
    draw_grid(sheet, grid, sheet.rule(), horizontal=kind > 0.2, vertical=kind < 0.9)
    head, numbered = rng.random() < 0.5, rng.random() < 0.3
    written: dict[tuple[int, int], str] = {}
    align = float(rng.choice([0.0, 0.5, 1.0]))
    for r in range(grid.shape[0]):
        for c, (make, _) in enumerate(columns):
            edges = grid.cell(r, c)
            kind = rng.random()
            if head and r == 0:
                print_cell(sheet, edges, sheet.label(), height=0.4 * size)
            elif numbered and c == 0:
                print_cell(sheet, edges, str(r), height=0.55 * size)
            elif kind < 0.06:
                write_cell(sheet, edges, sheet.pick(('"', "〃", texts.DASH, "-")), height=size, row=r)
            elif kind < 0.94:
                written[r, c] = make(rng)
                write_cell(sheet, edges, written[r, c], height=size, row=r, align=align, careless=1.5)
    keep_table(sheet, grid, written)
    print_title(sheet, grid)


def draw_calendar(sheet: Sheet) -> None:
    """A month: small printed days in the corners of the cells, and numbers, times and words written into some."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    rows = int(rng.integers(4, 7))
    height = min((bottom - top) / (rows + 1), (right - left) / 7) * rng.uniform(0.7, 1)
    grid = make_grid(sheet, [height * rng.uniform(1, 1.5)] * 7, rows, height)
    draw_grid(sheet, grid, sheet.rule(by_hand=False, size=0.4 * height))
    day = 1 - int(rng.integers(0, 7))
    size = min(sheet.size, 0.45 * height)
    for r in range(rows):
        for c in range(7):
            x0, y0, x1, y1 = grid.cell(r, c)
            if 1 <= day <= 31:
                small = max(6.0, 0.2 * height)
                sheet.print(str(day), x0 + 0.08 * height, y0 + 0.3 * height, height=small)
            day += 1
            kind = rng.random()
            if kind < 0.45:
                make = sheet.pick((texts.number, texts.time, texts.amount))
                sheet.write(
                    make(rng), x0 + 0.1 * height, y1 - 0.12 * height, height=size, row=r, width=0.95 * (x1 - x0)
                )
            elif kind < 0.55:
                sheet.write(
                    sheet.word(), x0 + 0.1 * height, y1 - 0.2 * height, height=0.7 * size, width=0.9 * (x1 - x0)
                )


def draw_bingo(sheet: Sheet) -> None:
    """A card of large printed numbers, some of them ringed with a pen, and handwritten ones in free cells."""
    rng = sheet.rng
    left, top, right, bottom = sheet.area
    order = int(rng.integers(3, 7))
    side = min(right - left, bottom - top) / order * rng.uniform(0.6, 1)
    grid = make_grid(sheet, [side] * order, order, side)
    draw_grid(sheet, grid, sheet.rule(by_hand=False, size=0.5 * side), bold_every=order)
    written: dict[tuple[int, int], str] = {}
    for r in range(order):
        for c in range(order):
            edges = grid.cell(r, c)
            written[r, c] = str(rng.integers(1, 76))
            if rng.random() < 0.75:
                print_cell(sheet, edges, written[r, c], height=0.4 * side, row=r)
            else:
                write_cell(sheet, edges, written[r, c], height=0.45 * side, row=r)
    keep_table(sheet, grid, written)
