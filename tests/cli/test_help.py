"""The help of every command, as a terminal shows it."""

import subprocess
import sys
from importlib import import_module

import pytest
from typer.main import get_command

from digitedge.cli.app import COMMANDS

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


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_each_command_what_its_own_help_says(name: str) -> None:
    command = get_command(import_module(f"digitedge.cli.{name}").app)
    _panel, line = COMMANDS[name]
    assert line == " ".join(str(command.help).split("\n\n")[0].split())


def test_the_list_builds_no_command() -> None:
    code = "import sys, digitedge.cli.app; print(*(name for name in sys.modules if name.startswith('digitedge.cli.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["digitedge.cli.app"]
