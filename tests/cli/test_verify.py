"""`digitedge verify`: what it compares, and what it refuses before it loads data."""

import importlib.util
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from digitedge.cli.app import app
from digitedge.errors import install_command

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason=f"needs TensorFlow: {install_command('train')}")
@pytest.mark.slow
def test_two_models_are_compared(digitedge: Command, released: Path) -> None:
    pair = digitedge("verify", released / "model.keras", released / "model_float32.onnx", "--data", "synthetic")
    assert pair.returncode == 0, pair.stderr
    assert "100.00 %" in pair.stdout


@pytest.mark.parametrize(
    "command", [["export"], ["verify", "any.tflite"], ["verify", "--preprocess", "0-1", "x.keras"]]
)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.keras", "nothing at gone.keras"),
        ("empty.keras", "empty.keras: expected a model saved by Keras 3, got an empty file"),
        ("text.keras", "text.keras: expected a model saved by Keras 3, got one that is damaged or of another kind"),
    ],
)
def test_an_invalid_keras_file_is_refused_before_data_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixtures: Path, command: list[str], name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.keras").touch()
    (tmp_path / "text.keras").write_text("not a model")
    with zipfile.ZipFile("x.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    shutil.copy(fixtures / "good.tflite", "any.tflite")
    done = CliRunner().invoke(app, [*command, name, "--data", "nowhere"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {message}")


def test_a_missing_candidate_is_refused_before_data_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["verify", str(released / "model.keras"), "gone.tflite", "--data", "nowhere"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "gone.tflite" in done.stderr
    assert "no MNIST at nowhere" not in done.stderr


def test_an_unwritable_path_for_flipped_images_is_refused_before_data_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["verify", "--flipped", "/proc/flipped.png", "--data", "nowhere"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: cannot write /proc/flipped.png: ")


def test_without_data_the_golden_crops_are_compared(digitedge: Command) -> None:
    result = digitedge("verify")
    assert result.returncode == 0, result.stderr
    assert result.stderr.splitlines()[-1].endswith("checking the golden set.")
    assert "--data" not in result.stderr
    assert "does not prove the accuracy" in result.stdout
    assert len(re.findall(r" 250  passed$", result.stdout, re.MULTILINE)) == 6


@pytest.mark.parametrize("option", [("--tolerance", "agreement=0.9"), ("--flipped", "flipped.png")], ids=lambda o: o[0])
def test_without_data_options_that_need_it_are_refused(
    digitedge: Command, tmp_path: Path, option: tuple[str, str]
) -> None:
    result = digitedge("verify", *option)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert "golden" not in result.stderr
    assert not (tmp_path / "flipped.png").exists()


def test_the_help_names_the_default_bundle_and_tolerances(digitedge: Command) -> None:
    text = digitedge("verify", "--help", COLUMNS="300").stdout
    assert "the newest bundle in ./export that was exported here and passed, else the released one" in text
    assert "float16 agreement=0.9995,max_abs_diff=0.005" in text


def test_a_damaged_bundle_fails(digitedge: Command, released: Path, tmp_path: Path) -> None:
    shutil.copytree(released, tmp_path / "export" / "mine")
    with (tmp_path / "export/mine/model_int8.tflite").open("r+b") as file:
        file.truncate(1000)
    result = digitedge("verify", "export/mine")
    assert result.returncode == 1
    assert "the file was changed" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--golden", "--layers"], "no --data, --flipped, --layers or --tolerance"),
        (["verify", "--layers-image", "layers.jpg"], "expected a .png file, got layers.jpg"),
        (["export", "--float16", "--keep-float", "conv2d"], "is for int8 files. Add --int8."),
        (["export", "--auto", "--int8"], "chooses the recipe and the layers itself"),
        (["export", "--auto", "--keep-float", "conv2d"], "chooses the recipe and the layers itself"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())


def test_layers_without_data_are_an_error(digitedge: Command) -> None:
    result = digitedge("verify", "--layers")
    assert (result.returncode, result.stdout) == (1, "")
    assert "--flipped, --layers and --tolerance need the images" in result.stderr


@pytest.mark.skipif(not importlib.util.find_spec("tensorflow"), reason=f"needs TensorFlow: {install_command('train')}")
@pytest.mark.slow
def test_a_lossy_layer_is_found_kept_and_recorded(digitedge: Command, tmp_path: Path, released: Path) -> None:
    import keras

    model = keras.models.load_model(released / "model.keras")
    normalization = next(one for one in model.layers if isinstance(one, keras.layers.BatchNormalization))
    second = [one for one in model.layers if isinstance(one, keras.layers.Conv2D)][1]
    weights = normalization.get_weights()
    weights[0][0], weights[1][0] = 0, -1  # channel 0 is silent, so that its weights have no effect
    normalization.set_weights(weights)
    weights = second.get_weights()
    weights[0][:, :, 0] = 300
    second.set_weights(weights)
    model.save(tmp_path / "lossy.keras")
    common = ("--data", "synthetic", "--tolerance", "agreement=0.98,top1_drop=0.02")
    assert digitedge("export", "lossy.keras", "--int8", *common).returncode == 1
    found = digitedge("verify", "export/lossy", "--json", "--layers-image", "layers.png")
    assert found.returncode == 1
    report = json.loads(found.stdout)["files"]
    for name in ("model_int8.tflite", "model_int8.onnx"):
        assert report[name]["layers"]["layers"][0]["name"] == second.name
    assert (tmp_path / "layers.png").is_file()
    kept = digitedge("export", "lossy.keras", "--int8", *common, "--keep-float", second.name, "--overwrite")
    assert kept.returncode == 0, kept.stderr
    manifest = json.loads((tmp_path / "export/lossy/manifest.json").read_text())
    assert manifest["files"]["model_int8.onnx"]["keep_float"] == [second.name]
    assert f"`model_int8.tflite` computes in float: {second.name}." in (tmp_path / "export/lossy/README.md").read_text()
    auto = digitedge("export", "lossy.keras", *common, "--auto", "--overwrite")
    assert auto.returncode == 0, auto.stderr
    assert auto.stdout.count("<- pick") == 2
    remedies = json.loads((tmp_path / "export/lossy/remedies.json").read_text())
    assert set(remedies["formats"]) == {"tflite", "onnx"}
