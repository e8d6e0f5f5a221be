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
from digitedge.utils.secrets import hide_in_message

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


# Runs the command line with a broker's sink that raises all that a library could quote of the address.
PROGRAM = """
from urllib.parse import unquote
from digitedge.camera import sinks
from digitedge.cli import main

class Raises:
    def __init__(self, url, log):
        login = url.partition("//")[2].rpartition("@")[0]
        password = login.partition(":")[2]
        raise ValueError(f"{url} {url!r} {login} {password} {unquote(password)!r} the end")
sinks.MqttSink = Raises
main()
"""


@pytest.mark.parametrize("given", ["option", "option=", "variable"])
def test_neither_traceback_nor_line_of_an_unexpected_error_has_the_password(tmp_path: Path, given: str) -> None:
    url = "mqtt://anna:s3c:r%40t@broker/desk"
    options = {"option": ["--mqtt", url], "option=": [f"--mqtt={url}"], "variable": []}[given]
    command = [sys.executable, "-c", PROGRAM, "camera", "demo", "--headless", *options]
    variables = {"DIGITEDGE_DEBUG": "1", "DIGITEDGE_MQTT": url if given == "variable" else ""}
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "the end" in line]
    assert [line.partition(": ")[0] for line in lines] == ["ValueError", "error"]
    assert not [word for word in ("s3c", "r%40t", "r@t") if word in done.stderr], done.stderr


def test_tokens_of_the_environment_are_hidden_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "argv", ["digitedge", "camera", "http://camera/video?user=me&key=k1", "--mqtt=mqtt://a:abc@b"]
    )
    monkeypatch.setenv("DIGITEDGE_SOURCE", "desk.png")
    monkeypatch.setenv("DIGITEDGE_WEB_TOKEN", "page/token")
    monkeypatch.setenv("DIGITEDGE_KEY_PASSPHRASE", "open 'sesame'")
    assert hide_in_message("GET /?token=page%2Ftoken, page/token") == "GET /?token=***, ***"
    assert hide_in_message("wrong: open 'sesame', got \"open 'sesame'\"") == 'wrong: ***, got "***"'
    assert hide_in_message("GET /video?user=me&key=k1: 403") == "GET /video?***: 403"
    assert hide_in_message("desk.png: abc of mqtt://a:abc@b") == "desk.png: abc of mqtt://***@b"


@pytest.mark.parametrize("command", ["update", "camera"])
def test_the_note_is_right_for_every_command(digitedge: Command, command: str) -> None:
    arguments = ["--to", "device"] if command == "update" else ["--headless"]
    note = digitedge(command, "https://anna:s3cret@127.0.0.1:9", *arguments).stderr.splitlines()[0]
    assert note.startswith("note: the login or query of an address on the command line shows in the list of processes")
    assert note.endswith(
        "`digitedge camera` takes addresses from DIGITEDGE_SOURCE and DIGITEDGE_MQTT, which only you can read."
    )


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
