"""The worker processes, from the side of the event loop: who reads next, how long, and what happens if one dies."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

from digitedge.engines.process_pool import MAX_FAILED_STARTS, Worker
from digitedge.errors import DigitEdgeError, EngineError, ErrorKind
from digitedge.web.serve.read_upload import NAMELESS, Answer, Upload, UploadReader

_Worker = Worker[Upload | None, Answer]

MAX_DEATHS = 2
"""Processes that an upload may end before it is blamed: one may have been killed from outside."""
RESTART_PAUSE_S = 0.5
"""Before a process that did not start is started again."""


class NoWorkerError(DigitEdgeError):
    """All workers are busy for too long."""


class EndingError(DigitEdgeError):
    """The workers are being ended."""


class ReadingWorkers:
    """Processes that read one upload at a time; one that dies or takes too long costs that upload only.

    Attributes:
        ready: how many have loaded the model.
    """

    def __init__(
        self,
        reader: UploadReader,
        *,
        count: int,
        on_restart: Callable[[], None],
        on_failure: Callable[[DigitEdgeError], None],
    ) -> None:
        """Set up the workers.

        Args:
            reader: what they do.
            count: how many.
            on_restart: called when one is replaced.
            on_failure: called if no process can be started any more.
        """
        self.ready = 0
        self._reader = reader
        self._count = count
        self._on_restart = on_restart
        self._on_failure = on_failure
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        self._workers: list[_Worker] = []
        self._starts: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def start(self) -> None:
        """Start the processes; they are ready when they have loaded the model."""
        self._workers = [Worker(self._reader, prepare=self._reader.prepare_process) for _ in range(self._count)]
        for worker in self._workers:
            self._in_background(worker)

    def close(self) -> None:
        """End the processes, also in the middle of an upload; may be called twice."""
        self._is_closed = True
        for worker in self._workers:
            worker.kill()
            self._idle.put_nowait(worker)  # wakes those that wait

    async def finish(self) -> None:
        """Wait, after `close`, until no process is being started any more."""
        await asyncio.gather(*self._starts)

    async def read(self, upload: Upload) -> Answer:
        """Read an upload as soon as a worker is free.

        Raises:
            NoWorkerError: none is free in time.
            EndingError: the server ends.
            DigitEdgeError: the model cannot be used.
        """
        name, limits = upload.name or NAMELESS, self._reader.limits
        for _ in range(MAX_DEATHS):
            worker, future = await self._submit(upload)
            is_well = False
            try:
                answer = await asyncio.wait_for(asyncio.wrap_future(future), limits.time_s)
                is_well = True
                return answer
            except TimeoutError:
                message = f"{name}: it could not be read within {limits.time_s:g} s. Send it in parts."
                return Answer.refusal(ErrorKind.TOO_SLOW, message)
            except BrokenProcessPool as exc:
                if self._is_closed:
                    raise EndingError("the server ends") from exc
            finally:
                if is_well:
                    self._idle.put_nowait(worker)
                elif not self._is_closed:
                    self._replace(worker)
        message = f"{name}: it ended the processes that read it. It is damaged, or takes too much."
        return Answer.refusal(ErrorKind.CRASHED, message)

    async def _submit(self, upload: Upload) -> tuple[_Worker, Future[Answer]]:
        """Give an upload to a worker as soon as one is free; those that died while they were free are replaced."""
        try:
            async with asyncio.timeout(self._reader.limits.wait_s):
                while True:
                    worker = await self._idle.get()
                    if self._is_closed:
                        self._idle.put_nowait(worker)  # wakes the next one
                        raise EndingError("the server ends")
                    try:
                        return worker, worker.submit(upload)
                    except BrokenProcessPool:
                        self._replace(worker)
        except TimeoutError as exc:
            raise NoWorkerError("all workers are busy") from exc

    def _replace(self, worker: _Worker) -> None:
        self.ready -= 1
        self._on_restart()
        self._in_background(worker, restart=True)

    def _in_background(self, worker: _Worker, *, restart: bool = False) -> None:
        task = asyncio.create_task(self._make_ready(worker, restart=restart))
        self._starts.add(task)
        task.add_done_callback(self._starts.discard)

    async def _make_ready(self, worker: _Worker, *, restart: bool) -> None:
        """Let a new process load the model; if it dies meanwhile, start it again."""
        for _ in range(MAX_FAILED_STARTS):
            if restart:
                await asyncio.to_thread(worker.restart)  # waits for the end of the former
            if self._is_closed:
                worker.kill()
                return
            try:
                await asyncio.wrap_future(worker.submit(None))
            except BrokenProcessPool:
                if self._is_closed:
                    return
                restart = True
                await asyncio.sleep(RESTART_PAUSE_S)
            except DigitEdgeError as exc:
                self._on_failure(exc)
                return
            else:
                self.ready += 1
                self._idle.put_nowait(worker)
                return
        self._on_failure(EngineError("worker processes die as they start. Is there enough memory?"))
