"""The engine of one machine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import engine_tasks as work
import psutil
import pytest
from engine_tasks import run_tasks, wait_until
from processes import start

from digitedge.engines import ProcessPool, StuckError, open_engine
from digitedge.errors import EngineError, InputError


def test_each_task_comes_back_once() -> None:
    with ProcessPool(work.double, workers=2) as engine:
        outcomes = run_tasks(engine, range(100))
    assert sorted((o.task, o.result) for o in outcomes) == [(number, 2 * number) for number in range(100)]


def test_a_process_that_is_killed_is_replaced_and_its_task_has_died(tmp_path: Path) -> None:
    started = tmp_path / "started"
    with ProcessPool(work.tell_process_and_wait, workers=2) as engine:
        engine.submit((started, 100))
        engine.submit((tmp_path / "other", 0))
        first = run_tasks(engine, [], expected=1)
        wait_until(started.exists)
        os.kill(int(started.read_text()), signal.SIGKILL)
        second = run_tasks(engine, [], expected=1)
        assert [(o.task[1], o.deaths) for o in (*first, *second)] == [(0, 0), (100, 1)]
        assert {o.deaths for o in run_tasks(engine, [(started, 0)] * 4)} == {0}


def test_a_process_that_is_killed_while_it_waits_costs_no_task() -> None:
    with ProcessPool(work.report_process, workers=1) as engine:
        pid = run_tasks(engine, [0])[0].result[0]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not psutil.pid_exists(pid))
        time.sleep(0.2)  # the pool notices
        (outcome,) = run_tasks(engine, [1])
    assert not outcome.deaths and outcome.result[0] != pid


def test_a_function_that_does_harm_fails_alone() -> None:
    with ProcessPool(work.misbehave, workers=1) as engine:
        kinds = ["exit", "unpicklable error", "unpicklable result", "kill", "stuck", "none"]
        by_task = {o.task: o for o in run_tasks(engine, kinds)}
    assert str(by_task["exit"].error) == "SystemExit: 3"
    assert str(by_task["unpicklable error"].error) == "TwoArguments: one two"
    assert isinstance(by_task["unpicklable result"].error, TypeError)
    assert [o.task for o in by_task.values() if o.deaths] == ["kill"]
    assert isinstance(by_task["stuck"].error, StuckError)
    assert by_task["none"].result not in (None, int(str(by_task["stuck"].error).split()[-1]))


def test_what_a_function_raises_comes_back_with_its_traceback() -> None:
    with open_engine(work.divide_ten, workers=1) as engine:
        by_task = {o.task: o for o in run_tasks(engine, [5, 0])}
    assert by_task[5].result == 2.0
    assert isinstance(by_task[0].error, ZeroDivisionError)
    assert "in divide_ten" in by_task[0].error.__notes__[0]


def test_a_task_that_cannot_be_pickled_is_an_error_of_this_task() -> None:
    with ProcessPool(work.report_process, workers=1) as engine:
        by_result = {type(o.error) for o in run_tasks(engine, [lambda: 1, 1])}
    assert by_result == {AttributeError, type(None)}


def test_a_function_that_no_other_process_finds_is_refused() -> None:
    with pytest.raises(InputError, match="expected a function of a module's top level, got <function"):
        ProcessPool(lambda number: number)


def test_processes_that_die_as_they_start_end_the_pool() -> None:
    with (
        ProcessPool(work.double, workers=1, prepare=work.die_at_start) as engine,
        pytest.raises(EngineError, match="got 5 in a row that died at the start"),
    ):
        run_tasks(engine, range(10))


RUN = """
import os
from engine_tasks import run_tasks, report_process, set_mark, wait_and_double
from digitedge.engines import ProcessPool
if __name__ == "__main__":
    with ProcessPool(report_process, workers=2, prepare=set_mark) as first:
        results = {outcome.result for outcome in run_tasks(first, range(20))}
        assert {mark for _, mark in results} == {1}
        with ProcessPool(wait_and_double, workers=2) as engine:
            engine.submit((100, 1))
            while not all(worker.has_started for worker in engine._workers):
                engine.wait(0.05)
            print("started", flush=True)
            engine.wait(100)
"""


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
    ids=lambda number: number.name,
)
def test_no_process_outlives_its_parent(tmp_path: Path, number: signal.Signals) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    tests = Path(work.__file__).parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    with start([sys.executable, script], **options) as process:
        assert process.stdout is not None and process.stdout.readline() == "started\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4
        process.send_signal(number)
        process.communicate(timeout=10)
        _, alive = psutil.wait_procs(children, timeout=3)
        assert [child for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []


def test_processes_do_algebra_in_one_thread_unless_the_user_wants_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with ProcessPool(os.getenv, workers=1) as engine:
        (outcome,) = run_tasks(engine, ["OPENBLAS_NUM_THREADS"])
    assert outcome.result == "1"
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with ProcessPool(os.getenv, workers=1) as engine:
        (outcome,) = run_tasks(engine, ["OPENBLAS_NUM_THREADS"])
    assert outcome.result == os.environ["OPENBLAS_NUM_THREADS"] == "2"
