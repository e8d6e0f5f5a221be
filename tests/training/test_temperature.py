import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import ModelError
from digitedge.training.architectures import ARCHITECTURES
from digitedge.training.temperature import fit_temperature, fold_temperature


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float32]:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 3.0])
def test_the_temperature_of_a_miscalibrated_net_is_found(temperature: float) -> None:
    rng = np.random.default_rng(0)
    calibrated = 2 * rng.standard_normal((20_000, 10))
    labels = (softmax(calibrated).cumsum(axis=1) > rng.random((20_000, 1))).argmax(axis=1).astype(np.uint8)
    assert fit_temperature(softmax(calibrated * temperature), labels) == pytest.approx(temperature, rel=0.03)


def test_the_temperature_stays_within_bounds() -> None:
    without_errors = np.full((50, 10), 0.01, np.float32)
    without_errors[:, 2] = 0.91
    assert fit_temperature(without_errors, np.full(50, 2, np.uint8)) == pytest.approx(1 / 8, rel=1e-3)
    assert fit_temperature(np.empty((0, 10), np.float32), np.empty(0, np.uint8)) == 1.0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_folding_divides_the_logits(name: str) -> None:
    keras.utils.set_random_seed(0)
    model = ARCHITECTURES[name].build(0.0)
    images = np.random.default_rng(0).uniform(0, 255, (4, 28, 28, 1)).astype(np.float32)
    before = np.asarray(model.predict(images, verbose=0))
    fold_temperature(model, 2.5)
    expected = softmax(np.log(before.astype(np.float64)) / 2.5)
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, atol=1e-6)


def test_a_model_with_another_last_layer_is_refused() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(10), keras.layers.Softmax()])
    with pytest.raises(ModelError, match="expected a dense layer with softmax at the end"):
        fold_temperature(model, 2.0)
