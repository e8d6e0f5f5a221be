"""A shard: the pages that one task reads, in a worker process, into one file of each format.

The same function runs in the process pool and in a cluster. It writes nothing: its result is the content of the files.
"""

import os
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bulk.formats import FORMATS
from digitedge.bulk.least_sure import LeastSure, find_least_sure, merge_least_sure
from digitedge.bulk.open_archive import read_on
from digitedge.documents import Page
from digitedge.documents.storage import is_address, shown_name
from digitedge.engines import StuckError
from digitedge.engines.limited_thread import LimitedThread
from digitedge.errors import ErrorKind, PageError
from digitedge.reader.page_result import PageFailure, PageResult, read_page
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader import Reader
from digitedge.reader.reader_spec import ReaderSpec

PAGE_LIMIT_S = 120.0
"""Longest time for a page. One of A4 at 200 dpi takes 0.1 s on a laptop and a second or two on a Raspberry Pi."""
PASSED_PAGE_S = 0.1
"""Time that each page before the first one of a part adds to the limit: archives are gone through from the start."""
LEAST_SURE = 20
"""How many of the least sure digits of a shard are kept."""
OTHER_PAGES = "has other pages than when they were counted. Run the same command again."


@dataclass(frozen=True, slots=True)
class ShardPart:
    """Pages of a document.

    Attributes:
        source: path or address of the document.
        start: index of the first page.
        pages: how many.
        stamps: what `page_stamp` gave for the first and the last one when they were counted; None for a document that
            was not counted because its name is that of a single image: all that it has is read.
        is_last: whether the document has no more pages, as far as is known.
        was_found: whether it was there when the documents were listed.
    """

    source: str
    start: int = 0
    pages: int = 1
    stamps: tuple[int, int] | None = None
    is_last: bool = True
    was_found: bool = True


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
        memory_mb: what DIGITEDGE_MEMORY_MB says where the job was started; None for the default.
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
    memory_mb: str | None = None
    skipped: Mapping[int, PageFailure] = field(default_factory=dict)
    span: range | None = None


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


@dataclass(frozen=True, slots=True)
class Opening:
    """A document will be opened next, and `passed` pages of it gone through, for the pages with these indices."""

    indices: range
    passed: int


class StuckPageError(StuckError):
    """A page of a shard takes too long; `index` is its place in the shard."""

    def __init__(self, index: int) -> None:
        super().__init__(f"page {index} of the shard takes too long")
        self.index = index

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.index,)


def read_shard(task: ShardTask, reader: Reader) -> ShardResult:
    """Read the pages of a shard and encode the results.

    Raises:
        ModelError: the model cannot be used.
        StuckPageError: a page takes too long; the process must not be used again.
    """
    results = []
    least_sure: tuple[LeastSure, ...] = ()
    for result in _read_pages(task, reader):
        found = find_least_sure([result], limit=LEAST_SURE)
        least_sure = merge_least_sure(least_sure, found, limit=LEAST_SURE)
        results.append(_without_images(result))
    readings = [result.reading for result in results if result.reading is not None]
    return ShardResult(
        files={name: FORMATS[name].encode(results) for name in task.formats} if task.span is None else {},
        pages=len(results),
        digits=sum(len(reading.digits) for reading in readings),
        without_digits=sum(not reading.digits for reading in readings),
        errors=dict(Counter(str(result.error.kind) for result in results if result.error)),
        least_sure=least_sure,
    )


def page_stamp(page: Page) -> int:
    """A number that distinguishes the pages of a document: 32 bits of the name and number.

    If a document has changed, or cannot be opened any more, its pages have other places, and the stamps do not match.
    """
    return zlib.crc32(f"{os.path.basename(page.source)}\0{page.number}".encode(errors="surrogatepass"))


def full_path(source: str, folder: str) -> str:
    """Where a document is, for a process with another working directory."""
    return source if is_address(source) else os.path.join(folder, source)


def choose_pages(task: ShardTask) -> Iterator[Opening | tuple[int, Page | PageResult]]:
    """Yield the pages that are to be read and the results of those that are skipped, each with its index.

    A document of which no page is wanted is not opened: opening it may be what ends the process.
    """
    first = 0
    for part in task.parts:
        indices = range(first, first + part.pages)
        if task.span is not None:
            indices = range(max(indices.start, task.span.start), min(indices.stop, task.span.stop))
        if indices:
            yield from _choose_of_part(task, part, indices, part.start - first)
        first += part.pages


def _choose_of_part(
    task: ShardTask, part: ShardPart, indices: range, offset: int
) -> Iterator[Opening | tuple[int, Page | PageResult]]:
    """Yield the pages of a part; the one with index i is page i + `offset` of its document."""

    def missing(index: int, failure: PageFailure) -> tuple[int, PageResult]:
        number = None if part.stamps is None else index + offset + 1
        return index, PageResult(shown_name(part.source), number, error=failure)

    if all(index in task.skipped for index in indices):
        yield from (missing(index, task.skipped[index]) for index in indices)
        return
    yield Opening(indices, passed=indices.start + offset)
    has_end = indices.stop + offset == part.start + part.pages
    stop = None if part.is_last and has_end else indices.stop + offset
    other = PageFailure(ErrorKind.UNREACHABLE, f"{shown_name(part.source)}: it {OTHER_PAGES}")
    after = indices.start
    for place, page in enumerate(_open(part, task.folder, indices.start + offset, stop), indices.start):
        index = min(place, indices[-1])  # more pages than were counted stand for the last one
        after = index + 1
        if part.stamps is not None and place + offset in (part.start, part.start + part.pages - 1):
            expected = part.stamps[0 if place + offset == part.start else 1]
            if page_stamp(page) != expected:
                yield missing(index, other)
                if place == indices.start:
                    break
                continue
        failure = task.skipped.get(index)
        yield index, PageResult(page.source, page.number, error=failure) if failure else page
    yield from (missing(index, other) for index in range(after, indices.stop))


def _open(part: ShardPart, folder: str, start: int, stop: int | None) -> Iterator[Page]:
    """Yield pages, with the names that they have from `folder`."""
    path = full_path(part.source, folder)
    before = path.removesuffix(part.source)
    try:
        for page in read_on(path, start, stop):
            yield replace(page, source=page.source.removeprefix(before), load=partial(_load, page, part, before))
    except Exception as exc:
        yield Page(shown_name(part.source), None, partial(_fail, exc))


def _load(page: Page, part: ShardPart, before: str) -> NDArray[np.uint8]:
    try:
        return page.load()
    except PageError as exc:
        is_gone = exc.kind is ErrorKind.MISSING and part.was_found
        kind = ErrorKind.UNREACHABLE if is_gone else exc.kind
        raise PageError(str(exc).replace(before, "") if before else str(exc), kind) from exc


def _fail(exc: Exception) -> NDArray[np.uint8]:
    raise exc


def _read_pages(task: ShardTask, reader: Reader) -> Iterator[PageResult]:
    """Read page after page, each in a limited time: a thread reads, and this one can give up."""
    steps = choose_pages(task)
    next_index = last_index = 0
    limit_s = PAGE_LIMIT_S
    with LimitedThread() as thread:
        while True:
            try:
                step = thread.call(limit_s, _take_step, steps, task.options, reader)
            except StuckError:
                raise StuckPageError(next_index) from None
            if step is None:
                return
            if isinstance(step, Opening):
                next_index, last_index = step.indices[0], step.indices[-1]
                limit_s = PAGE_LIMIT_S + PASSED_PAGE_S * step.passed
                continue
            index, result = step
            next_index, limit_s = min(index + 1, last_index), PAGE_LIMIT_S
            yield result


def _take_step(
    steps: Iterator[Opening | tuple[int, Page | PageResult]], options: ReadOptions, reader: Reader
) -> Opening | tuple[int, PageResult] | None:
    step = next(steps, None)
    if step is None or isinstance(step, Opening):
        return step
    index, page = step
    return index, page if isinstance(page, PageResult) else read_page(page, reader, options)


def _without_images(result: PageResult) -> PageResult:
    """A result without the images of the reading: its trace takes up to 35 MB, the crop of a digit a kilobyte."""
    if result.reading is None:
        return result
    digits = tuple(replace(digit, crop=None, probabilities=None) for digit in result.reading.digits)
    return replace(result, reading=replace(result.reading, digits=digits, trace=None))
