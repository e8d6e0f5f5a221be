"""`digitedge train` and `digitedge export` in real processes: exit codes, streams and files."""

import importlib.util
import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import start

from digitedge.errors import install_command

Command = Callable[..., subprocess.CompletedProcess[str]]

needs_tensorflow = pytest.mark.skipif(
    not importlib.util.find_spec("tensorflow"), reason=f"needs TensorFlow: {install_command('train')}"
)


@needs_tensorflow
@pytest.mark.slow
def test_train_export_verify_and_predict_end_to_end(digitedge: Command, tmp_path: Path, released: Path) -> None:
    trained = digitedge("train", "mlp", "--epochs", "4", "--data", "synthetic", "--name", "first")
    assert trained.returncode == 0, trained.stderr
    assert re.search(r"^training on: [CG]PU, ", trained.stderr, re.MULTILINE)
    assert re.search(r"^Test accuracy before training: \d+\.\d{4} %$", trained.stdout, re.MULTILINE)
    accuracy = float(re.findall(r"^Test accuracy: (\d+\.\d{4}) %$", trained.stdout, re.MULTILINE)[0])
    assert accuracy > 90
    assert "run folder: runs/train/first-1" in trained.stdout
    assert len(re.findall(r"^epoch \d/4  loss", trained.stderr, re.MULTILINE)) == 4  # plain lines in a pipe

    exported = digitedge("export", "--int8", "--tolerance", "agreement=0.99,top1_drop=0.01")
    assert exported.returncode == 0, exported.stderr
    assert "bundle: export/first-1" in exported.stdout
    assert "Saved artifact" not in exported.stdout + exported.stderr  # lines of the converter
    files = sorted(path.name for path in (tmp_path / "export/first-1").glob("model_*"))
    assert files == ["model_float32.onnx", "model_float32.tflite", "model_int8.onnx", "model_int8.tflite"]

    again = digitedge("export", "--int8")
    assert (again.returncode, "--overwrite" in again.stderr) == (1, True)

    strict = digitedge("verify", "--json", "--tolerance", "max_abs_diff=0", "--flipped", "flipped.png")
    assert strict.returncode == 1
    assert "largest difference" in strict.stderr
    report = json.loads(strict.stdout)
    assert (report["schema"], report["proves"], report["passed"]) == ("digitedge.verify/1", "accuracy", False)
    assert report["files"]["model_int8.tflite"]["samples"] == 4000
    assert report["files"]["model_float32.onnx"]["agreement"] == 1.0
    assert (tmp_path / "flipped.png").stat().st_size > 1000

    assert digitedge("predict", "--model", "export/first-1", released / "confusion.png").returncode == 0

    again = digitedge("export", "--int8", "--overwrite", "--tolerance", "max_abs_diff=0")
    assert again.returncode == 1
    assert "failed the parity check" in again.stderr
    assert json.loads((tmp_path / "export/first-1/manifest.json").read_text())["passed"] is False
    refused = digitedge("predict", "--model", "export/first-1", released / "confusion.png")
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert digitedge("predict", "--force", "--model", "export/first-1", released / "confusion.png").returncode == 0


@needs_tensorflow
def test_export_of_a_damaged_keras_file_fails_without_a_bundle(digitedge: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.keras").write_bytes(b"not a model")
    result = digitedge("export", "broken.keras", "--data", "synthetic")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: broken.keras: expected a model saved by Keras 3")
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "export" / "broken").exists()


@pytest.mark.slow
@needs_tensorflow
def test_export_refuses_an_unfinished_or_damaged_run_before_it_loads_data(digitedge: Command, tmp_path: Path) -> None:
    run = tmp_path / "runs/train/cut-1"
    run.mkdir(parents=True)
    (run / "args.json").write_text('{"schema": "digitedge.run/1", "config": {}, "data": "mnist"}')
    (run / "model.keras").touch()
    result = digitedge("export", "--data", "nowhere")
    assert result.returncode == 1
    line = result.stderr.splitlines()[-1]
    assert line.startswith("error: runs/train/cut-1: expected a finished training, got one that runs or was interrupt")
    assert "digitedge train --resume runs/train/cut-1" in line
    assert "--unfinished" in line
    result = digitedge("export", "--data", "nowhere", "--unfinished")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: runs/train/cut-1/model.keras: expected a model saved by")


@needs_tensorflow
def test_export_refuses_an_unwritable_folder_before_it_loads_data(digitedge: Command, released: Path) -> None:
    result = digitedge("export", released / "model.keras", "--output", "/proc/bundles", "--data", "nowhere")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: cannot write /proc/bundles/model: ")


@pytest.mark.slow
@needs_tensorflow
def test_export_without_a_run_says_how_to_train_one(digitedge: Command) -> None:
    result = digitedge("export", "--int8")
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: no trained run in runs/train. Train one: digitedge train")


@needs_tensorflow
def test_train_without_mnist_and_network_names_both_alternatives(digitedge: Command, tmp_path: Path) -> None:
    result = digitedge("train")
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert "--data FOLDER" in line
    assert "--data synthetic" in line
    assert not (tmp_path / "runs").exists()
    assert [path for path in (tmp_path / "cache" / "digitedge").rglob("*") if path.is_file()] == []


def test_train_refuses_an_unwritable_folder(digitedge: Command, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file in place of the folder")
    result = digitedge("train", "--data", "synthetic")
    assert result.returncode == 1
    assert "error: cannot write runs/train/cnn" in result.stderr
    assert "Traceback" not in result.stderr


def train_until(line: str, number: int, folder: Path, *arguments: str) -> tuple[int, str]:
    """Train in a process, send a signal after a line on stderr, and return the exit code and the rest of stderr."""
    command = [sys.executable, "-m", "digitedge", "train", *arguments]
    with start(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for printed in process.stderr:
            if printed.startswith(line):
                break
        process.send_signal(number)
        _, rest = process.communicate(timeout=60)
    return process.returncode, rest


@needs_tensorflow
@pytest.mark.slow
def test_a_training_interrupted_by_signals_keeps_the_best_weights_and_is_resumed(
    digitedge: Command, tmp_path: Path
) -> None:
    run = tmp_path / "runs/train/mlp-1"
    settings = ["mlp", "--data", "synthetic", "--epochs", "6", "--batch-size", "512"]
    for line, number, code, arguments in (
        ("epoch 2/6", signal.SIGINT, 130, settings),
        ("epoch 3/6", signal.SIGTERM, 143, ["--resume"]),
    ):
        returncode, rest = train_until(line, number, tmp_path, *arguments)
        assert returncode == code, rest
        assert "Traceback" not in rest
        assert "are in runs/train/mlp-1/model.keras" in rest
        assert rest.endswith("resume with: digitedge train --resume runs/train/mlp-1\n")
        assert sorted(path.name for path in run.iterdir()) == ["args.json", "history.csv", "last.keras", "model.keras"]
    resumed = digitedge("train", "mlp", "--resume", "runs/train/mlp-1")
    assert resumed.returncode == 0, resumed.stderr
    assert "run: runs/train/mlp-1\n" in resumed.stderr
    assert re.search(r"^Resuming after epoch [3-5] of 6$", resumed.stdout, re.MULTILINE)
    assert [row.split(",")[0] for row in (run / "history.csv").read_text().splitlines()] == ["epoch", *"123456"]
    assert {path.name for path in run.iterdir()} >= {"metrics.json", "curves.png", "confusion.png"}


@needs_tensorflow
def test_resume_without_an_interrupted_run_is_a_one_line_error(digitedge: Command) -> None:
    result = digitedge("train", "--resume")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: no interrupted run in runs/train. ")
