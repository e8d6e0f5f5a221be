"""The help of every command, as a terminal shows it."""

import subprocess
import sys

import pytest

PATHS = [
    *(["train"], ["export"], ["verify"], ["predict"], ["camera"], ["bench"], ["info"], ["demo"], ["doctor"]),
    *(["eval", "photos"], ["eval", "scenes"], ["data", "get"], ["data", "show"]),
    *(["service", "install"], ["service", "status"], ["service", "remove"], ["eval"], []),
]


@pytest.mark.parametrize("command", PATHS, ids=" ".join)
def test_help_is_shown(command: list[str]) -> None:
    program = [sys.executable, "-m", "digitedge", *command]
    done = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " in done.stdout


def test_the_list_names_every_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "digitedge", "--help"], capture_output=True, text=True, timeout=60
    ).stdout
    for path in PATHS:
        assert not path or f" {path[0]} " in shown
