import keras
import numpy as np
import pytest

from digitedge.training.accuracy import DigitAccuracy

TARGETS = np.vstack([np.eye(10)[[3, 4, 5]], np.full((5, 10), 0.1)]).astype(np.float32)
PROBABILITIES = np.eye(10, dtype=np.float32)[[3, 4, 6, 0, 0, 1, 1, 1]]


def test_non_digits_do_not_count() -> None:
    metric = DigitAccuracy()
    metric.update_state(TARGETS, PROBABILITIES)
    assert metric.name == "accuracy"
    assert float(metric.result()) == pytest.approx(2 / 3)


def test_without_non_digits_it_equals_the_accuracy_of_keras() -> None:
    keras_metric, metric = keras.metrics.CategoricalAccuracy(), DigitAccuracy()
    for one in (keras_metric, metric):
        one.update_state(TARGETS[:3], PROBABILITIES[:3])
    assert float(keras_metric.result()) == float(metric.result())
