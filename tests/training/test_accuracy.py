import keras
import numpy as np
import pytest

from digitedge.training.accuracy import DigitAccuracy

TARGETS = np.vstack([np.eye(10)[[3, 4, 5]], np.full((5, 10), 0.1)]).astype(np.float32)
ANSWERS = np.eye(10, dtype=np.float32)[[3, 4, 6, 0, 0, 1, 1, 1]]


def test_only_digits_count() -> None:
    metric = DigitAccuracy()
    metric.update_state(TARGETS, ANSWERS)
    assert metric.name == "accuracy"
    assert float(metric.result()) == pytest.approx(2 / 3)


def test_among_digits_alone_it_is_the_usual_accuracy() -> None:
    usual, ours = keras.metrics.CategoricalAccuracy(), DigitAccuracy()
    for metric in (usual, ours):
        metric.update_state(TARGETS[:3], ANSWERS[:3])
    assert float(usual.result()) == float(ours.result())
