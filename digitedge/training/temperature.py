"""Temperature scaling: divide the logits by one number, so that 90 % confidence means 90 % correct.

The temperature is folded into the weights of the last layer, so exported files need no wrapper. It changes no
predicted digit; scaling per class or isotonic regression could, and no layer could hold them.
"""

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError

# The temperature lies between 1 / LIMIT and LIMIT.
LIMIT = 8.0


def fit_temperature(probabilities: NDArray[np.float32], digits: NDArray[np.uint8]) -> float:
    """Find the temperature with the largest likelihood of held-out digits.

    Args:
        probabilities: float32 (N, 10), rows sum to 1, of a model without temperature.
        digits: uint8 (N,), the true digits, 0 to 9.

    Returns:
        Above 1 for an overconfident model, below 1 for an underconfident one, within 1/8 to 8; 1 without digits.

    Source:
        Guo, Pleiss, Sun, Weinberger 2017, arXiv:1706.04599, section 4.2. The likelihood is concave in 1/temperature,
        and largest where the mean true logit equals the mean expected logit.

    Examples:
        >>> confident = np.full((100, 10), 0.001, np.float32)
        >>> confident[:, 3] = 0.991
        >>> nine_of_ten_correct = np.uint8([3] * 90 + [4] * 10)
        >>> fit_temperature(confident, nine_of_ten_correct) > 1.5
        True
    """
    if not len(digits):
        return 1.0
    logits = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)).astype(np.float64)
    true = logits[np.arange(len(digits)), digits].mean()
    below_max = logits - logits.max(axis=1, keepdims=True)
    low, high = -np.log(LIMIT), np.log(LIMIT)  # of log(1 / temperature)
    for _ in range(40):
        middle = (low + high) / 2
        weights = np.exp(np.exp(middle) * below_max)
        expected = ((weights * logits).sum(axis=1) / weights.sum(axis=1)).mean()
        if expected < true:
            low = middle
        else:
            high = middle
    return float(np.exp(-(low + high) / 2))


def fold_temperature(model: keras.Model, temperature: float) -> None:
    """Divide the logits of a model by a temperature above 0, in place.

    Raises:
        ModelError: the last layer is not dense with softmax.
    """
    last = model.layers[-1]
    if not isinstance(last, keras.layers.Dense) or last.activation is not keras.activations.softmax:
        raise ModelError(f"expected a dense layer with softmax at the end, got {last.name} ({type(last).__name__})")
    last.set_weights([weight / temperature for weight in last.get_weights()])
