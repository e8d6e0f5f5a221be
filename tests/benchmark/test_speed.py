"""Files, frames and commands measured in real processes, each with one real model."""

import math
import os
from pathlib import Path

import numpy as np
import pytest

from digitedge.benchmark.cold_start import measure_cold_start
from digitedge.benchmark.file_speed import measure_file
from digitedge.benchmark.frame_speed import DIGITS, measure_frames
from digitedge.benchmark.memory import peak_bytes
from digitedge.benchmark.rendered_frames import page_frame
from digitedge.benchmark.timing import BLOCKS
from digitedge.errors import InputError, ModelError
from digitedge.runtime import load_classifier
from digitedge.utils.subprocesses import call_in_new_process
from digitedge.vision import Stage


@pytest.mark.parametrize("name", ["good.tflite", "good.onnx"])
def test_a_file_is_measured_in_its_own_process(fixtures: Path, name: str) -> None:
    if name.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
    speed = call_in_new_process(measure_file, str(fixtures / name), threads=2, seconds=0.05)
    assert 0 < speed["p50_ms"] <= speed["p95_ms"] <= speed["p99_ms"]
    assert len(speed["medians_ms"]) == BLOCKS
    assert min(speed["medians_ms"]) > 0
    assert all(speed[key] > 0 for key in ("import_ms", "load_ms", "first_ms", "images_per_s", "process_mb"))
    assert 0 <= speed["memory_mb"] < speed["process_mb"]


def test_the_error_of_a_process_is_passed_on(fixtures: Path) -> None:
    with pytest.raises(ModelError, match=r"^.*wants_zero_to_one\.tflite: expected a model that takes pixels from 0"):
        call_in_new_process(measure_file, str(fixtures / "wants_zero_to_one.tflite"), threads=1, seconds=0.05)


def test_a_crash_of_a_process_is_an_error() -> None:
    with pytest.raises(ModelError, match=r"it crashed \(Aborted"):
        call_in_new_process(os.abort)


def test_a_json_file_in_the_current_folder_does_not_hide_pythons(
    fixtures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the json.py of the current folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("digitedge.benchmark.cold_start.BLOCKS", 1)
    assert call_in_new_process(math.gcd, 12, 18) == 6
    starts = measure_cold_start(fixtures / "good.tflite")
    assert {name: len(start["runs_ms"]) for name, start in starts.items()} == {"--help": 1, "predict": 1}


@pytest.mark.parametrize("name", ["good.tflite", "good.onnx"])
def test_fewer_than_one_thread_is_refused(fixtures: Path, name: str) -> None:
    with pytest.raises(InputError, match="expected at least 1 thread, got 0"):
        load_classifier(fixtures / name, threads=0)


@pytest.mark.parametrize("name", ["model_int8.tflite", "model_int8.onnx"])
def test_more_threads_give_the_same_probabilities(released: Path, name: str) -> None:
    if name.endswith(".onnx"):
        pytest.importorskip("onnxruntime")
    crops = np.load(released / "golden.npz")["crops"][:20]
    one, two = (load_classifier(released / name, threads=threads).probabilities(crops) for threads in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_stages_of_a_frame_are_measured(released: Path) -> None:
    path = str(released / "model_int8.tflite")
    rows = call_in_new_process(measure_frames, path, threads=1, size=(640, 480), rounds=1)
    assert [(row["width"], row["height"], row["digits"]) for row in rows] == [(640, 480, count) for count in DIGITS]
    assert [row["digits_read"] for row in rows] == list(DIGITS)
    for row in rows:
        assert list(row["stage_ms"]) == list(Stage)
        assert all(ms >= 0 for ms in row["stage_ms"].values())
        assert min(row["medians_ms"]) <= row["total_ms"] <= max(row["medians_ms"])


@pytest.mark.parametrize("count", [0, 1, 10, 50])
def test_a_page_is_the_same_each_time(count: int) -> None:
    first, second = (page_frame(count, width=320, height=240) for _ in range(2))
    assert (first.shape, first.dtype) == ((240, 320, 3), np.uint8)
    np.testing.assert_array_equal(first, second)


def test_a_frame_too_small_for_digits_is_refused() -> None:
    with pytest.raises(InputError, match="at least 160x120"):
        page_frame(1, width=100, height=100)


def test_peak_memory_is_read_from_the_system(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmPeak:\t  999 kB\nVmHWM:\t   51200 kB\nVmRSS:\t   100 kB\n")
    assert peak_bytes(status) == 51_200 * 1024
    status.write_text("Name:\tpython\n")
    assert peak_bytes(status) is None
    assert (peak_bytes(tmp_path / "none") or 0) > 1e6  # getrusage
