"""The median without `np.median`, which imports NumPy's masked arrays: 8 ms of every start."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def median(values: NDArray[Any]) -> float:
    """Return the middle value, or the mean of the two middle ones.

    Args:
        values: numbers (N,), N >= 1.

    Examples:
        >>> median(np.array([250, 3, 251], np.uint8)), median(np.array([250, 3, 251, 4], np.uint8))
        (250.0, 127.0)
    """
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    low, high = np.partition(values, (half - 1, half))[half - 1 : half + 1]
    return (float(low) + float(high)) / 2
