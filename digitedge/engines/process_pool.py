"""The engine of one machine: a pool of processes.

Each process is a `ProcessPoolExecutor` of its own. The standard library declares a whole pool broken when one process
dies, and does not say which task it had; of a pool of one process it is known.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from typing import Generic, Self, TypeVar

from digitedge.engines.attempt import Attempt, attempt, check_function
from digitedge.engines.engine import Outcome, StuckError
from digitedge.errors import EngineError

T = TypeVar("T")
R = TypeVar("R")

MAX_FAILED_STARTS = 5
"""A process that dies before its first task so often in a row cannot start here."""
# Read as NumPy and OpenCV are imported. Their threads wait for work in a loop: without this, two processes on two cores
# took 1.6 times the processor time for a page, and were no faster than one. The workers of Dask have it, too.
ONE_THREAD = "OPENBLAS_NUM_THREADS"


def available_cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes that start in this block do algebra in one thread, unless the user wants more."""
    if ONE_THREAD in os.environ:
        yield
        return
    os.environ[ONE_THREAD] = "1"
    try:
        yield
    finally:
        os.environ.pop(ONE_THREAD, None)


class Worker(Generic[T, R]):
    """One process that calls a function, and is replaced when it dies."""

    def __init__(self, function: Callable[[T], R], *, prepare: Callable[[], None] | None = None) -> None:
        """Start the process.

        Args:
            function: of a module's top level.
            prepare: called once in each new process, before the first task; of a module's top level, too.
        """
        self._function = function
        self._prepare = prepare
        self.start()

    def start(self) -> None:
        """Start the process."""
        self._executor = ProcessPoolExecutor(
            1, multiprocessing.get_context("spawn"), initializer=_prepare_process, initargs=(self._prepare,)
        )
        # The first call starts the process, and returns its id.
        with _one_thread():
            self._pid: Future[int] = self._executor.submit(os.getpid)

    def submit(self, task: T) -> Future[R]:
        """Call the function with a task. The future raises BrokenProcessPool if the process dies.

        Raises:
            BrokenProcessPool: it died while it had nothing to do.
        """
        return self._executor.submit(self._function, task)

    def restart(self) -> None:
        """Put a new process in the place of one that is dead or not wanted any more."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """End the process at once, also in the middle of a task."""
        for process in list((self._executor._processes or {}).values()):  # Python 3.14 has kill_workers()
            process.kill()
        self._executor.shutdown(cancel_futures=True)  # waits for its threads, which notice the end

    @property
    def has_started(self) -> bool:
        """Whether the process has come so far that it takes tasks."""
        return self._pid.done() and not self._pid.cancelled() and self._pid.exception() is None


class ProcessPool(Generic[T, R]):
    """Calls a function in several processes of this machine."""

    def __init__(
        self, function: Callable[[T], R], *, workers: int | None = None, prepare: Callable[[], None] | None = None
    ) -> None:
        """Set up the pool; the processes start on entering the `with` block.

        Args:
            function: of a module's top level; called with a task.
            workers: number of processes; None for one for each core.
            prepare: called once in each new process; of a module's top level.

        Raises:
            InputError: another process could not find the function.
        """
        check_function(function)
        self._function = partial(attempt, function)
        self._prepare = prepare
        self._count = workers or available_cores()
        self._workers: list[Worker[T, Attempt[R]]] = []
        self._idle: list[Worker[T, Attempt[R]]] = []
        self._running: dict[Future[Attempt[R]], tuple[Worker[T, Attempt[R]], T]] = {}
        self._failed_starts = 0

    @property
    def workers(self) -> int:
        """Number of processes."""
        return self._count

    @property
    def free(self) -> int:
        """How many processes wait for a task."""
        return len(self._idle)

    def submit(self, task: T) -> None:
        """Give a task to a process that waits."""
        worker = self._idle.pop()
        try:
            future = worker.submit(task)
        except BrokenProcessPool:
            worker.restart()
            future = worker.submit(task)
        self._running[future] = worker, task

    def wait(self, timeout_s: float) -> Sequence[Outcome[T, R]]:
        """Return what is done; see `Engine`."""
        done, _ = wait(self._running, timeout=timeout_s, return_when=FIRST_COMPLETED)
        return [self._finish(future) for future in done]

    def _finish(self, future: Future[Attempt[R]]) -> Outcome[T, R]:
        worker, task = self._running.pop(future)
        broken = future.exception()
        if isinstance(broken, BrokenProcessPool):
            self._failed_starts = 0 if worker.has_started else self._failed_starts + 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                raise EngineError(
                    f"expected processes that take tasks, got {self._failed_starts} in a row that died at the start. "
                    "Is there enough memory? Try --workers 1."
                )
            worker.restart()
            outcome: Outcome[T, R] = Outcome(task, deaths=1)
        elif isinstance(broken, Exception):  # the task or its result cannot be pickled
            outcome = Outcome(task, error=broken)
        else:
            self._failed_starts = 0
            outcome = Outcome(task, *future.result())
            if isinstance(outcome.error, StuckError):
                worker.restart()
        self._idle.append(worker)
        return outcome

    def __enter__(self) -> Self:
        """Start the processes."""
        self._workers = [Worker(self._function, prepare=self._prepare) for _ in range(self._count)]
        self._idle = list(self._workers)
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.kill()
        self._workers, self._idle, self._running = [], [], {}  # frees their semaphores


def _prepare_process(prepare: Callable[[], None] | None) -> None:
    """Make a new process end with its parent, and leave Ctrl-C to it."""
    for number in (signal.SIGINT, getattr(signal, "SIGHUP", None)):
        if number is not None:
            signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    if prepare is not None:
        prepare()


def _end_with(sentinel: int) -> None:
    """End this process when the parent is gone: it would wait for tasks for ever."""
    with suppress(OSError):
        multiprocessing.connection.wait([sentinel])
    os._exit(1)
