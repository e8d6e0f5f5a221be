"""What is measured, and what is skipped for which reason."""

import sys
from pathlib import Path

import pytest

from digitedge.benchmark.advice import recommend
from digitedge.benchmark.run import QUICK, count_steps, find_target, measure_files, thread_counts
from digitedge.benchmark.tables import report_text
from digitedge.errors import ModelError, install_command
from digitedge.utils.tables import percent


def test_a_missing_runtime_is_skipped_and_no_failure(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    calls: list[int] = []
    measured, skipped = measure_files(
        {fixtures / "good.onnx": None}, QUICK, threads=[1, 2], on_progress=lambda: calls.append(1)
    )
    reason = f"ONNX Runtime is not installed. Run: {install_command('onnx')}"
    assert measured == []
    assert skipped == [
        {"file": "good.onnx", "threads": threads, "failed": False, "reason": reason} for threads in (1, 2)
    ]
    assert len(calls) == 2


def test_a_bundle_gives_every_file_with_its_manifest_entry(released: Path) -> None:
    target = find_target(released)
    assert target.preferred_file.name == "model_int8.tflite"
    assert len(target.files) == 6
    assert all(entry is not None and entry.passed for entry in target.files.values())
    assert count_steps(target, [1, 2], [1]) == 12 + 3 + 1


def test_a_file_of_a_bundle_has_its_manifest_entry(released: Path) -> None:
    path = released / "model_int8.tflite"
    target = find_target(path)
    (entry,) = target.files.values()
    assert entry is not None
    assert (target.preferred_file, entry.recipe, entry.passed) == (path, "int8", True)
    measured, _ = measure_files(target.files, QUICK, threads=[1])
    use, int8 = recommend(measured, [])["advice"]
    assert f"is {percent(entry.top1)}." in use
    assert int8 == "int8 is the fastest here."


def test_a_lone_file_has_no_entry(fixtures: Path) -> None:
    path = fixtures / "good.tflite"
    assert find_target(path).files == {path: None}


def test_a_file_that_a_bundle_lacks_is_refused(released: Path) -> None:
    with pytest.raises(ModelError, match="nothing at"):
        find_target(released / "model_int9.tflite")


def test_a_missing_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no bundle at"):
        find_target(tmp_path)
    with pytest.raises(ModelError, match="nothing at"):
        find_target(tmp_path / "none")


@pytest.mark.parametrize(
    ("cores", "expected"), [(1, [1]), (2, [1, 2]), (3, [1, 2]), (4, [1, 2, 4]), (8, [1, 2, 4, 8])], ids=str
)
def test_thread_counts_go_up_to_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int, expected: list[int]) -> None:
    monkeypatch.setattr("digitedge.benchmark.run.cores", lambda: cores)
    assert thread_counts() == expected


def test_a_report_without_files_is_printed_with_the_reason() -> None:
    state = {"mhz": None, "temperature_c": None, "throttling": None, "load": None}
    machine = {"board": None, "cpu": None, "cores": 4, "governor": None, "max_mhz": None, "python": "3.11.7"}
    text = report_text(
        {
            "model": "export/cnn",
            "system": {**machine, "versions": {"numpy": "2.4.6"}, "before": state, "after": state},
            "files": [],
            "skipped": [{"file": "a.onnx", "reason": "onnxruntime is not installed"}] * 2,
            "frames": [],
            "cold_start": {"--help": {"best_ms": 200.4, "runs_ms": [200.4, 250.0]}},
            "recommendation": {"advice": ["No file can be recommended."]},
        }
    )
    assert text == (
        "export/cnn on an unknown board\n4 cores\nPython 3.11.7, numpy 2.4.6\n\n"
        "start to exit in ms  best  worst\ndigitedge --help      200    250\n\n"
        "skipped: a.onnx: onnxruntime is not installed\nNo file can be recommended."
    )
