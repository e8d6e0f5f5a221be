"""The arithmetic of scores, on cases worked out by hand."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitedge.metrics.detection import Score, compare, longest_common_subsequence, score_reading
from digitedge.utils.boxes import iou


@dataclass(frozen=True)
class Ink:
    digit: int
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Page:
    digits: tuple[Ink, ...] = ()
    rows: tuple[str, ...] = ()


def row(text, *, top=0):
    """A row of digits, each 10 wide and 20 high, 10 apart."""
    return [Ink(int(digit), (20 * place, top, 10, 20)) for place, digit in enumerate(text)]


def page(*texts):
    return Page(tuple(ink for number, text in enumerate(texts) for ink in row(text, top=40 * number)), texts)


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
def test_overlap_is_intersection_over_union(a, b, expected):
    assert iou(a, b) == iou(b, a) == pytest.approx(expected)


def test_every_digit_becomes_right_wrong_missed_invented_or_ignored():
    one, two, three = row("123")
    seven, speck, stamp = Ink(7, two.box), Ink(1, (200, 0, 4, 9)), Ink(8, (300, 0, 10, 20))
    compared = compare([one, two, three], [one, seven, speck, stamp], ignore=[(290, 0, 40, 40)])
    assert compared.right == ((one, one),)
    assert compared.wrong == ((two, seven),)
    assert compared.missed == (three,)
    assert compared.invented == (speck,)
    assert compared.ignored == (stamp,)


@pytest.mark.parametrize(("height", "found"), [(8, 1), (7, 0)], ids=["at 0.4", "under it"])
def test_a_box_is_found_from_an_overlap_of_0_4_on(height, found):
    assert score_reading(Page((Ink(1, (0, 0, 10, 20)),)), Page((Ink(1, (0, 0, 10, height)),))).found == found


def test_the_best_overlap_is_paired_first():
    """The wide box overlaps both digits by 0.5, the narrow one the left by 0.8, so the wide one takes the right."""
    left, right = Ink(3, (0, 0, 10, 20)), Ink(4, (10, 0, 10, 20))
    wide, narrow = Ink(4, (0, 0, 20, 20)), Ink(3, (0, 0, 8, 20))
    compared = compare([left, right], [wide, narrow])
    assert compared.right == ((left, narrow), (right, wide))


def test_greedy_pairing_may_leave_a_digit_alone():
    """The best pair of all is taken, although another choice would pair both: the same rule for every reader."""
    left, right = Ink(1, (0, 0, 10, 20)), Ink(2, (0, 12, 10, 20))
    middle, far = Ink(1, (0, 2, 10, 20)), Ink(2, (0, -6, 10, 20))
    assert (
        iou(left.box, middle.box) > iou(left.box, far.box) > 0.4 > iou(right.box, middle.box) > iou(right.box, far.box)
    )
    compared = compare([left, right], [middle, far])
    assert (compared.right, compared.missed, compared.invented) == (((left, middle),), (right,), (far,))


def test_one_box_over_two_digits_finds_neither_or_one():
    digits = (Ink(2, (0, 0, 10, 20)), Ink(6, (12, 0, 10, 20)))
    both = score_reading(Page(digits), Page((Ink(6, (0, 0, 22, 20)),)))
    assert (both.found, both.right, both.missed, both.invented) == (1, 1, 1, 0)


def test_a_digit_read_twice_is_right_once_and_invented_once():
    (seven,) = row("7")
    score = score_reading(Page((seven,)), Page((seven, seven)))
    assert (score.right, score.invented, score.precision, score.recall) == (1, 1, 0.5, 1.0)


def test_the_centre_decides_what_is_ignored():
    score = {}
    for x in (94, 96):  # centres at 99 and 101
        read = Page((*row("1"), Ink(0, (x, 0, 10, 20))))
        score[x] = score_reading(Page(tuple(row("1"))), read, ignore=[(100, 0, 50, 50)])
    assert (score[94].read, score[96].read) == (2, 1)
    assert (score[94].f1, score[96].f1) == (pytest.approx(2 / 3), 1.0)


def test_a_labelled_digit_in_an_ignore_box_counts_all_the_same():
    score = score_reading(page("12"), page("17"), ignore=[(0, 0, 100, 100)])
    assert (score.true, score.read, score.found, score.right) == (2, 2, 2, 1)


def test_f1_over_all_digits_and_the_mean_of_the_pages_differ():
    small = score_reading(page("1"), page("7"))  # F1 0
    large = score_reading(page("123456789"), page("123456789"))  # F1 1
    total = small + large
    assert total.f1 == pytest.approx(2 * 9 / (10 + 10))
    assert total.mean_f1 == pytest.approx(0.5)
    assert (total.box_recall, total.named_right) == (1.0, 0.9)


def test_reading_order_is_compared_without_boxes():
    """2026 51 read as 2026 and 751: 6 digits in the same order, of 6 and 7."""
    far_away = Page(tuple(row("2026751", top=900)), ("2026", "751"))
    score = score_reading(page("2026", "51"), far_away)
    assert (score.common, score.characters, score.right) == (12, 13, 0)
    assert score.f1_in_order == pytest.approx(12 / 13)
    assert score.rows_exact == 0.0


@pytest.mark.parametrize(
    ("rows", "exact"),
    [(("12", "3"), 1), (("123",), 0), (("3", "12"), 0), (("12", "3", "4"), 0), ((), 0)],
    ids=["right", "joined", "swapped", "one too many", "nothing"],
)
def test_rows_are_exact_only_if_each_one_is(rows, exact):
    score = score_reading(page("12", "3"), Page((), rows))
    assert (score.ordered, score.exact) == (1, exact)


@pytest.mark.parametrize("options", [{"ordered": False}, {"ignore": [(900, 900, 5, 5)]}], ids=["scattered", "ignore"])
def test_pages_without_a_sure_order_do_not_count_for_rows(options):
    score = score_reading(page("12", "3"), page("12", "3"), **options)
    assert (score.ordered, score.exact, score.characters, score.common) == (0, 0, 0, 0)
    assert score.f1 == 1.0


def test_a_negative_counts_its_false_digits_and_nothing_else():
    score = score_reading(Page(), page("12"))
    assert score == Score(negatives=1, false=2)
    total = score + score_reading(Page(), Page()) + score_reading(page("1"), page("1"))
    assert (total.false_per_negative, total.f1, total.mean_f1, total.precision) == (1.0, 1.0, 1.0, 1.0)
    assert total.errors == 2


def test_in_a_negative_too_marks_to_be_ignored_are_ignored():
    assert score_reading(Page(), page("12"), ignore=[(0, 0, 12, 30)]) == Score(negatives=1, false=1)


def test_nothing_read_is_zero_and_no_division_by_zero():
    score = score_reading(page("12"), Page())
    assert (score.f1, score.mean_f1, score.precision, score.named_right, score.f1_in_order) == (0, 0, 0, 0, 0)
    assert (Score().f1, Score().mean_f1, Score().rows_exact, Score().false_per_negative) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("a", "b", "length"),
    [("", "12", 0), ("123", "123", 3), ("123", "321", 1), ("1234", "2413", 2), ("90817", "19871", 3), ("11", "1", 1)],
)
def test_longest_common_subsequence(a, b, length):
    assert longest_common_subsequence(a, b) == longest_common_subsequence(b, a) == length


@given(st.text("123", max_size=12), st.text("123", max_size=12), st.text("123", max_size=4))
def test_a_common_beginning_adds_its_length(a, b, start):
    assert longest_common_subsequence(start + a, start + b) == len(start) + longest_common_subsequence(a, b)


boxes = st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 30)] * 2)
inks = st.lists(st.builds(Ink, st.integers(0, 9), boxes), max_size=6)


@given(inks, inks, st.lists(boxes, max_size=2))
def test_no_digit_is_lost_or_counted_twice(true, read, ignore):
    compared = compare(true, read, ignore=ignore)
    pairs = [*compared.right, *compared.wrong]
    assert sorted([*(t for t, _ in pairs), *compared.missed], key=repr) == sorted(true, key=repr)
    assert sorted([*(r for _, r in pairs), *compared.invented, *compared.ignored], key=repr) == sorted(read, key=repr)
