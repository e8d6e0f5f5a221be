"""Two reports side by side: trends, notes, and reports that are refused."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from digitedge.benchmark.compare import Trend, compare_reports, figures, read_report, trend_of
from digitedge.errors import InputError

FIVE = [1.0, 1.01, 1.02, 1.03, 1.04]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([1.2, 1.21, 1.22, 1.23, 1.24], Trend.SLOWER),
        ([0.8, 0.81, 0.82, 0.83, 0.84], Trend.FASTER),
        (FIVE, Trend.SAME),
        ([1.03, 1.5, 1.5, 1.5, 1.5], Trend.SAME),  # one block is as fast as before
        ([1.05, 1.06, 1.07, 1.08, 1.09], Trend.SAME),  # all above, by a twentieth
        ([0.2, 0.2, 0.2, 0.2, 1.0], Trend.SAME),
    ],
    ids=["all above", "all below", "equal", "overlap", "too little", "overlap below"],
)
def test_trends(new: list[float], expected: Trend) -> None:
    assert trend_of(FIVE, new) is expected


def test_figures_have_names_with_their_conditions(report: dict[str, Any]) -> None:
    assert {name: len(figure.blocks_ms) for name, figure in figures(report).items()} == {
        "model_int8.tflite, 1 thread": 5,
        "model_float32.onnx, 1 thread": 5,
        "640x480, 10 digits, model_int8.tflite, 1 thread": 5,
        "digitedge --help": 5,
    }


def test_a_report_against_itself_passes(report: dict[str, Any]) -> None:
    comparison = compare_reports(report, report)
    assert comparison.passed
    assert comparison.same_machine
    assert comparison.notes == []
    assert {(change.ratio, change.trend) for change in comparison.changes} == {(1.0, Trend.SAME)}


def test_a_slower_figure_fails(report: dict[str, Any]) -> None:
    new = copy.deepcopy(report)
    new["frames"][0]["medians_ms"] = [16.0] * 5
    comparison = compare_reports(report, new)
    assert not comparison.passed
    (slower,) = comparison.to_dict()["changes"][2:3]
    assert slower == {
        "figure": "640x480, 10 digits, model_int8.tflite, 1 thread",
        "old_ms": 8.0,
        "new_ms": 16.0,
        "ratio": 2.0,
        "trend": "slower",
    }


def test_another_machine_may_be_slower(report: dict[str, Any]) -> None:
    new = copy.deepcopy(report)
    new["system"]["board"] = "Raspberry Pi 3"
    new["frames"][0]["medians_ms"] = [80.0] * 5
    comparison = compare_reports(report, new)
    assert (comparison.same_machine, comparison.passed, len(comparison.slower)) == (False, True, 1)
    assert comparison.notes == ["another machine: board was Raspberry Pi 5, is Raspberry Pi 3"]


def test_other_versions_and_files_and_missing_figures_are_noted(report: dict[str, Any]) -> None:
    report["notes"] = ["busy: load average 3.0"]
    new = copy.deepcopy(report)
    new["system"]["versions"] = {"numpy": "2.5.0", "onnxruntime": "1.32.0"}
    new["files"][0]["sha256"] = "b" * 64
    new["files"][1]["threads"] = 4
    assert compare_reports(report, new).notes == [
        "old report: busy: load average 3.0",
        "numpy was 2.4.6, is 2.5.0",
        "onnxruntime was missing, is 1.32.0",
        "model_int8.tflite has changed, so its figures are not compared",
        "only in the old report: model_float32.onnx, 1 thread",
        "only in the new report: model_float32.onnx, 4 threads",
    ]


def test_figures_of_a_changed_file_are_not_compared(report: dict[str, Any]) -> None:
    report["cold_start"]["predict"] = {"best_ms": 900.0, "runs_ms": [900.0] * 5}
    new = copy.deepcopy(report)
    new["files"][0] |= {"sha256": "b" * 64, "medians_ms": [9.0] * 5}
    new["frames"][0]["medians_ms"] = [90.0] * 5
    comparison = compare_reports(report, new)
    assert {change.figure: str(change.trend) for change in comparison.changes} == {
        "model_int8.tflite, 1 thread": "not compared",
        "model_float32.onnx, 1 thread": "same within noise",
        "640x480, 10 digits, model_int8.tflite, 1 thread": "not compared",
        "digitedge --help": "same within noise",
        "digitedge predict, model_int8.tflite": "not compared",
    }
    assert comparison.passed
    assert len(comparison.compared) == 2


def test_nothing_compared_fails(report: dict[str, Any]) -> None:
    report |= {"files": report["files"][:1], "cold_start": {}}
    new = copy.deepcopy(report)
    new["files"][0]["sha256"] = "b" * 64
    comparison = compare_reports(report, new)
    assert [change.trend for change in comparison.changes] == [Trend.NOT_COMPARED] * 2
    assert not comparison.passed


def test_other_settings_are_noted(report: dict[str, Any]) -> None:
    assert compare_reports(report, report | {"settings": {"seconds": 0.1, "rounds": 1}}).notes == [
        "other settings: seconds was 1.0, is 0.1",
        "other settings: rounds was 6, is 1",
    ]


def test_another_model_is_noted_unless_the_files_are_the_same(report: dict[str, Any]) -> None:
    new = copy.deepcopy(report) | {"model": "export/small"}
    assert compare_reports(report, new).notes == []
    for file in new["files"]:
        file["sha256"] = "b" * 64
    assert compare_reports(report, new).notes[0] == "model was export/cnn, is export/small"


def test_commands_with_different_files_are_not_compared(report: dict[str, Any]) -> None:
    report["cold_start"]["predict"] = {"best_ms": 900.0, "runs_ms": [900.0] * 5}
    comparison = compare_reports(report, report | {"preferred_file": "model_int8.onnx"})
    assert "only in the old report: digitedge predict, model_int8.tflite" in comparison.notes


def test_frames_read_with_different_files_are_not_compared(report: dict[str, Any]) -> None:
    comparison = compare_reports(report, report | {"preferred_file": "model_int8.onnx"})
    assert [change.figure for change in comparison.changes] == [
        "model_int8.tflite, 1 thread",
        "model_float32.onnx, 1 thread",
        "digitedge --help",
    ]
    assert "only in the old report: 640x480, 10 digits, model_int8.tflite, 1 thread" in comparison.notes


def test_reports_without_common_figures_fail(report: dict[str, Any]) -> None:
    comparison = compare_reports(report, report | {"files": [], "frames": [], "cold_start": {}})
    assert comparison.changes == []
    assert not comparison.passed


def test_a_report_is_read_back(tmp_path: Path, report: dict[str, Any]) -> None:
    (tmp_path / "old.json").write_text(json.dumps(report))
    assert read_report(tmp_path / "old.json") == report


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "expected JSON"),
        ('{"schema": "digitedge.eval/1"}', r"expected schema 'digitedge.bench/1', got 'digitedge.eval/1'"),
        ("[1]", "expected schema 'digitedge.bench/1', got None"),
        ('{"schema": "digitedge.bench/1"}', "got a damaged one"),
    ],
    ids=["text", "another schema", "list", "empty"],
)
def test_other_files_are_refused_with_advice(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(InputError, match=f"{message}.*digitedge bench --json > old.json"):
        read_report(tmp_path / "old.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no .*none\.json\. .*digitedge bench --json > old.json"):
        read_report(tmp_path / "none.json")


@pytest.mark.parametrize("medians", [[], [0], [float("nan")], [float("inf")], [10**400], ["1"], None, [-1.0], [True]])
def test_figures_that_are_not_times_are_refused(tmp_path: Path, report: dict[str, Any], medians: Any) -> None:
    report["files"][0]["medians_ms"] = medians
    (tmp_path / "old.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match=r"got a damaged one|expected JSON"):
        read_report(tmp_path / "old.json")


@pytest.mark.parametrize(
    "change",
    [
        {"notes": None},
        {"notes": 5},
        {"notes": "busy"},
        {"notes": [["busy"]]},
        {"model": None},
        {"preferred_file": ["model_int8.tflite"]},
        {"settings": "full"},
        {"system": {"versions": ["numpy"]}},
    ],
    ids=str,
)
def test_reports_that_cannot_be_compared_are_refused(
    tmp_path: Path, report: dict[str, Any], change: dict[str, Any]
) -> None:
    (tmp_path / "old.json").write_text(json.dumps(report | change))
    with pytest.raises(InputError, match="got a damaged one"):
        read_report(tmp_path / "old.json")


@pytest.mark.parametrize("change", [{"file": ["x"]}, {"file": None}, {"sha256": 5}], ids=str)
def test_files_without_a_name_or_a_hash_are_refused(
    tmp_path: Path, report: dict[str, Any], change: dict[str, Any]
) -> None:
    report["files"][0] |= change
    (tmp_path / "old.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="got a damaged one"):
        read_report(tmp_path / "old.json")


@pytest.mark.parametrize(
    "key", ["model", "settings", "notes", "preferred_file", "system", "files", "frames", "cold_start"]
)
def test_reports_with_a_part_missing_are_refused(tmp_path: Path, report: dict[str, Any], key: str) -> None:
    del report[key]
    (tmp_path / "old.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="got a damaged one"):
        read_report(tmp_path / "old.json")
