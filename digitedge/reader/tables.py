"""Tables: digits go into the cells in which they stand."""

from collections.abc import Sequence

from digitedge.reader.reading import Cell, Digit, Table
from digitedge.utils.boxes import Box, is_centre_in, union
from digitedge.vision import split_rows
from digitedge.vision.tables import TableGrid


def fill_tables(grids: Sequence[TableGrid], digits: Sequence[Digit]) -> tuple[Table, ...]:
    """Put digits into cells.

    Args:
        grids: tables without content, in pixels of the image.
        digits: all digits of the image.

    Returns:
        Tables from top to bottom; those without any digit are left out.
    """
    tables = []
    for grid in grids:
        text = {box: _text(box, digits) for row in grid.rows for box in row}
        # A merged cell stands at several places: its text is at the first one only.
        rows = tuple(tuple(Cell(text.pop(box, ""), box) for box in row) for row in grid.rows)
        if any(cell.text for row in rows for cell in row):
            tables.append(Table(union([cell.box for row in rows for cell in row]), rows))
    return tuple(sorted(tables, key=lambda table: table.box[1]))


def _text(box: Box, digits: Sequence[Digit]) -> str:
    """Return the digits whose centre lies in a cell, in reading order."""
    inside = [digit for digit in digits if is_centre_in(digit.box, [box])]
    return "".join(str(inside[index].digit) for row in split_rows([one.box for one in inside]) for index in row)
