"""Accuracy where not every image is a digit."""

from typing import Any

import keras

from digitedge.runtime.contract import CLASSES


@keras.saving.register_keras_serializable("digitedge")  # so that last.keras can be loaded to train on
class DigitAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]  # keras has no types
    """Share of right answers among the digits; images whose target is no digit do not count."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Args:
            y_true: (B, 10) targets; columns beyond those, a teacher's answers, are not looked at.
            y_pred: (B, 10) probabilities.
            sample_weight: not looked at.
        """
        truth = y_true[:, :CLASSES]
        super().update_state(truth, y_pred, sample_weight=keras.ops.max(truth, axis=-1) > 0.5)
