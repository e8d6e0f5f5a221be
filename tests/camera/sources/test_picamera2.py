"""The source `picamera` with a module of its own in place of the package picamera2."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digitedge.camera import Mode, open_source
from digitedge.errors import CameraError

PICAMERA2 = """
import numpy as np

class Picamera2:
    def create_video_configuration(self, **options):
        print("configured", options)
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


@pytest.fixture
def install_picamera2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Put a module called picamera2 on the path of Python."""

    def install(code: str) -> None:
        (tmp_path / "picamera2.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    sys.modules.pop("picamera2", None)


def test_frames_come_until_the_camera_fails_and_it_is_closed(
    install_picamera2: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    install_picamera2(PICAMERA2)
    greys: list[int] = []
    with (
        open_source("picamera", Mode(width=640, height=480, fps=15)) as source,
        pytest.raises(CameraError, match="timed out"),
    ):
        greys.extend(int(frame[0, 0, 0]) for frame in source)
    assert greys == [2, 1, 0]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "configured {'main': {'size': (640, 480), 'format': 'RGB888'}, 'controls': {'FrameRate': 15"
    )
    assert lines[1:] == ["started", "closed"]


def test_error_without_picamera2_says_how_to_install_it() -> None:
    with open_source("picamera") as source, pytest.raises(CameraError) as caught:
        next(iter(source))
    assert "sudo apt install python3-picamera2" in str(caught.value)
    assert "--system-site-packages" in str(caught.value)


def test_error_of_a_build_for_another_numpy_names_simplejpeg(install_picamera2: Callable[[str], None]) -> None:
    install_picamera2("raise ValueError('numpy.dtype size changed')")
    with open_source("picamera") as source, pytest.raises(CameraError, match="--force-reinstall simplejpeg"):
        next(iter(source))
