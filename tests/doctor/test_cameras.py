import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitedge.doctor.cameras import check_cameras, format_device
from digitedge.doctor.finding import Finding, Status
from digitedge.doctor.v4l2 import CameraMode, CaptureDevice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Video4Linux is Linux's")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, like /dev; pytest closes its own to other users."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_no_camera_is_a_note(tmp_path: Path) -> None:
    expected = Finding(
        "camera", Status.NOTE, "no camera that OpenCV can open", "plug one in, or: digitedge camera demo"
    )
    assert list(check_cameras(tmp_path)) == [expected]
    (tmp_path / "video0").touch()  # not a device
    assert list(check_cameras(tmp_path)) == [expected]


def test_cameras_without_permission_are_one_problem(open_folder: Path) -> None:
    for number in (10, 2):
        (open_folder / f"video{number}").touch(0o000)
    (open_folder / "names" / "video2").mkdir(parents=True)
    (open_folder / "names" / "video2" / "name").write_text("HD Webcam\n")
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)  # the user nobody: root may open every file
    try:
        findings = list(check_cameras(open_folder, open_folder / "names"))
    finally:
        if is_root:
            os.seteuid(0)
    found = f"no permission for {open_folder}/video2 (HD Webcam), {open_folder}/video10"
    fix = "sudo usermod -aG video $USER, then log in again"
    assert findings == [Finding("camera", Status.PROBLEM, found, fix)]


def test_a_camera_that_does_not_answer_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "video0").symlink_to("gone")
    (finding,) = check_cameras(tmp_path)
    assert finding.status is Status.NOTE
    assert finding.found == f"{tmp_path}/video0 does not answer: No such file or directory"


def test_a_camera_has_a_line_for_each_pixel_format() -> None:
    modes = (
        CameraMode("MJPG", 1280, 720, (30.0, 7.5)),
        CameraMode("MJPG", 640, 480, ()),
        CameraMode("YUYV", 640, 480, (30000 / 1001,)),
    )
    assert format_device(Path("/dev/video0"), CaptureDevice("HD Webcam", "uvcvideo", modes)).splitlines() == [
        "/dev/video0: HD Webcam",
        "MJPG: 1280x720 at 30/7.5, 640x480",
        "YUYV: 640x480 at 30",
    ]
