"""Own digits are split by writer and sheet, never by crop, where there are several."""

import numpy as np
import pytest

from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.own_digits import KnownSplit, digit_ids, split_as_before, split_own_digits


def digits_of(groups: list[str], *, each: int = 20) -> LabelledCrops:
    """`each` digits of every group, 0 to 9 again and again."""
    count = each * len(groups)
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    crops = np.zeros((count, 28, 28), np.uint8)
    crops[:, 0, 0], crops[:, 0, 1] = np.arange(count) % 256, np.arange(count) // 256  # all differ
    names = tuple(f"#{index}" for index in range(count))
    return LabelledCrops("own", crops, labels, names, tuple(np.repeat(groups, each).tolist()))


@pytest.mark.parametrize(
    ("groups", "split"),
    [
        ([f"{writer}/s" for writer in "abcdefghij"], "2 of 10 writers are held out"),
        (["a/1", "a/2", "a/3", "a/4"], "whole sheets are held out"),
        (["a/1", "a/2", "b/3", "b/4"], "whole sheets are held out"),
    ],
)
def test_no_group_is_on_both_sides(groups: list[str], split: str) -> None:
    own = split_own_digits(digits_of(groups))
    assert own.split == split
    assert own.held_out.groups and not set(own.training.groups) & set(own.held_out.groups)
    assert len(own.training) + len(own.held_out) == 20 * len(groups)


def test_every_writer_of_few_is_trained_on() -> None:
    own = split_own_digits(digits_of(["a/1", "a/2", "b/3"], each=80))
    assert {group[0] for group in own.training.groups} == {group[0] for group in own.held_out.groups} == {"a", "b"}
    assert own.split == "whole sheets are held out and one digit in five is held out"


@pytest.mark.parametrize("groups", [[""], ["a/1"]])
def test_of_one_sheet_one_digit_in_five_is_held_out(groups: list[str]) -> None:
    own = split_own_digits(digits_of(groups, each=200))
    assert (len(own.training), len(own.held_out)) == (160, 40)
    assert np.bincount(own.held_out.labels).tolist() == [4] * 10
    assert own.split == "one digit in five is held out"


def test_misread_digits_are_held_out_in_the_same_share() -> None:
    digits = digits_of([""], each=200)
    misread = np.zeros(200, bool)
    misread[:10] = True
    own = split_own_digits(digits, misread=misread)
    assert sum(name in {f"#{index}" for index in range(10)} for name in own.held_out.names) == 2
    assert len(own.held_out) == 40


def test_the_only_example_of_a_digit_is_trained_on() -> None:
    digits = digits_of([""], each=200)
    few = digits.choose(np.concatenate([np.flatnonzero(digits.labels != 7), [7]]))
    for misread in (None, few.labels == 7):
        assert 7 in split_own_digits(few, misread=misread).training.labels


def test_the_same_split_is_found_again_whatever_the_order() -> None:
    digits = digits_of([""], each=200)
    misread = np.arange(200) % 7 == 0
    own = split_own_digits(digits, misread=misread)
    again = split_as_before(digits.choose(np.arange(199, -1, -1)), digit_ids(own.held_out), own.split)
    assert again.sha256 == own.sha256
    assert sorted(digit_ids(again.held_out)) == sorted(digit_ids(own.held_out))


def test_digits_of_an_earlier_fine_tuning_stay_on_their_side_and_new_ones_are_split() -> None:
    digits = digits_of([""], each=400)
    first = split_own_digits(digits.choose(np.arange(200)))
    known = KnownSplit(frozenset(digit_ids(first.training)), frozenset(digit_ids(first.held_out)))
    second = split_own_digits(digits, misread=np.arange(400) % 3 == 0, known=known)
    assert known.training <= set(digit_ids(second.training))
    assert known.held_out <= set(digit_ids(second.held_out))
    assert 70 <= len(second.held_out) <= 90
    assert second.split.startswith("digits that are known from before stay as they were; of 200 new ones, one digit in")


def test_what_is_there_twice_is_on_one_side() -> None:
    digits = digits_of([""], each=200)
    twice = digits.choose(np.concatenate([np.arange(200), np.arange(200)]))
    own = split_own_digits(twice)
    assert own.held_out and not set(digit_ids(own.training)) & set(digit_ids(own.held_out))
    copies = split_own_digits(digits.choose(np.zeros(50, np.intp)))
    assert len(copies.held_out) == 0


def test_digits_of_no_sheet_do_not_split_the_sheets_of_others() -> None:
    digits = digits_of(["a/1", "a/2", ""], each=100)
    own = split_own_digits(digits)
    both = set(own.training.groups) & set(own.held_out.groups)
    assert both == {""}


def test_it_names_writers_and_missing_digits() -> None:
    digits = digits_of(["a/1", "a/2"])
    own = split_own_digits(digits.choose(np.flatnonzero(digits.labels != 7)))
    assert own.writers == ("a",)
    assert own.missing == (7,)


def test_the_hash_changes_with_a_label() -> None:
    digits = digits_of(["a/1", "a/2"])
    digits.labels[0] = 5
    assert split_own_digits(digits).sha256 != split_own_digits(digits_of(["a/1", "a/2"])).sha256
