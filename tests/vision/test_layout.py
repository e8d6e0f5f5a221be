"""Layout: rows, numbers and reading order."""

import numpy as np
import pytest

from digitedge.utils.boxes import Box
from digitedge.vision import split_numbers, split_rows


def test_no_boxes_give_no_rows() -> None:
    assert split_rows([]) == []


def test_rows_run_from_top_to_bottom_and_digits_from_left_to_right() -> None:
    boxes = [(60, 100, 20, 30), (10, 102, 20, 28), (60, 10, 20, 30), (10, 12, 5, 30), (110, 8, 22, 30)]
    assert split_rows(boxes) == [[3, 2, 4], [1, 0]]


def test_rows_do_not_depend_on_the_order_of_the_boxes() -> None:
    boxes = [(40 * column, 60 * row + 3 * column, 20, 40) for row in range(4) for column in range(8)]
    shuffled = np.random.default_rng(0).permutation(len(boxes))
    rows = split_rows([boxes[i] for i in shuffled])
    assert [[int(shuffled[i]) for i in row] for row in rows] == [list(range(8 * r, 8 * r + 8)) for r in range(4)]


@pytest.mark.parametrize("slope", [-0.25, 0.25])
def test_row_that_climbs_by_more_than_its_height_stays_one_row(slope: float) -> None:
    boxes = [(50 * i, round(300 + slope * 50 * i), 30, 40) for i in range(12)]
    assert split_rows(boxes) == [list(range(12))]


def test_low_digit_stays_in_its_row() -> None:
    assert split_rows([(0, 0, 30, 60), (40, 30, 25, 30), (80, 0, 30, 60)]) == [[0, 1, 2]]


def row_with_gaps(*gaps: int, width: int = 20, height: int = 40) -> list[Box]:
    lefts = np.cumsum([0, *(gap + width for gap in gaps)]).tolist()
    return [(left, 0, width, height) for left in lefts]


@pytest.mark.parametrize(
    ("gaps", "numbers"),
    [
        ((), [[0]]),
        ((10, 12, 9), [[0, 1, 2, 3]]),
        ((10, 60, 9), [[0, 1], [2, 3]]),
        ((47,), [[0, 1]]),
        ((49,), [[0], [1]]),
        ((60, 62, 58), [[0, 1, 2, 3]]),
        ((10, 70, 70), [[0, 1], [2], [3]]),
    ],
    ids=["one digit", "close", "two numbers", "narrow pair", "wide pair", "all far apart", "three numbers"],
)
def test_row_is_split_into_numbers_at_wide_gaps(gaps: tuple[int, ...], numbers: list[list[int]]) -> None:
    assert split_numbers(row_with_gaps(*gaps)) == numbers


def test_empty_row_has_no_numbers() -> None:
    assert split_numbers([]) == []
