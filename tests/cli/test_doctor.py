"""`digitedge doctor` in a real process."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from digitedge.bundle.made_here import remember_bundle

Command = Callable[..., subprocess.CompletedProcess[str]]

CHECKS = {
    "python",
    "numpy",
    "opencv",
    "litert",
    "onnxruntime",
    "train",
    "web",
    "mqtt",
    "port",
    "screen",
    "mnist",
    "bundle",
}


def test_the_output_has_a_line_for_every_check_with_its_fix_below(digitedge: Command) -> None:
    done = digitedge("doctor")
    lines = done.stdout.splitlines()
    assert {line.split()[1] for line in lines if not line.startswith(" ")} >= CHECKS
    note = next(index for index, line in enumerate(lines) if line.startswith("note     mnist"))
    assert lines[note + 1] == "                     -> digitedge data get"
    assert done.returncode == int("problem  " in done.stdout)
    assert done.stderr.startswith("ok: ")


def test_json_is_one_object_and_a_damaged_bundle_exits_1(digitedge: Command, tmp_path: Path, released: Path) -> None:
    shutil.copytree(released, tmp_path / "export" / "mine")
    remember_bundle(tmp_path / "export" / "mine", (released / "manifest.json").read_bytes())
    (tmp_path / "export" / "mine" / "model_int8.tflite").write_bytes(b"cut short")
    done = digitedge("doctor", "--json")
    (line,) = done.stdout.splitlines()
    report = json.loads(line)
    assert (done.returncode, report["schema"]) == (1, "digitedge.doctor/1")
    assert {finding["check"] for finding in report["findings"]} >= CHECKS
    for finding in report["findings"]:
        assert list(finding) == ["check", "status", "found", "fix"]
        assert finding["status"] in ("ok", "note", "problem")
        assert (finding["fix"] is None) == (finding["status"] == "ok")
    (problem,) = [
        finding for finding in report["findings"] if finding["status"] == "problem" and finding["check"] == "bundle"
    ]
    assert problem["fix"] == f"digitedge export, or delete {Path('export', 'mine')}"


def test_a_crashing_library_is_a_problem_and_dependent_checks_are_skipped(digitedge: Command, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "cv2.py").write_text("import os; os.abort()")
    done = digitedge("doctor", PYTHONPATH=str(tmp_path / "broken"))
    assert done.returncode == 1
    assert "problem  opencv      installed, but cannot be imported: " in done.stdout
    assert "note     skipped     screen, MNIST and bundles: they need opencv" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_invalid_port_exits_2(digitedge: Command) -> None:
    assert digitedge("doctor", "--port", "65536").returncode == 2
