"""Tables: digits are in the cells in which they stand."""

import numpy as np

from digitedge.reader import Reader
from digitedge.reader.reading import Digit
from digitedge.reader.tables import fill_tables
from digitedge.synthetic.scenes import render_scene
from digitedge.vision.tables import TableGrid

LEFT, RIGHT, WIDE = (0, 0, 100, 50), (100, 0, 100, 50), (0, 50, 200, 50)
GRID = TableGrid(((LEFT, RIGHT), (WIDE, WIDE)))


def test_digits_are_in_the_cells_in_which_they_stand() -> None:
    digits = [Digit(2, 0.9, (60, 10, 20, 30)), Digit(1, 0.9, (20, 10, 20, 30)), Digit(5, 0.9, (150, 60, 20, 30))]
    (table,) = fill_tables([GRID], digits)
    assert [[cell.text for cell in row] for row in table.rows] == [["12", ""], ["5", ""]]
    assert [[cell.box for cell in row] for row in table.rows] == [[LEFT, RIGHT], [WIDE, WIDE]]
    assert table.box == (0, 0, 200, 100)


def test_table_without_digits_is_left_out() -> None:
    assert fill_tables([GRID], [Digit(1, 0.9, (500, 10, 20, 30))]) == ()


def test_cells_of_a_rendered_mark_sheet_are_read() -> None:
    scene = render_scene(scene_type="mark-sheet", seed=8)
    true = {cell.text for table in scene.tables for row in table.rows for cell in row if cell.text}
    read = Reader().read(np.ascontiguousarray(scene.frame))
    cells = [cell.text for table in read.tables for row in table.rows for cell in row if cell.text]
    assert len(read.tables) == len(scene.tables)
    assert sum(text in true for text in cells) >= 0.7 * len(cells)
