"""Accuracy on a data set that also holds non-digits."""

from typing import Any

import keras

from digitedge.runtime.contract import CLASSES


@keras.saving.register_keras_serializable("digitedge")  # so that last.keras can be loaded to resume
class DigitAccuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]  # keras has no types
    """Top-1 accuracy on the digits; non-digits do not count."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch: targets (B, 10), of which further columns (a teacher's) are ignored, as sample_weight is."""
        truth = y_true[:, :CLASSES]
        super().update_state(truth, y_pred, sample_weight=keras.ops.max(truth, axis=-1) > 0.5)
