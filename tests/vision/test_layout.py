"""Reading order."""

import numpy as np
import pytest

from digitedge.vision import numbers_of, rows_of


def test_no_boxes_make_no_rows():
    assert rows_of([]) == []


def test_rows_go_down_and_digits_go_right():
    boxes = [(60, 100, 20, 30), (10, 102, 20, 28), (60, 10, 20, 30), (10, 12, 5, 30), (110, 8, 22, 30)]
    assert rows_of(boxes) == [[3, 2, 4], [1, 0]]


def test_input_order_does_not_matter():
    boxes = [(40 * column, 60 * row + 3 * column, 20, 40) for row in range(4) for column in range(8)]
    shuffled = np.random.default_rng(0).permutation(len(boxes))
    rows = rows_of([boxes[i] for i in shuffled])
    assert [[int(shuffled[i]) for i in row] for row in rows] == [list(range(8 * r, 8 * r + 8)) for r in range(4)]


@pytest.mark.parametrize("slope", [-0.25, 0.25])
def test_a_row_may_climb_by_more_than_its_height(slope):
    boxes = [(50 * i, round(300 + slope * 50 * i), 30, 40) for i in range(12)]
    assert rows_of(boxes) == [list(range(12))]


def test_a_low_digit_stays_in_its_row():
    assert rows_of([(0, 0, 30, 60), (40, 30, 25, 30), (80, 0, 30, 60)]) == [[0, 1, 2]]


def row(*gaps, width=20, height=40):
    """Boxes side by side with these gaps between them."""
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
    ids=["lone", "close", "two numbers", "narrow pair", "wide pair", "all far apart", "three numbers"],
)
def test_wide_gaps_part_numbers(gaps, numbers):
    assert numbers_of(row(*gaps)) == numbers


def test_no_digits_make_no_numbers():
    assert numbers_of([]) == []
