from pathlib import Path

import keras
import pytest
from small_keras_models import dense_layers, train_model

from digitedge.datasets.dataset import Dataset
from digitedge.synthetic.handwriting.digits import synthetic_digits


@pytest.fixture(scope="session")
def data() -> Dataset:
    """Rendered digits: 1,500 to train and calibrate on, 400 test images."""
    return Dataset(*synthetic_digits(1500, seed=1), *synthetic_digits(400, seed=2))


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
