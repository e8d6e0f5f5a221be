"""Screen, port and child processes."""

import errno
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitedge.doctor.finding import Status
from digitedge.doctor.port import check_port
from digitedge.doctor.screen import check_screen
from digitedge.utils.subprocesses import ChildResult, run_python

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="screens are chosen by DISPLAY on Linux only")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A screen that nobody sees."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (apt install xvfb)")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        try:
            with os.fdopen(reading) as answer:
                monkeypatch.setenv("DISPLAY", f":{answer.readline().strip()}")
            monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
            yield
        finally:
            server.terminate()


@linux_only
def test_no_screen_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    finding = check_screen()
    assert finding.status is Status.NOTE
    assert finding.found == "no window: there is no screen: DISPLAY is not set"
    assert finding.mend == "digitedge camera --headless"


@linux_only
def test_an_opencv_without_windows_is_told_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("def namedWindow(name): raise RuntimeError('The function is not implemented.')")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = check_screen()
    assert finding.status is Status.NOTE
    assert str(finding.mend).endswith("pip uninstall --yes opencv-python-headless && pip install opencv-python")


@linux_only
def test_wayland_is_a_note_and_a_screen_of_x11_is_none(monkeypatch: pytest.MonkeyPatch, screen: None) -> None:
    assert check_screen().status is Status.OK
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    finding = check_screen()
    assert finding.status is Status.NOTE
    assert "XWayland" in finding.found


def test_a_port_in_use_is_a_note_and_free_again_afterwards() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        finding = check_port(port)
        assert finding.status is Status.NOTE
        assert finding.found == f"{port} cannot be used on 127.0.0.1: {os.strerror(errno.EADDRINUSE)}"
        assert finding.mend
    assert check_port(port).status is Status.OK


def test_a_child_does_not_import_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('the random.py of the current folder')")
    monkeypatch.chdir(tmp_path)
    answer = run_python("import random; print(random.__name__)")
    assert answer == ChildResult(True, "random")


def test_a_child_that_does_not_end_is_left() -> None:
    answer = run_python("import time; time.sleep(30)", limit_s=0.2)
    assert not answer.works
    assert answer.text == "it does not end within 0.2 s"
