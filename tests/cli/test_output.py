"""Standard output that cannot be written to: one line and an exit code, whatever the command."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [["--help"], ["--version"], ["info"], ["predict", "--help"]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_full_disk_behind_stdout_is_one_line_and_exit_code_1(command: list[str]) -> None:
    with open("/dev/full", "w") as full:
        program = [sys.executable, "-m", "digitedge", *command]
        result = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("model: ")]
    assert lines == ["error: cannot write to standard output: No space left on device"]
    assert result.returncode == 1


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_closed_pipe_behind_stdout_is_silent(command: list[str]) -> None:
    program = f"'{sys.executable}' -m digitedge {' '.join(command)} | true"
    result = subprocess.run(["sh", "-c", program], stderr=subprocess.PIPE, text=True, timeout=60)
    assert [line for line in result.stderr.splitlines() if not line.startswith("model: ")] == []
