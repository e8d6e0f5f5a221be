"""What --auto tries, and what it picks."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from digitedge.bundle.recipe import RECIPES, Artifact, CalibrationMethod, Format
from digitedge.datasets.dataset import Dataset
from digitedge.exporting.conversion import Converter
from digitedge.exporting.remedies import RemedyTrial, calibration_images, pick, trials_table, try_remedies, write_trials
from digitedge.runtime import load_classifier
from digitedge.runtime.adapter import CONTRACT

INT8 = Artifact(RECIPES["int8"], Format.TFLITE)
KEPT = Artifact(RECIPES["int8"], Format.TFLITE, keep_float=("conv2d",))
FLOAT16 = Artifact(RECIPES["float16"], Format.TFLITE)


def trial(artifact: Artifact, size: int, *violations: str) -> RemedyTrial:
    return RemedyTrial(
        artifact=artifact, size_bytes=size, top1=0.99, agreement=0.9, latency_ms=0.1, violations=tuple(violations)
    )


def test_the_smallest_file_within_its_tolerance_is_picked(tmp_path: Path) -> None:
    trials = [trial(INT8, 20, "agreement 90 %"), trial(KEPT, 30), trial(FLOAT16, 40)]
    assert pick(trials) == KEPT
    (line,) = [line for line in trials_table(Format.TFLITE, trials).text().splitlines() if "<- pick" in line]
    assert line.startswith("int8, conv2d in float")
    write_trials(tmp_path / "remedies.json", {Format.TFLITE: trials})
    written = json.loads((tmp_path / "remedies.json").read_text())["formats"]["tflite"]
    assert written["pick"]["keep_float"] == ["conv2d"]
    assert [one["passed"] for one in written["trials"]] == [False, True, True]


def test_nothing_is_picked_if_nothing_passed() -> None:
    trials = [trial(INT8, 20, "agreement 90 %"), RemedyTrial(artifact=FLOAT16, problem="cannot be converted")]
    assert pick(trials) is None
    assert "cannot be converted" in trials_table(Format.TFLITE, trials).text()


def test_a_calibration_may_have_more_images(data: Dataset) -> None:
    assert calibration_images(INT8, data).shape == (500, 28, 28)
    larger = Artifact(RECIPES["int8"], Format.TFLITE, calibration_samples=600)
    assert calibration_images(larger, data).shape == (600, 28, 28)


@pytest.mark.slow
def test_every_remedy_is_tried_and_measured(contract_model: Path, data: Dataset, tmp_path: Path) -> None:
    model = keras.models.load_model(contract_model)
    dense = model.layers[-2]
    kernel, bias = dense.get_weights()
    kernel[0] = 300 * np.sign(kernel[0])  # of a corner, which no digit reaches
    dense.set_weights([kernel, bias])
    model.save(tmp_path / "corner.keras")
    reference = load_classifier(tmp_path / "corner.keras", adapter=CONTRACT)
    with Converter() as converter:
        converter.set_model(tmp_path / "corner.keras", None)
        trials = try_remedies(
            reference, model, converter, Format.ONNX, data, limits={"agreement": 0.98}, log=lambda _: None
        )
    tried = {(one.artifact.recipe.name, one.artifact.keep_float, one.artifact.method) for one in trials}
    assert ("int8", (), CalibrationMethod.PERCENTILE) in tried
    assert not trials[0].passed
    kept = next(one for one in trials if one.artifact.keep_float)
    assert kept.artifact.keep_float[0] == dense.name
    assert kept.passed
    assert trials[-1].artifact.recipe.name == "float32"
    assert trials[-1].agreement == 1
