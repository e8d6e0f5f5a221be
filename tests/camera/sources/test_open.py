import os
import sys
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import FrameList, Mode, Source, default_source, open_source
from digitedge.camera.sources import open as sources
from digitedge.camera.sources.open import Demo, Images, Pipe
from digitedge.camera.sources.picamera2 import PiCamera2
from digitedge.camera.sources.rpicam import PiCamera
from digitedge.camera.sources.stream import Stream
from digitedge.camera.sources.video import VideoFile
from digitedge.camera.sources.webcam import Webcam
from digitedge.errors import CameraError, InputError
from digitedge.utils.opencv import cv2


class Counting(Source):
    """Yields three frames and counts how often its device is open."""

    is_open = 0

    def _frames(self):
        self.is_open += 1
        try:
            for number in range(3):
                yield np.full((4, 4), number, np.uint8)
        finally:
            self.is_open -= 1


def test_leaving_the_block_releases_the_device_after_a_break() -> None:
    with Counting("c") as source:
        for _ in source:
            break
        assert source.is_open == 1
    assert source.is_open == 0


def test_leaving_the_block_releases_the_device_after_an_error() -> None:
    source = Counting("c")
    with pytest.raises(KeyboardInterrupt), source:
        for _ in source:
            raise KeyboardInterrupt
    assert source.is_open == 0


def test_a_second_loop_starts_from_the_beginning_and_opens_one_device_only() -> None:
    with Counting("c") as source:
        assert next(iter(source))[0, 0] == 0
        assert [frame[0, 0] for frame in source] == [0, 1, 2]
        assert next(iter(source))[0, 0] == 0
        assert source.is_open == 1


@pytest.mark.parametrize(
    ("text", "kind", "live"),
    [
        ("0", Webcam, True),
        ("12", Webcam, True),
        ("/dev/video0", Webcam, True),
        ("rtsp://camera.local/live", Stream, True),
        ("udp://@:5000", Stream, True),
        ("rpicam", PiCamera, True),
        ("picamera", PiCamera2, True),
        ("demo", Demo, True),
        ("-", Pipe, True),
    ],
)
def test_each_kind_of_text_opens_its_source(text: str, kind: type, live: bool) -> None:
    source = open_source(text)
    assert type(source) is kind
    assert source.live is live
    assert source.name == text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (10, 2, 1):
        cv2.imwrite(str(tmp_path / f"page-{number}.png"), np.full((20, 30, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


@pytest.mark.parametrize("pattern", ["", "page-*.png"], ids=["folder", "pattern"])
def test_all_images_come_in_natural_order_with_their_names(folder: Path, pattern: str) -> None:
    seen = []
    with open_source(str(folder / pattern)) as source:
        for frame in source:
            seen.append((Path(source.name).name, frame.shape, int(frame[0, 0, 0]), source.time))
    assert seen == [(f"page-{n}.png", (20, 30, 3), n, None) for n in (1, 2, 10)]


def test_a_image_is_one_frame_that_a_window_holds_until_a_key(folder: Path) -> None:
    source = open_source(str(folder / "page-2.png"))
    assert isinstance(source, Images)
    assert source.hold_s is None
    assert not source.live
    assert len(list(source)) == 1


def test_a_image_without_a_suffix_is_known_by_its_content(folder: Path) -> None:
    (folder / "page-2.png").rename(folder / "upload")
    assert isinstance(open_source(str(folder / "upload")), Images)


def test_a_video_is_known_by_not_being_a_image(clip: Path) -> None:
    assert isinstance(open_source(str(clip)), VideoFile)


@pytest.mark.parametrize("text", ["holiday.mp4", "frames/*.png"])
def test_a_path_to_nothing_is_an_error_at_once(text: str) -> None:
    with pytest.raises(CameraError, match=r"there is no holiday.mp4|no file matches frames"):
        open_source(text)


def test_a_folder_without_images_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no images in"):
        open_source(str(tmp_path))


def test_a_damaged_image_among_good_ones_is_an_error(folder: Path) -> None:
    (folder / "page-2.png").write_bytes(b"junk")
    with open_source(str(folder)) as source, pytest.raises(CameraError, match=r"page-2\.png"):
        list(source)


@pytest.mark.parametrize("text", ["demo", "-", "http://127.0.0.1:9/", "holiday.mp4"])
def test_a_size_asked_of_what_is_no_camera_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match=f"can be asked of a camera, but {text} has its own"):
        open_source(text, Mode(width=640))


PICAMERA2 = """
import numpy as np

class Picamera2:
    def create_video_configuration(self, **wishes):
        print("configured", wishes)
    def configure(self, configuration):
        self.left = 3
    def start(self):
        print("started")
    def capture_array(self, name):
        if not self.left:
            raise RuntimeError("Camera frontend has timed out!")
        self.left -= 1
        return np.full((48, 64, 3), self.left, np.uint8)
    def close(self):
        print("closed")
"""


def test_picamera2_gives_frames_until_it_fails_and_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "picamera2.py").write_text(PICAMERA2)
    monkeypatch.syspath_prepend(tmp_path)
    levels: list[int] = []
    with (
        open_source("picamera", Mode(width=640, height=480, fps=15)) as source,
        pytest.raises(CameraError, match="timed out"),
    ):
        levels.extend(int(frame[0, 0, 0]) for frame in source)
    del sys.modules["picamera2"]
    assert levels == [2, 1, 0]
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(
        "configured {'main': {'size': (640, 480), 'format': 'RGB888'}, 'controls': {'FrameRate': 15"
    )
    assert said[1:] == ["started", "closed"]


def test_without_picamera2_the_error_names_the_lines_that_bring_it() -> None:
    with open_source("picamera") as source, pytest.raises(CameraError) as caught:
        next(iter(source))
    assert "sudo apt install python3-picamera2" in str(caught.value)
    assert "--system-site-packages" in str(caught.value)


def test_a_picamera2_for_another_numpy_names_simplejpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picamera2.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)
    with open_source("picamera") as source, pytest.raises(CameraError, match="--force-reinstall simplejpeg"):
        next(iter(source))


@pytest.mark.parametrize(
    ("board", "cameras", "source"),
    [
        ("Raspberry Pi 4 Model B", "Available cameras", "rpicam"),
        ("Raspberry Pi 4 Model B", "No cameras available!", "0"),
        ("Some other board", "Available cameras", "0"),
    ],
)
def test_the_ribbon_camera_of_a_pi_is_the_default(
    board: str, cameras: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").write_text(board + "\0")
    hello = tmp_path / "rpicam-hello"
    hello.write_text(f"#!/bin/sh\necho '{cameras}'\n")
    hello.chmod(0o755)
    monkeypatch.setattr(sources, "BOARD", tmp_path / "model")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert default_source() == source


def test_a_list_is_a_camera(page) -> None:
    frames = [page(1), page(2)]
    with FrameList(frames, name="desk") as source:
        assert [frame is original for frame, original in zip(source, frames, strict=True)] == [True, True]
        assert source.name == "desk"
        assert source.time is not None


def test_the_demo_goes_on_and_on() -> None:
    with open_source("demo") as source:
        frames = [frame for frame, _ in zip(source, range(5), strict=False)]
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 5
    assert source.time >= 4 / 25
