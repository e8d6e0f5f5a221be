import keras
import numpy as np
import pytest

from digitedge.training.models import ARCHITECTURES, build_cnn, build_mlp, count_macs


def test_the_mlp_is_the_textbooks_to_the_letter() -> None:
    model = build_mlp(0.2)
    assert [
        (type(layer).__name__, getattr(layer, "units", getattr(layer, "rate", None))) for layer in model.layers[1:]
    ] == [
        ("Flatten", None),
        ("Dense", 512),
        ("Dropout", 0.2),
        ("Dense", 512),
        ("Dropout", 0.2),
        ("Dense", 10),
    ]
    assert [layer.activation.__name__ for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [
        "relu",
        "relu",
        "softmax",
    ]
    assert model.count_params() == 669_706


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_keeps_the_contract(name: str) -> None:
    model = ARCHITECTURES[name](0.2)
    assert model.input_shape == (None, 28, 28, 1)
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.float32)
    np.testing.assert_allclose(model.predict(images, verbose=0).sum(axis=1), 1, atol=1e-5)
    assert isinstance(model.layers[0], keras.layers.Rescaling)
    assert model.layers[0].scale == pytest.approx(1 / 255)


def test_the_cnn_is_small() -> None:
    assert build_cnn(0.2).count_params() < 60_000


def test_macs_of_a_convolution_count_every_position() -> None:
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    assert count_macs(model) == 26 * 26 * 9 * 4 + 26 * 26 * 4 * 10
    assert count_macs(keras.Sequential([keras.Input((28, 28, 1)), model])) == count_macs(model)
