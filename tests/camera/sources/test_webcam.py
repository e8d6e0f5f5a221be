import os
import sys
from pathlib import Path

import pytest

from digitedge.camera import open_source
from digitedge.camera.sources import webcam
from digitedge.errors import CameraError
from digitedge.utils.opencv import cv2

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="device files are Linux's")


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /dev."""
    monkeypatch.setattr(webcam, "DEVICES", tmp_path)
    return tmp_path


@pytest.fixture
def ffmpeg_as_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use FFmpeg in place of the camera driver, so that a clip is a device that gives frames and stops."""
    monkeypatch.setitem(webcam.BACKENDS, sys.platform, (cv2.CAP_FFMPEG, "FFmpeg"))


def error_of(text: str) -> str:
    with pytest.raises(CameraError) as caught, open_source(text) as source:
        next(iter(source))
    return str(caught.value)


@linux_only
def test_error_without_a_camera_says_what_was_tried_and_what_to_do(
    devices: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    message = error_of("77")
    assert message.startswith(
        f"cannot open camera 77 with V4L2: {devices}/video77 does not exist. No other /dev/video*"
    )
    assert message.endswith("digitedge camera demo")
    assert "digitedge camera rpicam" in message
    assert capfd.readouterr() == ("", "")


@linux_only
def test_error_lists_the_cameras_that_are_present(devices: Path) -> None:
    for number in (1, 2):
        (devices / f"video{number}").touch()
    assert f"Present: {devices}/video1, {devices}/video2." in error_of("77")


@linux_only
def test_error_names_a_device_that_gives_no_images(devices: Path) -> None:
    (devices / "video77").touch()
    assert f"{devices}/video77 is used by another program, or is not a camera" in error_of("77")


@linux_only
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may open every device")
def test_error_without_permission_names_the_group(devices: Path) -> None:
    (devices / "video77").touch(mode=0o000)
    assert "Run: sudo usermod -aG video $USER" in error_of("77")


def test_camera_that_stops_is_an_error_after_its_frames(clip: Path, ffmpeg_as_driver: None) -> None:
    shapes, times = [], []
    with webcam.Webcam(str(clip)) as source, pytest.raises(CameraError, match="stopped after 12 frames"):
        for frame in source:
            shapes.append(frame.shape)
            times.append(source.time)
    assert shapes == [(48, 64, 3)] * 12
    assert times == sorted(times)


@linux_only
def test_camera_without_its_device_file_has_stopped(clip: Path, ffmpeg_as_driver: None) -> None:
    with webcam.Webcam(str(clip)) as source, pytest.raises(CameraError, match="stopped after 3 frames"):
        for count, _ in enumerate(source, start=1):
            if count == 3:
                clip.unlink()
