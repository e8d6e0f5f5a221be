"""Tables: which lines make one, and where its cells are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.vision.lines import Line
from digitedge.vision.tables import find_tables

SHAPE = (800, 1000)


def segment(start: tuple[float, float], end: tuple[float, float]) -> Line:
    """Make a line from one point to another."""
    vertical = abs(end[1] - start[1]) > abs(end[0] - start[0])
    (along, across), (end_along, end_across) = (start[::-1], end[::-1]) if vertical else (start, end)
    count = round(end_along - along) + 1
    return Line(vertical, round(along), np.linspace(across, end_across, count), 2.0)


def grid(
    rows: int, columns: int, *, width: float = 100, height: float = 60, transform: NDArray[np.float64] | None = None
) -> list[Line]:
    """Make the lines of a table; `transform` (3, 3) is a homography."""
    matrix = np.eye(3) if transform is None else transform

    def at(column: int, row: int) -> tuple[float, float]:
        x, y, w = matrix @ (50 + width * column, 40 + height * row, 1)
        return float(x / w), float(y / w)

    lines = [segment(at(0, row), at(columns, row)) for row in range(rows + 1)]
    return lines + [segment(at(column, 0), at(column, rows)) for column in range(columns + 1)]


def test_cells_of_a_table() -> None:
    (table,) = find_tables(grid(3, 4), SHAPE)
    assert [len(row) for row in table.rows] == [4, 4, 4]
    assert table.rows[1][2] == (250, 100, 100, 60)


@pytest.mark.parametrize(
    "transform",
    [
        np.array([[1, 0.05, 0], [-0.05, 1, 60], [0, 0, 1]]),
        np.array([[1, 0.1, 0], [0.02, 1, 0], [1e-4, 3e-4, 1]]),
    ],
    ids=["turned", "perspective"],
)
def test_photographed_table_has_all_cells_in_their_places(transform: NDArray[np.float64]) -> None:
    (table,) = find_tables(grid(6, 5, transform=transform), SHAPE)
    assert [len(row) for row in table.rows] == [5] * 6
    for row, column in np.ndindex(6, 5):
        x, y, w = transform @ (100 + 100 * column, 70 + 60 * row, 1)
        box = table.rows[row][column]
        assert box is not None
        assert abs(box[0] + box[2] / 2 - x / w) <= 6
        assert abs(box[1] + box[3] / 2 - y / w) <= 6


def test_double_and_repeated_lines_make_no_cells() -> None:
    lines = grid(3, 3)
    lines += [segment((50, 104), (350, 104)), *grid(3, 3)]
    (table,) = find_tables(lines, SHAPE)
    assert (len(table.rows), len(table.rows[0])) == (3, 3)


def test_line_in_pieces_is_one_line() -> None:
    lines = grid(3, 3)
    lines.remove(next(line for line in lines if not line.vertical and line.path[0] == 100))
    lines += [segment((50, 100), (190, 100)), segment((205, 100), (350, 100))]
    (table,) = find_tables(lines, SHAPE)
    assert all(cell is not None for row in table.rows for cell in row)


def test_cells_with_nothing_between_them_are_one() -> None:
    lines = [line for line in grid(3, 3) if not (line.vertical and line.path[0] == 150)]
    lines.append(segment((150, 100), (150, 220)))  # not in the first row
    (table,) = find_tables(lines, SHAPE)
    assert table.rows[0] == ((50, 40, 200, 60), (50, 40, 200, 60), (250, 40, 100, 60))
    assert table.rows[1][0] == (50, 100, 100, 60)


def test_two_tables_are_two() -> None:
    below = [Line(line.vertical, line.start + (400 if line.vertical else 0), line.path, 2.0) for line in grid(2, 2)]
    below = [line if line.vertical else Line(False, line.start, line.path + 400, 2.0) for line in below]
    tables = find_tables(below + grid(3, 3), SHAPE)
    assert [len(table.rows) for table in tables] == [3, 2]


NO_TABLES = {
    "nothing": [],
    "ruled paper": [segment((0, y), (999, y)) for y in range(40, 800, 40)],
    "ruled paper with a margin": [segment((0, y), (999, y)) for y in range(40, 800, 40)]
    + [segment((80, 0), (80, 799))],
    "squared paper": grid(19, 24, width=38, height=38),
    "comb field": grid(1, 8, width=40),
    "one column": grid(6, 1),
    "strokes of large digits on ruled paper": [
        *(segment((0, y), (999, y)) for y in (300, 340, 380, 420)),
        *(segment((x, 310), (x + 10, 430)) for x in (400, 480, 560)),
    ],
}


@pytest.mark.parametrize("lines", NO_TABLES.values(), ids=NO_TABLES)
def test_is_no_table(lines: list[Line]) -> None:
    assert find_tables(lines, SHAPE) == ()
