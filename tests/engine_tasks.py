"""Functions that engines call in the tests, and the loop that gives an engine its tasks."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from digitedge.engines import Engine, Outcome, StuckError


def double(number: int) -> int:
    return 2 * number


def log_and_double(task: tuple[Path, int]) -> int:
    """Append the number to a file, so that a test sees what ran how often."""
    path, number = task
    with path.open("a") as file:
        file.write(f"{number} {os.getpid()}\n")
    time.sleep(0.02)
    return 2 * number


def wait_and_double(task: tuple[float, int]) -> int:
    seconds, number = task
    time.sleep(seconds)
    return 2 * number


def tell_process_and_wait(task: tuple[Path, float]) -> None:
    """Write the id of the process into a file, then wait."""
    path, seconds = task
    draft = path.with_name(f"{path.name}.draft")
    draft.write_text(str(os.getpid()))
    draft.rename(path)
    time.sleep(seconds)


def divide_ten(number: int) -> float:
    return 10 / number


class TwoArguments(Exception):
    """Cannot be unpickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def misbehave(kind: str | int) -> object:
    match kind:
        case "exit":
            sys.exit(3)
        case "unpicklable error":
            raise TwoArguments("one", "two")
        case "unpicklable result":
            return threading.Lock()
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stuck":
            threading.Thread(target=time.sleep, args=(1000,)).start()
            raise StuckError(f"expected an end, got a thread that goes on in the process {os.getpid()}")
    return os.getpid()


def report_process(_: int) -> tuple[int, int | None]:
    """The process, and what `set_mark` set in it."""
    return os.getpid(), getattr(sys, "digitedge_mark", None)


_MEETING = threading.Barrier(2, timeout=20)


def meet_another(number: int) -> tuple[int, int | None]:
    """As `report_process`, when two threads of the process are here at once."""
    _MEETING.wait()
    return report_process(number)


def set_mark() -> None:
    sys.digitedge_mark = getattr(sys, "digitedge_mark", 0) + 1  # type: ignore[attr-defined]


def die_at_start() -> None:
    os._exit(7)


def run_tasks(
    engine: Engine[Any, Any], tasks: Iterable[Any], *, expected: int | None = None, limit_s: float = 60
) -> list[Outcome[Any, Any]]:
    """Give an engine tasks as it wants them, until all are done, or as many as expected."""
    left, outcomes = list(tasks), []
    expected = expected or len(left)
    deadline = time.monotonic() + limit_s
    while len(outcomes) < expected:
        assert time.monotonic() < deadline, f"{len(outcomes)} of {expected} tasks in {limit_s} s"
        while left and engine.free:
            engine.submit(left.pop(0))
        outcomes += engine.wait(timeout_s=1)
    return outcomes


def wait_until(holds: Callable[[], bool], *, limit_s: float = 30) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
