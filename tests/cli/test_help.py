"""The help of every command, as a terminal shows it."""

import subprocess
import sys

import pytest

COMMANDS = [
    *(["train"], ["export"], ["verify"], ["predict"], ["camera"], ["bench"], ["info"], ["demo"], ["doctor"]),
    *(["eval", "photos"], ["eval", "scenes"], ["data", "get"], ["data", "show"]),
    *(["service", "install"], ["service", "status"], ["service", "remove"], ["eval"], []),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_shown(command: list[str]) -> None:
    program = [sys.executable, "-m", "digitedge", *command]
    done = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " in done.stdout
