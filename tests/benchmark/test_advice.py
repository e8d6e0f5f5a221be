"""Conclusions from figures that were made up."""

import pytest

from digitedge.benchmark.advice import recommend


def test_the_fastest_file_is_recommended_with_its_accuracy(file_row) -> None:
    told = recommend([file_row("model_float32.tflite", 0.2), file_row("model_int8.tflite", 0.1, top1=0.9962)], [])
    assert (told["file"], told["threads"]) == ("model_int8.tflite", 1)
    assert told["text"] == [
        "Use model_int8.tflite with 1 thread: 100 us a digit. It is within the parity tolerance and reads 99.62 % of "
        "its test images rightly.",
        "int8 is the fastest here.",
    ]


def test_int8_that_is_not_the_fastest_is_said_with_how_much(file_row) -> None:
    told = recommend([file_row("model_dynamic.tflite", 0.08), file_row("model_int8.tflite", 0.1)], [])
    assert told["file"] == "model_dynamic.tflite"
    assert told["text"][1] == (
        "int8 is not the fastest here: model_int8.tflite with 1 thread takes 100 us, 1.25 times as long."
    )


def test_of_files_as_fast_fewer_threads_win_then_accuracy(file_row) -> None:
    one = file_row("model_float16.tflite", 0.103, top1=0.99)
    better = file_row("model_dynamic.tflite", 0.104, top1=0.992)
    two = file_row("model_int8.tflite", 0.1, threads=2, top1=0.999)
    told = recommend([two, one, better], [])
    assert (told["file"], told["threads"]) == ("model_dynamic.tflite", 1)
    assert told["text"][1] == "int8 is a little faster here: model_int8.tflite with 2 threads takes 100 us."


def test_int8_that_is_chosen_among_files_as_fast_is_not_called_the_fastest(file_row) -> None:
    files = [file_row("model_float16.tflite", 0.1, top1=0.99), file_row("model_int8.tflite", 0.104, top1=0.992)]
    told = recommend(files, [])
    assert told["file"] == "model_int8.tflite"
    assert told["text"][1] == (
        "int8 is about as fast as the fastest here: model_float16.tflite with 1 thread takes 100 us."
    )


def test_int8_a_little_slower_than_the_chosen_is_as_fast(file_row) -> None:
    told = recommend([file_row("model_float16.tflite", 0.1), file_row("model_int8.tflite", 0.104)], [])
    assert told["file"] == "model_float16.tflite"
    assert told["text"][1] == "int8 is as fast here: model_int8.tflite with 1 thread takes 104 us."


def test_int8_is_compared_with_the_fastest_and_not_with_the_chosen(file_row) -> None:
    files = [file_row("model_float16.tflite", 0.1, threads=2), file_row("model_dynamic.tflite", 0.104)]
    told = recommend([*files, file_row("model_int8.tflite", 0.107)], [])
    assert told["file"] == "model_dynamic.tflite"
    assert told["text"][1] == (
        "int8 is not the fastest here: model_int8.tflite with 1 thread takes 107 us, 1.07 times as long as "
        "model_float16.tflite with 2 threads."
    )


@pytest.mark.parametrize(
    ("two_threads", "expected"),
    [({"p50_ms": 0.08}, 2), ({"p50_ms": 0.095}, 1), ({"p50_ms": 0.08, "p95_ms": 0.4}, 1), ({"p50_ms": 0.2}, 1)],
    ids=["clearly faster", "within noise", "faster but stumbles", "slower"],
)
def test_a_second_thread_must_be_worth_it(file_row, two_threads: dict[str, float], expected: int) -> None:
    files = [file_row("model_int8.tflite", threads=2, **two_threads), file_row("model_int8.tflite", 0.1)]
    assert recommend(files, [])["threads"] == expected


def test_an_unfit_file_is_never_recommended_however_fast(file_row) -> None:
    told = recommend([file_row("model_int8.tflite", 0.01, fit=False), file_row("model_float32.tflite", 1.5)], [])
    assert told["file"] == "model_float32.tflite"
    assert told["text"][0].startswith("Use model_float32.tflite with 1 thread: 1.5 ms a digit.")
    assert told["text"][1:] == ["Unfit, so never recommended: model_int8.tflite."]


def test_nothing_fit_and_nothing_measured_recommend_nothing(file_row) -> None:
    assert recommend([file_row("model_int8.tflite", 0.1, fit=False)], [])["file"] is None
    assert recommend([], []) == {"file": None, "threads": None, "text": ["No file can be recommended."]}


def test_a_lone_file_is_recommended_with_a_warning(file_row) -> None:
    told = recommend([file_row("mine.tflite", 0.1, fit=None, top1=None, recipe=None)], [])
    assert told["text"] == [
        "Use mine.tflite with 1 thread: 100 us a digit. It has no manifest, so nothing is known of its accuracy."
    ]


def test_frames_that_are_read_in_time_need_no_advice(frame_row) -> None:
    told = recommend([], [frame_row(640, 480, 50, 20.0), frame_row(1280, 720, 50, 33.0)])
    assert told["text"][1:] == ["Every size is read within the 33 ms between two frames of a camera."]


def test_the_largest_size_that_is_read_in_time_is_asked_for(frame_row) -> None:
    frames = [frame_row(1920, 1080, 50, 90.0), frame_row(640, 480, 50, 20.0), frame_row(640, 480, 0, 5.0)]
    frames += [frame_row(1280, 720, 0, 20.0), frame_row(1280, 720, 1, 40.0)]
    assert recommend([], frames)["text"][1:] == [
        "Reading 1280x720 takes 40 ms with 1 digit, longer than the 33 ms between two frames of a camera: ask for "
        "--width 640 --height 480 (20 ms)."
    ]


def test_a_board_too_slow_for_any_size_is_told_its_rate(frame_row) -> None:
    told = recommend([], [frame_row(640, 480, 50, 100.0), frame_row(1280, 720, 50, 200.0)])
    assert told["text"][1].endswith("ask for --width 640 --height 480, of which about 10 frames a second are read.")


def test_frames_are_judged_at_their_fastest_thread_count(frame_row) -> None:
    told = recommend([], [frame_row(640, 480, 50, 40.0), frame_row(640, 480, 50, 30.0, threads=2)])
    assert told["text"][1:] == [
        "Frames are read fastest with 2 threads.",
        "Every size is read within the 33 ms between two frames of a camera.",
    ]
