"""Tests of cells: the areas between lines in which writing stands."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.vision.cells import DRAWN_SIDE, find_cells
from digitedge.vision.lines import Line


def box_lines(left: float, top: float, right: float, bottom: float) -> list[Line]:
    """Return the four sides of a box."""
    wide, high = round(right - left) + 1, round(bottom - top) + 1
    across = [Line(False, round(left), np.full(wide, y), 2.0) for y in (top, bottom)]
    return across + [Line(True, round(top), np.full(high, x), 2.0) for x in (left, right)]


def boxes_at(*corners: tuple[int, int], width: int = 20, height: int = 30) -> NDArray[np.float64]:
    return np.array([(x, y, width, height) for x, y in corners], np.float64)


def test_page_without_lines_is_one_cell() -> None:
    cells = find_cells(boxes_at((10, 10), (300, 500)), [], (600, 400))
    assert cells.number.tolist() == [1, 1]
    assert cells.size.tolist() == [[400, 600]] * 2


def test_no_boxes_have_no_cells() -> None:
    cells = find_cells(np.empty((0, 4)), box_lines(10, 10, 50, 60), (100, 100))
    assert cells.number.shape == (0,) and cells.size.shape == (0, 2)


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_what_is_in_a_box_is_apart_from_what_is_outside_at_any_size(scale: int) -> None:
    """Images larger than DRAWN_SIDE are searched at a smaller scale."""
    shape = (300 * scale, 400 * scale)
    assert (max(shape) > DRAWN_SIDE) == (scale == 5)
    boxes = boxes_at((60, 60), (90, 70), (200, 60), (300, 200)) * scale
    cells = find_cells(boxes, box_lines(50 * scale, 50 * scale, 120 * scale, 110 * scale), shape)
    assert cells.number[0] == cells.number[1] != cells.number[2] == cells.number[3]
    np.testing.assert_allclose(cells.size[:2], [[70 * scale, 60 * scale]] * 2, rtol=0.1)
    assert cells.size[2].tolist() == [400 * scale, 300 * scale]


def test_corners_with_small_gaps_still_close_a_box() -> None:
    lines = box_lines(50, 50, 120, 110)
    gappy = [Line(line.vertical, line.start + 2, line.path[2:-2], 2.0) for line in lines]
    cells = find_cells(boxes_at((70, 65), (200, 65)), gappy, (300, 400))
    assert cells.number[0] != cells.number[1]


def test_digit_that_crosses_a_line_is_in_the_cell_that_holds_most_of_it() -> None:
    floor = Line(False, 0, np.full(400, 100.0), 2.0)
    above, below, crossing = find_cells(boxes_at((50, 40), (50, 140), (90, 78)), [floor], (300, 400)).number
    assert crossing == above != below


def test_box_that_lines_cover_has_no_cell() -> None:
    """Its number is 0 and it is as large as what is covered: no exception, no neighbour."""
    thick = [Line(False, 0, np.full(400, y), 12.0) for y in np.arange(20.0, 80.0, 4)]
    cells = find_cells(boxes_at((50, 30), (50, 200)), thick, (300, 400))
    assert cells.number[0] == 0 != cells.number[1]


def test_boxes_beyond_the_image_and_lines_that_vanish_when_they_are_scaled_are_harmless() -> None:
    cells = find_cells(boxes_at((-40, -40), (9000, 9000)), [Line(True, 5, np.full(2, 900.0), 2.0)], (3000, 4000))
    assert cells.number.tolist() == [1, 1]
