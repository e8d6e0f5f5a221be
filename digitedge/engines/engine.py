"""What an engine is: it calls one function with many tasks in other processes, and returns what came of each.

    engine.submit(task)            as many as `free` says
    for outcome in engine.wait():  the tasks that are done, in any order

A task is run once; who wants it again submits it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from digitedge.errors import DigitEdgeError

T = TypeVar("T")
R = TypeVar("R")


class StuckError(DigitEdgeError):
    """Raised by a function of which a thread does not end: its process must not be used again."""


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T, R]):
    """What came of a task.

    Attributes:
        task: as it was submitted.
        result: what the function returned; None if it raised, or its process died.
        error: what it raised. After a StuckError the engine has replaced the process.
        deaths: processes that were killed or crashed while they ran it; there is no result then. Whether the task was
            to blame is not known.
    """

    task: T
    result: R | None = None
    error: Exception | None = None
    deaths: int = 0


class Engine(Protocol[T, R]):
    """Calls a function in other processes. A context: leaving it ends them, also in the middle of a task."""

    @property
    def workers(self) -> int:
        """Number of processes that take tasks."""

    @property
    def free(self) -> int:
        """How many more tasks are wanted now, so that no process waits."""

    def submit(self, task: T) -> None:
        """Start a task, soon."""

    def wait(self, timeout_s: float) -> Sequence[Outcome[T, R]]:
        """Return what is done, as soon as something is; nothing after `timeout_s`.

        Raises:
            EngineError: there are no processes any more: they cannot start, or the scheduler is gone.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
