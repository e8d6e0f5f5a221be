import copy
import json
from pathlib import Path
from typing import Any

import pytest

from digitedge.benchmark.compare import Verdict, compare, figures, judge, read_report
from digitedge.errors import InputError

FIVE = [1.0, 1.01, 1.02, 1.03, 1.04]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ([1.2, 1.21, 1.22, 1.23, 1.24], Verdict.SLOWER),
        ([0.8, 0.81, 0.82, 0.83, 0.84], Verdict.FASTER),
        (FIVE, Verdict.SAME),
        ([1.03, 1.5, 1.5, 1.5, 1.5], Verdict.SAME),  # one block is as fast as before
        ([1.05, 1.06, 1.07, 1.08, 1.09], Verdict.SAME),  # all above, by a twentieth
        ([0.2, 0.2, 0.2, 0.2, 1.0], Verdict.SAME),
    ],
    ids=["all above", "all below", "equal", "overlap", "too little", "overlap below"],
)
def test_verdicts(new: list[float], expected: Verdict) -> None:
    assert judge(FIVE, new) is expected


def test_figures_have_names_that_say_their_conditions(report: dict[str, Any]) -> None:
    assert {name: len(blocks) for name, blocks in figures(report).items()} == {
        "model_int8.tflite, 1 thread": 5,
        "model_float32.onnx, 1 thread": 5,
        "640x480, 10 digits, model_int8.tflite, 1 thread": 5,
        "digitedge --help": 5,
    }


def test_a_report_against_itself_holds(report: dict[str, Any]) -> None:
    comparison = compare(report, report)
    assert comparison.holds
    assert comparison.same_machine
    assert comparison.remarks == []
    assert {(change.ratio, change.verdict) for change in comparison.changes} == {(1.0, Verdict.SAME)}


def test_what_got_slower_does_not_hold(report: dict[str, Any]) -> None:
    new = copy.deepcopy(report)
    new["frames"][0]["medians_ms"] = [16.0] * 5
    comparison = compare(report, new)
    assert not comparison.holds
    (slower,) = comparison.to_json()["changes"][2:3]
    assert slower == {
        "figure": "640x480, 10 digits, model_int8.tflite, 1 thread",
        "old_ms": 8.0,
        "new_ms": 16.0,
        "ratio": 2.0,
        "verdict": "slower",
    }


def test_another_machine_is_compared_but_said_and_no_regression(report: dict[str, Any]) -> None:
    new = copy.deepcopy(report)
    new["system"]["board"] = "Raspberry Pi 3"
    new["frames"][0]["medians_ms"] = [80.0] * 5
    comparison = compare(report, new)
    assert (comparison.same_machine, comparison.holds, len(comparison.slower)) == (False, True, 1)
    assert comparison.remarks == ["another machine: board was Raspberry Pi 5, is Raspberry Pi 3"]


def test_other_versions_files_and_missing_figures_are_said(report: dict[str, Any]) -> None:
    report["remarks"] = ["busy: 3.0 other processes"]
    new = copy.deepcopy(report)
    new["system"]["versions"] = {"numpy": "2.5.0", "onnxruntime": "1.32.0"}
    new["files"][0]["sha256"] = "b" * 64
    new["files"][1]["threads"] = 4
    assert compare(report, new).remarks == [
        "when the old report was made: busy: 3.0 other processes",
        "numpy was 2.4.6, is 2.5.0",
        "onnxruntime was missing, is 1.32.0",
        "model_int8.tflite is not the same file as then, so nothing that was measured with it is judged",
        "only in the old report: model_float32.onnx, 1 thread",
        "only in the new report: model_float32.onnx, 4 threads",
    ]


def test_figures_of_a_file_that_has_changed_are_not_judged(report: dict[str, Any]) -> None:
    report["cold_start"]["predict"] = {"best_ms": 900.0, "runs_ms": [900.0] * 5}
    new = copy.deepcopy(report)
    new["files"][0] |= {"sha256": "b" * 64, "medians_ms": [9.0] * 5}
    new["frames"][0]["medians_ms"] = [90.0] * 5
    comparison = compare(report, new)
    assert {change.figure: str(change.verdict) for change in comparison.changes} == {
        "model_int8.tflite, 1 thread": "not judged",
        "model_float32.onnx, 1 thread": "same within noise",
        "640x480, 10 digits, model_int8.tflite, 1 thread": "not judged",
        "digitedge --help": "same within noise",
        "digitedge predict, model_int8.tflite": "not judged",
    }
    assert comparison.holds
    assert len(comparison.judged) == 2


def test_nothing_judged_does_not_hold(report: dict[str, Any]) -> None:
    report |= {"files": report["files"][:1], "cold_start": {}}
    new = copy.deepcopy(report)
    new["files"][0]["sha256"] = "b" * 64
    comparison = compare(report, new)
    assert [change.verdict for change in comparison.changes] == [Verdict.UNJUDGED] * 2
    assert not comparison.holds


def test_another_effort_is_said(report: dict[str, Any]) -> None:
    assert compare(report, report | {"effort": {"seconds": 0.1, "rounds": 1}}).remarks == [
        "another effort: seconds was 1.0, is 0.1",
        "another effort: rounds was 6, is 1",
    ]


def test_another_model_is_said_but_not_the_same_files_in_another_folder(report: dict[str, Any]) -> None:
    new = copy.deepcopy(report) | {"model": "export/small"}
    assert compare(report, new).remarks == []
    for file in new["files"]:
        file["sha256"] = "b" * 64
    assert compare(report, new).remarks[0] == "another model: it was export/cnn, is export/small"


def test_a_command_that_ran_another_file_is_not_compared(report: dict[str, Any]) -> None:
    report["cold_start"]["predict"] = {"best_ms": 900.0, "runs_ms": [900.0] * 5}
    comparison = compare(report, report | {"reader": "model_int8.onnx"})
    assert "only in the old report: digitedge predict, model_int8.tflite" in comparison.remarks


def test_frames_that_another_file_read_are_not_compared(report: dict[str, Any]) -> None:
    comparison = compare(report, report | {"reader": "model_int8.onnx"})
    assert [change.figure for change in comparison.changes] == [
        "model_int8.tflite, 1 thread",
        "model_float32.onnx, 1 thread",
        "digitedge --help",
    ]
    assert "only in the old report: 640x480, 10 digits, model_int8.tflite, 1 thread" in comparison.remarks


def test_nothing_in_common_does_not_hold(report: dict[str, Any]) -> None:
    comparison = compare(report, report | {"files": [], "frames": [], "cold_start": {}})
    assert comparison.changes == []
    assert not comparison.holds


def test_a_report_comes_back_from_its_file(tmp_path: Path, report: dict[str, Any]) -> None:
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
def test_other_files_are_refused_with_the_way_to_make_one(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(InputError, match=f"{message}.*digitedge bench --json > old.json"):
        read_report(tmp_path / "old.json")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: expected JSON, got a file that cannot be read"):
        read_report(tmp_path / "none.json")


@pytest.mark.parametrize("medians", [[], [0], [float("nan")], [float("inf")], [10**400], ["1"], None, [-1.0], [True]])
def test_figures_that_are_no_times_are_refused(tmp_path: Path, report: dict[str, Any], medians: Any) -> None:
    report["files"][0]["medians_ms"] = medians
    (tmp_path / "old.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="got a damaged one"):
        read_report(tmp_path / "old.json")


@pytest.mark.parametrize(
    "damage",
    [
        {"remarks": None},
        {"remarks": 5},
        {"remarks": "busy"},
        {"remarks": [["busy"]]},
        {"model": None},
        {"reader": ["model_int8.tflite"]},
        {"effort": "full"},
        {"system": {"versions": ["numpy"]}},
    ],
    ids=str,
)
def test_reports_that_cannot_be_compared_are_refused(
    tmp_path: Path, report: dict[str, Any], damage: dict[str, Any]
) -> None:
    (tmp_path / "old.json").write_text(json.dumps(report | damage))
    with pytest.raises(InputError, match="got a damaged one"):
        read_report(tmp_path / "old.json")


@pytest.mark.parametrize("damage", [{"file": ["x"]}, {"file": None}, {"sha256": 5}], ids=str)
def test_files_without_a_name_or_a_hash_are_refused(
    tmp_path: Path, report: dict[str, Any], damage: dict[str, Any]
) -> None:
    report["files"][0] |= damage
    (tmp_path / "old.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="got a damaged one"):
        read_report(tmp_path / "old.json")


@pytest.mark.parametrize("key", ["model", "effort", "remarks", "reader", "system", "files", "frames", "cold_start"])
def test_reports_with_a_part_missing_are_refused(tmp_path: Path, report: dict[str, Any], key: str) -> None:
    del report[key]
    (tmp_path / "old.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="got a damaged one"):
        read_report(tmp_path / "old.json")
