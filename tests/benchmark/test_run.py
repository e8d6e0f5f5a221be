"""What is measured, and what is skipped with which reason."""

import sys
from pathlib import Path

import pytest

from digitedge.benchmark.advice import recommend
from digitedge.benchmark.run import QUICK, count_steps, find_material, measure_files, thread_counts
from digitedge.benchmark.tables import report_text
from digitedge.errors import ModelError


def test_a_missing_runtime_is_said_and_no_failure(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    ticks: list[int] = []
    measured, skipped = measure_files(
        {fixtures / "good.onnx": None}, QUICK, threads=[1, 2], tick=lambda: ticks.append(1)
    )
    reason = "onnxruntime is not installed. Run: pip install onnxruntime"
    assert measured == []
    assert skipped == [
        {"file": "good.onnx", "threads": threads, "failed": False, "reason": reason} for threads in (1, 2)
    ]
    assert len(ticks) == 2


def test_a_bundle_gives_every_file_with_its_entry(released: Path) -> None:
    material = find_material(released)
    assert material.reader.name == "model_int8.tflite"
    assert len(material.files) == 6
    assert all(entry is not None and entry.fit for entry in material.files.values())
    assert count_steps(material, [1, 2], [1]) == 12 + 3 + 1


def test_a_file_of_a_bundle_is_known_by_its_manifest(released: Path) -> None:
    path = released / "model_int8.tflite"
    material = find_material(path)
    (entry,) = material.files.values()
    assert entry is not None
    assert (material.reader, entry.recipe, entry.fit) == (path, "int8", True)
    measured, _ = measure_files(material.files, QUICK, threads=[1])
    use, int8 = recommend(measured, [])["text"]
    assert f"reads {entry.top1:.2%}".replace("%", " %") in use
    assert int8 == "int8 is the fastest here."


def test_a_lone_file_has_no_entry(fixtures: Path) -> None:
    path = fixtures / "good.tflite"
    assert find_material(path).files == {path: None}


def test_a_file_missing_from_a_bundle_is_not_there(released: Path) -> None:
    with pytest.raises(ModelError, match="nothing at"):
        find_material(released / "model_int9.tflite")


def test_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no bundle at"):
        find_material(tmp_path)
    with pytest.raises(ModelError, match="nothing at"):
        find_material(tmp_path / "none")


@pytest.mark.parametrize(
    ("cores", "expected"), [(1, [1]), (2, [1, 2]), (3, [1, 2]), (4, [1, 2, 4]), (8, [1, 2, 4, 8])], ids=str
)
def test_thread_counts_go_up_to_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int, expected: list[int]) -> None:
    monkeypatch.setattr("digitedge.benchmark.run.cores", lambda: cores)
    assert thread_counts() == expected


def test_a_report_without_any_file_is_printed_with_the_reason() -> None:
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
            "recommendation": {"text": ["No file can be recommended."]},
        }
    )
    assert text == (
        "export/cnn on an unknown board\n4 cores\nPython 3.11.7, numpy 2.4.6\n\n"
        "start to end in ms  best  worst\ndigitedge --help     200    250\n\n"
        "skipped: a.onnx: onnxruntime is not installed\nNo file can be recommended."
    )
