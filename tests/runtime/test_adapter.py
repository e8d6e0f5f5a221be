"""Third-party files on a device: no TensorFlow."""

from pathlib import Path

import numpy as np
import pytest

from digitedge.bundle.bundle import load_model
from digitedge.errors import InputError, ModelError
from digitedge.reader import Reader
from digitedge.runtime import load_classifier, load_network
from digitedge.runtime.adapter import Adapter, Preprocessing, choose_output, prepare
from digitedge.runtime.contract import ContractError
from digitedge.runtime.image_shape import Fit, find_image_shape, fit_matrix, split_batch
from digitedge.synthetic.handwriting.digits import synthetic_digits

FOREIGN = {"foreign.tflite": "0-1,inverted", "foreign.onnx": "mean-std"}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_other_people_is_read_with_its_own_preprocessing(fixtures: Path, name: str) -> None:
    if name.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
    lines: list[str] = []
    model = load_model(fixtures / name, log=lines.append)
    assert model.adapter is not None
    crops, labels = synthetic_digits(300, seed=5)
    scores = model.classifier.probabilities(crops)
    assert np.mean(scores.argmax(axis=1) == labels) > 0.85
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-3)
    own = load_model(fixtures / name, preprocess=FOREIGN[name]).classifier.probabilities(crops)
    assert np.mean(scores.argmax(axis=1) == own.argmax(axis=1)) > 0.97
    assert "digits; next: " in lines[0]
    assert Reader(model).classifier is model.classifier


@pytest.mark.parametrize("name", FOREIGN)
def test_a_wrong_preprocessing_is_refused_unless_forced(fixtures: Path, name: str) -> None:
    wrong = "0-1" if "inverted" in FOREIGN[name] else "mean-std,inverted"
    with pytest.raises(ModelError, match=f"got: {wrong} reads .* use it anyway with --force"):
        load_model(fixtures / name, preprocess=wrong)
    assert str(load_model(fixtures / name, preprocess=wrong, force=True).adapter.preprocessing) == wrong
    with pytest.raises(InputError, match="expected one of 0-255"):
        load_model(fixtures / name, preprocess="grey")


@pytest.mark.parametrize("name", FOREIGN)
def test_load_classifier_takes_a_file_of_other_people_with_an_adapter_only(fixtures: Path, name: str) -> None:
    with pytest.raises(ContractError, match="digitedge export FILE"):
        load_classifier(fixtures / name)
    adapter = Adapter(preprocessing=Preprocessing.parse(FOREIGN[name]), softmax_scale=1)
    crops, labels = synthetic_digits(300, seed=5)
    scores = load_classifier(fixtures / name, adapter=adapter).probabilities(crops)
    assert np.mean(scores.argmax(axis=1) == labels) > 0.85
    assert load_classifier(fixtures / name, adapter=adapter).probabilities(crops[:0]).shape == (0, 10)


def test_the_network_hides_batch_and_scales(fixtures: Path) -> None:
    network = load_network(fixtures / "foreign.tflite")
    assert network.shape == (784,)
    assert network.scores(np.ones((3, 784), np.float32)).shape == (3, 10)
    assert load_network(fixtures / "foreign.onnx").shape == (1, 28, 28)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ([None, 784], (None, (784,))),
        ([1, 1, 28, 28], (1, (1, 28, 28))),
        ([64, 28, 28, 1], (64, (28, 28, 1))),
        ([None, None, None, 1], (None, (28, 28, 1))),
        ([None, 3, None, None], (None, (3, 28, 28))),
        ([None, None, 28], (None, (28, 28))),
        ([28, 28], (0, (28, 28))),
        ([784], (0, (784,))),
        ([None, 32, 32, 3], (None, (32, 32, 3))),
        ([None, 128], None),
        ([None, 5, 7], None),
        ([], None),
    ],
    ids=str,
)
def test_the_batch_is_told_from_the_image(shape: list[int | None], expected: object) -> None:
    assert split_batch(shape) == expected


def test_crops_are_padded_cut_and_resized_as_an_author_would() -> None:
    crops, _ = synthetic_digits(5, seed=1)
    padded = prepare(crops, Preprocessing(fit=Fit.PAD), (32, 32, 1))
    np.testing.assert_array_equal(padded[:, 2:30, 2:30, 0], crops)
    assert padded[:, :2].max() == padded[:, 30:].max() == 0
    np.testing.assert_array_equal(
        prepare(crops, Preprocessing(fit=Fit.CROP), (400,)).reshape(-1, 20, 20), crops[:, 4:24, 4:24]
    )
    np.testing.assert_allclose(
        prepare(crops, Preprocessing(fit=Fit.RESIZE), (14, 14)), crops.reshape(-1, 14, 2, 14, 2).mean((2, 4))
    )
    colour = prepare(crops, Preprocessing.parse("imagenet"), (3, 28, 28))
    np.testing.assert_allclose(colour[:, 1] * 0.224 + 0.456, crops / 255, atol=1e-6)
    np.testing.assert_allclose(fit_matrix(Fit.RESIZE, 64).sum(axis=1), 1, atol=1e-6)
    assert find_image_shape((64,)) == (8, 8, 1, False)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([("a", [None, 26])], "expected 10 scores, one for each digit, got 26"),
        ([("a", [None, 10]), ("b", [None, 10])], r"got a \(N, 10\), b \(N, 10\)"),
        ([(f"i{n}", [None]) for n in range(10)], "zipmap=False"),
        ([], "got none"),
    ],
)
def test_outputs_that_are_no_ten_scores_are_told(outputs: list[tuple[str, list[int | None]]], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        choose_output(outputs, Path("x.onnx"))
    assert choose_output([("features", [None, 64]), ("scores", [None, 1, 10])], Path("x.onnx")) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net.pt", "torch.onnx.export"),
        ("net.pkl", "skl2onnx"),
        ("net.pb", "folder of a SavedModel"),
        ("net.json", "no weights"),
    ],
)
def test_files_of_other_kinds_are_told_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path / name)
