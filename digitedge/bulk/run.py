"""Run a job: list the documents, count their pages, cut shards, have them read, and write what comes back.

This process opens no document. It is the only one that writes: a shard that two workers have read, or none, is in the
folder once, or not yet.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from digitedge.bulk.job_folder import JobFolder
from digitedge.bulk.page_counting import PageCounting
from digitedge.bulk.progress import Progress
from digitedge.bulk.shard import ShardPart, ShardTask
from digitedge.bulk.shard_reading import ShardReading
from digitedge.bulk.summary import Summary, write_summary
from digitedge.bulk.worker import Result, Task
from digitedge.documents.listing import walk_documents
from digitedge.documents.storage import is_address, shown_name
from digitedge.engines import Engine
from digitedge.errors import DigitEdgeError, InputError
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader_spec import ReaderSpec
from digitedge.utils.memory_limit import MEMORY_VARIABLE

SHARED_FILE = (
    "their results stand in one file with those of documents that are not there any more. Bring these back, or add "
    "--forget-missing"
)


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

    def task(self, number: int, parts: tuple[ShardPart, ...]) -> ShardTask:
        """The task of reading a shard."""
        return ShardTask(
            number=number,
            reader=self.reader,
            options=self.options,
            formats=self.formats,
            parts=parts,
            folder=os.getcwd(),
            memory_mb=os.environ.get(MEMORY_VARIABLE),
        )


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
        waiting = opened.update_documents(found, retry_errors=retry_errors, forget_missing=forget_missing)
        PageCounting(opened.list, engine, log).run()
        opened.list.cut_shards()
        opened.check_results()
        totals = opened.list.totals()
        progress = Progress(totals.pages, totals.pages_done, workers=engine.workers)
        if totals.shards_done:
            log(f"resumed: {totals.shards_done:,} of {totals.shards:,} shards are done")
        if totals.gone:
            log(f"{totals.gone:,} documents are not there any more; what was read of them stays")
        if waiting:
            log(f"{waiting:,} changed documents are not read again: {SHARED_FILE}")
        ShardReading(opened, engine, job.task, progress, on_progress, log).run()
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
            totals = folder.list.totals()
            if totals.documents:
                log(f"stopped: {totals.shards_done:,} of {totals.shards:,} shards are done; the same command goes on")
        raise
