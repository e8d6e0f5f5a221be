from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from digitedge.bundle.recipe import InputRange
from digitedge.datasets.dataset import Dataset
from digitedge.errors import InputError, ModelError
from digitedge.exporting.keras_reference import KerasClassifier, adapt_to_contract, choose_input_range, load_reference
from digitedge.metrics.classification import top1
from digitedge.training.keras_io import load_keras


def test_a_model_that_meets_the_contract_is_returned_unchanged(contract_model: Path) -> None:
    model = load_keras(contract_model)
    assert adapt_to_contract(model, InputRange.BYTE, path=contract_model) is model


def test_a_foreign_model_gets_a_division_and_a_softmax(unit_model: Path, data: Dataset) -> None:
    lines: list[str] = []
    foreign = load_keras(unit_model)
    model = adapt_to_contract(foreign, InputRange.UNIT, path=unit_model, log=lines.append)
    scores = KerasClassifier(model).probabilities(data.x_test)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    logits = foreign.predict(data.x_test / 255, verbose=0)
    np.testing.assert_array_equal(scores.argmax(axis=1), logits.argmax(axis=1))
    assert top1(scores, data.y_test) > 0.8
    assert len(lines) == 2
    assert "division by 255" in lines[0]
    assert "softmax" in lines[1]


def test_the_wrong_input_range_is_found_by_the_loss(unit_model: Path, contract_model: Path, data: Dataset) -> None:
    few, labels = data.x_train[:300], data.y_train[:300]
    contract = load_keras(contract_model)
    assert choose_input_range(contract, None, few, labels, path=contract_model) is InputRange.BYTE
    with pytest.raises(InputError, match=r"--input-range 0-1 but the model's loss .* Add --input-range 0-255"):
        choose_input_range(contract, InputRange.UNIT, few, labels, path=contract_model)
    unit = load_keras(unit_model)
    assert choose_input_range(unit, InputRange.UNIT, few, labels, path=unit_model) is InputRange.UNIT
    with pytest.raises(InputError, match=r"no --input-range, which means 0-255, but .* Add --input-range 0-1"):
        choose_input_range(unit, None, few, labels, path=unit_model)


def named_output() -> keras.Model:
    image = keras.Input((28, 28))
    return keras.Model(image, {"digit": keras.layers.Dense(10)(keras.layers.Flatten()(image))})


@pytest.mark.filterwarnings("ignore:You are saving a model")
@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]),
            r"\(32, 32, 3\)",
        ),
        (
            lambda: keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(26)]),
            r"\(26,\)",
        ),
        (lambda: keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)]), "not built"),
        (named_output, "outputs by name"),
    ],
    ids=["colour", "letters", "not built", "named"],
)
def test_a_model_with_other_shapes_is_refused(tmp_path: Path, build: Callable[[], keras.Model], message: str) -> None:
    build().save(tmp_path / "other.keras")
    with pytest.raises(ModelError, match=message):
        load_keras(tmp_path / "other.keras")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_a_file_that_is_not_a_model_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.keras"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.keras: expected a model saved by Keras 3") as caught:
        load_keras(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no Keras file at"):
        load_keras(tmp_path / "none.keras")


def test_a_model_with_sigmoid_outputs_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="sigmoid")]
    )
    with pytest.raises(ModelError, match="ten separate scores"):
        adapt_to_contract(model, InputRange.UNIT, path=tmp_path / "sigmoid.keras")


def test_a_model_that_gives_nan_is_refused(data: Dataset, tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    model.set_weights([np.full_like(w, np.nan) for w in model.get_weights()])
    with pytest.raises(ModelError, match="not finite"):
        choose_input_range(model, None, data.x_train[:20], data.y_train[:20], path=tmp_path / "nan.keras")


def test_an_adapted_foreign_model_keeps_its_predictions(unit_model: Path, data: Dataset) -> None:
    scores = load_reference(unit_model, data, input_range=InputRange.UNIT, log=lambda _: None).probabilities(
        data.x_test
    )
    own = load_keras(unit_model).predict(data.x_test.astype(np.float32) / 255, verbose=0)
    np.testing.assert_array_equal(scores.argmax(axis=1), own.argmax(axis=1))
    with pytest.raises(InputError, match="Add --input-range 0-1"):
        load_reference(unit_model, data)
