"""A shard: the pages that one task reads, in a worker process, into one file of each format.

The same function runs in the process pool and in a cluster. It writes nothing: its result is the content of the files.
"""

import ctypes
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from digitedge.bulk.formats import FORMATS
from digitedge.bulk.least_sure import LeastSure, find_least_sure
from digitedge.documents import Page, read_pages
from digitedge.documents.storage import is_address
from digitedge.engines import StuckError
from digitedge.errors import PageError
from digitedge.reader.page_result import PageFailure, PageResult, read_page
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader import Reader
from digitedge.reader.reader_spec import ReaderSpec
from digitedge.utils.memory_limit import limit_process, memory_limit
from digitedge.utils.opencv import cv2

R = TypeVar("R")

PAGE_LIMIT_S = 120.0
"""Longest time for a page. One of A4 at 200 dpi takes 0.1 s on a laptop and a second or two on a Raspberry Pi."""
LEAST_SURE = 20
"""How many of the least sure digits of a shard are kept."""

# Of mallopt, in malloc.h of the GNU C library.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3


@dataclass(frozen=True, slots=True)
class ShardPart:
    """Pages of a document.

    Attributes:
        source: path or address of the document.
        start: index of the first page.
        pages: how many; all that it has if it was not counted because its name is that of a single image.
        counted: whether it was.
    """

    source: str
    start: int = 0
    pages: int = 1
    counted: bool = False


@dataclass(frozen=True, slots=True)
class CountTask:
    """Documents whose pages are to be counted: their sources by id. The folder is as in `ShardTask`."""

    documents: Mapping[int, str]
    folder: str


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard that is to be read.

    Attributes:
        number: of the shard.
        reader: makes the reader.
        options: how pages are read.
        formats: names in `digitedge.bulk.formats.FORMATS`.
        parts: what is read, in this order.
        folder: what relative paths start from. A process on another machine has another working directory.
        skipped: pages that are not tried, by their index in the shard, and why.
        span: indices of the only pages that are tried, in search of one that ends its process; the result has no files
            then. None for all.
    """

    number: int
    reader: ReaderSpec
    options: ReadOptions
    formats: tuple[str, ...]
    parts: tuple[ShardPart, ...]
    folder: str
    skipped: Mapping[int, PageFailure] = field(default_factory=dict)
    span: range | None = None

    @property
    def pages(self) -> int:
        """Number of pages that are expected."""
        return sum(part.pages for part in self.parts)


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What came of a shard.

    Attributes:
        files: content by format.
        pages: number of pages, those with an error included.
        digits: number of digits that were read.
        without_digits: number of pages that were read and have none.
        errors: number of pages by the kind of their error.
        least_sure: the least sure digits.
    """

    files: dict[str, bytes]
    pages: int
    digits: int
    without_digits: int
    errors: dict[str, int]
    least_sure: tuple[LeastSure, ...]


class StuckPageError(StuckError):
    """A page of a shard takes longer than PAGE_LIMIT_S; `index` is its place in the shard."""

    def __init__(self, index: int) -> None:
        super().__init__(f"page {index} of the shard takes longer than {PAGE_LIMIT_S:.0f} s")
        self.index = index

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.index,)


def run_task(task: CountTask | ShardTask) -> dict[int, int] | ShardResult:
    """Do a task, in a worker process: count the pages of documents, or read a shard."""
    return count_documents(task) if isinstance(task, CountTask) else read_shard(task)


def count_documents(task: CountTask) -> dict[int, int]:
    """Count the pages of documents, by id.

    Raises:
        StuckError: a page of one takes longer than PAGE_LIMIT_S; the process must not be used again.
    """
    counts = dict.fromkeys(task.documents, 0)
    with _LimitedThread() as thread:
        for number, source in task.documents.items():
            pages = read_pages(_full_path(source, task.folder))
            while thread.call(next, pages, None) is not None:
                counts[number] += 1
    return counts


def read_shard(task: ShardTask) -> ShardResult:
    """Read the pages of a shard and encode the results.

    Raises:
        ModelError: the model is not the one that is expected, or gives other results here.
        StuckPageError: a page takes too long; the process must not be used again.
    """
    cv2.setNumThreads(1)  # the other cores have workers of their own
    reader = _take_reader(task.reader)
    results = list(_read_pages(task, reader))
    _give_back(task.reader, reader)
    readings = [result.reading for result in results if result.reading is not None]
    return ShardResult(
        files={name: FORMATS[name].encode(results) for name in task.formats} if task.span is None else {},
        pages=len(results),
        digits=sum(len(reading.digits) for reading in readings),
        without_digits=sum(not reading.digits for reading in readings),
        errors=dict(Counter(str(result.error.kind) for result in results if result.error)),
        least_sure=find_least_sure(results, limit=LEAST_SURE),
    )


def limit_memory() -> None:
    """Let this process, a worker, have so much memory that one page cannot take that of the machine."""
    limit_process(2 * memory_limit() + 1_000_000_000)


def keep_freed_memory() -> None:
    """Let this process, a worker of a cluster, keep memory that it has freed for its next page.

    Dask has its workers give back everything above 64 kB at once (MALLOC_TRIM_THRESHOLD_). Getting it again for each
    page took 30 times the page faults and 40 % more processor time, A4 at 200 dpi; the peak of memory is the same.
    """
    with suppress(AttributeError, OSError, TypeError):  # another C library than that of GNU
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, 256 << 20)
        mallopt(_MMAP_THRESHOLD, 32 << 20)  # the largest that it takes


# Readers that wait for a shard. A process of a cluster may read several shards at once, each with its own.
_READERS: dict[ReaderSpec, list[Reader]] = {}


def _take_reader(spec: ReaderSpec) -> Reader:
    waiting = _READERS.setdefault(spec, [])
    return waiting.pop() if waiting else spec.make()


def _give_back(spec: ReaderSpec, reader: Reader) -> None:
    _READERS[spec].append(reader)


def _read_pages(task: ShardTask, reader: Reader) -> Iterator[PageResult]:
    """Read page after page, each in a limited time: a thread reads, and this one can give up."""
    pages = choose_pages(task)
    index = -1
    with _LimitedThread() as thread:
        while True:
            try:
                found = thread.call(_read_next, pages, task.options, reader)
            except StuckError:
                raise StuckPageError(index + 1) from None
            if found is None:
                return
            index, result = found
            yield result


# Threads that wait for a shard. A new one for each shard would have memory of its own: 70 MB more in a long job.
_THREADS: list[ThreadPoolExecutor] = []


class _LimitedThread:
    """A thread that works, so that the one that waits for it can give up."""

    def __enter__(self) -> Self:
        try:
            self._executor = _THREADS.pop()
        except IndexError:
            self._executor = ThreadPoolExecutor(1, "reader")
        self._is_stuck = False
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_stuck:
            self._executor.shutdown(wait=False)
        else:
            _THREADS.append(self._executor)

    def call(self, function: Callable[..., R], *arguments: Any) -> R:
        future = self._executor.submit(function, *arguments)
        try:
            return future.result(PAGE_LIMIT_S)
        except FutureTimeoutError:
            if future.done():  # just now, or it raised that itself
                return future.result()
            self._is_stuck = True
            raise StuckError(f"it takes longer than {PAGE_LIMIT_S:.0f} s") from None


def choose_pages(task: ShardTask) -> Iterator[tuple[int, Page | PageResult]]:
    """Yield the pages that are to be read and the results of those that are skipped, each with its index.

    A document of which no page is wanted is not opened: opening it may be what ends the process.
    """
    first = 0
    for part in task.parts:
        indices = range(first, first + part.pages)
        wanted = [index for index in indices if task.span is None or index in task.span]
        if all(index in task.skipped for index in wanted):
            for index in wanted:
                number = part.start + index - first + 1 if part.counted else None
                yield index, PageResult(part.source, number, error=task.skipped[index])
        elif wanted:
            begin = part.start + wanted[0] - first
            stop = part.start + wanted[-1] + 1 - first if part.counted else None
            for index, page in enumerate(_open(part.source, task.folder, begin, stop), wanted[0]):
                failure = task.skipped.get(index)
                yield index, PageResult(page.source, page.number, error=failure) if failure else page
        first += part.pages


def _full_path(source: str, folder: str) -> str:
    return source if is_address(source) else os.path.join(folder, source)


def _open(source: str, folder: str, start: int, stop: int | None) -> Iterator[Page]:
    """Yield pages, with the names that they have from `folder`."""
    path = _full_path(source, folder)
    before = path.removesuffix(source)
    try:
        for page in read_pages(path, start=start, stop=stop):
            yield replace(page, source=page.source.removeprefix(before), load=partial(_load, page, before))
    except Exception as exc:
        yield Page(source, None, partial(_fail, exc))


def _load(page: Page, before: str) -> NDArray[np.uint8]:
    try:
        return page.load()
    except PageError as exc:
        raise PageError(str(exc).replace(before, "") if before else str(exc), exc.kind) from exc


def _fail(exc: Exception) -> NDArray[np.uint8]:
    raise exc


def _read_next(
    pages: Iterator[tuple[int, Page | PageResult]], options: ReadOptions, reader: Reader
) -> tuple[int, PageResult] | None:
    index, page = next(pages, (0, None))
    if page is None:
        return None
    return index, page if isinstance(page, PageResult) else _read(page, options, reader)


def _read(page: Page, options: ReadOptions, reader: Reader) -> PageResult:
    result = read_page(page, reader, options)
    return replace(result, reading=result.reading and replace(result.reading, trace=None))  # it takes up to 35 MB
