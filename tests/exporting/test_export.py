import itertools
import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from small_keras_models import dense_layers, train_model

from digitedge.bundle.bundle import load_bundle, load_model
from digitedge.bundle.golden import check_golden, load_golden
from digitedge.bundle.made_here import is_made_here, remember_bundle
from digitedge.bundle.recipe import choose_artifacts
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DataError, DigitEdgeError, ModelError, ParityError
from digitedge.exporting import export as export_module
from digitedge.exporting.export import ExportResult, ModelSource, export
from digitedge.exporting.kept_original import keep_original
from digitedge.exporting.original import load_original
from digitedge.exporting.verify import record_results, verify_bundle
from digitedge.runtime import load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits

# A model of 25 thousand weights after 12 epochs on 1,500 digits is less certain than a fully trained one.
LOOSE = {"agreement": 0.97, "top1_drop": 0.02}


@pytest.fixture(scope="module")
def exported(contract_model: Path, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    """All files of the contract model."""
    source = ModelSource(path=contract_model, name="tiny", architecture="mlp", seed=0)
    target = tmp_path_factory.mktemp("export") / "tiny"
    return export(
        source, choose_artifacts([]), data, data_name="synthetic", target=target, limits=LOOSE, log=lambda _: None
    )


@pytest.fixture
def bundle(exported: ExportResult, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(exported.bundle.path, tmp_path / "tiny"))


def test_an_export_writes_and_describes_every_file(exported: ExportResult) -> None:
    bundle = exported.bundle
    assert exported.violations == []
    assert is_made_here(bundle.path, (bundle.path / "manifest.json").read_bytes())
    assert os.listdir(bundle.path.parent) == [bundle.path.name]
    assert sorted(os.listdir(bundle.path)) == sorted([
        "README.md", "confusion.png", "flipped.png", "golden.npz", "labels.txt", "manifest.json", "model.keras",
        "model_dynamic.tflite", "model_float16.tflite", "model_float32.onnx", "model_float32.tflite", "model_int8.onnx",
        "model_int8.tflite", "parity.json",
    ])  # fmt: skip
    files = bundle.manifest.files
    assert (files["model_int8.tflite"].input.dtype, files["model_int8.tflite"].input.scale) == ("uint8", 1.0)
    assert files["model_float32.tflite"].input.dtype == "float32"
    assert {files[name].input.dtype for name in files if name.endswith(".onnx")} == {"uint8"}
    assert {entry.output.dtype for entry in files.values()} == {"float32"}
    assert files["model_int8.onnx"].input.shape == ["N", 28, 28, 1]
    assert "Softmax" in files["model_int8.onnx"].ops
    assert "FULLY_CONNECTED" in files["model_int8.tflite"].ops
    assert files["model_float32.tflite"].minimum_runtime.startswith("LiteRT or TensorFlow Lite ")
    assert bundle.manifest.macs == 784 * 32 + 32 * 10
    assert bundle.manifest.calibration is not None
    assert bundle.manifest.calibration.samples == 500


def test_float32_files_equal_the_original(exported: ExportResult) -> None:
    for name in ("model_float32.tflite", "model_float32.onnx"):
        assert exported.bundle.manifest.files[name].agreement == 1.0
        assert exported.results[name].parity.max_abs_diff <= 1e-4


def test_int8_is_smaller_and_keeps_a_float_softmax_in_onnx(exported: ExportResult) -> None:
    files = exported.bundle.manifest.files
    assert files["model_int8.tflite"].bytes < files["model_float32.tflite"].bytes / 2
    crops, _ = synthetic_digits(50, seed=9)
    sums = load_classifier(exported.bundle.path / "model_int8.onnx").probabilities(crops).sum(axis=1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_the_golden_check_fails_shuffled_and_nan_outputs(exported: ExportResult) -> None:
    golden = load_golden(exported.bundle.golden)
    good = load_classifier(exported.bundle.path / "model_int8.tflite")
    assert check_golden(golden, "model_int8.tflite", good, quantized=True) == []

    class Shuffled:
        def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.roll(good.probabilities(crops), 1, axis=0)

    class Nan:
        def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            return np.full((len(crops), 10), np.nan, np.float32)

    for broken in (Shuffled(), Nan()):
        assert check_golden(golden, "model_int8.tflite", broken, quantized=True)


def test_an_existing_bundle_is_only_replaced_with_overwrite(bundle: Path, contract_model: Path, data: Dataset) -> None:
    source = ModelSource(path=contract_model, name="tiny")
    before = (bundle / "manifest.json").read_bytes()
    with pytest.raises(DigitEdgeError, match="--overwrite"):
        export(source, choose_artifacts(["float32"]), data, data_name="synthetic", target=bundle)
    assert (bundle / "manifest.json").read_bytes() == before
    arguments = {"data_name": "synthetic", "target": bundle, "overwrite": True, "log": lambda _: None}
    export(source, choose_artifacts(["float32"]), data, **arguments)
    assert sorted(load_bundle(bundle).manifest.files) == ["model_float32.onnx", "model_float32.tflite"]
    assert not (bundle / "model_int8.tflite").exists()


def test_a_folder_that_is_not_a_bundle_is_never_replaced(contract_model: Path, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    with pytest.raises(DigitEdgeError, match="is not a bundle"):
        export(
            ModelSource(path=contract_model, name="x"),
            [],
            data,
            data_name="synthetic",
            target=tmp_path,
            overwrite=True,
        )


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_export_leaves_the_old_bundle(
    bundle: Path, contract_model: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise stop

    monkeypatch.setattr(export_module, "plot_flipped", fail)
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}
    arguments = {"data_name": "synthetic", "target": bundle, "overwrite": True, "log": lambda _: None}
    with pytest.raises((KeyboardInterrupt, DigitEdgeError)):
        export(ModelSource(path=contract_model, name="tiny"), choose_artifacts(["float32"]), data, **arguments)
    assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before
    assert os.listdir(bundle.parent) == ["tiny"]


def test_a_bundle_out_of_tolerance_is_written_and_refused(contract_model: Path, data: Dataset, tmp_path: Path) -> None:
    strict = {"max_abs_diff": 0.0}
    target = tmp_path / "strict"
    arguments = {"data_name": "synthetic", "target": target, "limits": strict, "log": lambda _: None}
    result = export(ModelSource(path=contract_model, name="strict"), choose_artifacts(["int8"]), data, **arguments)
    assert any("largest difference" in line for line in result.violations)
    assert not result.bundle.manifest.passed
    assert result.bundle.manifest.files["model_int8.tflite"].tolerance.max_abs_diff == 0.0
    assert "**Failed:" in (target / "README.md").read_text()
    with pytest.raises(ParityError):
        load_model(target)


def test_verify_bundle_repeats_the_figures_of_the_export(exported: ExportResult, data: Dataset) -> None:
    again = verify_bundle(exported.bundle, data, {})
    assert [result.to_dict() for result in again.values()] == [r.to_dict() for r in exported.results.values()]


def test_another_data_set_is_refused(exported: ExportResult, data: Dataset) -> None:
    with pytest.raises(DataError, match=r"expected the data that .* was made from"):
        verify_bundle(exported.bundle, replace_test(data), {})


def test_other_digits_can_be_verified_on_request(exported: ExportResult, data: Dataset) -> None:
    results = verify_bundle(exported.bundle, replace_test(data), {}, other_data=True)
    assert {result.parity.samples for result in results.values()} == {100}


def replace_test(data: Dataset) -> Dataset:
    return data._replace(x_test=data.x_test[:100], y_test=data.y_test[:100])


def test_a_changed_result_is_recorded(bundle: Path, data: Dataset) -> None:
    loaded = load_bundle(bundle)
    before = (bundle / "manifest.json").read_bytes()
    remember_bundle(bundle, before)
    assert not record_results(loaded, verify_bundle(loaded, data, {}), data)
    assert (bundle / "manifest.json").read_bytes() == before
    assert record_results(loaded, verify_bundle(loaded, data, {"max_abs_diff": 0.0}), data)
    assert not load_bundle(bundle).manifest.passed
    assert is_made_here(bundle, (bundle / "manifest.json").read_bytes())
    assert "**Failed:" in (bundle / "README.md").read_text()
    with pytest.raises(ParityError):
        load_model(bundle)
    assert record_results(load_bundle(bundle), verify_bundle(load_bundle(bundle), data, {"max_abs_diff": 1.0}), data)
    assert load_bundle(bundle).manifest.passed
    assert json.loads((bundle / "parity.json").read_text())["files"]["model_int8.tflite"]["passed"]


def test_a_model_that_was_trained_on_other_data_is_refused(contract_model: Path, data: Dataset, tmp_path: Path) -> None:
    source = ModelSource(path=contract_model, name="other", data_sha256="0" * 64)
    with pytest.raises(DataError, match="was trained on data with content 000000000000"):
        export(source, choose_artifacts(["float32"]), data, data_name="synthetic", target=tmp_path / "other")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_layer_with_state_beyond_its_weights_keeps_it(data: Dataset, tmp_path: Path) -> None:
    images = data.x_train[..., None].astype(np.float32)
    normalization = keras.layers.Normalization(axis=None)
    normalization.adapt(images / 255)
    model = train_model(
        data, [keras.layers.Rescaling(1 / 255), normalization, *dense_layers()], shape=(28, 28, 1), scale=1
    )
    model.save(tmp_path / "adapted.keras")
    top1 = np.mean(model.predict(data.x_test[..., None], verbose=0).argmax(axis=1) == data.y_test)
    result = export(
        ModelSource(path=tmp_path / "adapted.keras", name="adapted"),
        choose_artifacts(["float32"]),
        data,
        data_name="synthetic",
        target=tmp_path / "bundle",
        limits=LOOSE,
        log=lambda _: None,
    )
    assert result.bundle.manifest.reference_top1 == pytest.approx(top1)
    assert result.violations == []
    assert not any(one.violations for one in verify_bundle(result.bundle, data, {}).values())


@keras.saving.register_keras_serializable("tests")
class Forgetful(keras.layers.Layer):
    """A layer whose factor is not in its file: it gets another one whenever it is loaded."""

    factors = itertools.cycle([1.0, 0.2])

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.factor = next(self.factors)

    def call(self, inputs):
        return inputs * self.factor


def test_a_copy_that_answers_otherwise_is_refused(data: Dataset, tmp_path: Path) -> None:
    model = train_model(data, [Forgetful(), *dense_layers()], shape=(28, 28, 1), scale=1 / 255)
    model.save(tmp_path / "mine.keras")
    original = load_original(tmp_path / "mine.keras", data, min_accuracy=0.1, log=lambda _: None)
    with pytest.raises(ModelError, match="a layer does not save its whole state"):
        keep_original(original, tmp_path, data.x_train[:20], data, lambda _: None)
