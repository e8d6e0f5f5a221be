"""Accuracy, agreement, confusion matrix and McNemar's test, against values computed by hand."""

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.metrics.classification import agreement, confusion_matrix, mcnemar_p, top1

FOUR = np.eye(10, dtype=np.float32)[[1, 2, 3, 4]]


def test_top1_is_the_share_of_correct_predictions() -> None:
    assert top1(FOUR, np.uint8([1, 2, 3, 9])) == 0.75


def test_a_row_with_nan_is_never_correct() -> None:
    broken = FOUR.copy()
    broken[0, 5] = np.nan
    assert top1(broken, np.uint8([1, 2, 3, 4])) == 0.75
    assert top1(broken, np.uint8([5, 2, 3, 4])) == 0.75  # argmax of a row with NaN is the NaN
    assert agreement(broken, broken) == 0.75


def test_no_samples_are_an_error() -> None:
    with pytest.raises(InputError, match="at least 1"):
        top1(FOUR[:0], np.uint8([]))
    with pytest.raises(InputError, match="at least 1"):
        agreement(FOUR[:0], FOUR[:0])


def test_lengths_that_differ_are_an_error() -> None:
    with pytest.raises(InputError):
        top1(FOUR, np.uint8([1]))
    with pytest.raises(InputError):
        agreement(FOUR, FOUR[:3])


def test_confusion_matrix_has_labels_in_rows() -> None:
    counts = confusion_matrix(FOUR, np.uint8([1, 2, 3, 9]))
    assert counts[9, 4] == 1
    assert counts.sum() == 4
    assert counts.trace() == 3


@pytest.mark.parametrize(("first", "second", "p"), [(5, 5, 1.0), (0, 5, 2 / 32), (10, 2, 2 * (1 + 12 + 66) / 4096)])
def test_mcnemar_p_is_that_of_the_exact_binomial_test(first: int, second: int, p: float) -> None:
    assert mcnemar_p(first, second) == pytest.approx(p)
    assert mcnemar_p(second, first) == pytest.approx(p)
