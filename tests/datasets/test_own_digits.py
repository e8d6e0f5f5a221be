"""Own digits are split by writer and sheet, never by crop, where there are several."""

import numpy as np
import pytest

from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.own_digits import split_own_digits


def digits_of(groups: list[str], *, each: int = 20) -> LabelledCrops:
    """`each` digits of every group, 0 to 9 again and again."""
    count = each * len(groups)
    labels = np.resize(np.arange(10, dtype=np.uint8), count)
    crops = np.arange(count * 784, dtype=np.uint32).astype(np.uint8).reshape(count, 28, 28)
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
    assert own.split == "whole sheets are held out and the last quarter of each digit is held out"


@pytest.mark.parametrize("groups", [[""], ["a/1"]])
def test_of_one_sheet_the_last_digits_are_held_out(groups: list[str]) -> None:
    own = split_own_digits(digits_of(groups, each=200))
    assert (len(own.training), len(own.held_out)) == (150, 50)
    assert np.bincount(own.held_out.labels).tolist() == [5] * 10
    assert own.held_out.names[-1] == "#199" and own.training.names[0] == "#0"


def test_of_two_examples_of_a_digit_none_is_held_out() -> None:
    own = split_own_digits(digits_of([""]))
    assert (len(own.training), len(own.held_out)) == (20, 0)


def test_it_names_writers_and_missing_digits() -> None:
    digits = digits_of(["a/1", "a/2"])
    own = split_own_digits(digits.choose(np.flatnonzero(digits.labels != 7)))
    assert own.writers == ("a",)
    assert own.missing == (7,)


def test_the_hash_changes_with_a_label() -> None:
    digits = digits_of(["a/1", "a/2"])
    digits.labels[0] = 5
    assert split_own_digits(digits).sha256 != split_own_digits(digits_of(["a/1", "a/2"])).sha256
