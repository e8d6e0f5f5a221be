"""Two models on the same images: is the difference between them more than chance?

McNemar's test looks at right and wrong alone. The signed-rank test looks at the loss of the true digit, too, so that it
sees a difference on fewer images.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.metrics.classification import is_correct, mcnemar_p

LEAST_PROBABILITY = 1e-7
"""Probabilities below count as this one, so that no loss is infinite; Keras uses the same."""

EXACT_LIMIT = 50
"""Largest number of pairs for which the p-value is exact; SciPy has the same limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedComparison:
    """Two models on the same digits, the first against the second.

    Attributes:
        images: number of digits.
        first_errors: wrong predictions of the first model.
        second_errors: wrong predictions of the second model.
        became_wrong: digits that only the first model classifies correctly.
        became_right: digits that only the second model classifies correctly.
        mcnemar_p: two-sided p-value of these two, see `mcnemar_p`.
        first_loss: mean loss of the true digit of the first model.
        second_loss: that of the second model.
        loss_p: two-sided p-value of the losses, see `wilcoxon_p`.
    """

    images: int
    first_errors: int
    second_errors: int
    became_wrong: int
    became_right: int
    mcnemar_p: float
    first_loss: float
    second_loss: float
    loss_p: float


def compare_paired(
    first: NDArray[np.float32], second: NDArray[np.float32], labels: NDArray[np.uint8]
) -> PairedComparison:
    """Compare the answers of two models to the same images.

    Args:
        first: float32 (N, 10), N >= 1, probabilities of the first model. A row with NaN counts as wrong.
        second: float32 (N, 10), those of the second model.
        labels: uint8 (N,), 0 to 9.

    Raises:
        InputError: no samples, or lengths that differ.

    Examples:
        >>> first, second = np.float32([[0.9, 0.1], [0.8, 0.2]]), np.float32([[0.9, 0.1], [0.4, 0.6]])
        >>> compared = compare_paired(first, second, np.uint8([0, 1]))
        >>> compared.became_wrong, compared.became_right, compared.loss_p
        (0, 1, 1.0)
    """
    first_correct, second_correct = is_correct(first, labels), is_correct(second, labels)
    became_wrong = int(np.sum(first_correct & ~second_correct))
    became_right = int(np.sum(second_correct & ~first_correct))
    first_losses, second_losses = label_losses(first, labels), label_losses(second, labels)
    return PairedComparison(
        images=len(labels),
        first_errors=int(np.sum(~first_correct)),
        second_errors=int(np.sum(~second_correct)),
        became_wrong=became_wrong,
        became_right=became_right,
        mcnemar_p=mcnemar_p(became_wrong, became_right),
        first_loss=float(first_losses.mean()),
        second_loss=float(second_losses.mean()),
        loss_p=wilcoxon_p(first_losses, second_losses),
    )


def label_losses(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the cross-entropy of each sample, minus the logarithm of the probability of its label: float64 (N,).

    The arguments are those of `top1`. A row with NaN or infinity gets the largest loss, of LEAST_PROBABILITY.

    Examples:
        >>> label_losses(np.float32([[0.5, 0.5], [1.0, 0.0]]), np.uint8([0, 0])).round(3).tolist()
        [0.693, 0.0]
    """
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    of_label[~np.isfinite(probabilities).all(axis=1)] = 0
    return np.asarray(np.log(1 / np.clip(of_label, LEAST_PROBABILITY, 1)))


def wilcoxon_p(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the p-value of the two-sided Wilcoxon signed-rank test: are the values of pairs equally large?

    Equal pairs are left out; equal differences share their mean rank. The p-value is exact for up to EXACT_LIMIT pairs,
    also with equal differences; beyond, it is that of the normal approximation.

    Args:
        first: float64 (N,), finite.
        second: float64 (N,), the other values of the same pairs.

    Raises:
        InputError: lengths that differ, or values that are not finite.

    Source:
        Wilcoxon 1945, "Individual comparisons by ranking methods", doi:10.2307/3001968.

    Examples:
        >>> wilcoxon_p(np.float64([1, 2, 3, 4, 5]), np.float64([0, 0, 0, 0, 0])), wilcoxon_p(np.ones(3), np.ones(3))
        (0.0625, 1.0)
    """
    if first.shape != second.shape or not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InputError(f"expected two equal shapes of finite values, got {first.shape} and {second.shape}")
    differences = first - second
    differences = differences[differences != 0]
    _, place, counts = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    doubled_ranks = (2 * np.cumsum(counts) - counts + 1)[place]  # twice the mean rank is a whole number
    smaller_sum = min(int(doubled_ranks[differences > 0].sum()), int(doubled_ranks[differences < 0].sum()))
    if len(differences) <= EXACT_LIMIT:
        return _exact_p(doubled_ranks, smaller_sum)
    deviation = math.sqrt(float(np.sum(doubled_ranks.astype(np.float64) ** 2)) / 4)
    distance = float(doubled_ranks.sum()) / 2 - smaller_sum
    return math.erfc(distance / deviation / math.sqrt(2))


def _exact_p(ranks: NDArray[np.int64], smaller_sum: int) -> float:
    """Return the share of all signs of the ranks with a sum of positive ranks as extreme as this one."""
    ways = np.zeros(int(ranks.sum()) + 1, np.int64)  # for each sum, the number of sets of ranks that have it
    ways[0] = 1
    for rank in ranks:
        ways[rank:] += ways[: len(ways) - rank].copy()
    return float(min(1.0, 2 * int(ways[: smaller_sum + 1].sum()) / 2 ** len(ranks)))
