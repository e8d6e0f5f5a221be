"""Row filter: which rows of a reading count."""

from typing import Any

import pytest

from digitedge.errors import InputError
from digitedge.reader import Digit, Reading
from digitedge.reader.row_filter import RowFilter

DIGITS = tuple(Digit(int(text), 0.9, (10 * number, 0, 8, 9)) for number, text in enumerate("2026512"))
READING = Reading(DIGITS, ("2026", "51", "2"), 640, 480, 3.0, numbers=(("20", "26"), ("51",), ("2",)))


@pytest.mark.parametrize(
    ("row_filter", "text", "is_accepted"),
    [
        (RowFilter(), "2026", True),
        (RowFilter(length=4), "2026", True),
        (RowFilter(length=4), "202", False),
        (RowFilter(pattern="20[0-9]{2}"), "2026", True),
        (RowFilter(pattern="20[0-9]"), "2026", False),
        (RowFilter(length=4, pattern="1.*"), "2026", False),
    ],
)
def test_a_row_counts_by_its_length_and_as_a_whole(row_filter: RowFilter, text: str, is_accepted: bool) -> None:
    assert row_filter.accepts(text) == is_accepted


def test_rows_that_do_not_count_leave_with_their_digits_and_are_counted() -> None:
    kept = RowFilter(length=2).apply(READING)
    assert (kept.rows, kept.numbers, kept.left_out) == (("51",), (("51",),), 2)
    assert [digit.digit for digit in kept.digits] == [5, 1]
    assert kept.digits[0].box == (40, 0, 8, 9)
    assert kept.summary == "51   (2 rows left out)"


def test_without_a_row_that_counts_the_summary_does_not_say_that_there_are_no_digits() -> None:
    assert RowFilter(pattern="9+").apply(READING).summary == "no matching rows   (3 rows left out)"


def test_reading_of_rows_that_count_is_not_changed() -> None:
    assert RowFilter().apply(READING) is READING


@pytest.mark.parametrize("fields", [{"length": 0}, {"pattern": "("}])
def test_impossible_filter_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        RowFilter(**fields)
