"""Tables: digits go into the cells in which they stand, and a page with tables becomes lines of CSV."""

from collections.abc import Sequence

from digitedge.reader.reading import Cell, Digit, Reading, Table
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


def csv_lines(reading: Reading) -> list[list[str]]:
    """Return the lines of a reading for CSV, top to bottom: the rows of tables, and the numbers of each row elsewhere.

    Examples:
        >>> digits = Digit(3, 0.9, (10, 5, 9, 9)), Digit(1, 0.9, (10, 25, 9, 9)), Digit(8, 0.9, (90, 25, 9, 9))
        >>> table = Table((0, 20, 40, 20), ((Cell("1", (0, 20, 20, 20)), Cell("", (20, 20, 20, 20))),))
        >>> csv_lines(Reading(digits, ("3", "18"), 200, 100, 1.0, numbers=(("3",), ("1", "8")), tables=(table,)))
        [['3'], ['1', ''], ['8']]
    """
    lines: list[list[str]] = []
    left = list(reading.tables)
    tables = iter([_table_around(digit, reading.tables) for digit in reading.digits])
    for row in reading.numbers:
        beside: list[str] = []
        for number in row:
            text = ""
            for digit in number:
                table = next(tables)
                if table is None:
                    text += digit
                elif table in left:
                    left.remove(table)
                    lines += _cell_texts(table)
            beside += [text] if text else []
        lines += [beside] if beside else []
    return lines + [texts for table in left for texts in _cell_texts(table)]


def _table_around(digit: Digit, tables: Sequence[Table]) -> Table | None:
    return next((table for table in tables if is_centre_in(digit.box, [table.box])), None)


def _cell_texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]
