import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from processes import start

from digitedge.camera import Frame, FrameList, Sink, Source, Update, VideoSink, open_source, run
from digitedge.camera.sinks import video
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader import Reading
from digitedge.utils.drafts import sweep_drafts
from digitedge.utils.opencv import cv2

posix_only = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
SUFFIXES = pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])


class Blind:
    """A reader that reads nothing, in no time."""

    def read(self, frame: Frame, *, source: str = "", index: int = 0, time: float | None = None) -> Reading:
        return Reading((), (), frame.shape[1], frame.shape[0], 0.0, source, index, time)


class Timer:
    """A sink that keeps the time of each frame, and how long another sink took."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.times: list[float] = []
        self.durations: list[float] = []

    def show(self, update: Update) -> bool:
        started = time.monotonic()
        goes_on = self.sink.show(update)
        self.durations.append(time.monotonic() - started)
        if update.is_new and update.reading.time is not None:
            self.times.append(update.reading.time)
        return goes_on


class PausingCamera(Source):
    """A camera with a pause before each frame, each 8 grey levels lighter than the one before."""

    live = True

    def __init__(self, pauses: Sequence[float], size: tuple[int, int] = (96, 128)) -> None:
        super().__init__("camera")
        self._pauses = pauses
        self._size = size

    def _frames(self) -> Generator[Frame]:
        for number, pause in enumerate(self._pauses):
            time.sleep(pause)
            self._stamp()
            yield grey(number, self._size)


def grey(number: int, size: tuple[int, int] = (96, 128)) -> Frame:
    return np.full(size, 8 * number + 4, np.uint8)


def numbers(path: Path) -> list[int]:
    """The number of the camera frame that each video frame shows."""
    return [round((float(frame.mean()) - 4) / 8) for frame in open_source(str(path))]


def probe(path: Path) -> dict[str, Any]:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed (apt install ffmpeg)")
    entries = "stream=codec_name,width,height,avg_frame_rate,nb_read_frames:format=duration"
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", entries, "-of", "json", str(path)]
    streams = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return streams["streams"][0] | streams["format"]


@SUFFIXES
def test_irregular_camera_is_recorded_in_real_time(suffix: str, tmp_path: Path) -> None:
    pauses = np.random.default_rng(0).uniform(0.01, 0.12, 12)
    source, path = PausingCamera(pauses), tmp_path / f"desk{suffix}"
    with VideoSink(path, source) as sink:
        timer = Timer(sink)
        run(source, Blind(), [timer])
    shown = numbers(path)
    taken = np.array(timer.times) - timer.times[0]
    assert len(shown) == round(25 * taken[-1]) + 1
    newest = [int(np.flatnonzero(taken <= (index + 0.5) / 25)[-1]) for index in range(len(shown))]
    assert shown == newest
    stream = probe(path)
    assert (stream["codec_name"], stream["avg_frame_rate"]) == ("mpeg4" if suffix == ".mp4" else "mjpeg", "25/1")
    assert float(stream["duration"]) == pytest.approx(len(shown) / 25, abs=0.002)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_last_frame_is_repeated_while_the_camera_is_silent(tmp_path: Path) -> None:
    source, path = PausingCamera([0, 0.1, 1.2, 0.1]), tmp_path / "desk.mkv"
    with VideoSink(path, source) as sink:
        timer = Timer(sink)
        run(source, Blind(), [timer])
    shown = numbers(path)
    assert shown == sorted(shown)
    taken = np.array(timer.times)
    assert [shown.count(number) for number in range(3)] == pytest.approx(25 * np.diff(taken), abs=1)


@pytest.mark.parametrize("fps", [10, 25, 60])
def test_video_keeps_its_rate_and_every_frame(fps: int, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), fps, (128, 96))
    for number in range(30):
        writer.write(cv2.cvtColor(grey(number), cv2.COLOR_GRAY2BGR))
    writer.release()
    source = open_source(str(tmp_path / "clip.avi"))
    with VideoSink(tmp_path / "copy.mp4", source) as sink:
        run(source, Blind(), [sink])
    assert numbers(tmp_path / "copy.mp4") == list(range(30))
    assert float(probe(tmp_path / "copy.mp4")["duration"]) == pytest.approx(30 / fps, abs=0.01)


def test_every_frame_of_a_list_is_recorded(tmp_path: Path) -> None:
    source = FrameList([grey(number) for number in range(31)])
    with VideoSink(tmp_path / "list.avi", source) as sink:
        run(source, Blind(), [sink])
    assert numbers(tmp_path / "list.avi") == list(range(31))


@SUFFIXES
def test_frames_of_other_sizes_are_letterboxed_into_the_first_one(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"odd{suffix}"
    frames = [
        np.full((95, 127, 3), 200, np.uint8),
        np.full((60, 300), 200, np.uint8),
        np.full((400, 40), 200, np.uint8),
    ]
    source = FrameList(frames)
    with VideoSink(path, source) as sink:
        run(source, Blind(), [sink])
    assert (probe(path)["width"], probe(path)["height"]) == (128, 96)
    light = [frame[..., 1] > 100 for frame in open_source(str(path))]
    boxes = [cv2.boundingRect(mask.astype(np.uint8)) for mask in light]
    assert np.allclose(boxes, [(0, 0, 127, 95), (0, 35, 128, 26), (59, 0, 10, 96)], atol=1)


def test_slow_encoder_does_not_delay_the_loop_and_logs_the_missing_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "MAX_DELAY_S", 0.0)
    monkeypatch.setattr(video, "MAX_QUEUE", 2)
    messages: list[str] = []
    source = PausingCamera([0.03] * 30, size=(4000, 6000))
    with VideoSink(tmp_path / "huge.mkv", source, log=messages.append) as sink:
        timer = Timer(sink)
        run(source, Blind(), [timer])
    assert np.median(timer.durations) < 0.005
    shown = numbers(tmp_path / "huge.mkv")
    assert shown == sorted(shown)
    [message] = messages
    found = re.match(rf"recording: {tmp_path / 'huge.mkv'} is ([\d.]+) s too short, because", message)
    assert found
    assert float(found[1]) > 0
    # One frame for the last, one for rounding; the message is rounded to 0.1 s.
    assert len(shown) <= 25 * (timer.times[-1] - timer.times[0] - float(found[1]) + 0.05) + 2


# Records a camera until a signal ends it, as it ends the command line.
PROGRAM = """
    import signal, sys, time
    import numpy as np
    from digitedge.camera import Source, VideoSink, run
    from digitedge.reader import Reading

    class Camera(Source):
        live = True
        def _frames(self):
            noise = np.random.default_rng(0)
            while True:
                time.sleep(0.02)
                self._stamp()
                yield noise.integers(0, 255, (480, 640), np.uint8)

    class Blind:
        def read(self, frame, *, source="", index=0, time=None):
            if index == 20:
                print("running", flush=True)
            return Reading((), (), frame.shape[1], frame.shape[0], 0.0, source, index, time)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    source = Camera("camera")
    with VideoSink(sys.argv[1], source) as sink:
        run(source, Blind(), [sink])
"""


def record_until(number: signal.Signals, path: Path) -> int:
    """Record until a signal is sent, and return the exit code."""
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), path]
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        assert program.stdout.readline() == "running\n"
        time.sleep(0.3)
        program.send_signal(number)
        return int(program.wait(10))


@posix_only
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)], ids=str)
def test_video_is_complete_after_a_signal(number: signal.Signals, code: int, tmp_path: Path) -> None:
    assert record_until(number, tmp_path / "desk.mp4") == code
    assert [file.name for file in tmp_path.iterdir()] == ["desk.mp4"]
    assert float(probe(tmp_path / "desk.mp4")["duration"]) > 0.5


@posix_only
@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_video_of_a_killed_program_takes_its_place_and_plays(suffix: str, tmp_path: Path) -> None:
    assert record_until(signal.SIGKILL, tmp_path / f"desk{suffix}") == -signal.SIGKILL
    sweep_drafts(tmp_path)  # as the next recording does
    assert [file.name for file in tmp_path.iterdir()] == [f"desk{suffix}"]
    assert len(list(open_source(str(tmp_path / f"desk{suffix}")))) > 10


@SUFFIXES
@pytest.mark.parametrize(("side", "limit_bytes"), [(640, 2_000_000), (64, 60_000)], ids=["large", "header states all"])
def test_full_disk_is_logged_and_an_error_at_the_end(suffix: str, side: int, limit_bytes: int, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    messages: list[str] = []
    noise = np.random.default_rng(0)
    source, path = (
        FrameList([noise.integers(0, 255, (side, side), np.uint8) for _ in range(30)]),
        tmp_path / f"a{suffix}",
    )
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limits[1]))
    try:
        with pytest.raises(DigitEdgeError) as caught, VideoSink(path, source, log=messages.append) as sink:
            assert run(source, Blind(), [sink]).frames == 30
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    is_lost = suffix == ".mp4"
    expected = f"{path} could not be written" if is_lost else f"the end of {path} is missing"
    assert messages == [f"recording: {caught.value}"] == [f"recording: {expected}: is the disk full?"]
    assert [file.name for file in tmp_path.iterdir()] == ([] if is_lost else [path.name])


@SUFFIXES
def test_recording_ends_with_a_whole_video_before_the_disk_is_full(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Filling(Source):
        def _frames(self) -> Generator[Frame]:
            for number in range(40):
                if number == 20:
                    monkeypatch.setattr(video, "MIN_FREE_BYTES", 1 << 62)
                self.time = number / 25
                yield grey(min(number, 30))
            assert messages  # told when it happened

    messages: list[str] = []
    source, path = Filling("filling"), tmp_path / f"desk{suffix}"
    with (
        pytest.raises(DigitEdgeError, match=r"ends after 0\.\d s, because the disk is full"),
        VideoSink(path, source, log=messages.append) as sink,
    ):
        assert run(source, Blind(), [sink]).frames == 40
    assert len(messages) == 1
    shown = numbers(path)
    assert shown == list(range(len(shown)))
    assert 20 - video.MAX_QUEUE - 3 <= len(shown) <= 20


def test_a_full_disk_is_an_error_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "MIN_FREE_BYTES", 1 << 62)
    with pytest.raises(DigitEdgeError, match=r"expected \d+ MB of free space"):
        VideoSink(tmp_path / "desk.mp4", FrameList([]))


def test_another_error_is_not_hidden_by_that_of_the_recording(tmp_path: Path) -> None:
    with pytest.raises(KeyError), VideoSink(tmp_path / "desk.mp4", FrameList([])):
        raise KeyError


def test_no_file_is_written_without_a_frame(tmp_path: Path, page: Callable[[int], Frame]) -> None:
    cv2.imwrite(str(tmp_path / "page.png"), page(1))
    messages: list[str] = []
    source = open_source(str(tmp_path / "page.png"))  # an image has no time
    with (
        pytest.raises(DigitEdgeError),
        VideoSink(tmp_path / "desk.mp4", source, log=messages.append) as sink,
    ):
        run(source, Blind(), [sink])
    assert messages == [f"recording: {tmp_path / 'desk.mp4'} was not written, because no frame with a time came"]
    assert [file.name for file in tmp_path.iterdir()] == ["page.png"]


def test_frames_that_cannot_be_encoded_are_logged_and_the_loop_goes_on(tmp_path: Path) -> None:
    messages: list[str] = []
    source = FrameList([np.zeros((2, 20_000), np.uint8)] * 30)
    with pytest.raises(DigitEdgeError), VideoSink(tmp_path / "wide.mp4", source, log=messages.append) as sink:
        assert run(source, Blind(), [sink]).frames == 30
    assert messages == ["recording: cannot encode 20000x2 at 25 frames a second as mp4v"]
    assert list(tmp_path.iterdir()) == []


def test_unknown_suffix_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected \.mp4, \.mkv, \.avi, got '\.mov'"):
        VideoSink(tmp_path / "desk.mov", FrameList([]))


def test_existing_video_is_replaced_only_with_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "desk.AVI"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        VideoSink(path, FrameList([]))
    source = FrameList([grey(1)] * 3)
    with VideoSink(path, source, overwrite=True) as sink:
        run(source, Blind(), [sink])
    assert numbers(path) == [1, 1, 1]


def test_folder_that_cannot_be_written_to_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DigitEdgeError, match=r"cannot write .*writable"):
        VideoSink(tmp_path / "file" / "desk.mp4", FrameList([]))
