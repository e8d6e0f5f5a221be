"""Accuracy where not every image is a digit."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("digitedge")  # so that last.keras can be loaded to train on
class DigitAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]  # keras has no types
    """Share of right answers among the digits; images whose target is no digit do not count."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch of targets and probabilities, both (B, 10); `sample_weight` is not looked at."""
        super().update_state(y_true, y_pred, sample_weight=keras.ops.max(y_true, axis=-1) > 0.5)
