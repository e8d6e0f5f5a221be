"""Programs as tasks."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from dask_processes import start_cluster
from engine_tasks import wait_until
from processes import start

from digitedge.engines.scripts import Script, _run, _Task, run_scripts
from digitedge.errors import DigitEdgeError

PROGRAM = """
import os, signal, subprocess, sys, time
from pathlib import Path
name = sys.argv[1]
print("began", name, flush=True)
if name == "fails":
    sys.exit("error: no data")
if name == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
if name == "starts":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    Path("pids.draft").write_text(f"{os.getpid()} {child.pid}")
    os.rename("pids.draft", "pids")
    child.wait()
if name in ("left", "right"):
    Path(f"{name} began").touch()
    end = time.monotonic() + 30
    while len(list(Path().glob("* began"))) < 2:
        if time.monotonic() > end:
            sys.exit("error: alone")
        time.sleep(0.05)
Path(name).write_text(str(time.monotonic()))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shared" / "scripts").mkdir(parents=True)
    (tmp_path / "shared" / "scripts" / "program.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path / "shared")
    return tmp_path / "shared"


def script(name: str) -> Script:
    return Script(name, ("scripts/program.py", name), Path("logs") / f"{name}.log")


def run(*names: str, scheduler: str | None = None) -> dict[str, str | None]:
    done: dict[str, str | None] = {}
    scripts = [script(name) for name in names]
    run_scripts(scripts, scheduler=scheduler, log=print, on_done=lambda one, failure: done.update({one.name: failure}))
    return done


def test_scripts_run_one_after_the_other_and_a_failure_loses_no_other(folder: Path) -> None:
    failures = run("first", "fails", "dies", "last")
    assert failures == {
        "first": None,
        "fails": "error: no data; see logs/fails.log",
        "dies": "it was ended by signal 9; see logs/dies.log",
        "last": None,
    }
    assert float((folder / "first").read_text()) < float((folder / "last").read_text())


def test_another_folder_under_the_same_path_is_an_error(folder: Path) -> None:
    (folder / "logs").mkdir()
    task = _Task(script("first"), folder, "token")
    for line in (None, "another\n"):
        if line is not None:
            (folder / "logs" / "first.log").write_text(line)
        with pytest.raises(DigitEdgeError, match=r"expected .*shared on a file system that the workers share"):
            _run(task)
    assert not (folder / "first").exists()


@pytest.mark.slow
def test_all_that_a_script_started_ends_with_the_command_that_is_killed(folder: Path) -> None:
    code = """
from pathlib import Path
from digitedge.engines.scripts import Script, run_scripts
if __name__ == "__main__":
    one = Script("starts", ("scripts/program.py", "starts"), Path("starts.log"))
    run_scripts([one], log=print, on_done=print)
"""
    (folder / "command.py").write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with start([sys.executable, "command.py"], env=environment, stdout=subprocess.DEVNULL) as process:
        wait_until((folder / "pids").exists)
        started = [psutil.Process(int(pid)) for pid in (folder / "pids").read_text().split()]
        assert len(started) == 2
        process.kill()
        _, alive = psutil.wait_procs(started, timeout=5)
        assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.slow
def test_a_cluster_runs_scripts_at_once(folder: Path, tmp_path: Path) -> None:
    with start_cluster(tmp_path) as cluster:
        cluster.start_workers("--nworkers", "2", "--nthreads", "1")
        failures = run("left", "fails", "right", scheduler=cluster.address)
    assert failures == {"left": None, "fails": "error: no data; see logs/fails.log", "right": None}
    assert (folder / "right").exists()
