"""Have shards read: again when a process ended or got stuck, and set aside when it is in vain."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from digitedge.bulk.crash_search import MAX_DEATHS, CrashSearch
from digitedge.bulk.job_folder import JobFolder
from digitedge.bulk.job_list import shard_name
from digitedge.bulk.progress import Progress
from digitedge.bulk.shard import PAGE_LIMIT_S, ShardPart, ShardResult, ShardTask, StuckPageError
from digitedge.bulk.worker import Result, Task
from digitedge.documents.storage import shown_name
from digitedge.engines import Engine, Outcome
from digitedge.engines.run_tasks import run_tasks
from digitedge.errors import DigitEdgeError, ErrorKind, MissingExtraError, ModelError, ParityError, first_line
from digitedge.reader.page_result import PageFailure

MAX_FAILED_SHARDS = 5
"""Shards that fail before the first one is done: then all would."""
MAX_UNREACHABLE_SHARDS = 3
"""Shards in a row of which no page can be reached: then a disk or a network is gone."""
CRASHED = PageFailure(
    ErrorKind.CRASHED,
    f"reading this page ended {MAX_DEATHS} processes: it is damaged in an unknown manner, or takes more memory than "
    "there is. Look at it alone, with digitedge predict.",
)
TOO_SLOW = PageFailure(ErrorKind.TOO_SLOW, f"reading this page takes longer than {PAGE_LIMIT_S:.0f} s.")


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


class ShardReading:
    """Has the shards read."""

    def __init__(
        self,
        folder: JobFolder,
        engine: Engine[Task, Result],
        make_task: Callable[[int, tuple[ShardPart, ...]], ShardTask],
        progress: Progress,
        on_progress: Callable[[Progress], object],
        log: Callable[[str], object],
    ) -> None:
        self._folder = folder
        self._engine = engine
        self._make_task = make_task
        self._progress = progress
        self._on_progress = on_progress
        self._log = log
        self._open: dict[int, _OpenShard] = {}
        self._done = self._failed = self._unreachable = 0

    def run(self) -> None:
        """Read them all.

        Raises:
            ModelError, ParityError, MissingExtraError: no worker can read.
            EngineError: there are no workers any more.
            DigitEdgeError: nothing can be reached any more, or the disk is full.
        """
        run_tasks(self._engine, self._tasks(), self._handle, self._report)

    def _report(self) -> None:
        self._progress.workers = self._engine.workers
        self._on_progress(self._progress)

    def _tasks(self) -> Iterator[Task]:
        for number, parts in self._folder.list.shards_to_do():
            self._open[number] = _OpenShard(parts, CrashSearch(sum(part.pages for part in parts)))
            yield self._task(number)

    def _task(self, number: int) -> ShardTask:
        shard = self._open[number]
        task = self._make_task(number, shard.parts)
        return replace(task, skipped=shard.skipped, span=shard.search.pages_to_try())

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
        self._folder.list.set_aside(number, reason)
        self._log(f"{shard_name(number)} is set aside: {reason}")
