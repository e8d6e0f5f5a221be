"""Run a job: list the documents, count their pages, cut shards, have them read, and write what comes back.

This process opens no document. It is the only one that writes: a shard that two workers have read, or none, is in the
folder once, or not yet.
"""

import hashlib
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from digitedge.bulk.crash_search import MAX_DEATHS, CrashSearch
from digitedge.bulk.job_folder import JobFolder, shard_name
from digitedge.bulk.progress import Progress
from digitedge.bulk.shard import PAGE_LIMIT_S, ShardPart, ShardResult, ShardTask, StuckPageError
from digitedge.bulk.summary import Summary, write_summary
from digitedge.bulk.worker import Counts, CountTask, Task
from digitedge.documents.listing import walk_documents
from digitedge.documents.storage import is_address, shown_name
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
from digitedge.utils.memory_limit import MEMORY_VARIABLE

Result = Counts | ShardResult

REPORT_EVERY_S = 0.5
"""How often progress is reported while nothing is done."""
COUNTING_EVERY_S = 30.0
"""Between two lines on counting pages."""
MAX_FAILED_SHARDS = 5
"""Shards that fail before the first one is done: then all would."""
MAX_UNREACHABLE_SHARDS = 3
"""Shards in a row of which no page can be reached: then a disk or a network is gone."""
SHARED_FILE = (
    "their results stand in one file with those of documents that are not there any more. Bring these back, or add "
    "--forget-missing"
)
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
        """What must be the same when the job is resumed: plain JSON without secrets."""
        is_relative = not all(is_address(one) or os.path.isabs(one) for one in self.documents)
        return {
            "documents": [shown_name(one) for one in self.documents],
            "documents_sha256": hashlib.sha256("\0".join(self.documents).encode(errors="surrogatepass")).hexdigest(),
            "folder": os.getcwd() if is_relative else None,
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
    forget_missing: bool = False,
    on_progress: Callable[[Progress], object] = lambda progress: None,
    log: Callable[[str], object] = lambda line: None,
) -> Summary:
    """Run a job, or resume it.

    Args:
        job: what is read.
        folder: of the results; new, or that of the same job.
        engine: calls `digitedge.bulk.worker.run_task`; it is entered here.
        list_file: where a list of documents is read, if they are "-".
        retry_errors: read shards again that have errors of any kind.
        forget_missing: drop the results of documents that are not found any more.
        on_progress: called about twice a second.
        log: gets lines on what happens.

    Raises:
        InputError: the folder is that of another job, or there are no documents.
        ModelError, MissingExtraError: no worker can read with this model.
        EngineError: there are no workers any more. The same call goes on where this one ended.
        DigitEdgeError: the disk is full.
    """
    with JobFolder(folder, job.manifest()) as opened, _log_how_to_resume(opened, log), engine:
        found = walk_documents(job.documents, list_file=list_file)
        own = os.path.realpath(folder) + os.sep  # the results may lie in a folder that is read
        others = (one for one in found if is_address(one.source) or not os.path.realpath(one.source).startswith(own))
        waiting = opened.update_documents(others, retry_errors=retry_errors, forget_missing=forget_missing)
        _Counting(opened, engine, log).run()
        opened.cut_shards()
        opened.check_results()
        totals = opened.totals()
        progress = Progress(totals.pages, totals.pages_done, workers=engine.workers)
        if totals.shards_done:
            log(f"resumed: {totals.shards_done:,} of {totals.shards:,} shards are done")
        if totals.gone:
            log(f"{totals.gone:,} documents are not there any more; what was read of them stays")
        if waiting:
            log(f"{waiting:,} changed documents are not read again: {SHARED_FILE}")
        _ShardReading(opened, engine, job, progress, on_progress, log).run()
        return write_summary(opened, progress)


@contextmanager
def _log_how_to_resume(folder: JobFolder, log: Callable[[str], object]) -> Iterator[None]:
    """After Ctrl-C, a full disk or a lost cluster, log what is done."""
    try:
        yield
    except InputError:
        raise
    except BaseException:
        with suppress(DigitEdgeError):
            totals = folder.totals()
            if not totals.documents:
                raise
            log(f"stopped: {totals.shards_done:,} of {totals.shards:,} shards are done; the same command goes on")
        raise


def drive(
    engine: Engine[Task, Result],
    tasks: Iterator[Task],
    handle: Callable[[Outcome[Any, Any]], Iterable[Task]],
    report: Callable[[], object],
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
        for outcome in engine.wait(REPORT_EVERY_S):
            running -= 1
            again.extend(handle(outcome))
        report()


class _Counting:
    """Counts the pages of documents that may have several."""

    def __init__(self, folder: JobFolder, engine: Engine[Task, Result], log: Callable[[str], object]) -> None:
        self._folder = folder
        self._engine = engine
        self._log = log
        self._failures = Counter[int]()
        self._counted = 0
        self._logged = time.monotonic()

    def run(self) -> None:
        memory_mb = os.environ.get(MEMORY_VARIABLE)
        batches = self._folder.documents_to_count()
        tasks = (CountTask(batch, os.getcwd(), memory_mb) for batch in batches)
        drive(self._engine, tasks, self._handle, self._report)

    def _report(self) -> None:
        if time.monotonic() - self._logged >= COUNTING_EVERY_S:
            self._logged = time.monotonic()
            self._log(f"counting pages: {self._counted:,} documents so far")

    def _handle(self, outcome: Outcome[CountTask, Counts]) -> Iterable[Task]:
        documents = outcome.task.documents
        if outcome.result is not None:
            self._counted += len(documents)
            self._folder.set_counts(outcome.result)
            return ()
        if len(documents) > 1:  # one of them ends the process, or is stuck
            return [replace(outcome.task, documents={number: source}) for number, source in documents.items()]
        [number] = documents
        self._failures[number] += 1
        if self._failures[number] < MAX_DEATHS:
            return [outcome.task]
        self._folder.give_up_counting(number)
        return ()


@dataclass(slots=True)
class _OpenShard:
    """A shard that is being read."""

    parts: tuple[ShardPart, ...]
    search: CrashSearch

    @property
    def skipped(self) -> dict[int, PageFailure]:
        return dict.fromkeys(self.search.crashing, CRASHED) | dict.fromkeys(self.search.stuck, TOO_SLOW)

    def pages_of_document(self, index: int) -> range:
        """Indices of the pages of the same document."""
        first = 0
        for part in self.parts:
            if first <= index < first + part.pages:
                return range(first, first + part.pages)
            first += part.pages
        return range(index, index + 1)


class _ShardReading:
    """Has the shards read."""

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
        self._open: dict[int, _OpenShard] = {}
        self._done = self._failed = self._unreachable = 0

    def run(self) -> None:
        drive(self._engine, self._tasks(), self._handle, self._report)

    def _report(self) -> None:
        self._progress.workers = self._engine.workers
        self._on_progress(self._progress)

    def _tasks(self) -> Iterator[Task]:
        for number, parts in self._folder.shards_to_do():
            self._open[number] = _OpenShard(parts, CrashSearch(sum(part.pages for part in parts)))
            yield self._task(number)

    def _task(self, number: int) -> ShardTask:
        job, shard = self._job, self._open[number]
        return ShardTask(
            number=number,
            reader=job.reader,
            options=job.options,
            formats=job.formats,
            parts=shard.parts,
            folder=os.getcwd(),
            memory_mb=os.environ.get(MEMORY_VARIABLE),
            skipped=shard.skipped,
            span=shard.search.pages_to_try(),
        )

    def _handle(self, outcome: Outcome[ShardTask, ShardResult]) -> Iterable[Task]:
        number, search = outcome.task.number, self._open[outcome.task.number].search
        if outcome.result is not None and outcome.task.span is None:
            self._finish(number, outcome.result)
            return ()
        if outcome.result is not None:
            search.succeeded()
        elif outcome.deaths:
            self._log(f"a process ended while it read {shard_name(number)}, which is tried again")
            search.died(outcome.deaths)
        elif isinstance(outcome.error, StuckPageError):
            search.was_stuck(outcome.error.index, self._open[number].pages_of_document(outcome.error.index))
        elif outcome.error is not None:
            self._fail(number, outcome.error)
            return ()
        if search.is_hopeless:
            self._set_aside(number, "reading it failed too often")
            return ()
        return [self._task(number)]

    def _finish(self, number: int, result: ShardResult) -> None:
        if result.pages and result.errors.get(ErrorKind.UNREACHABLE, 0) == result.pages:
            self._pass_over(number)
            return
        self._folder.finish(number, result)
        self._done += 1
        self._unreachable = 0
        self._progress.pages += result.pages - sum(part.pages for part in self._open.pop(number).parts)
        self._progress.done += result.pages
        self._progress.errors.update(result.errors)

    def _pass_over(self, number: int) -> None:
        """Leave a shard for the next run whose documents cannot be reached; stop if that goes on."""
        self._unreachable += 1
        source = shown_name(self._open[number].parts[0].source)
        self._set_aside(number, f"its documents cannot be reached, such as {source}")
        if self._unreachable >= MAX_UNREACHABLE_SHARDS:
            raise DigitEdgeError(
                f"expected documents, got {self._unreachable} shards in a row of which none can be reached, such as "
                f"{source}. Is the disk or the network there? Then give the same command again."
            )

    def _fail(self, number: int, error: Exception) -> None:
        """Set a shard aside that raised; raise if every one would."""
        self._failed += 1
        is_general = isinstance(error, ModelError | ParityError | MissingExtraError)
        if is_general or (not self._done and self._failed >= MAX_FAILED_SHARDS):
            raise error
        self._set_aside(number, f"{type(error).__name__}: {first_line(error)}")

    def _set_aside(self, number: int, reason: str) -> None:
        del self._open[number]
        self._folder.set_aside(number, reason)
        self._log(f"{shard_name(number)} is set aside: {reason}")
