"""Honest confidence: one number that divides the logits, so that of answers given 90 % nine in ten are right.

It is folded into the weights of the last layer, so every exported file has it and no wrapper is needed; it changes no
answer. (Rejected: scaling per class or an isotonic curve, which can change answers and no layer can hold.)
"""

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError

# Logits are divided by at most this, and multiplied by at most as much.
FURTHEST = 8.0
STEPS = 40


def fit_temperature(probabilities: NDArray[np.float32], digits: NDArray[np.uint8]) -> float:
    """The temperature under which digits that were not trained on are least surprising.

    Args:
        probabilities: float32 (N, 10), rows sum to 1, of a net without temperature.
        digits: uint8 (N,), the truth, 0 to 9.

    Returns:
        Above 1 for a net that is too sure, below 1 for one that is too timid; within 1/8 to 8. 1 without any digits.

    Source:
        Guo, Pleiss, Sun, Weinberger 2017, arXiv:1706.04599, section 4.2. The likelihood is concave in 1/temperature,
        and highest where the mean logit of the truth is the mean logit that the net expects.

    Examples:
        >>> sure = np.full((100, 10), 0.001, np.float32)
        >>> sure[:, 3] = 0.991
        >>> right_in_nine_of_ten = np.uint8([3] * 90 + [4] * 10)
        >>> fit_temperature(sure, right_in_nine_of_ten) > 1.5
        True
    """
    if not len(digits):
        return 1.0
    logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)).astype(np.float64)
    true = logits[np.arange(len(digits)), digits].mean()
    low, high = -np.log(FURTHEST), np.log(FURTHEST)  # of the logarithm of the sharpness, which is 1/temperature
    for _ in range(STEPS):
        middle = (low + high) / 2
        if _expected_logit(logits, np.exp(middle)) < true:
            low = middle
        else:
            high = middle
    return float(np.exp(-(low + high) / 2))


def _expected_logit(logits: NDArray[np.float64], sharpness: float) -> float:
    """Mean logit under the probabilities that a sharpness makes of the logits."""
    weights = np.exp(sharpness * (logits - logits.max(axis=1, keepdims=True)))
    return float(((weights * logits).sum(axis=1) / weights.sum(axis=1)).mean())


def fold_temperature(model: keras.Model, temperature: float) -> None:
    """Divide the logits of a model by a temperature, in place.

    Args:
        model: its last layer is a dense one with softmax.
        temperature: above 0.

    Raises:
        ModelError: another last layer.
    """
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Dense) or last.activation is not keras.activations.softmax:
        raise ModelError(f"expected a dense layer with softmax at the end, got {last.name} ({type(last).__name__})")
    last.set_weights([weight / temperature for weight in last.get_weights()])
