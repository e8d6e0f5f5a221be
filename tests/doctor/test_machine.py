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
from processes import start

from digitedge.doctor.finding import Status
from digitedge.doctor.port import check_port
from digitedge.doctor.screen import check_screen
from digitedge.utils.subprocesses import ChildResult, run_python

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux chooses screens by DISPLAY")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A virtual screen."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (apt install xvfb)")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24", "-nolisten", "tcp"]
    with start(command, pass_fds=[writing], stderr=subprocess.DEVNULL):
        os.close(writing)
        with os.fdopen(reading) as number:
            monkeypatch.setenv("DISPLAY", f":{number.readline().strip()}")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        yield


@linux_only
def test_no_screen_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    finding = check_screen()
    assert finding.status is Status.NOTE
    assert finding.found == "no window: there is no screen: DISPLAY is not set"
    assert finding.fix == "digitedge camera --headless"


@linux_only
def test_a_headless_opencv_is_a_note_with_the_other_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = "IMREAD_COLOR = 1\ndef namedWindow(name): raise RuntimeError('The function is not implemented.')"
    (tmp_path / "cv2.py").write_text(code)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finding = check_screen()
    assert finding.status is Status.NOTE
    assert str(finding.fix).endswith("pip uninstall --yes opencv-python-headless && pip install opencv-python")


@linux_only
def test_x11_is_ok_and_wayland_is_a_note(monkeypatch: pytest.MonkeyPatch, screen: None) -> None:
    assert check_screen().status is Status.OK
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    finding = check_screen()
    assert finding.status is Status.NOTE
    assert "XWayland" in finding.found


def test_a_port_in_use_is_a_note_and_a_free_one_is_ok() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        finding = check_port(port)
        assert finding.status is Status.NOTE
        assert finding.found == f"{port} cannot be used on 127.0.0.1: {os.strerror(errno.EADDRINUSE)}"
        assert finding.fix
    assert check_port(port).status is Status.OK


def test_a_child_does_not_import_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('the random.py of the current folder')")
    monkeypatch.chdir(tmp_path)
    result = run_python("import random; print(random.__name__)")
    assert result == ChildResult(True, "random")


def test_a_child_that_hangs_fails_at_the_limit() -> None:
    result = run_python("import time; time.sleep(30)", limit_s=0.2)
    assert not result.succeeded
    assert result.text == "it did not exit within 0.2 s"
