"""The program as a whole in real processes: wrong usage, signals, closed streams."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import start

from digitedge import __version__

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["export", "--float16", "--format", "onnx"],
            "Invalid value for --format: recipe float16 does not",
        ),
        (["train", "rnn"], "'rnn' is not one of"),
        (["train", "--epochs", "0"], "greater than or equal to 1"),
        (["train", "--name", "a/b"], "expected letters, digits, dots, dashes"),
        (["train", "--name", "n" * 101], "at most 100 bytes"),
        (["verify", "--tolerance", "agreement=2"], "expected agreement or top1_drop or max_abs_diff with a number"),
        (["export", "--tolerance", "accuracy=0.9"], "from 0 to 1, such as agreement=0.99, got 'accuracy=0.9'"),
        (["export", "--tolerance", "top1_drop"], "got 'top1_drop'"),
        (["export", "--tolerance", "top1_drop=0.1,max_abs_diff=nan"], "got 'max_abs_diff=nan'"),
        (["verify", "--tolerance", ""], "with a number from 0 to 1, such as agreement=0.99, got ''"),
        (["verify", "--tolerance", "agreement=0.9,agreement=0.8"], "expected every limit once, got agreement twice"),
        (["verify", "--tolerance", "agreement=0.9", "--tolerance", "agreement=0.8"], "got agreement twice"),
        (["verify", "--flipped", "flipped.txt"], "expected a .png file, got flipped.txt"),
        (["verify", "a", "b", "c"], "Invalid value for BUNDLE: expected one bundle, or a reference and a candidate"),
        (["verify", ""], "expected a path, got an empty text"),
        (["info", ""], "expected a path, got an empty text"),
        (["eval", ""], "expected a path, got an empty text"),
        (["bench", ""], "expected a path, got an empty text"),
        (["predict", "--model", "", "x.png"], "Invalid value for '--model': expected a path, got an empty text"),
        (["export", "--name", "../evil"], "expected letters, digits, dots, dashes"),
        (["verify", "--golden", "--tolerance", "agreement=1"], "--flipped, --layers or --tolerance"),
        (["verify", "--golden", "--data", "synthetic"], "--flipped, --layers or --tolerance"),
        (["verify", "--golden", "--preprocess", "0-1"], "needs a REFERENCE, whose pixels it names"),
        (["verify", "--preprocess", "0-1"], "needs a REFERENCE, whose pixels it names"),
        (["verify", "a.tflite", "b.onnx", "c.onnx"], "expected one bundle, or a reference and a candidate"),
        (["predict", "x.png", "--preprocess", "0-2"], "expected one of 0-255"),
        (["export", "--preprocess", "inverted"], "expected one of 0-255"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_usage_exits_with_2(digitedge: Command, arguments: list[str], message: str) -> None:
    result = digitedge(*arguments)
    assert result.returncode == 2
    assert message in re.sub(r"[│\s]+", " ", result.stderr)
    assert result.stdout == ""


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.15, 0.3, 0.6, 1.0])
def test_ctrl_c_during_startup_exits_with_130_and_no_traceback(tmp_path: Path, delay_s: float) -> None:
    # Before `main` runs, Python itself handles Ctrl-C, so wait for that call.
    code = "import sys; from digitedge.cli import main; sys.stdout.write('up\\n'); sys.stdout.flush(); main()"
    with start(
        [sys.executable, "-c", code, "camera", "demo", "--headless"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        time.sleep(0.05 + delay_s)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    command = ["sh", "-c", f"'{sys.executable}' -m digitedge info {closed}"]
    assert subprocess.run(command, timeout=60).returncode == 0


@pytest.mark.parametrize("command", [["predict"], ["camera"], ["data", "get", "--data"], ["info"]])
def test_a_path_that_is_too_long_is_a_one_line_error(digitedge: Command, command: list[str]) -> None:
    result = digitedge(*command, "x" * 300)
    assert result.returncode == 1
    assert "error:" in result.stderr
    assert "Traceback" not in result.stderr


def test_info_prints_the_released_bundle(digitedge: Command) -> None:
    result = digitedge("info")
    assert result.returncode == 0
    assert "runs by default: model_int8.tflite" in result.stdout
    assert "model:" in result.stderr
    manifest = json.loads(digitedge("info", "--json").stdout)
    assert manifest["schema"] == "digitedge.bundle/1"
    assert manifest["footprint"]["model_float32.tflite"]["macs"] == manifest["macs"]


def test_info_prints_what_a_foreign_file_needs(digitedge: Command, fixtures: Path) -> None:
    path = fixtures / "other_names.tflite"  # it breaks the model contract
    text = digitedge("info", path).stdout
    assert text.startswith(f"{path}: {path.stat().st_size:,} bytes\n")
    assert re.search(r"^other_names.tflite +7,840 +6,272 +6,272$", text, re.MULTILINE)
    assert "  LiteRT or TensorFlow Lite: from 1.5.0 (" in text
    result = json.loads(digitedge("info", path, "--json").stdout)
    assert (result["schema"], result["footprint"]["macs"]) == ("digitedge.info/1", 7840)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nope", "error: nothing at nope: expected a bundle"),
        ("model.tflite", "error: model.tflite: expected a TFLite file, got another kind or a damaged one."),
    ],
)
def test_info_refuses_what_is_no_model(digitedge: Command, tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "model.tflite").touch()
    result = digitedge("info", path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(message)  # no "model: " before it
    assert len(result.stderr.splitlines()) == 1


def test_figures_are_printed_as_an_aligned_table(digitedge: Command) -> None:
    lines = digitedge("info").stdout.splitlines()
    head = next(index for index, line in enumerate(lines) if line.startswith("file "))
    table = lines[head : head + 7]
    assert len({len(line) for line in table}) == 1
    assert all(re.search(r"\d+\.\d\d %  ", line) for line in table[1:])


def test_the_version_is_printed(digitedge: Command) -> None:
    assert digitedge("--version").stdout == f"digitedge {__version__}\n"
