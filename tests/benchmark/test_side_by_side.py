"""Several models in one table."""

import sys
from pathlib import Path

import pytest
from tflite_files import G, Op, T, constant, write_tflite

from digitedge.benchmark.run import QUICK
from digitedge.benchmark.side_by_side import compare_models, find_files, models_text
from digitedge.errors import ModelError


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A file that digitedge cannot run: its input has another shape, and an operator is of somebody else."""
    graph = G(
        [T((1, 64)), constant(10, 64), T((1, 10)), T((1, 10))],
        [Op("FULLY_CONNECTED", [0, 1], [2]), Op("TheirLayer", [2], [3])],
    )
    return write_tflite(tmp_path / "foreign.tflite", graph)


def test_a_bundle_is_represented_by_the_file_that_runs_by_default(released: Path, fixtures: Path) -> None:
    files = find_files([released, fixtures / "good.onnx"])
    assert [path.name for path in files] == ["model_int8.tflite", "good.onnx"]
    assert [entry is not None for entry in files.values()] == [True, False]


def test_what_cannot_run_is_in_the_table_with_what_its_file_says(fixtures: Path, foreign: Path) -> None:
    report = compare_models(find_files([fixtures / "good.tflite", foreign]), QUICK, threads=[1])
    good, other = report["models"]
    assert good["p50_ms"] > 0 and not good["failed"]
    assert (other["p50_ms"], other["failed"], other["footprint"]["macs"]) == (None, True, 640)
    head, first, second = models_text(report).splitlines()[:3]
    assert head.split("  ")[0] == "file"
    assert first.split()[3:] == ["7,840", "6,272", "6,272", "-"]
    assert second.split()[1:] == [f"{foreign.stat().st_size:,}", "-", ">=", "640", "296", "304", "-"]
    assert f"skipped: {foreign}: " in models_text(report)
    assert "  note: MACs do not count custom TheirLayer x 1" in models_text(report)


def test_a_file_whose_reader_is_missing_has_no_figures(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    files = find_files([fixtures / "good.onnx", fixtures / "wants_zero_to_one.onnx"])
    text = models_text(compare_models(files, QUICK, threads=[1]))
    assert text.count("no footprint: onnx, which reads .onnx files, is not installed. Run: pip install onnx") == 1
    assert text.count("skipped: ") == 2


@pytest.mark.parametrize(
    ("name", "message"), [("missing.tflite", "nothing at"), ("test_side_by_side.py", "expected a model file")]
)
def test_what_is_no_model_is_refused_before_measuring(released: Path, name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_files([released, Path(__file__).parent / name])


def test_several_thread_counts_have_a_line_each(fixtures: Path) -> None:
    report = compare_models(find_files([fixtures / "good.tflite"]), QUICK, threads=[1, 2])
    names = [line.partition("  ")[0] for line in models_text(report).splitlines()[:3]]
    path = fixtures / "good.tflite"
    assert names == ["file x threads", f"{path} x 1", f"{path} x 2"]
