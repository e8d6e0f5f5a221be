"""Does a model that learned a hand read it better?

Of few digits, few are misread, so the doubt in the right digit counts where the errors say nothing: it tells what the
digits of the hand will do that are not here. See docs/decisions/adapt.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.metrics.classification import is_correct

LESS_DOUBT = 0.9
"""Largest part of the doubt that may be left where there are as many errors as before."""


@dataclass(frozen=True, slots=True)
class HandFigures:
    """How a model reads the digits of a hand.

    Attributes:
        error: share that is misread, 0 to 1.
        doubt: mean probability that all digits but the right one get, 0 to 1.
    """

    error: float
    doubt: float

    def is_better_than(self, other: "HandFigures") -> bool:
        """Whether there are fewer errors, or as many and at least a tenth less doubt.

        Examples:
            >>> before = HandFigures(error=0.04, doubt=0.1)
            >>> [HandFigures(*after).is_better_than(before) for after in ((0.02, 0.2), (0.04, 0.08), (0.04, 0.095))]
            [True, True, False]
        """
        return self.error < other.error or (self.error == other.error and self.doubt <= LESS_DOUBT * other.doubt)


def measure_hand(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> HandFigures:
    """Measure probabilities, float32 (N, 10), N >= 1, on digits with labels, uint8 (N,); a row with NaN is all doubt.

    Raises:
        InputError: no digits, or lengths that differ.

    Examples:
        >>> measure_hand(np.float32([[0.75, 0.25], [0.25, 0.75]]), np.uint8([0, 0]))
        HandFigures(error=0.5, doubt=0.5)
    """
    right = np.where(np.isfinite(probabilities).all(axis=1), probabilities[np.arange(len(labels)), labels], 0)
    return HandFigures(1 - float(is_correct(probabilities, labels).mean()), 1 - float(right.mean()))
