from pathlib import Path

import keras
import numpy as np
import pytest

from digitedge.bundle.architectures import SUMMARIES, ArchitectureName
from digitedge.errors import ModelError
from digitedge.training.architectures import (
    ARCHITECTURES,
    Block,
    build_convolutional,
    build_mlp,
    count_macs,
    find_architecture,
)


def test_the_command_line_offers_every_architecture() -> None:
    assert list(ARCHITECTURES) == list(ArchitectureName) == list(SUMMARIES)
    for name, architecture in ARCHITECTURES.items():
        assert architecture.defaults.architecture == name


def test_the_defaults_are_those_in_the_help_of_train() -> None:
    defaults = {name: architecture.defaults for name, architecture in ARCHITECTURES.items()}
    assert {name: config.epochs for name, config in defaults.items()} == {"cnn": 8, "small": 8, "mlp": 10}
    assert {name: config.dropout for name, config in defaults.items()} == {"cnn": 0.0, "small": 0.0, "mlp": 0.2}
    assert {name: config.scenes for name, config in defaults.items()} == {"cnn": 400, "small": 400, "mlp": 0}


def test_the_mlp_is_that_of_the_textbook() -> None:
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
def test_every_architecture_keeps_the_model_contract(name: str) -> None:
    model = ARCHITECTURES[name].build(0.2)
    assert model.input_shape == (None, 28, 28, 1)
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype(np.float32)
    np.testing.assert_allclose(model.predict(images, verbose=0).sum(axis=1), 1, atol=1e-5)
    assert isinstance(model.layers[0], keras.layers.Rescaling)
    assert model.layers[0].scale == pytest.approx(1 / 255)


@pytest.mark.parametrize(("name", "parameters", "macs"), [("cnn", 70_000, 8e6), ("small", 16_000, 1.3e6)])
def test_edge_architectures_stay_small(name: str, parameters: int, macs: float) -> None:
    model = ARCHITECTURES[name].build(0.2)
    assert model.count_params() < parameters
    assert count_macs(model) <= macs


def test_a_separable_block_is_a_depthwise_and_a_1x1_convolution() -> None:
    model = build_convolutional("two", [Block(6), Block(8, 5, stride=2, pooled=True, separable=True)], 0.0)
    kernels = [layer.kernel.shape for layer in model.layers if hasattr(layer, "kernel")]
    assert kernels == [(3, 3, 1, 6), (5, 5, 6, 1), (1, 1, 6, 8), (8, 10)]
    assert count_macs(model) == 28 * 28 * 9 * 6 + 7 * 7 * (25 * 6 + 6 * 8) + 80


def test_macs_of_a_convolution_count_every_position() -> None:
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(10)]
    )
    assert count_macs(model) == 26 * 26 * 9 * 4 + 26 * 26 * 4 * 10
    assert count_macs(keras.Sequential([keras.Input((28, 28, 1)), model])) == count_macs(model)


@pytest.mark.parametrize("name", ["cnn", "small"])
def test_the_architecture_of_a_released_model_is_found(released: Path, name: str) -> None:
    assert find_architecture(released.with_name(name) / "model.keras") == name


def test_a_model_with_other_layers_has_no_architecture(tmp_path: Path) -> None:
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    keras.Sequential(layers).save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=r"other\.keras: expected the layers of cnn, small, mlp, got others"):
        find_architecture(tmp_path / "other.keras")
