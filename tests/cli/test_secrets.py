"""Passwords in addresses: in no line, and soon in no process list. In real processes, because those have a list."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from processes import start

from digitedge.utils.opencv import cv2

Command = Callable[..., CompletedProcess[str]]

BROKER = "mqtt://anna:s3cret@127.0.0.1:9/desk"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_password_is_hidden_in_the_list_of_processes_and_a_note_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "digitedge", "camera", "demo", "--headless", "--mqtt", BROKER]
    with start(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        words = Path(f"/proc/{process.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        assert b"anna" not in b"".join(words)
        assert words[:-1] == [os.fsencode(word) for word in command[:-1]]
        assert words[-1].strip() == b"mqtt://***@127.0.0.1:9/desk"
        assert process.stderr.readline().startswith("model: ")
        assert process.stderr.readline().startswith("mqtt: no connection to mqtt://127.0.0.1:9")
    assert line.startswith("note: the login or query of an address on the command line shows in the list of processes")
    assert "DIGITEDGE_MQTT" in line


def test_source_is_taken_from_the_environment(digitedge: Command, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "page.png"), np.full((60, 80), 255, np.uint8))
    done = digitedge("camera", "--headless", DIGITEDGE_SOURCE="page.png")
    assert (done.returncode, done.stdout) == (0, "page.png: no digits\n")
    assert "note:" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["camera", "rtsp:/anna:s3cret@camera/live", "--headless"],
        ["camera", "rtsp://anna:s3?c@ret@camera/live", "--width", "640"],
        ["camera", "0", "rtsp://anna:s3cret@camera/live"],
        ["rtsp://anna:s3cret@camera/live"],
        ["service", "install", "--print", "--", "0", "rtsp://anna:s3cret@camera/live"],
    ],
    ids=" ".join,
)
def test_no_message_has_the_password(digitedge: Command, arguments: list[str]) -> None:
    done = digitedge(*arguments, COLUMNS="500")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert not [word for word in ("anna", "s3", "cret") if word in done.stdout + done.stderr]
