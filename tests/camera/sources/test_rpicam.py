import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digitedge.camera import Mode, open_source
from digitedge.camera.sources import rpicam
from digitedge.errors import CameraError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rpicam-vid is Linux's")

Install = Callable[..., Path]

PROGRAM = """#!{python}
import os, pathlib, signal, sys, time
here = pathlib.Path(__file__).parent
(here / "pid").write_text(str(os.getpid()))
(here / "arguments").write_text(" ".join(sys.argv[1:]))
jpeg = (here / "page.jpg").read_bytes()
if {ignores_sigterm}:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for _ in range({frames}):
    os.write(1, jpeg[:100]), time.sleep({pause} / 2), os.write(1, jpeg[100:]), time.sleep({pause} / 2)
print("libcamera v0.3.2\\nERROR: *** no cameras available ***", file=sys.stderr)
if {hangs}:
    time.sleep(60)
"""


@pytest.fixture
def camera_program(tmp_path: Path, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a program called rpicam-vid on the PATH, which writes a page as MJPEG, and check that it has ended."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "page.jpg").write_bytes(jpeg)

    def install(*, frames: int, pause: float = 0.01, hangs: bool = False, ignores_sigterm: bool = False) -> Path:
        program = tmp_path / "rpicam-vid"
        program.write_text(
            PROGRAM.format(
                python=sys.executable, frames=frames, pause=pause, hangs=hangs, ignores_sigterm=ignores_sigterm
            )
        )
        program.chmod(0o755)
        return tmp_path

    yield install
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_end_of_the_program_is_an_error_with_its_last_message(camera_program: Install) -> None:
    folder = camera_program(frames=5)
    shapes = []
    with open_source("rpicam") as source, pytest.raises(CameraError, match="no cameras available") as caught:
        shapes.extend(frame.shape for frame in source)
    assert 1 <= len(shapes) <= 5  # a busy machine may skip some: only the newest counts
    assert f"stopped after {len(shapes)} frames" in str(caught.value)
    assert "rpicam-hello --list-cameras" in str(caught.value)
    assert set(shapes) == {(240, 320, 3)}
    assert (folder / "arguments").read_text() == f"{rpicam.OPTIONS} --width 1280 --height 720 --framerate 30"


def test_program_gets_the_requested_size_and_rate(camera_program: Install) -> None:
    folder = camera_program(frames=1)
    with open_source("rpicam", Mode(width=640, fps=12.5)) as source, pytest.raises(CameraError):
        list(source)
    assert (folder / "arguments").read_text().endswith("--width 640 --height 720 --framerate 12.5")


def test_program_is_ended_when_the_loop_is_left(camera_program: Install) -> None:
    camera_program(frames=10_000)
    with open_source("rpicam") as source:
        for _ in source:
            break


def test_program_that_ignores_sigterm_is_killed(camera_program: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpicam, "EXIT_LIMIT_S", 0.2)
    camera_program(frames=10_000, ignores_sigterm=True)
    with open_source("rpicam") as source:
        for _ in source:
            break


def test_silent_camera_is_an_error(camera_program: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpicam, "SILENCE_LIMIT_S", 2)
    camera_program(frames=2, hangs=True)
    with open_source("rpicam") as source, pytest.raises(CameraError, match=r"stopped after [12] frames"):
        list(source)


def test_slow_reader_skips_all_but_the_newest_frame(camera_program: Install) -> None:
    camera_program(frames=200, pause=0.002)
    count = 0
    with open_source("rpicam") as source, pytest.raises(CameraError):
        for _ in source:
            count += 1
            time.sleep(0.05)
    assert 1 < count < 100


def test_error_without_the_program_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with open_source("rpicam") as source, pytest.raises(CameraError, match="sudo apt install rpicam-apps"):
        list(source)
