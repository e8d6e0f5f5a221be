"""Does a model that learned a hand read it better?

Of few digits, few are misread. So where the errors say nothing, the soft error counts: it tells what digits of the hand
will do that are not here. See docs/decisions/adapt.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.classification import is_correct

MAX_SOFT_RATIO = 0.9
"""Largest part of the soft error that may be left where there are as many errors as before."""
MIN_SOFT_GAIN = 0.005
"""Least fall of it: where a model hardly errs, a part of nearly nothing is no gain."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How a model misreads digits, shares from 0 to 1.

    Attributes:
        error: share of wrong predictions.
        soft_error: mean of 1 - the probability of the right digit.
    """

    error: float
    soft_error: float


def error_rates(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> ErrorRates:
    """Measure probabilities, float32 (N, 10), N >= 1, on digits with labels, uint8 (N,); a row with NaN is all error.

    Raises:
        InputError: no digits, or lengths that differ.

    Examples:
        >>> error_rates(np.float32([[0.75, 0.25], [0.25, 0.75]]), np.uint8([0, 0]))
        ErrorRates(error=0.5, soft_error=0.5)
    """
    right = np.where(np.isfinite(probabilities).all(axis=1), probabilities[np.arange(len(labels)), labels], 0)
    return ErrorRates(1 - float(is_correct(probabilities, labels).mean()), 1 - float(right.mean()))


def is_gain(before: ErrorRates, after: ErrorRates, *, soft_ratio: float = 1.0) -> bool:
    """Whether there are fewer errors, or as many and at least a tenth less soft error, and half a point.

    Args:
        before: of the model that did not learn the hand.
        after: of the one that did.
        soft_ratio: by which the soft error changed on other digits. A model that is merely surer of everything has less
            of it everywhere; that is no gain.

    Examples:
        >>> before = ErrorRates(error=0.04, soft_error=0.1)
        >>> [is_gain(before, ErrorRates(*after)) for after in ((0.02, 0.2), (0.04, 0.08), (0.04, 0.095))]
        [True, True, False]
        >>> is_gain(before, ErrorRates(0.04, 0.08), soft_ratio=0.8)
        False
        >>> is_gain(ErrorRates(error=0.0, soft_error=0.003), ErrorRates(error=0.0, soft_error=0.0002))
        False
    """
    limit = min(MAX_SOFT_RATIO * min(1.0, soft_ratio) * before.soft_error, before.soft_error - MIN_SOFT_GAIN)
    return after.error < before.error or (after.error == before.error and after.soft_error <= limit)
