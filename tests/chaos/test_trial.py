"""What the parts of `make chaos` count as a failure, with commands that fail in each manner."""

import json
import sys

import pytest

if sys.platform != "linux":
    pytest.skip("Linux's", allow_module_level=True)
from chaos.trial import HANG_S, Tally, run_command


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("raise KeyError('x')", "a bug shows: 'Traceback'"),
        ("import sys; sys.exit('error: unexpected KeyError')", "a bug shows: 'error: unexpected '"),
        ("import sys; sys.exit('error: \\x1b[31m')", r"a bug shows: 'error: \x1b'"),
        ("import sys; sys.exit('error: one\\nerror: two')", "2 lines of error with exit code 1"),
        ("import sys; sys.exit(1)", "0 lines of error with exit code 1"),
        ("import sys; print('error: one', file=sys.stderr)", "1 lines of error with exit code 0"),
        ("import os; os.kill(os.getpid(), 11)", "exit code -11"),
        ("import time; time.sleep(60)", "it hung for"),
    ],
)
def test_a_command_that_ends_badly_is_a_problem(program: str, problem: str) -> None:
    ended = run_command([sys.executable, "-I", "-S", "-c", program], limit_s=1 if "sleep" in program else HANG_S)
    assert any(line.startswith(problem) for line in ended.problems), ended.problems


@pytest.mark.parametrize("program", ["print(1)", "import sys; sys.exit('a note\\nerror: expected a, got b')"])
def test_a_command_that_works_or_is_refused_with_one_line_is_none(program: str) -> None:
    assert not run_command([sys.executable, "-I", "-S", "-c", program]).problems


def test_a_process_that_outlives_its_command_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.trial.ORPHAN_S", 0.3)
    program = "import subprocess as s; s.Popen(['sleep', '60'], stdout=s.DEVNULL, stderr=s.DEVNULL)"
    assert "a process of it lives on" in run_command([sys.executable, "-I", "-S", "-c", program]).problems


def test_a_part_with_a_failure_or_without_a_trial_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    whole, failed = Tally("part", 0), Tally("part", 0)
    whole.add("one", "done", [])
    failed.add("one", "done", ["it hung"])
    assert [tally.finish() for tally in (whole, failed, Tally("part", 0))] == [0, 1, 1]
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["outcomes"] for report in reports] == [{"done": 1}, {"failed": 1}, {}]
    assert reports[1]["failures"] == ["one: it hung"]
