from pathlib import Path

import keras
import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.synthetic.handwriting.digits import synthetic_digits


@pytest.fixture(scope="session")
def data() -> Dataset:
    """Rendered digits: 1,500 to train and calibrate on, 400 test images."""
    return Dataset(*synthetic_digits(1500, seed=1), *synthetic_digits(400, seed=2))


def train_model(
    data: Dataset, layers: list[keras.layers.Layer], *, shape: tuple[int, ...], scale: float, logits: bool = False
) -> keras.Model:
    """A small model, really trained, on pixels times `scale`."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(shape), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    model.compile("adam", loss, metrics=["accuracy"])
    images = data.x_train.reshape(-1, *shape).astype(np.float32) * scale
    model.fit(images, data.y_train.astype(np.int64), epochs=12, batch_size=32, verbose=0)
    return model


def dense_layers(activation: str | None = "softmax") -> list[keras.layers.Layer]:
    return [
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation=activation),
    ]


@pytest.fixture(scope="session")
def contract_model(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as `digitedge train` makes it: 0 to 255 in, division inside."""
    path = tmp_path_factory.mktemp("models") / "contract.keras"
    train_model(data, [keras.layers.Rescaling(1 / 255), *dense_layers()], shape=(28, 28, 1), scale=1).save(path)
    return path


@pytest.fixture(scope="session")
def unit_model(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A foreign model: (28, 28) from 0 to 1 in, logits out."""
    path = tmp_path_factory.mktemp("models") / "unit.keras"
    train_model(data, dense_layers(None), shape=(28, 28), scale=1 / 255, logits=True).save(path)
    return path
