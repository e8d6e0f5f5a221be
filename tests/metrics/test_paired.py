"""Two models on the same digits: losses and the signed-rank test, against values computed by hand."""

import itertools
import math

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.metrics.paired import EXACT_LIMIT, LEAST_PROBABILITY, compare_paired, label_losses, wilcoxon_p


def p_of(differences: list[float]) -> float:
    values = np.float64(differences)
    return wilcoxon_p(values, np.zeros_like(values))


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1, 2, 3, 4, 5], 2 / 32),  # all of one sign: two of the 32 signs are as extreme
        ([-1, 2, 3, 4, 5], 4 / 32),  # sums of ranks 0 and 1, on both sides
        ([1, 2, -3, 4, 5], 10 / 32),  # up to 3: {}, 1, 2, 3, 1+2
        ([1, -1], 1.0),
        ([1, 1, 1], 2 / 8),  # three of rank 2
        ([-1, 1, 1, 5], 8 / 16),  # ranks 2, 2, 2, 4; sums up to 2: {}, and each of the three
        ([0, 0, 1, 2, 3, 4, 5], 2 / 32),  # equal pairs say nothing
        ([], 1.0),
    ],
)
def test_small_sets_have_the_exact_p(differences: list[float], p: float) -> None:
    assert p_of(differences) == p
    assert p_of([-difference for difference in differences]) == p


def test_the_exact_p_is_that_of_all_signs() -> None:
    rng = np.random.default_rng(0)
    differences = rng.integers(-6, 9, 11)
    differences = differences[differences != 0]
    absolute = np.abs(differences)
    ranks = np.array([(np.sum(absolute < a) + np.sum(absolute <= a) + 1) / 2 for a in absolute])
    expected = ranks.sum() / 2
    distance = abs(ranks[differences > 0].sum() - expected)
    sums = [np.dot(ranks, signs) for signs in itertools.product([0, 1], repeat=len(ranks))]
    assert p_of(list(differences)) == pytest.approx(np.mean(np.abs(np.array(sums) - expected) >= distance - 1e-9))


def test_large_sets_have_the_p_of_the_normal_approximation() -> None:
    n = 100
    differences = [float(i) if i > 30 else -float(i) for i in range(1, n + 1)]
    z = (n * (n + 1) / 4 - 30 * 31 / 2) / math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    assert p_of(differences) == pytest.approx(math.erfc(z / math.sqrt(2)))


def test_both_ways_to_the_p_agree_where_they_meet() -> None:
    differences = np.random.default_rng(1).normal(0.3, 1, EXACT_LIMIT + 1)
    exact, approximate = p_of(list(differences[:-1])), p_of([*differences[:-1], 1e-9])
    assert exact == pytest.approx(approximate, rel=0.1)


def test_no_difference_is_no_evidence_however_many_pairs_there_are() -> None:
    assert p_of([0.0] * 1000) == 1.0
    assert p_of([1.0, -1.0] * 500) == 1.0


def test_values_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(InputError, match="finite"):
        p_of([1.0, math.nan])
    with pytest.raises(InputError, match="equal shapes"):
        wilcoxon_p(np.zeros(2), np.zeros(3))


def test_the_loss_of_a_broken_row_is_the_largest() -> None:
    probabilities = np.float32([[0.25, 0.75], [0.0, 1.0], [0.5, np.nan]])
    losses = label_losses(probabilities, np.uint8([0, 0, 0]))
    assert losses.dtype == np.float64
    assert losses.tolist() == pytest.approx([math.log(4), *[-math.log(LEAST_PROBABILITY)] * 2])


def test_a_second_model_that_is_better_is_compared_digit_by_digit() -> None:
    labels = np.uint8([0, 0, 0, 1, 1, 1])
    first = np.float32([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4], [0.45, 0.55]])
    second = np.float32([[0.95, 0.05], [0.7, 0.3], [0.8, 0.2], [0.1, 0.9], [0.4, 0.6], [0.55, 0.45]])
    compared = compare_paired(first, second, labels)
    assert (compared.images, compared.first_errors, compared.second_errors) == (6, 3, 1)
    assert (compared.became_wrong, compared.became_right) == (1, 3)
    assert compared.mcnemar_p == 10 / 16
    assert compared.second_loss < compared.first_loss
    assert compared.loss_p == 10 / 64  # the one that became worse has rank 3; sums up to 3: {}, 1, 2, 3, 1+2
    assert compare_paired(first, first, labels).loss_p == 1.0
