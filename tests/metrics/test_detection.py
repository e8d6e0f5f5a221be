"""Matches and scores, on cases computed by hand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitedge.metrics.detection import (
    DetectionScore,
    detection_confusion,
    list_answers,
    longest_common_subsequence,
    match_digits,
    score_reading,
)
from digitedge.utils.boxes import Box, iou


@dataclass(frozen=True)
class Boxed:
    digit: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Page:
    digits: tuple[Boxed, ...] = ()
    rows: tuple[str, ...] = ()


def row(text: str, *, top: int = 0) -> list[Boxed]:
    """Return a row of digits, each 10 wide and 20 high, 10 apart."""
    return [Boxed(int(digit), (20 * place, top, 10, 20)) for place, digit in enumerate(text)]


def page(*texts: str) -> Page:
    digits = [digit for number, text in enumerate(texts) for digit in row(text, top=40 * number)]
    return Page(tuple(digits), texts)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (0, 0, 10, 4), 0.4),
        ((0, 0, 10, 10), (5, 5, 10, 10), 25 / 175),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (30, 40, 1, 1), 0.0),
    ],
    ids=["same", "inside", "corner", "edge to edge", "apart"],
)
def test_iou_is_intersection_over_union(a: Box, b: Box, expected: float) -> None:
    assert iou(a, b) == iou(b, a) == pytest.approx(expected)


def test_every_digit_ends_up_in_one_group() -> None:
    one, two, three = row("123")
    seven, speck, stamp = Boxed(7, two.box), Boxed(1, (200, 0, 4, 9)), Boxed(8, (300, 0, 10, 20))
    matches = match_digits([one, two, three], [one, seven, speck, stamp], ignore=[(290, 0, 40, 40)])
    assert matches.true_positives == ((one, one),)
    assert matches.misclassified == ((two, seven),)
    assert matches.false_negatives == (three,)
    assert matches.false_positives == (speck,)
    assert matches.ignored == (stamp,)


@pytest.mark.parametrize(("height", "matched"), [(8, 1), (7, 0)], ids=["at 0.4", "under it"])
def test_boxes_match_from_an_iou_of_0_4(height: int, matched: int) -> None:
    true, reading = Page((Boxed(1, (0, 0, 10, 20)),)), Page((Boxed(1, (0, 0, 10, height)),))
    assert score_reading(true, reading).matched == matched


def test_the_highest_iou_is_matched_first() -> None:
    """The wide box overlaps both digits by 0.5, the narrow one the left by 0.8, so the wide one takes the right."""
    left, right = Boxed(3, (0, 0, 10, 20)), Boxed(4, (10, 0, 10, 20))
    wide, narrow = Boxed(4, (0, 0, 20, 20)), Boxed(3, (0, 0, 8, 20))
    matches = match_digits([left, right], [wide, narrow])
    assert matches.true_positives == ((left, narrow), (right, wide))


def test_greedy_matching_may_leave_a_digit_unmatched() -> None:
    """The pair with the highest IoU is matched, although another choice would match both."""
    left, right = Boxed(1, (0, 0, 10, 20)), Boxed(2, (0, 12, 10, 20))
    middle, far = Boxed(1, (0, 2, 10, 20)), Boxed(2, (0, -6, 10, 20))
    assert (
        iou(left.box, middle.box) > iou(left.box, far.box) > 0.4 > iou(right.box, middle.box) > iou(right.box, far.box)
    )
    matches = match_digits([left, right], [middle, far])
    assert matches.true_positives == ((left, middle),)
    assert (matches.false_negatives, matches.false_positives) == ((right,), (far,))


@dataclass(frozen=True)
class Read(Boxed):
    confidence: float = 0.9


def test_answers_say_what_each_digit_was_read_as() -> None:
    true = [Boxed(7, (0, 0, 10, 20)), Boxed(1, (20, 0, 10, 20)), Boxed(4, (40, 0, 10, 20))]
    read = [Read(7, (0, 0, 10, 20), 0.8), Read(2, (20, 0, 10, 20)), Read(5, (90, 0, 9, 20)), Read(6, (120, 0, 9, 20))]
    answers = list_answers(match_digits(true, read, ignore=[(115, 0, 20, 20)]))
    assert answers == ((7, 7, 0.8), (1, 2, 0.9), (4, None, None), (None, 5, 0.9))
    confusion = detection_confusion(answers)
    assert [tuple(place) for place in np.argwhere(confusion)] == [(1, 2), (4, 10), (7, 7), (10, 5)]
    assert (confusion.shape, confusion.sum()) == ((11, 11), 4)


def test_one_box_over_two_digits_matches_one() -> None:
    digits = (Boxed(2, (0, 0, 10, 20)), Boxed(6, (12, 0, 10, 20)))
    score = score_reading(Page(digits), Page((Boxed(6, (0, 0, 22, 20)),)))
    assert (score.matched, score.correct, score.false_negatives, score.false_positives) == (1, 1, 1, 0)


def test_a_digit_detected_twice_is_one_true_and_one_false_positive() -> None:
    (seven,) = row("7")
    score = score_reading(Page((seven,)), Page((seven, seven)))
    assert (score.correct, score.false_positives, score.precision, score.recall) == (1, 1, 0.5, 1.0)


def test_the_centre_of_a_box_decides_whether_it_is_ignored() -> None:
    score = {}
    for x in (94, 96):  # centres at 99 and 101
        read = Page((*row("1"), Boxed(0, (x, 0, 10, 20))))
        score[x] = score_reading(Page(tuple(row("1"))), read, ignore=[(100, 0, 50, 50)])
    assert (score[94].detections, score[96].detections) == (2, 1)
    assert (score[94].f1, score[96].f1) == (pytest.approx(2 / 3), 1.0)


def test_a_true_digit_in_a_box_to_ignore_counts() -> None:
    score = score_reading(page("12"), page("17"), ignore=[(0, 0, 100, 100)])
    assert (score.digits, score.detections, score.matched, score.correct) == (2, 2, 2, 1)


def test_f1_weighs_digits_and_mean_f1_weighs_frames() -> None:
    small = score_reading(page("1"), page("7"))  # F1 0
    large = score_reading(page("123456789"), page("123456789"))  # F1 1
    total = small + large
    assert total.f1 == pytest.approx(2 * 9 / (10 + 10))
    assert total.mean_f1 == pytest.approx(0.5)
    assert (total.box_recall, total.digit_accuracy) == (1.0, 0.9)


def test_reading_order_f1_needs_no_boxes() -> None:
    """2026 51 was read as 2026 and 751: 6 digits in the same order, of 6 and 7."""
    far_away = Page(tuple(row("2026751", top=900)), ("2026", "751"))
    score = score_reading(page("2026", "51"), far_away)
    assert (score.common_characters, score.characters, score.correct) == (12, 13, 0)
    assert score.reading_order_f1 == pytest.approx(12 / 13)
    assert score.rows_exact == 0.0


@pytest.mark.parametrize(
    ("rows", "exact"),
    [(("12", "3"), 1), (("123",), 0), (("3", "12"), 0), (("12", "3", "4"), 0), ((), 0)],
    ids=["right", "joined", "swapped", "one too many", "nothing"],
)
def test_rows_are_exact_only_if_all_are_correct(rows: tuple[str, ...], exact: int) -> None:
    score = score_reading(page("12", "3"), Page((), rows))
    assert (score.ordered_frames, score.exact_frames) == (1, exact)


@pytest.mark.parametrize("options", [{"ordered": False}, {"ignore": [(900, 900, 5, 5)]}], ids=["scattered", "ignore"])
def test_pages_without_a_known_order_do_not_count_for_rows(options: dict[str, Any]) -> None:
    score = score_reading(page("12", "3"), page("12", "3"), **options)
    assert (score.ordered_frames, score.exact_frames, score.characters, score.common_characters) == (0, 0, 0, 0)
    assert score.f1 == 1.0


def test_a_negative_counts_its_detections_only() -> None:
    score = score_reading(Page(), page("12"))
    assert score == DetectionScore(negatives=1, negative_detections=2)
    total = score + score_reading(Page(), Page()) + score_reading(page("1"), page("1"))
    assert total.false_positives_per_negative == 1.0
    assert (total.f1, total.mean_f1, total.precision) == (1.0, 1.0, 1.0)
    assert total.errors == 2


def test_a_negative_has_boxes_to_ignore_too() -> None:
    score = score_reading(Page(), page("12"), ignore=[(0, 0, 12, 30)])
    assert score == DetectionScore(negatives=1, negative_detections=1)


def test_no_detections_score_0() -> None:
    score = score_reading(page("12"), Page())
    assert (score.f1, score.mean_f1, score.precision, score.digit_accuracy, score.reading_order_f1) == (0,) * 5
    empty = DetectionScore()
    assert (empty.f1, empty.mean_f1, empty.rows_exact, empty.false_positives_per_negative) == (0,) * 4


@pytest.mark.parametrize(
    ("a", "b", "length"),
    [("", "12", 0), ("123", "123", 3), ("123", "321", 1), ("1234", "2413", 2), ("90817", "19871", 3), ("11", "1", 1)],
)
def test_longest_common_subsequence(a: str, b: str, length: int) -> None:
    assert longest_common_subsequence(a, b) == longest_common_subsequence(b, a) == length


@given(st.text("123", max_size=12), st.text("123", max_size=12), st.text("123", max_size=4))
def test_a_common_prefix_adds_its_length(a: str, b: str, start: str) -> None:
    assert longest_common_subsequence(start + a, start + b) == len(start) + longest_common_subsequence(a, b)


boxes = st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2)
digit_lists = st.lists(st.builds(Boxed, st.integers(0, 9), boxes), max_size=6)


@given(digit_lists, digit_lists, st.lists(boxes, max_size=2))
def test_no_digit_is_lost_or_counted_twice(true: list[Boxed], detected: list[Boxed], ignore: list[Box]) -> None:
    matches = match_digits(true, detected, ignore=ignore)
    pairs = [*matches.true_positives, *matches.misclassified]
    detections = [*(d for _, d in pairs), *matches.false_positives, *matches.ignored]
    assert sorted([*(t for t, _ in pairs), *matches.false_negatives], key=repr) == sorted(true, key=repr)
    assert sorted(detections, key=repr) == sorted(detected, key=repr)
