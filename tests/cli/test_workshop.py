"""The workshop's commands in real processes: exit codes, streams, and what is left on disk."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from digitedge.cli.app import app

needs_tensorflow = pytest.mark.skipif(
    not importlib.util.find_spec("tensorflow"), reason="wants TensorFlow: pip install 'digitedge[train]'"
)


@needs_tensorflow
@pytest.mark.slow
def test_the_main_job_end_to_end(digitedge, tmp_path: Path, released: Path) -> None:
    trained = digitedge("train", "mlp", "--epochs", "4", "--data", "synthetic", "--name", "first")
    assert trained.returncode == 0, trained.stderr
    assert re.search(r"^Test accuracy before training: \d+\.\d{4}%$", trained.stdout, re.MULTILINE)
    accuracy = float(re.findall(r"^Test accuracy: (\d+\.\d{4})%$", trained.stdout, re.MULTILINE)[0])
    assert accuracy > 90
    assert "run folder: runs/train/first-1" in trained.stdout
    assert len(re.findall(r"^epoch \d/4  loss", trained.stderr, re.MULTILINE)) == 4  # plain lines in a pipe

    exported = digitedge("export", "--int8", "--agreement", "0.99", "--top1-drop", "0.01")
    assert exported.returncode == 0, exported.stderr
    assert "bundle: export/first-1" in exported.stdout
    assert "Saved artifact" not in exported.stdout + exported.stderr  # the converter's own lines
    files = sorted(path.name for path in (tmp_path / "export/first-1").glob("model_*"))
    assert files == ["model_float32.onnx", "model_float32.tflite", "model_int8.onnx", "model_int8.tflite"]

    again = digitedge("export", "--int8")
    assert (again.returncode, "--overwrite" in again.stderr) == (1, True)

    strict = digitedge("verify", "--json", "--max-abs-diff", "0", "--flipped", "flipped.png")
    assert strict.returncode == 1
    assert "largest difference" in strict.stderr
    report = json.loads(strict.stdout)
    assert (report["schema"], report["proves"], report["fit"]) == ("digitedge.verify/1", "accuracy", False)
    assert report["files"]["model_int8.tflite"]["samples"] == 4000
    assert report["files"]["model_float32.onnx"]["agreement"] == 1.0
    assert (tmp_path / "flipped.png").stat().st_size > 1000

    assert digitedge("predict", "--model", "export/first-1", released / "confusion.png").returncode == 0

    again = digitedge("export", "--int8", "--overwrite", "--max-abs-diff", "0")
    assert again.returncode == 1
    assert "do not answer like the original" in again.stderr
    assert json.loads((tmp_path / "export/first-1/manifest.json").read_text())["fit"] is False
    refused = digitedge("predict", "--model", "export/first-1", released / "confusion.png")
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert digitedge("predict", "--force", "--model", "export/first-1", released / "confusion.png").returncode == 0


@needs_tensorflow
@pytest.mark.slow
def test_two_models_can_be_compared(digitedge, released: Path) -> None:
    pair = digitedge("verify", released / "model.keras", released / "model_float32.onnx", "--data", "synthetic")
    assert pair.returncode == 0, pair.stderr
    assert "agreement 100.00%" in pair.stdout


@needs_tensorflow
def test_a_keras_file_from_elsewhere_needs_no_run(digitedge, tmp_path: Path) -> None:
    (tmp_path / "broken.keras").write_bytes(b"not a model")
    result = digitedge("export", "broken.keras", "--data", "synthetic")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: broken.keras: expected a model saved by Keras 3")
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "export" / "broken").exists()


@pytest.mark.parametrize(
    "command", [["export"], ["verify", "any.tflite"], ["verify", "--input-range", "0-1", "x.keras"]]
)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.keras", "no Keras file at gone.keras"),
        ("empty.keras", "empty.keras: expected a model saved by Keras 3, got an empty file"),
        ("text.keras", "text.keras: expected a model saved by Keras 3, got one that is damaged or of another kind"),
    ],
)
def test_what_is_no_keras_file_is_known_before_any_data(
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


def test_a_candidate_that_is_missing_is_known_before_any_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["verify", str(released / "model.keras"), "gone.tflite", "--data", "nowhere"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "gone.tflite" in done.stderr
    assert "no MNIST at nowhere" not in done.stderr


@needs_tensorflow
def test_a_run_whose_model_is_damaged_is_known_before_any_data(digitedge, tmp_path: Path) -> None:
    run = tmp_path / "runs/train/cut-1"
    run.mkdir(parents=True)
    (run / "args.json").write_text('{"schema": "digitedge.run/1", "plan": {}, "data": "mnist"}')
    (run / "model.keras").touch()
    result = digitedge("export", "--data", "nowhere")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: runs/train/cut-1/model.keras: expected a model saved by")


@needs_tensorflow
def test_a_place_for_the_bundle_that_cannot_be_written_to_is_known_before_any_data(digitedge, released: Path) -> None:
    result = digitedge("export", released / "model.keras", "--output", "/proc/bundles", "--data", "nowhere")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: cannot write /proc/bundles/model: ")


def test_a_place_for_the_flipped_images_that_cannot_be_written_to_is_known_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["verify", "--flipped", "/proc/flipped.png", "--data", "nowhere"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: cannot write /proc/flipped.png: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "--float16", "--format", "onnx"], "does not exist for onnx"),
        (["train", "rnn"], "'rnn' is not one of"),
        (["train", "--epochs", "0"], "greater than or equal to 1"),
        (["train", "--name", "a/b"], "expected letters, digits, dots, dashes"),
        (["train", "--name", "n" * 101], "at most 100 bytes"),
        (["verify", "a", "b", "c"], "or a reference and a candidate"),
        (["export", "--name", "../evil"], "expected letters, digits, dots, dashes"),
        (["verify", "--golden", "--agreement", "1"], "no --data, limits or"),
        (["verify", "--golden", "--data", "synthetic"], "no --data, limits or"),
        (["verify", "--golden", "--input-range", "0-1"], "goes with a REFERENCE .keras file"),
        (["verify", "--input-range", "0-1"], "goes with a REFERENCE .keras file"),
        (["verify", "a.tflite", "b.onnx", "--input-range", "0-1"], "goes with a REFERENCE .keras file"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_usage_exits_with_2(digitedge, arguments: list[str], message: str) -> None:
    result = digitedge(*arguments)
    assert result.returncode == 2
    assert message in re.sub(r"[│\s]+", " ", result.stderr)
    assert result.stdout == ""


@needs_tensorflow
def test_without_a_run_export_says_how_to_make_one(digitedge) -> None:
    result = digitedge("export", "--int8")
    assert result.returncode == 1
    assert (
        result.stderr.strip()
        .splitlines()[-1]
        .startswith("error: no trained run in runs/train. Train one: digitedge train")
    )


@needs_tensorflow
def test_without_network_and_mnist_training_names_both_ways_out(digitedge, tmp_path: Path) -> None:
    result = digitedge("train")
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert "--data FOLDER" in line
    assert "--data synthetic" in line
    assert not (tmp_path / "runs").exists()
    assert [path for path in (tmp_path / "cache" / "digitedge").rglob("*") if path.is_file()] == []


def train_until(line: str, number: int, folder: Path, *arguments: str) -> tuple[int, str]:
    """Train in a process, send a signal after a line on stderr, and return the exit code and what follows."""
    command = [sys.executable, "-m", "digitedge", "train", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for told in process.stderr:
        if told.startswith(line):
            break
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    return process.returncode, rest


@needs_tensorflow
@pytest.mark.slow
def test_signals_while_training_keep_the_best_and_the_training_goes_on(digitedge, tmp_path: Path) -> None:
    run = tmp_path / "runs/train/mlp-1"
    plan = ["mlp", "--data", "synthetic", "--epochs", "6", "--batch-size", "512"]
    for line, number, code, arguments in (
        ("epoch 2/6", signal.SIGINT, 130, plan),
        ("epoch 3/6", signal.SIGTERM, 143, ["--resume"]),
    ):
        returncode, rest = train_until(line, number, tmp_path, *arguments)
        assert returncode == code, rest
        assert "Traceback" not in rest
        assert "are in runs/train/mlp-1/model.keras" in rest
        assert rest.endswith("go on with: digitedge train --resume runs/train/mlp-1\n")
        assert sorted(path.name for path in run.iterdir()) == ["args.json", "history.csv", "last.keras", "model.keras"]
    resumed = digitedge("train", "mlp", "--resume", "runs/train/mlp-1")
    assert resumed.returncode == 0, resumed.stderr
    assert "run: runs/train/mlp-1\n" in resumed.stderr
    assert re.search(r"^Going on after epoch [3-5] of 6$", resumed.stdout, re.MULTILINE)
    assert [row.split(",")[0] for row in (run / "history.csv").read_text().splitlines()] == ["epoch", *"123456"]
    assert {path.name for path in run.iterdir()} >= {"metrics.json", "curves.png", "confusion.png"}


@needs_tensorflow
def test_without_an_interrupted_run_resume_is_one_line(digitedge) -> None:
    result = digitedge("train", "--resume")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: no interrupted run in runs/train. ")


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.15, 0.3, 0.6, 1.0])
def test_ctrl_c_at_any_moment_of_the_start_leaves_no_traceback(tmp_path: Path, delay_s: float) -> None:
    # Before Python runs our first line it is Python's own start-up that answers, so wait for that line.
    code = "import sys; sys.stdout.write('up\\n'); sys.stdout.flush(); from digitedge.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "camera", "demo", "--headless"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    time.sleep(0.05 + delay_s)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@needs_tensorflow
@pytest.mark.slow
def test_data_show_draws_a_first_look(digitedge, tmp_path: Path) -> None:
    result = digitedge("data", "show", "--data", "synthetic", "--output", "look.png")
    assert result.returncode == 0, result.stderr
    assert "synthetic training  30000 images  0: 3000  1: 3000" in result.stdout
    assert (tmp_path / "look.png").read_bytes()[:4] == b"\x89PNG"


def test_data_get_says_where_mnist_is(digitedge, mnist: Path, tmp_path: Path) -> None:
    result = digitedge("data", "get", "--data", mnist)
    assert result.returncode == 0, result.stderr
    assert str(mnist) in result.stdout
    assert "60000 training and 10000 test images, content checked" in result.stdout
    missing = digitedge("data", "get", "--data", tmp_path / "nowhere")
    assert (missing.returncode, missing.stderr.startswith("error: no MNIST at")) == (1, True)


def test_info_prints_the_released_bundle(digitedge) -> None:
    result = digitedge("info")
    assert result.returncode == 0
    assert "runs by default: model_int8.tflite" in result.stdout
    assert "model:" in result.stderr
    manifest = json.loads(digitedge("info", "--json").stdout)
    assert manifest["schema"] == "digitedge.bundle/1"


def test_verify_without_data_checks_the_device_and_says_so(digitedge) -> None:
    result = digitedge("verify")
    assert result.returncode == 0, result.stderr
    assert "checking the golden set" in result.stderr
    assert "does not prove the accuracy" in result.stdout
    assert result.stdout.count("250 golden crops  fit") == 6


def test_the_help_of_verify_says_what_it_takes(digitedge) -> None:
    told = digitedge("verify", "--help", COLUMNS="300").stdout
    assert "the newest bundle in ./export that is fit, else the released one" in told
    assert "The same as BUNDLE: the folder of a bundle." in told
    assert ".onnx file." not in told


def test_verify_of_a_damaged_bundle_fails(digitedge, released: Path, tmp_path: Path) -> None:
    shutil.copytree(released, tmp_path / "export" / "mine")
    with (tmp_path / "export/mine/model_int8.tflite").open("r+b") as file:
        file.truncate(1000)
    result = digitedge("verify", "export/mine")
    assert result.returncode == 1
    assert "the file was changed" in result.stderr


def test_the_version_is_printed(digitedge) -> None:
    from digitedge import __version__

    assert digitedge("--version").stdout == f"digitedge {__version__}\n"


def test_a_read_only_folder_is_one_line(digitedge, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where a folder should be")
    result = digitedge("train", "--data", "synthetic")
    assert result.returncode == 1
    assert "error: cannot write runs/train/cnn" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="wants /dev/full")
def test_a_full_disk_behind_stdout_is_one_line(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "digitedge", "info"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert result.returncode == 1
    assert "No space left on device" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_break_nothing(closed: str) -> None:
    assert subprocess.run(["sh", "-c", f"'{sys.executable}' -m digitedge info {closed}"]).returncode == 0


@pytest.mark.parametrize("command", [["predict"], ["camera"], ["data", "get", "--data"], ["info"]])
def test_a_path_that_is_too_long_is_one_line(digitedge, command: list[str]) -> None:
    result = digitedge(*command, "x" * 300)
    assert result.returncode == 1
    assert "error:" in result.stderr
    assert "Traceback" not in result.stderr
