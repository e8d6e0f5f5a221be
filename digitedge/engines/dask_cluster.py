"""The engine of many machines: a cluster of Dask `distributed` that runs already.

A task and its result are pickled bytes for Dask. So what cannot be unpickled on a worker, which has another digitedge,
is not taken for an error of the task.
"""

import asyncio
import logging
import pickle
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, Self, TypeVar

from digitedge.engines import dask_worker
from digitedge.engines.attempt import check_function
from digitedge.engines.engine import Outcome, StuckError
from digitedge.errors import EngineError, require
from digitedge.utils.version import __version__

T = TypeVar("T")
R = TypeVar("R")

CONNECT_TIMEOUT_S = 8
ANSWER_TIMEOUT_S = 10
"""A scheduler that does not answer for so long is taken for gone."""

RESTART_TIMEOUT_S = 10
POLL_S = 1.0
"""Between two looks at which workers there are."""

TASKS_PER_THREAD = 2
"""One runs and one waits, so that a thread never waits for the way to the client and back."""

NOTE_AFTER_S = 3
LOGGERS = ("distributed", "tornado", "asyncio")


class DaskCluster(Generic[T, R]):
    """Calls a function in the workers of a Dask cluster. Leaving the context cancels what is left, and not the cluster.

    A task whose worker died is run again by the scheduler, up to its `allowed-failures` (3), before it comes back with
    its deaths. A worker with several threads runs as many tasks at once.
    """

    def __init__(
        self,
        function: Callable[[T], R],
        address: str,
        *,
        prepare: Callable[[], None] | None = None,
        log: Callable[[str], object] = lambda _: None,
        workers_timeout_s: float = 120,
    ) -> None:
        """Set up the engine; it connects on entering the `with` block.

        Args:
            function: of a module's top level; called with a task. With threads, several times at once.
            address: of the scheduler, such as "tcp://10.0.0.1:8786". `tls://` takes the certificates that Dask's own
                configuration names.
            prepare: called once in each process of the workers, before their first task.
            log: gets notes, such as that there are no workers yet.
            workers_timeout_s: how long to wait when there are no workers, at the start or later.

        Raises:
            InputError: another process could not find the function.
        """
        check_function(function)
        self._function = function
        self._prepare = prepare
        self._address = address
        self._log = log
        self._workers_timeout_s = workers_timeout_s
        self._threads = 0
        self._looked = 0.0
        self._without_workers_since: float | None = None
        self._noted = False
        self._client: Any = None
        self._running: dict[str, tuple[Any, T]] = {}  # key -> its future and the task
        self._done: SimpleQueue[Any] = SimpleQueue()  # futures
        self._stack = ExitStack()

    @property
    def workers(self) -> int:
        """Number of threads of all workers at the moment; 0 if there are no workers yet."""
        return self._threads

    @property
    def free(self) -> int:
        """How many more tasks keep all threads busy; 1 without workers, for clusters that grow when there is work."""
        return max(max(TASKS_PER_THREAD * self._threads, 1) - len(self._running), 0)

    def submit(self, task: T) -> None:
        """Send a task to the scheduler.

        Raises:
            EngineError: the scheduler is gone.
        """
        if self._client.status != "running":  # the client would raise, or keep the task
            raise self._gone("a closed connection")
        content = pickle.dumps((self._function, self._prepare, task))
        name = getattr(self._function, "__name__", "digitedge")
        key = f"{name}-{uuid.uuid4().hex}"  # Dask shows tasks by the part before the id
        future = self._client.submit(dask_worker.call, content, __version__, key=key, pure=False, retries=0)
        self._running[key] = future, task
        future.add_done_callback(self._done.put)

    def wait(self, timeout_s: float) -> Sequence[Outcome[T, R]]:
        """Return what is done; see `Engine`.

        Raises:
            EngineError: the scheduler is gone; there were no workers for too long; or one cannot run the function.
        """
        deadline = time.monotonic() + timeout_s
        done: list[Any] = []
        self._look()
        while self._running and not done:
            remaining = deadline - time.monotonic()
            with suppress(Empty):
                done.append(self._done.get(timeout=max(min(remaining, POLL_S), 0)))
            if remaining <= 0:
                break
            self._look()
        with suppress(Empty):
            while done:
                done.append(self._done.get_nowait())
        outcomes = [self._finish(future) for future in done]
        return [outcome for outcome in outcomes if outcome is not None]

    def _look(self) -> None:
        """Count the threads of the workers, once in a while."""
        now = time.monotonic()
        if now - self._looked < POLL_S:
            return
        try:
            client = self._client
            counts = client.sync(client.scheduler.ncores, workers=None, callback_timeout=ANSWER_TIMEOUT_S)
        except Exception as exc:  # of sockets, of tornado, of Dask
            raise self._gone(exc) from exc
        self._looked = time.monotonic()
        self._threads = sum(counts.values())
        if self._threads:
            self._without_workers_since, self._noted = None, False
            return
        start = "Start one: dask worker ADDRESS"
        self._without_workers_since = self._without_workers_since or now
        waited = now - self._without_workers_since
        if waited >= self._workers_timeout_s:
            raise EngineError(f"expected workers at {self._address}, got none in {waited:.0f} s. {start}")
        if waited >= NOTE_AFTER_S and not self._noted:
            self._noted = True
            self._log(f"note: no workers at {self._address}; waiting {self._workers_timeout_s:.0f} s for one. {start}")

    def _finish(self, future: Any) -> Outcome[T, R] | None:
        """What came of a task; None if Dask calculates it again, because a worker died with the result."""
        from distributed import KilledWorker

        _, task = self._running[future.key]
        if future.status == "cancelled":
            raise self._gone("a closed connection")
        try:
            reply = pickle.loads(future.result(timeout=ANSWER_TIMEOUT_S))
        except TimeoutError:
            self._done.put(future)
            return None
        except KilledWorker as exc:
            del self._running[future.key]
            return Outcome(task, deaths=exc.allowed_failures + 1)
        except Exception as exc:
            if self._client.status != "running":
                raise self._gone(exc) from exc
            raise self._unfit(exc.__cause__ or exc) from exc
        if reply.refused is not None:
            raise self._unfit(f"{reply.worker}: {reply.refused}")
        del self._running[future.key]
        if isinstance(reply.error, StuckError):
            self._restart(reply.worker)
        result = None if reply.result is None else pickle.loads(reply.result)
        return Outcome(task, result, reply.error)

    def _restart(self, worker: str) -> None:
        """Replace the process of a worker, or let it end if nothing would start it again."""
        with suppress(OSError, TimeoutError):  # it is gone by itself
            try:
                self._client.restart_workers([worker], timeout=RESTART_TIMEOUT_S, raise_for_error=False)
            except ValueError:
                self._log(f"note: the worker {worker} is stuck, and retired: it has no nanny that starts it again")
                self._client.retire_workers([worker], close_workers=True)

    def _gone(self, got: object) -> EngineError:
        return EngineError(
            f"expected the Dask scheduler at {self._address} to answer, got {_one_line(got)}. Start it and run "
            "the same command again."
        )

    def _unfit(self, got: object) -> EngineError:
        return EngineError(
            f"expected a cluster that can run digitedge, got {_one_line(got)}. Install the scheduler and the workers "
            f"as it is installed here: {dask_worker.describe_python()}, with the extra cluster."
        )

    def __enter__(self) -> Self:
        """Connect to the scheduler.

        Raises:
            MissingExtraError: `distributed` is not installed.
            EngineError: there is no scheduler.
        """
        distributed = require("distributed", extra="cluster")
        self._stack.enter_context(_quiet_loggers())
        try:
            asyncio.run(_connect_once(self._address))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about other versions of its packages
                self._client = distributed.Client(self._address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
            self._look()
        except BaseException as exc:
            self.__exit__()
            if not isinstance(exc, Exception):
                raise
            raise EngineError(
                f"expected a Dask scheduler at {self._address}, got {_one_line(exc)}. Start one: dask scheduler"
            ) from exc
        return self

    def __exit__(self, *_: object) -> None:
        """Cancel what is left and disconnect."""
        with self._stack:
            if self._client is not None:
                with suppress(Exception):  # the scheduler may be gone
                    self._client.close(timeout=2)
                self._client = None
            self._running.clear()


async def _connect_once(address: str) -> None:
    """Connect and disconnect: a Client waits for ever for a server that is no scheduler; not all errors close it."""
    from distributed.comm import connect
    from distributed.security import Security

    options = Security().get_connection_args("client")  # of Dask's own configuration
    async with asyncio.timeout(CONNECT_TIMEOUT_S + 1):
        comm = await connect(address, timeout=CONNECT_TIMEOUT_S, **options)
    comm.abort()


def _one_line(got: object) -> str:
    """The first line of an error, with its type where the text alone may say little."""
    text = f"{type(got).__name__}: {got}" if isinstance(got, BaseException) else str(got)
    return text.strip().partition("\n")[0].rstrip(".:")


@contextmanager
def _quiet_loggers() -> Iterator[None]:
    """Keep what Dask and Tornado log of lost connections from stderr: it comes as an error."""
    loggers = [logging.getLogger(name) for name in (*logging.root.manager.loggerDict, *LOGGERS)]
    chosen = {logger: logger.level for logger in loggers if logger.name.partition(".")[0] in LOGGERS}
    for logger in chosen:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in chosen.items():
            logger.setLevel(level)
