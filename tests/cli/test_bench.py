"""`digitedge bench` as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

import pytest
from processes import start
from typer.testing import CliRunner

from digitedge.benchmark.system import describe_machine
from digitedge.bundle.bundle import sha256_of
from digitedge.cli.app import app
from digitedge.vision import Stage

Command = Callable[..., subprocess.CompletedProcess[str]]

QUICK = ("--quick", "--threads", "1")


@pytest.fixture
def small(released: Path, fixtures: Path, tmp_path: Path) -> Path:
    """A bundle of three files: the fastest failed parity, the third wants pixels from 0 to 1."""
    manifest = json.loads((released / "manifest.json").read_text(encoding="utf-8"))
    names = ("model_int8.tflite", "model_float32.tflite", "model_float16.tflite")
    manifest["files"] = {name: manifest["files"][name] for name in names}
    manifest["files"]["model_int8.tflite"]["passed"] = manifest["passed"] = False
    folder = tmp_path / "small"
    folder.mkdir()
    for name in [*names, *manifest["others"]]:
        shutil.copy(released / name, folder)
    foreign = shutil.copy(fixtures / "wants_zero_to_one.tflite", folder / "model_float16.tflite")
    manifest["files"]["model_float16.tflite"] |= {"sha256": sha256_of(foreign), "bytes": foreign.stat().st_size}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def write_old(path: Path) -> Path:
    """Write a report of this machine with impossibly fast figures."""
    start = {"best_ms": 0.01, "runs_ms": [0.01] * 5}
    report = {
        "schema": "digitedge.bench/1",
        "model": "export/cnn",
        "settings": {"seconds": 1.0, "rounds": 6},
        "notes": [],
        "system": asdict(describe_machine()),
        "preferred_file": "model_int8.tflite",
        "files": [],
        "frames": [],
        "cold_start": {"--help": start},
    }
    path.write_text(json.dumps(report), encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_file_that_cannot_be_measured_is_a_failure(digitedge: Command, small: Path) -> None:
    done = digitedge("bench", small, *QUICK, "--json")
    assert done.returncode == 1, done.stderr
    assert "error: could not be measured: model_float16.tflite: " in done.stderr
    report = json.loads(done.stdout)
    assert report["schema"] == "digitedge.bench/1"
    assert {file["file"]: file["passed"] for file in report["files"]} == {
        "model_int8.tflite": False,
        "model_float32.tflite": True,
    }
    assert all(file["p50_ms"] > 0 and file["top1"] > 0.99 for file in report["files"])
    sizes = {(frame["width"], frame["height"]) for frame in report["frames"]}
    assert sizes == {(640, 480), (1280, 720), (1920, 1080)}
    assert len(report["frames"]) == 12
    assert set(report["cold_start"]) == {"--help", "predict"}
    assert report["recommendation"]["file"] == "model_float32.tflite"
    (skipped,) = report["skipped"]
    assert skipped["failed"]
    assert "expected a model that takes pixels from 0 to 255" in skipped["reason"]


@pytest.mark.slow
def test_a_slower_figure_is_a_failure(digitedge: Command, fixtures: Path, tmp_path: Path) -> None:
    old = write_old(tmp_path / "old.json")
    done = digitedge("bench", fixtures / "good.tflite", *QUICK, "--compare", old)
    assert done.returncode == 1, done.stderr
    assert "good.tflite x 1 " in done.stdout
    heads = next(line for line in done.stdout.splitlines() if line.startswith("size, digits x threads"))
    assert heads.split()[4:] == [*Stage, "total"]
    assert "Use good.tflite with 1 thread: " in done.stdout
    assert "its accuracy is unknown" in done.stdout
    assert "  TFLite Micro: yes (a kernel for every operator)" in done.stdout
    (compared,) = [line for line in done.stdout.splitlines() if line.startswith("digitedge --help") and "0.010" in line]
    assert compared.endswith("slower")
    assert "1 of 1 figures got slower" in done.stderr
    assert "note: only in the new report: good.tflite, 1 thread" in done.stderr
    assert "note: other settings: seconds was 1.0, is 0.1" in done.stderr
    assert f"note: model was export/cnn, is {fixtures / 'good.tflite'}" in done.stderr


def test_a_bug_in_the_comparison_does_not_lose_the_report(
    fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*reports: dict[str, Any]) -> NoReturn:
        raise RuntimeError("a bug")

    old = write_old(tmp_path / "old.json")
    report = json.loads(old.read_text(encoding="utf-8")) | {"skipped": []}
    monkeypatch.setattr("digitedge.benchmark.run.run_benchmark", lambda *_, **__: report)
    monkeypatch.setattr("digitedge.benchmark.compare.compare_reports", fail)
    done = CliRunner().invoke(app, ["bench", str(fixtures / "good.tflite"), "--json", "--compare", str(old)])
    assert done.exit_code == 1
    assert "error: unexpected RuntimeError: a bug" in done.stderr
    assert json.loads(done.stdout) == report


def test_a_comparison_without_comparable_figures_is_an_error(
    fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_old(tmp_path / "old.json")
    row = {"file": "good.tflite", "threads": 1, "sha256": "a" * 64, "medians_ms": [0.1] * 5}
    report = json.loads(old.read_text(encoding="utf-8")) | {"files": [row], "cold_start": {}, "skipped": []}
    old.write_text(json.dumps(report), encoding="utf-8")
    now = report | {"files": [row | {"sha256": "b" * 64, "medians_ms": [9.0] * 5}]}
    monkeypatch.setattr("digitedge.benchmark.run.run_benchmark", lambda *_, **__: now)
    done = CliRunner().invoke(app, ["bench", str(fixtures / "good.tflite"), "--json", "--compare", str(old)])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["comparison"]["changes"][0]["trend"] == "not compared"
    assert "note: good.tflite has changed" in done.stderr
    assert "has no figure that can be compared with this run" in done.stderr


@pytest.mark.slow
def test_several_models_make_one_table(digitedge: Command, released: Path, fixtures: Path) -> None:
    good = fixtures / "good.tflite"
    done = digitedge("bench", released, good, fixtures / "wants_zero_to_one.tflite", *QUICK, "--json")
    report = json.loads(done.stdout)
    assert report["schema"] == "digitedge.bench.models/1"
    assert [row["file"] for row in report["models"][:2]] == [str(released / "model_int8.tflite"), str(good)]
    assert [row["footprint"]["macs"] for row in report["models"]] == [5_738_736, 7840, 7840]
    assert report["models"][0]["top1"] > 0.99
    assert done.returncode == (1 if report["models"][2]["failed"] else 0), done.stderr
    refused = digitedge("bench", released, good, "--compare", "old.json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "expected one model" in refused.stderr


def test_ctrl_c_stops_it_without_a_traceback(fixtures: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "digitedge", "bench", fixtures / "good.tflite"]
    with start(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while "measuring" not in process.stderr.readline():
            assert process.poll() is None
        time.sleep(0.5)  # until a child runs
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: children get it, too
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "error: nothing at nowhere"),
        (["small", "--compare", "nowhere.json"], 1, "error: there is no nowhere.json. Make one: "),
        (["small", "--compare", "half.json"], 1, "error: half.json: expected the figures of a report, got a damaged"),
        (["small", "--threads", "0"], 2, "Invalid value for '--threads'"),
        (["damaged"], 1, "damaged/model_int8.tflite: expected 73,384 bytes as in its manifest"),
    ],
    ids=["missing", "no report", "damaged report", "threads", "damaged"],
)
def test_refusals_are_one_line(
    digitedge: Command, small: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    report = json.loads(write_old(tmp_path / "half.json").read_text(encoding="utf-8"))
    (tmp_path / "half.json").write_text(json.dumps(report | {"notes": None}), encoding="utf-8")
    shutil.copytree(small, tmp_path / "damaged")
    (tmp_path / "damaged" / "model_int8.tflite").write_bytes(b"cut short")
    done = digitedge("bench", *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert done.stdout == ""
    assert "measuring" not in done.stderr
    assert "Traceback" not in done.stderr
