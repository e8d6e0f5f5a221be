"""Heartbeats of the loop, and of a real `digitedge camera` process to a datagram socket as systemd has one."""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from processes import start

from digitedge.camera import CameraState, Frame, Source, Update, run
from digitedge.camera.heartbeat import Heartbeat
from digitedge.errors import CameraError
from digitedge.reader import Reader

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")

LIMIT_S = 60
COMMAND = [sys.executable, "-m", "digitedge", "camera", "-", "--json"]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of systemd."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(LIMIT_S)
        yield receiver


@pytest.fixture
def pipes(manager: socket.socket) -> dict[str, Any]:
    """Options of a process that reports to `manager`."""
    environment = os.environ | {"NOTIFY_SOCKET": manager.getsockname()}
    return {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment}


def received(manager: socket.socket, *, limit_s: float) -> list[bytes]:
    """Return what arrives until nothing arrives for `limit_s`."""
    manager.settimeout(limit_s)
    messages = []
    try:
        while len(messages) < 100:
            messages.append(manager.recv(100))
    except TimeoutError:
        return messages
    return messages


def test_camera_is_ready_with_its_first_frame_and_alive_without_further_ones(
    manager: socket.socket, pipes: dict[str, Any], jpeg: bytes, tmp_path: Path
) -> None:
    with start(COMMAND, cwd=tmp_path, **pipes) as process:
        assert process.stderr.readline().startswith(b"model: ")
        assert received(manager, limit_s=0.5) == []
        manager.settimeout(LIMIT_S)
        process.stdin.write(jpeg)
        process.stdin.flush()
        assert manager.recv(100) == b"READY=1"
        assert manager.recv(100) == b"WATCHDOG=1"


def test_loop_that_hangs_sends_no_heartbeat(
    manager: socket.socket, pipes: dict[str, Any], jpeg: bytes, tmp_path: Path
) -> None:
    """Nobody reads what it prints, so it hangs as soon as the pipe is full, which has room for two or three lines."""
    output, stdout = os.pipe()
    fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, 4096)
    os.write(stdout, bytes(3200))
    try:
        with start(COMMAND, cwd=tmp_path, **pipes | {"stdout": stdout}) as process:
            for _ in range(10):
                process.stdin.write(jpeg)
                process.stdin.flush()
                time.sleep(0.02)
            assert manager.recv(100) == b"READY=1"
            waits = 0  # until the pipe is full, which takes longer on a busy machine
            while received(manager, limit_s=1.5):
                waits += 1
                assert waits < 20, "it goes on"
            assert process.poll() is None
    finally:
        os.close(output)
        os.close(stdout)


def test_frames_that_are_skipped_because_nothing_moves_count(
    sevens: Reader, page: Callable[[int], Frame], timed: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With idle_fps=0 no sink is shown anything from the first still frame on."""
    monkeypatch.setattr("digitedge.camera.motion.STILL_S", 0.2)
    beats: list[float] = []
    session = run(
        timed([page(1)] * 30, fps=20, live=True), sevens, idle_fps=0, heartbeat=lambda: beats.append(time.monotonic())
    )
    assert session.frames < 15
    assert len(beats) > 20


def test_source_that_is_reconnecting_is_alive(sevens: Reader, page: Callable[[int], Frame]) -> None:
    class Lost(Source):
        """Fails after one frame; then it takes long to open."""

        live = True

        def _frames(self) -> Iterator[Frame]:
            time.sleep(30 if beats else 0)
            yield page(1)
            raise CameraError("gone")

    class States:
        """Ends the loop with the third update of a source that is away."""

        def show(self, update: Update) -> bool:
            states.append(update.state)
            return states.count(CameraState.RECONNECTING) < 3

    states: list[CameraState] = []
    beats: list[float] = []
    run(Lost("lost"), sevens, [States()], heartbeat=lambda: beats.append(time.monotonic()))
    assert len(beats) == len(states)
    assert max(after - before for before, after in pairwise(beats)) < 1.5


def test_first_beat_is_ready_and_later_ones_are_at_least_a_second_apart(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
    heartbeat = Heartbeat()
    for _ in range(3):
        heartbeat.beat()
    assert received(manager, limit_s=0.1) == [b"READY=1"]
    time.sleep(1)
    heartbeat.beat()
    assert received(manager, limit_s=0.1) == [b"WATCHDOG=1"]


def test_abstract_socket_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"digitedge-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        Heartbeat().beat()
        assert received(receiver, limit_s=0.1) == [b"READY=1"]


def test_an_at_sign_within_the_path_of_the_socket_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "user@1000"))
        monkeypatch.setenv("NOTIFY_SOCKET", receiver.getsockname())
        Heartbeat().beat()
        assert received(receiver, limit_s=0.1) == [b"READY=1"]


def test_manager_that_is_gone_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    Heartbeat().beat()
    monkeypatch.delenv("NOTIFY_SOCKET")
    Heartbeat().beat()
