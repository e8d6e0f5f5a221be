"""The evaluation that `digitedge eval --save` writes into a bundle, and the model card."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from digitedge.bundle.bundle import Bundle, load_bundle
from digitedge.bundle.manifest import Manifest
from digitedge.bundle.model_card import (
    CARD,
    EVALUATION,
    evaluation_table,
    model_card,
    read_evaluation,
    rewrite_card,
    save_evaluation,
)
from digitedge.errors import ModelError

FIGURES = {
    "top1": 0.9961,
    "seen_corruption_error": 0.021,
    "unseen_corruption_error": 0.05,
    "calibration_error": 0.004,
    "mean_fpr_at_99_tpr": None,
    "corruptions": [
        {"name": "blur", "unseen": False, "errors": [0.1]},
        {"name": "rain", "unseen": True, "errors": [0.1]},
    ],
}
FILES = ("float32.tflite", "float32.onnx", "float16.tflite", "dynamic.tflite", "int8.tflite", "int8.onnx")
EVALUATION_OF = {
    "schema": "digitedge.eval/1",
    "model": "somewhere/else",
    "digits": {"name": "mnist", "images": 10000},
    "corrupted": {"images": 2000},
    "non_digits": {"crops": {"drawings": 1000, "glyphs": 400}},
    "files": {f"model_{name}": FIGURES for name in FILES},
}


@pytest.fixture
def bundle(released: Path, tmp_path: Path) -> Bundle:
    """A copy of the released bundle without an evaluation."""
    shutil.copytree(released, tmp_path / "cnn")
    (tmp_path / "cnn" / EVALUATION).unlink(missing_ok=True)
    return load_bundle(tmp_path / "cnn")


def test_a_saved_evaluation_is_in_the_bundle_and_its_card(bundle: Bundle) -> None:
    assert read_evaluation(bundle) is None
    save_evaluation(bundle, EVALUATION_OF)
    saved = read_evaluation(bundle)
    assert saved is not None
    assert saved["model"] == "cnn"
    assert saved["files"]["model_int8.tflite"]["top1"] == 0.9961
    card = (bundle.path / CARD).read_text(encoding="utf-8")
    assert "| model_int8.tflite | 99.61 % | 2.10 % | 5.00 % | 0.40 % | - |" in card
    assert "Unseen corruptions, which no training uses: rain." in card
    load_bundle(bundle.path)


def test_an_evaluation_of_other_files_is_refused(bundle: Bundle) -> None:
    save_evaluation(bundle, EVALUATION_OF)
    path = bundle.path / EVALUATION
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["files"]["model_int8.tflite"]["sha256"] = "0" * 64
    path.write_text(json.dumps(saved), encoding="utf-8")
    with pytest.raises(ModelError, match="expected figures of this bundle's files, got those of others"):
        read_evaluation(bundle)


def test_an_evaluation_of_fewer_files_is_refused(bundle: Bundle) -> None:
    save_evaluation(bundle, {**EVALUATION_OF, "files": {"model_int8.onnx": FIGURES}})
    with pytest.raises(ModelError, match="got those of others"):
        read_evaluation(bundle)


@pytest.mark.parametrize("content", ["[]", "{", '{"files": {}}', '{"files": 3}', '{"files": {"a.tflite": 1}}'])
def test_a_damaged_evaluation_is_refused(bundle: Bundle, content: str) -> None:
    (bundle.path / EVALUATION).write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="Measure again: digitedge eval"):
        read_evaluation(bundle)


@pytest.mark.parametrize("key", ["top1", "corruptions"])
def test_an_evaluation_that_lacks_a_figure_is_refused(bundle: Bundle, key: str) -> None:
    save_evaluation(bundle, EVALUATION_OF)
    path = bundle.path / EVALUATION
    saved = json.loads(path.read_text(encoding="utf-8"))
    for one in saved["files"].values():
        del one[key]
    path.write_text(json.dumps(saved), encoding="utf-8")
    with pytest.raises(ModelError, match="got something else"):
        read_evaluation(bundle)


def test_a_rewritten_card_leaves_out_a_damaged_evaluation(bundle: Bundle) -> None:
    save_evaluation(bundle, EVALUATION_OF)
    rewrite_card(bundle, bundle.manifest)
    assert "## Evaluated" in (bundle.path / CARD).read_text(encoding="utf-8")
    (bundle.path / EVALUATION).write_text("{", encoding="utf-8")
    rewrite_card(bundle, bundle.manifest)
    assert "## Evaluated" not in (bundle.path / CARD).read_text(encoding="utf-8")


def test_the_summary_has_a_line_per_file() -> None:
    table = evaluation_table({"files": {"a.onnx": FIGURES, "b.onnx": FIGURES}})
    assert list(table.lines) == ["a.onnx", "b.onnx"]


def test_the_manifest_and_the_card_say_that_a_training_is_unfinished(bundle: Bundle) -> None:
    assert "unfinished" not in bundle.manifest.to_dict()
    assert "Unfinished" not in model_card(bundle.manifest)
    unfinished = replace(bundle.manifest, unfinished=True)
    assert "**Unfinished: the training was interrupted" in model_card(unfinished)
    assert Manifest.from_json(json.loads(unfinished.to_json()), where="here") == unfinished
