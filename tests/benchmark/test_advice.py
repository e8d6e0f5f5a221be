"""Recommendations from made-up figures."""

from collections.abc import Callable
from typing import Any

import pytest

from digitedge.benchmark.advice import recommend

MakeRow = Callable[..., dict[str, Any]]


def test_the_fastest_file_is_recommended_with_its_accuracy(file_row: MakeRow) -> None:
    result = recommend([file_row("model_float32.tflite", 0.2), file_row("model_int8.tflite", 0.1, top1=0.9962)], [])
    assert (result["file"], result["threads"]) == ("model_int8.tflite", 1)
    assert result["advice"] == [
        "Use model_int8.tflite with 1 thread: 100 us per digit. It passed parity; its top-1 on the test images is "
        "99.62 %.",
        "int8 is the fastest here.",
    ]


def test_slower_int8_is_reported_with_its_ratio(file_row: MakeRow) -> None:
    result = recommend([file_row("model_dynamic.tflite", 0.08), file_row("model_int8.tflite", 0.1)], [])
    assert result["file"] == "model_dynamic.tflite"
    assert result["advice"][1] == (
        "int8 is not the fastest here: model_int8.tflite with 1 thread takes 100 us, 1.25 times as long as "
        "model_dynamic.tflite with 1 thread."
    )


def test_of_equally_fast_files_fewer_threads_win_then_accuracy(file_row: MakeRow) -> None:
    one = file_row("model_float16.tflite", 0.103, top1=0.99)
    better = file_row("model_dynamic.tflite", 0.104, top1=0.992)
    two = file_row("model_int8.tflite", 0.1, threads=2, top1=0.999)
    result = recommend([two, one, better], [])
    assert (result["file"], result["threads"]) == ("model_dynamic.tflite", 1)
    assert result["advice"][1] == "int8 is the fastest here: model_int8.tflite with 2 threads takes 100 us."


def test_recommended_int8_is_not_called_the_fastest_if_another_file_is(file_row: MakeRow) -> None:
    files = [file_row("model_float16.tflite", 0.1, top1=0.99), file_row("model_int8.tflite", 0.104, top1=0.992)]
    result = recommend(files, [])
    assert result["file"] == "model_int8.tflite"
    assert result["advice"][1] == (
        "int8 is about as fast as the fastest here: model_int8.tflite with 1 thread takes 104 us, 1.04 times as long "
        "as model_float16.tflite with 1 thread."
    )


def test_int8_within_five_percent_is_about_as_fast(file_row: MakeRow) -> None:
    result = recommend([file_row("model_float16.tflite", 0.1), file_row("model_int8.tflite", 0.104)], [])
    assert result["file"] == "model_float16.tflite"
    assert result["advice"][1].startswith("int8 is about as fast as the fastest here: ")


def test_int8_is_compared_with_the_fastest_file_not_the_recommended_one(file_row: MakeRow) -> None:
    files = [file_row("model_float16.tflite", 0.1, threads=2), file_row("model_dynamic.tflite", 0.104)]
    result = recommend([*files, file_row("model_int8.tflite", 0.107)], [])
    assert result["file"] == "model_dynamic.tflite"
    assert result["advice"][1] == (
        "int8 is not the fastest here: model_int8.tflite with 1 thread takes 107 us, 1.07 times as long as "
        "model_float16.tflite with 2 threads."
    )


@pytest.mark.parametrize(
    ("two_threads", "expected"),
    [({"p50_ms": 0.08}, 2), ({"p50_ms": 0.095}, 1), ({"p50_ms": 0.08, "p95_ms": 0.4}, 1), ({"p50_ms": 0.2}, 1)],
    ids=["clearly faster", "within noise", "faster but higher p95", "slower"],
)
def test_a_second_thread_is_recommended_only_if_clearly_faster(
    file_row: MakeRow, two_threads: dict[str, float], expected: int
) -> None:
    files = [file_row("model_int8.tflite", threads=2, **two_threads), file_row("model_int8.tflite", 0.1)]
    assert recommend(files, [])["threads"] == expected


def test_a_file_that_failed_parity_is_not_recommended(file_row: MakeRow) -> None:
    result = recommend([file_row("model_int8.tflite", 0.01, passed=False), file_row("model_float32.tflite", 1.5)], [])
    assert result["file"] == "model_float32.tflite"
    assert result["advice"][0].startswith("Use model_float32.tflite with 1 thread: 1.5 ms per digit.")
    assert result["advice"][1:] == ["Failed parity, so not recommended: model_int8.tflite."]


def test_without_a_file_that_passed_nothing_is_recommended(file_row: MakeRow) -> None:
    assert recommend([file_row("model_int8.tflite", 0.1, passed=False)], [])["file"] is None
    assert recommend([], []) == {"file": None, "threads": None, "advice": ["No file can be recommended."]}


def test_the_accuracy_of_a_lone_file_is_unknown(file_row: MakeRow) -> None:
    result = recommend([file_row("mine.tflite", 0.1, passed=None, top1=None, recipe=None)], [])
    assert result["advice"] == [
        "Use mine.tflite with 1 thread: 100 us per digit. It has no manifest, so its accuracy is unknown."
    ]


def test_sizes_that_are_all_read_in_time_are_reported(frame_row: MakeRow) -> None:
    result = recommend([], [frame_row(640, 480, 50, 20.0), frame_row(1280, 720, 50, 33.0)])
    assert result["advice"][1:] == ["Every size is read within the 33 ms between two frames of a camera."]


def test_the_largest_size_that_is_read_in_time_is_recommended(frame_row: MakeRow) -> None:
    frames = [frame_row(1920, 1080, 50, 90.0), frame_row(640, 480, 50, 20.0), frame_row(640, 480, 0, 5.0)]
    frames += [frame_row(1280, 720, 0, 20.0), frame_row(1280, 720, 1, 40.0)]
    assert recommend([], frames)["advice"][1:] == [
        "Reading 1280x720 takes 40 ms with 1 digit, longer than the 33 ms between two frames of a camera. "
        "--width 640 --height 480 takes 20 ms."
    ]


def test_without_a_size_in_time_the_frame_rate_is_reported(frame_row: MakeRow) -> None:
    result = recommend([], [frame_row(640, 480, 50, 100.0), frame_row(1280, 720, 50, 200.0)])
    assert result["advice"][1].endswith("--width 640 --height 480 reads about 10 frames a second.")


def test_frames_are_rated_at_their_fastest_thread_count(frame_row: MakeRow) -> None:
    result = recommend([], [frame_row(640, 480, 50, 40.0), frame_row(640, 480, 50, 30.0, threads=2)])
    assert result["advice"][1:] == [
        "Frames are read fastest with 2 threads.",
        "Every size is read within the 33 ms between two frames of a camera.",
    ]
