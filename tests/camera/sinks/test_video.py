import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import FrameList, Source, open_source, run
from digitedge.camera.sinks import video as recording
from digitedge.camera.sinks.video import Recording
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader.reader import Reading
from digitedge.utils.opencv import cv2

SUFFIXES = pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])


class Blind:
    """Reads nothing, in no time."""

    def read(self, frame, *, source="", index=0, time=None):
        return Reading((), (), frame.shape[1], frame.shape[0], 0.0, source, index, time)


class Times:
    """An output that keeps when each frame was taken, and what showing it to another output took."""

    def __init__(self, output):
        self.output = output
        self.times, self.took = [], []

    def show(self, update):
        started = time.monotonic()
        goes_on = self.output.show(update)
        self.took.append(time.monotonic() - started)
        if update.is_new:
            self.times.append(update.reading.time)
        return goes_on


class Camera(Source):
    """A camera that is `pauses` seconds late with each of its frames, which get lighter by 8 grey levels each."""

    live = True

    def __init__(self, pauses, size=(96, 128)):
        super().__init__("camera")
        self._pauses = pauses
        self._size = size

    def _frames(self):
        for number, pause in enumerate(self._pauses):
            time.sleep(pause)
            self._stamp()
            yield grey(number, self._size)


def grey(number: int, size=(96, 128)) -> np.ndarray:
    return np.full(size, 8 * number + 4, np.uint8)


def numbers(path: Path) -> list[int]:
    """Which frame each place of a video shows."""
    return [round((float(frame.mean()) - 4) / 8) for frame in open_source(str(path))]


def probe(path: Path) -> dict:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed (apt install ffmpeg)")
    entries = "stream=codec_name,width,height,avg_frame_rate,nb_read_frames:format=duration"
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", entries, "-of", "json", str(path)]
    shown = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return shown["streams"][0] | shown["format"]


@SUFFIXES
def test_a_camera_is_recorded_in_real_time_whatever_its_rate(suffix: str, tmp_path: Path) -> None:
    pauses = np.random.default_rng(0).uniform(0.01, 0.12, 12)
    source, path = Camera(pauses), tmp_path / f"desk{suffix}"
    with Recording(path, source) as output:
        times = Times(output)
        run(source, Blind(), [times])
    shown = numbers(path)
    taken = np.array(times.times) - times.times[0]
    assert len(shown) == round(25 * taken[-1]) + 1
    newest = [int(np.flatnonzero(taken <= (place + 0.5) / 25)[-1]) for place in range(len(shown))]
    assert shown == newest
    video = probe(path)
    assert (video["codec_name"], video["avg_frame_rate"]) == ("mpeg4" if suffix == ".mp4" else "mjpeg", "25/1")
    assert float(video["duration"]) == pytest.approx(len(shown) / 25, abs=0.002)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_while_a_camera_is_silent_its_last_frame_stands(tmp_path: Path) -> None:
    source, path = Camera([0, 0.1, 1.2, 0.1]), tmp_path / "desk.mkv"
    with Recording(path, source) as output:
        times = Times(output)
        run(source, Blind(), [times])
    shown = numbers(path)
    assert shown == sorted(shown)
    taken = np.array(times.times)
    assert [shown.count(number) for number in range(3)] == pytest.approx(25 * np.diff(taken), abs=1)


@pytest.mark.parametrize("fps", [10, 25, 60])
def test_a_video_keeps_its_rate_and_every_frame(fps: int, tmp_path: Path) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), fps, (128, 96))
    for number in range(30):
        writer.write(cv2.cvtColor(grey(number), cv2.COLOR_GRAY2BGR))
    writer.release()
    source = open_source(str(tmp_path / "clip.avi"))
    with Recording(tmp_path / "copy.mp4", source) as output:
        run(source, Blind(), [output])
    assert numbers(tmp_path / "copy.mp4") == list(range(30))
    assert float(probe(tmp_path / "copy.mp4")["duration"]) == pytest.approx(30 / fps, abs=0.01)


def test_of_a_list_no_frame_is_lost(tmp_path: Path) -> None:
    source = FrameList([grey(number) for number in range(31)])
    with Recording(tmp_path / "list.avi", source) as output:
        run(source, Blind(), [output])
    assert numbers(tmp_path / "list.avi") == list(range(31))


@SUFFIXES
def test_other_sizes_are_fitted_into_the_first_one(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"odd{suffix}"
    frames = [
        np.full((95, 127, 3), 200, np.uint8),
        np.full((60, 300), 200, np.uint8),
        np.full((400, 40), 200, np.uint8),
    ]
    source = FrameList(frames)
    with Recording(path, source) as output:
        run(source, Blind(), [output])
    assert (probe(path)["width"], probe(path)["height"]) == (128, 96)
    light = [frame[..., 1] > 100 for frame in open_source(str(path))]
    boxes = [cv2.boundingRect(one.astype(np.uint8)) for one in light]
    assert np.allclose(boxes, [(0, 0, 127, 95), (0, 35, 128, 26), (59, 0, 10, 96)], atol=1)


def test_a_slow_encoder_holds_up_nobody_and_says_what_is_missing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(recording, "BEHIND_S", 0.0)
    monkeypatch.setattr(recording, "WAITING", 2)
    told: list[str] = []
    source = Camera([0.03] * 30, size=(2500, 3500))
    with Recording(tmp_path / "huge.mkv", source, log=told.append) as output:
        times = Times(output)
        run(source, Blind(), [times])
    assert np.median(times.took) < 0.005
    shown = numbers(tmp_path / "huge.mkv")
    assert shown == sorted(shown)
    assert len(shown) < 25 * (times.times[-1] - times.times[0])
    assert [line.partition(", because")[0].rpartition(" is ")[0] for line in told] == [
        f"recording: {tmp_path / 'huge.mkv'}"
    ]


# A camera whose loop a signal ends as it ends the command line.
PROGRAM = """
    import signal, sys, time
    import numpy as np
    from digitedge.camera import Source, run
    from digitedge.camera.sinks.video import Recording
    from digitedge.reader.reader import Reading

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
                print("going", flush=True)
            return Reading((), (), frame.shape[1], frame.shape[0], 0.0, source, index, time)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    source = Camera("camera")
    with Recording(sys.argv[1], source) as output:
        run(source, Blind(), [output])
"""


def record_until(end: signal.Signals, path: Path) -> int:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "going\n"
        time.sleep(0.3)
        program.send_signal(end)
        return program.wait(10)


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)], ids=str)
def test_signals_finish_the_video(end: signal.Signals, code: int, tmp_path: Path) -> None:
    assert record_until(end, tmp_path / "desk.mp4") == code
    assert [file.name for file in tmp_path.iterdir()] == ["desk.mp4"]
    assert float(probe(tmp_path / "desk.mp4")["duration"]) > 0.5


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_a_killed_program_leaves_a_hidden_video_that_plays(suffix: str, tmp_path: Path) -> None:
    assert record_until(signal.SIGKILL, tmp_path / f"desk{suffix}") == -signal.SIGKILL
    (draft,) = tmp_path.iterdir()
    assert draft.name.startswith(".desk-")
    assert draft.suffix == suffix
    assert len(list(open_source(str(draft)))) > 10


@SUFFIXES
def test_a_full_disk_is_told(suffix: str, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    told: list[str] = []
    noise = np.random.default_rng(0)
    source, path = FrameList([noise.integers(0, 255, (480, 640), np.uint8) for _ in range(30)]), tmp_path / f"a{suffix}"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, limits[1]))
    try:
        with Recording(path, source, log=told.append) as output:
            assert run(source, Blind(), [output]).frames == 30
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    is_lost = suffix == ".mp4"
    what = f"{path} could not be written" if is_lost else f"the end of {path} is missing"
    assert told == [f"recording: {what}: is the disk full?"]
    assert [file.name for file in tmp_path.iterdir()] == ([] if is_lost else [path.name])


def test_without_a_frame_there_is_no_file(tmp_path: Path, page) -> None:
    cv2.imwrite(str(tmp_path / "page.png"), page(1))
    told: list[str] = []
    source = open_source(str(tmp_path / "page.png"))  # an image has no time
    with Recording(tmp_path / "desk.mp4", source, log=told.append) as output:
        run(source, Blind(), [output])
    assert told == [f"recording: no frame came, so there is no {tmp_path / 'desk.mp4'}"]
    assert [file.name for file in tmp_path.iterdir()] == ["page.png"]


def test_frames_that_cannot_be_encoded_are_told_and_not_the_end(tmp_path: Path) -> None:
    told: list[str] = []
    source = FrameList([np.zeros((2, 20_000), np.uint8)] * 30)
    with Recording(tmp_path / "wide.mp4", source, log=told.append) as output:
        assert run(source, Blind(), [output]).frames == 30
    assert told == ["recording: cannot encode 20000x2 at 25 frames a second as mp4v"]
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected \.mp4, \.mkv, \.avi, got '\.mov'"):
        Recording(tmp_path / "desk.mov", FrameList([]))


def test_a_video_that_is_there_is_only_replaced_when_allowed(tmp_path: Path) -> None:
    path = tmp_path / "desk.AVI"
    path.write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        Recording(path, FrameList([]))
    source = FrameList([grey(1)] * 3)
    with Recording(path, source, overwrite=True) as output:
        run(source, Blind(), [output])
    assert numbers(path) == [1, 1, 1]


def test_a_folder_that_cannot_be_written_to_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DigitEdgeError, match=r"cannot write .*writable"):
        Recording(tmp_path / "file" / "desk.mp4", FrameList([]))
