"""Long programs as tasks, such as trainings: each is a Python process of its own, and its files are the result.

On a cluster the folder must be on a file system that all workers share. The log that `run_scripts` begins shows it.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitedge.engines.choice import open_engine
from digitedge.engines.engine import Outcome
from digitedge.engines.run_tasks import run_tasks
from digitedge.errors import DigitEdgeError

# The processes that a script starts must end with the worker too, also when that is killed: then its end of the pipe
# closes. So the script gets a group of its own, and ends the group.
_RUN = """\
import os, runpy, signal, sys, threading

def end_with_worker():
    os.read(0, 1)  # sys.stdin has a lock, which would be held as this process ends
    os.killpg(0, signal.SIGKILL)

threading.Thread(target=end_with_worker, daemon=True).start()
del sys.argv[0]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Script:
    """A program to run.

    Attributes:
        name: for messages.
        arguments: path of a Python file from the folder, and what it gets.
        log: file for its output.
    """

    name: str
    arguments: tuple[str, ...]
    log: Path


@dataclass(frozen=True, slots=True)
class _Task:
    script: Script
    folder: Path
    token: str


def run_scripts(
    scripts: Sequence[Script],
    *,
    scheduler: str | None = None,
    log: Callable[[str], object],
    on_done: Callable[[Script, str | None], object],
) -> None:
    """Run scripts from the current folder: one after the other here, or at once on the workers of a cluster.

    Args:
        scripts: each is run once, however the others end.
        scheduler: address of a Dask scheduler; None for this machine.
        log: gets notes of the cluster.
        on_done: called for each script as it ends, with None or why it failed.

    Raises:
        EngineError: the scheduler is absent or goes away, or there are no workers.
    """
    folder, token = Path.cwd(), uuid.uuid4().hex

    def tasks() -> Iterator[_Task]:
        for script in scripts:
            script.log.parent.mkdir(parents=True, exist_ok=True)
            script.log.write_text(f"{token}\n", encoding="utf-8")
            yield _Task(script, folder, token)

    def handle(outcome: Outcome[_Task, None]) -> Sequence[_Task]:
        on_done(outcome.task.script, _describe_failure(outcome))
        return ()

    with open_engine(_run, scheduler=scheduler, workers=1 if scheduler is None else None, log=log) as engine:
        run_tasks(engine, tasks(), handle)


def _describe_failure(outcome: Outcome[_Task, None]) -> str | None:
    if outcome.deaths:
        return f"the process that ran it was killed; see {outcome.task.script.log}"
    return None if outcome.error is None else str(outcome.error)


def _run(task: _Task) -> None:
    """Run a script to its end, in a process group that ends with this process.

    Raises:
        DigitEdgeError: it failed, or the folder is not the one that the task came from.
    """
    path = task.folder / task.script.log
    if not path.is_file() or path.read_text(encoding="utf-8").split("\n")[0] != task.token:
        raise DigitEdgeError(
            f"expected {task.folder} on a file system that the workers share, got another folder or none where this "
            "worker runs. Mount it there under the same path."
        )
    command = [sys.executable, "-P", "-c", _RUN, *task.script.arguments]
    with (
        path.open("ab") as log,
        subprocess.Popen(
            command,
            cwd=task.folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=os.name != "nt",
        ) as process,
    ):
        code = process.wait()
    if code:
        last = path.read_text(encoding="utf-8", errors="replace").split("\n", 1)[1].strip().rpartition("\n")[2]
        ended = f"it exited with code {code}" if code > 0 else f"it was ended by signal {-code}"
        raise DigitEdgeError(f"{last if code > 0 and last else ended}; see {task.script.log}")
