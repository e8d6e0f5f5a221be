import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from digitedge.bundle.bundle import load_bundle, load_model
from digitedge.bundle.golden import check_golden, load_golden
from digitedge.bundle.recipe import choose_artifacts
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DataError, DigitEdgeError, ParityError
from digitedge.exporting import export as export_module
from digitedge.exporting.export import Exported, Source, export
from digitedge.exporting.verify import judge_bundle, record_verdicts
from digitedge.runtime import load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits

# A net of 25 thousand weights after 12 epochs on 1,500 digits is nearer to its decision borders than a trained one.
LOOSE = {"agreement": 0.97, "top1_drop": 0.02}


@pytest.fixture(scope="module")
def exported(contract_model: Path, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """All files of the contract model."""
    source = Source(path=contract_model, name="tiny", architecture="mlp", seed=0)
    target = tmp_path_factory.mktemp("export") / "tiny"
    return export(
        source, choose_artifacts([]), data, data_name="synthetic", target=target, limits=LOOSE, log=lambda _: None
    )


@pytest.fixture
def bundle(exported: Exported, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(exported.bundle.path, tmp_path / "tiny"))


def test_every_file_is_there_loads_and_is_described(exported: Exported) -> None:
    bundle = exported.bundle
    assert exported.violations == []
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


def test_float32_files_equal_the_original(exported: Exported) -> None:
    for name in ("model_float32.tflite", "model_float32.onnx"):
        assert exported.bundle.manifest.files[name].agreement == 1.0
        assert exported.judgements[name].parity.max_abs_diff <= 1e-4


def test_int8_is_smaller_and_its_softmax_in_onnx_stays_float(exported: Exported) -> None:
    files = exported.bundle.manifest.files
    assert files["model_int8.tflite"].bytes < files["model_float32.tflite"].bytes / 2
    crops, _ = synthetic_digits(50, seed=9)
    sums = load_classifier(exported.bundle.path / "model_int8.onnx").probabilities(crops).sum(axis=1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_the_golden_set_finds_a_file_that_answers_otherwise(exported: Exported) -> None:
    golden = load_golden(exported.bundle.golden)
    good = load_classifier(exported.bundle.path / "model_int8.tflite")
    assert check_golden(golden, "model_int8.tflite", good, quantized=True) == []

    class Shuffled:
        def probabilities(self, crops):
            return np.roll(good.probabilities(crops), 1, axis=0)

    class Nan:
        def probabilities(self, crops):
            return np.full((len(crops), 10), np.nan, np.float32)

    for broken in (Shuffled(), Nan()):
        assert check_golden(golden, "model_int8.tflite", broken, quantized=True)


def test_an_existing_bundle_is_kept_unless_told_otherwise(bundle: Path, contract_model: Path, data: Dataset) -> None:
    source = Source(path=contract_model, name="tiny")
    before = (bundle / "manifest.json").read_bytes()
    with pytest.raises(DigitEdgeError, match="--overwrite"):
        export(source, choose_artifacts(["float32"]), data, data_name="synthetic", target=bundle)
    assert (bundle / "manifest.json").read_bytes() == before
    arguments = {"data_name": "synthetic", "target": bundle, "overwrite": True, "log": lambda _: None}
    export(source, choose_artifacts(["float32"]), data, **arguments)
    assert sorted(load_bundle(bundle).manifest.files) == ["model_float32.onnx", "model_float32.tflite"]
    assert not (bundle / "model_int8.tflite").exists()


def test_a_folder_that_is_no_bundle_is_never_replaced(contract_model: Path, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").touch()
    with pytest.raises(DigitEdgeError, match="is no bundle"):
        export(Source(path=contract_model, name="x"), [], data, data_name="synthetic", target=tmp_path, overwrite=True)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failure_half_way_leaves_the_old_bundle(
    bundle: Path, contract_model: Path, data: Dataset, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise stop

    monkeypatch.setattr(export_module, "plot_flipped", fail)
    before = {path.name: path.read_bytes() for path in bundle.iterdir()}
    arguments = {"data_name": "synthetic", "target": bundle, "overwrite": True, "log": lambda _: None}
    with pytest.raises((KeyboardInterrupt, DigitEdgeError)):
        export(Source(path=contract_model, name="tiny"), choose_artifacts(["float32"]), data, **arguments)
    assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before
    assert os.listdir(bundle.parent) == ["tiny"]


def test_a_bundle_out_of_tolerance_is_written_and_refused(contract_model: Path, data: Dataset, tmp_path: Path) -> None:
    strict = {"max_abs_diff": 0.0}
    target = tmp_path / "strict"
    arguments = {"data_name": "synthetic", "target": target, "limits": strict, "log": lambda _: None}
    result = export(Source(path=contract_model, name="strict"), choose_artifacts(["int8"]), data, **arguments)
    assert any("largest difference" in line for line in result.violations)
    assert not result.bundle.manifest.fit
    assert result.bundle.manifest.files["model_int8.tflite"].tolerance.max_abs_diff == 0.0
    assert "Unfit" in (target / "README.md").read_text()
    with pytest.raises(ParityError):
        load_model(target)


def test_judging_again_gives_the_same_figures(exported: Exported, data: Dataset) -> None:
    again = judge_bundle(exported.bundle, data, {})
    assert {name: j.to_json() for name, j in again.items()} == {n: j.to_json() for n, j in exported.judgements.items()}


def test_another_data_set_proves_nothing(exported: Exported, data: Dataset) -> None:
    with pytest.raises(DataError, match="another data set proves nothing"):
        judge_bundle(exported.bundle, replace_test(data), {})


def replace_test(data: Dataset) -> Dataset:
    return data._replace(x_test=data.x_test[:100], y_test=data.y_test[:100])


def test_a_verdict_that_changed_is_recorded(bundle: Path, data: Dataset) -> None:
    loaded = load_bundle(bundle)
    before = (bundle / "manifest.json").read_bytes()
    assert not record_verdicts(loaded, judge_bundle(loaded, data, {}), data)
    assert (bundle / "manifest.json").read_bytes() == before
    assert record_verdicts(loaded, judge_bundle(loaded, data, {"max_abs_diff": 0.0}), data)
    assert not load_bundle(bundle).manifest.fit
    assert "Unfit" in (bundle / "README.md").read_text()
    with pytest.raises(ParityError):
        load_model(bundle)
    assert record_verdicts(load_bundle(bundle), judge_bundle(load_bundle(bundle), data, {"max_abs_diff": 1.0}), data)
    assert load_bundle(bundle).manifest.fit
    assert json.loads((bundle / "parity.json").read_text())["files"]["model_int8.tflite"]["fit"]


def test_a_run_is_judged_on_its_own_data(contract_model: Path, data: Dataset, tmp_path: Path) -> None:
    source = Source(path=contract_model, name="other", data_sha256="0" * 64)
    with pytest.raises(DataError, match="was trained on data with content 000000000000"):
        export(source, choose_artifacts(["float32"]), data, data_name="synthetic", target=tmp_path / "other")
    assert list(tmp_path.iterdir()) == []
