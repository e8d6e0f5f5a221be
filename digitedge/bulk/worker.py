"""What a worker process does: it counts the pages of documents, and reads shards."""

import ctypes
import os
from array import array
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from digitedge.bulk.shard import PAGE_LIMIT_S, ShardResult, ShardTask, full_path, page_stamp, read_shard
from digitedge.documents import read_pages
from digitedge.engines.limited_thread import LimitedThread
from digitedge.reader.reader import Reader
from digitedge.reader.reader_spec import ReaderSpec
from digitedge.utils.memory_limit import MEMORY_VARIABLE, limit_process, memory_limit
from digitedge.utils.opencv import cv2

# Of mallopt, in malloc.h of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


@dataclass(frozen=True, slots=True)
class CountTask:
    """Documents whose pages are to be counted: their sources by id. Folder and memory are as in `ShardTask`."""

    documents: Mapping[int, str]
    folder: str
    memory_mb: str | None = None


Task = CountTask | ShardTask
Counts = dict[int, bytes]
"""The stamps of all pages of documents, 4 bytes each, by id."""
Result = Counts | ShardResult


def run_task(task: Task) -> Result:
    """Do a task.

    Raises:
        ModelError: the model is not the one that is expected, or gives other results here.
        StuckError: something takes too long; the process must not be used again.
    """
    if task.memory_mb is not None:
        os.environ[MEMORY_VARIABLE] = task.memory_mb
    cv2.setNumThreads(1)  # the other cores have workers of their own
    if isinstance(task, CountTask):
        return count_documents(task)
    reader = _take_reader(task.reader)
    result = read_shard(task, reader)
    _WAITING[:] = [(task.reader, reader)]
    return result


def count_documents(task: CountTask) -> Counts:
    """Go through the pages of documents without decoding them.

    Raises:
        StuckError: a page of one takes longer than PAGE_LIMIT_S; the process must not be used again.
    """
    counts = {}
    with LimitedThread() as thread:
        for number, source in task.documents.items():
            stamps = array("I")
            pages = read_pages(full_path(source, task.folder))
            while (page := thread.call(PAGE_LIMIT_S, next, pages, None)) is not None:
                stamps.append(page_stamp(page))
            counts[number] = stamps.tobytes()
    return counts


def prepare_process() -> None:
    """Prepare a worker of this machine: one page cannot take all memory, and native libraries are silent.

    libjpeg and PDFium print to the file descriptor of stderr; their errors arrive as exceptions.
    """
    limit_process(2 * memory_limit() + 1_000_000_000)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def keep_freed_memory() -> None:
    """Let this process, a worker of a cluster, keep memory that it has freed for its next page.

    Dask has its workers give back everything above 64 kB at once (MALLOC_TRIM_THRESHOLD_). Getting it again for each
    page took 30 times the page faults and 40 % more processor time, A4 at 200 dpi; the peak of memory is the same.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library than that of GNU
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, 256 << 20)
        mallopt(_MMAP_THRESHOLD, 32 << 20)  # the largest that it takes
        mallopt(_ARENA_MAX, 1)  # the threads of Dask would have memory of their own


# The reader of the last shard. A process of a cluster may read several shards at once, each with its own.
_WAITING: list[tuple[ReaderSpec, Reader]] = []


def _take_reader(spec: ReaderSpec) -> Reader:
    try:
        waiting, reader = _WAITING.pop()
    except IndexError:
        return spec.make()
    return reader if waiting == spec else spec.make()
