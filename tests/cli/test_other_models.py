"""Third-party models in every command, as a user runs it."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from typer.testing import CliRunner

from digitedge.cli.app import app

Command = Callable[..., "CompletedProcess[str]"]
PAGE = Path(__file__).parents[2] / "demos" / "page.jpg"


def test_predict_says_how_a_file_of_other_people_is_used(digitedge: Command, fixtures: Path) -> None:
    result = digitedge("predict", PAGE, "--model", fixtures / "foreign.tflite")
    assert result.returncode == 0, result.stderr
    assert "foreign.tflite: 0-1,inverted reads " in result.stderr
    assert len(result.stdout.split()) >= 3
    wrong = digitedge("predict", PAGE, "--model", fixtures / "foreign.tflite", "--preprocess", "0-255")
    assert wrong.returncode == 1
    assert "got: 0-255 reads " in wrong.stderr
    assert "use it anyway with --force" in wrong.stderr


def test_eval_measures_a_file_of_other_people(digitedge: Command, fixtures: Path) -> None:
    options = ("--data", "synthetic", "--corrupted", "0", "--scenes", "0", "--images", "300", "--json")
    result = digitedge("eval", fixtures / "foreign.tflite", *options)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["files"]["foreign.tflite"]["top1"] > 0.85


@pytest.mark.slow
def test_bench_puts_models_of_other_people_into_one_table(digitedge: Command, fixtures: Path) -> None:
    files = [fixtures / name for name in ("good.tflite", "foreign.tflite", "foreign.onnx")]
    result = digitedge("bench", *files, "--quick")
    assert result.returncode == 0, result.stderr
    assert len([line for line in result.stdout.splitlines() if line.startswith(str(fixtures)) and ":" not in line]) == 3
    report = json.loads(digitedge("bench", *files, "--quick", "--json").stdout)
    assert [row["footprint"]["macs"] for row in report["models"]] == [7840, 784 * 16 + 160, 784 * 16 + 160]
    assert all(row["p50_ms"] > 0 for row in report["models"])


KINDS = ("net.pt", "gone.h5", "cut.keras", "cut.onnx", "cut.tflite")
COMMANDS = {
    "export": (["export"], KINDS[:2]),  # the others after the data is loaded
    "verify": (["verify", "good.tflite"], KINDS[:2]),
    "eval": (["eval"], KINDS),
    "bench": (["bench"], KINDS),
    "predict": (["predict", str(PAGE), "--model"], KINDS),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_model_is_one_line_in_every_command(
    fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(fixtures / "good.tflite", tmp_path)
    Path("net.pt").write_bytes(b"x")
    with zipfile.ZipFile("cut.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
    for kind in ("onnx", "tflite"):
        Path(f"cut.{kind}").write_bytes((fixtures / f"foreign.{kind}").read_bytes()[:5000])
    arguments, names = COMMANDS[command]
    for name in names:
        done = CliRunner().invoke(app, [*arguments, name])
        assert done.exit_code == 1, (name, done.output)
        assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1
        assert name in done.stderr
