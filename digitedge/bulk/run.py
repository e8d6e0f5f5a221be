"""Run a job: list the documents, count their pages, cut shards, have them read, and write what comes back.

This process opens no document. It is the only one that writes: a shard that two workers have read, or none, is in the
folder once, or not yet.
"""

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from digitedge.bulk.crash_search import MAX_DEATHS, CrashSearch
from digitedge.bulk.job_folder import JobFolder, shard_name
from digitedge.bulk.progress import Progress
from digitedge.bulk.shard import PAGE_LIMIT_S, CountTask, ShardPart, ShardResult, ShardTask, StuckPageError
from digitedge.bulk.summary import Summary, write_summary
from digitedge.documents.listing import walk_documents
from digitedge.engines import Engine, Outcome
from digitedge.errors import (
    DigitEdgeError,
    ErrorKind,
    InputError,
    MissingExtraError,
    ModelError,
    ParityError,
    first_line,
)
from digitedge.reader.page_result import PageFailure
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader_spec import ReaderSpec

Task = CountTask | ShardTask
Result = dict[int, int] | ShardResult

TICK_S = 0.5
"""How often progress is reported while nothing is done."""
MAX_FAILED_SHARDS = 5
"""Shards that fail before the first one is done: then all would."""
CRASHED = PageFailure(
    ErrorKind.CRASHED,
    f"reading this page ended {MAX_DEATHS} processes: it is damaged in an unknown manner, or takes more memory than "
    "there is. Look at it alone, with digitedge predict.",
)
TOO_SLOW = PageFailure(ErrorKind.TOO_SLOW, f"reading this page takes longer than {PAGE_LIMIT_S:.0f} s.")


@dataclass(frozen=True, slots=True)
class Job:
    """What is read, and how.

    Attributes:
        documents: files, folders, patterns and addresses, as `walk_documents` takes them.
        reader: makes the reader in each process.
        options: how pages are read.
        formats: names in `digitedge.bulk.formats.FORMATS`.
    """

    documents: Sequence[str]
    reader: ReaderSpec
    options: ReadOptions
    formats: tuple[str, ...]

    def manifest(self) -> dict[str, Any]:
        """What must be the same when the job is resumed: plain JSON."""
        return {
            "documents": list(self.documents),
            "reader": asdict(self.reader),
            "options": asdict(self.options),
            "formats": list(self.formats),
        }


def run_job(
    job: Job,
    folder: Path,
    engine: Engine[Task, Result],
    *,
    list_file: TextIO | None = None,
    retry_errors: bool = False,
    on_progress: Callable[[Progress], object] = lambda progress: None,
    log: Callable[[str], object] = lambda line: None,
) -> Summary:
    """Run a job, or resume it.

    Args:
        job: what is read.
        folder: of the results; new, or that of the same job.
        engine: calls `digitedge.bulk.shard.run_task`; it is entered here.
        list_file: where a list of documents is read, if they are "-".
        retry_errors: read shards again that have errors.
        on_progress: called about twice a second.
        log: gets lines on what happens.

    Raises:
        InputError: the folder is that of another job, or there are no documents.
        ModelError, MissingExtraError: no worker can read with this model.
        EngineError: there are no workers any more. The same call goes on where this one ended.
        DigitEdgeError: the disk is full.
    """
    with JobFolder(folder, job.manifest()) as opened, _say_how_to_go_on(opened, log), engine:
        found = walk_documents(job.documents, list_file=list_file)
        opened.update_documents(one for one in found if not _is_in(one.source, folder))
        if not opened.totals().documents:
            raise InputError("expected documents, got none: images, PDF, TIFF, zip and tar files are read.")
        _Counting(opened, engine, log).run()
        opened.cut_shards()
        opened.check_results(retry_errors=retry_errors)
        totals = opened.totals()
        progress = Progress(totals.pages, totals.pages_done, workers=engine.workers)
        if totals.shards_done:
            log(f"resumed: {totals.shards_done:,} of {totals.shards:,} shards are done")
        _Reading(opened, engine, job, progress, on_progress, log).run()
        return write_summary(opened, progress)


def _is_in(source: str, folder: Path) -> bool:
    """Whether a document is one of the results: they may lie in a folder that is read."""
    return os.path.abspath(source).startswith(os.path.abspath(folder) + os.sep)


@contextmanager
def _say_how_to_go_on(folder: JobFolder, log: Callable[[str], object]) -> Iterator[None]:
    """After Ctrl-C, a full disk or a lost cluster, say what is done."""
    try:
        yield
    except InputError:
        raise
    except BaseException:
        with suppress(DigitEdgeError):
            totals = folder.totals()
            log(f"stopped: {totals.shards_done:,} of {totals.shards:,} shards are done; the same command goes on")
        raise


def drive(
    engine: Engine[Task, Result],
    tasks: Iterator[Task],
    handle: Callable[[Outcome[Any, Any]], Iterable[Task]],
    tick: Callable[[], object] = lambda: None,
) -> None:
    """Have tasks run until all are done; `handle` takes an outcome and returns what is to be tried again."""
    again: deque[Task] = deque()
    running = 0
    while True:
        while engine.free > 0 and (task := again.popleft() if again else next(tasks, None)):
            engine.submit(task)
            running += 1
        if not running and not again:
            return
        for outcome in engine.wait(TICK_S):
            running -= 1
            again.extend(handle(outcome))
        tick()


class _Counting:
    """Counts the pages of documents that may have several."""

    def __init__(self, folder: JobFolder, engine: Engine[Task, Result], log: Callable[[str], object]) -> None:
        self._folder = folder
        self._engine = engine
        self._log = log
        self._failures = Counter[int]()

    def run(self) -> None:
        tasks = (CountTask(batch, os.getcwd()) for batch in self._folder.documents_to_count())
        drive(self._engine, tasks, self._handle)

    def _handle(self, outcome: Outcome[CountTask, dict[int, int]]) -> Iterable[Task]:
        if outcome.result is not None:
            self._folder.set_counts(outcome.result)
            return ()
        documents = outcome.task.documents
        if len(documents) > 1:  # one of them ends the process, or is stuck
            return [replace(outcome.task, documents={number: source}) for number, source in documents.items()]
        [number] = documents
        self._failures[number] += 1
        if self._failures[number] < MAX_DEATHS:
            return [outcome.task]
        self._folder.give_up_counting(number)
        return ()


@dataclass(slots=True)
class _Attempt:
    """A shard that is being read."""

    parts: tuple[ShardPart, ...]
    search: CrashSearch
    skipped: dict[int, PageFailure] = field(default_factory=dict)


class _Reading:
    """Reads the shards."""

    def __init__(
        self,
        folder: JobFolder,
        engine: Engine[Task, Result],
        job: Job,
        progress: Progress,
        on_progress: Callable[[Progress], object],
        log: Callable[[str], object],
    ) -> None:
        self._folder = folder
        self._engine = engine
        self._job = job
        self._progress = progress
        self._on_progress = on_progress
        self._log = log
        self._attempts: dict[int, _Attempt] = {}
        self._done = self._failed = 0

    def run(self) -> None:
        drive(self._engine, self._tasks(), self._handle, self._tick)

    def _tick(self) -> None:
        self._progress.workers = self._engine.workers
        self._on_progress(self._progress)

    def _tasks(self) -> Iterator[Task]:
        for number, parts in self._folder.shards_to_do():
            self._attempts[number] = _Attempt(parts, CrashSearch(sum(part.pages for part in parts)))
            yield self._task(number)

    def _task(self, number: int) -> ShardTask:
        job, attempt = self._job, self._attempts[number]
        return ShardTask(
            number,
            job.reader,
            job.options,
            job.formats,
            attempt.parts,
            os.getcwd(),
            dict(attempt.skipped),
            attempt.search.pages_to_try(),
        )

    def _handle(self, outcome: Outcome[ShardTask, ShardResult]) -> Iterable[Task]:
        number, attempt = outcome.task.number, self._attempts[outcome.task.number]
        if outcome.result is not None and outcome.task.span is None:
            self._finish(number, outcome.result)
            return ()
        if outcome.result is not None:
            attempt.search.succeeded()
        elif outcome.deaths:
            attempt.search.died(outcome.deaths)
            attempt.skipped |= dict.fromkeys(attempt.search.crashing, CRASHED)
            self._log(f"a process ended while it read {shard_name(number)}, which is tried again")
            if attempt.search.is_hopeless:
                self._set_aside(number, "reading it ended too many processes")
                return ()
        elif isinstance(outcome.error, StuckPageError):
            attempt.skipped[outcome.error.index] = TOO_SLOW
        elif outcome.error is not None:
            self._fail(number, outcome.error)
            return ()
        return [self._task(number)]

    def _finish(self, number: int, result: ShardResult) -> None:
        expected = sum(part.pages for part in self._attempts.pop(number).parts)
        self._folder.finish(number, result)
        self._done += 1
        self._progress.pages += result.pages - expected
        self._progress.done += result.pages
        self._progress.errors.update(result.errors)

    def _fail(self, number: int, error: Exception) -> None:
        """Set a shard aside that raised; raise if every one would."""
        self._failed += 1
        is_general = isinstance(error, ModelError | ParityError | MissingExtraError)
        if is_general or (not self._done and self._failed >= MAX_FAILED_SHARDS):
            raise error
        self._set_aside(number, f"{type(error).__name__}: {first_line(error)}")

    def _set_aside(self, number: int, reason: str) -> None:
        del self._attempts[number]
        self._folder.set_aside(number, reason)
        self._log(f"{shard_name(number)} is set aside: {reason}")
