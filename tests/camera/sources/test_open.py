import os
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import Frame, FrameList, Mode, Source, default_source, open_source
from digitedge.camera.sources.demo import Demo
from digitedge.camera.sources.images import Images
from digitedge.camera.sources.picamera2 import PiCamera2
from digitedge.camera.sources.pipe import Pipe
from digitedge.camera.sources.rpicam import Rpicam
from digitedge.camera.sources.stream import Stream
from digitedge.camera.sources.video import VideoFile
from digitedge.camera.sources.webcam import Webcam
from digitedge.errors import CameraError, InputError
from digitedge.utils.opencv import cv2


class CountingSource(Source):
    """Yields three frames and counts how often its device is open."""

    open_count = 0

    def _frames(self) -> Generator[Frame]:
        self.open_count += 1
        try:
            for number in range(3):
                yield np.full((4, 4), number, np.uint8)
        finally:
            self.open_count -= 1


def test_device_is_released_after_a_break() -> None:
    with CountingSource("c") as source:
        for _ in source:
            break
        assert source.open_count == 1
    assert source.open_count == 0


def test_device_is_released_after_an_exception() -> None:
    source = CountingSource("c")
    with pytest.raises(KeyboardInterrupt), source:
        for _ in source:
            raise KeyboardInterrupt
    assert source.open_count == 0


def test_second_loop_starts_from_the_beginning_and_opens_one_device_only() -> None:
    with CountingSource("c") as source:
        assert next(iter(source))[0, 0] == 0
        assert [frame[0, 0] for frame in source] == [0, 1, 2]
        assert next(iter(source))[0, 0] == 0
        assert source.open_count == 1


@pytest.mark.parametrize(
    ("text", "source_class"),
    [
        ("0", Webcam),
        ("12", Webcam),
        ("/dev/video0", Webcam),
        ("rtsp://camera.local/live", Stream),
        ("udp://@:5000", Stream),
        ("rpicam", Rpicam),
        ("picamera", PiCamera2),
        ("demo", Demo),
        ("-", Pipe),
    ],
)
def test_text_opens_its_live_source(text: str, source_class: type[Source]) -> None:
    source = open_source(text)
    assert type(source) is source_class
    assert source.live
    assert source.name == text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (10, 2, 1):
        cv2.imwrite(str(tmp_path / f"page-{number}.png"), np.full((20, 30, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


@pytest.mark.parametrize("pattern", ["", "page-*.png"], ids=["folder", "pattern"])
def test_all_images_come_in_natural_order_with_their_names(folder: Path, pattern: str) -> None:
    frames = []
    with open_source(str(folder / pattern)) as source:
        for frame in source:
            frames.append((Path(source.name).name, frame.shape, int(frame[0, 0, 0]), source.time))
    assert frames == [(f"page-{n}.png", (20, 30, 3), n, None) for n in (1, 2, 10)]


def test_image_is_one_frame_that_a_window_holds_until_a_key(folder: Path) -> None:
    source = open_source(str(folder / "page-2.png"))
    assert isinstance(source, Images)
    assert source.hold_s is None
    assert not source.live
    assert len(list(source)) == 1


def test_image_without_a_suffix_is_recognized_by_its_content(folder: Path) -> None:
    (folder / "page-2.png").rename(folder / "upload")
    assert isinstance(open_source(str(folder / "upload")), Images)


def test_file_that_is_not_an_image_is_a_video(clip: Path) -> None:
    assert isinstance(open_source(str(clip)), VideoFile)


@pytest.mark.parametrize("text", ["holiday.mp4", "frames/*.png"])
def test_missing_path_is_an_error_at_once(text: str) -> None:
    with pytest.raises(CameraError, match=r"there is no holiday.mp4|no file matches frames"):
        open_source(text)


def test_folder_without_images_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="no images in"):
        open_source(str(tmp_path))


def test_damaged_image_among_good_ones_is_an_error(folder: Path) -> None:
    (folder / "page-2.png").write_bytes(b"junk")
    with open_source(str(folder)) as source, pytest.raises(CameraError, match=r"page-2\.png"):
        list(source)


@pytest.mark.parametrize("text", ["demo", "-", "http://127.0.0.1:9/", "holiday.mp4"])
def test_mode_for_a_source_that_is_not_a_camera_is_an_error(text: str) -> None:
    with pytest.raises(InputError, match=f"width, height and fps are options of cameras, got {text}"):
        open_source(text, Mode(width=640))


@pytest.mark.parametrize(
    ("board", "output", "source"),
    [
        ("Raspberry Pi 4 Model B", "0 : imx219 [3280x2464] (/base/soc/i2c0mux)", "rpicam"),
        ("Raspberry Pi 4 Model B", "No cameras available!", "0"),
        ("Raspberry Pi 4 Model B", "libcamera.so.0.3: missing", "0"),
        ("Some other board", "0 : imx219 [3280x2464] (/base/soc/i2c0mux)", "0"),
    ],
)
def test_ribbon_camera_is_the_default_on_a_raspberry_pi(
    board: str, output: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").write_text(board + "\0")
    hello = tmp_path / "rpicam-hello"
    hello.write_text(f"#!/bin/sh\necho '{output}'\n")
    hello.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert default_source(board=tmp_path / "model") == source


def test_frame_list_yields_its_frames(page: Callable[[int], Frame]) -> None:
    frames = [page(1), page(2)]
    with FrameList(frames, name="desk") as source:
        assert [frame is original for frame, original in zip(source, frames, strict=True)] == [True, True]
        assert source.name == "desk"
        assert source.time is not None


def test_demo_yields_frames_in_real_time() -> None:
    with open_source("demo") as source:
        frames = [frame for frame, _ in zip(source, range(5), strict=False)]
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 5
    assert source.time is not None
    assert source.time >= 4 / 25
