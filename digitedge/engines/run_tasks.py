"""Have many tasks run by an engine, and some again."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from digitedge.engines.engine import Engine, Outcome

T = TypeVar("T")
R = TypeVar("R")

REPORT_EVERY_S = 0.5
"""How often `report` is called while nothing is done."""


def run_tasks(
    engine: Engine[T, R],
    tasks: Iterator[T],
    handle: Callable[[Outcome[Any, Any]], Iterable[T]],
    report: Callable[[], object] = lambda: None,
) -> None:
    """Run tasks until all are done.

    Args:
        engine: runs them; it was entered.
        tasks: asked for the next one when the engine wants more.
        handle: takes what came of a task, and returns the tasks that are to be tried again.
        report: called after each outcome, and about twice a second.

    Raises:
        EngineError: see `Engine.wait`.
    """
    again: deque[T] = deque()
    running = 0
    while True:
        while engine.free > 0 and (task := again.popleft() if again else next(tasks, None)) is not None:
            engine.submit(task)
            running += 1
        if not running and not again:
            return
        for outcome in engine.wait(REPORT_EVERY_S):
            running -= 1
            again.extend(handle(outcome))
        report()
