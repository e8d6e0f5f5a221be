"""Pages of a document: one way to get them, whatever it is and wherever it lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from digitedge.documents.archives import Member, read_archive
from digitedge.documents.heic import decode_heic
from digitedge.documents.kinds import Kind, find_kind, is_archive_name, may_hold_many
from digitedge.documents.pdf import read_pdf
from digitedge.documents.storage import check_size, open_document, read_document, shown_name
from digitedge.documents.tiff import TiffContent, find_directories
from digitedge.errors import ErrorKind, MissingExtraError, PageError
from digitedge.utils.images import decode_image

Load = Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be loaded, as long as no later one of its document was asked for.

    Attributes:
        source: path of the document, or its address without login and query; of a member of an archive, with its name:
            "box.zip/desk.png".
        number: of the page in its document, from 1; None for a file of one image.
        load: decodes or renders it: uint8 (H, W, 3) BGR. Raises PageError or MissingExtraError.
    """

    source: str
    number: int | None
    load: Load

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.source if self.number is None else f"{self.source} page {self.number}"


def read_pages(source: str, *, start: int = 0, stop: int | None = None) -> Iterator[Page]:
    """Yield the pages of a document from index `start` to before `stop`, in order.

    A page is decoded by its `load` only, so those before `start` cost little, but in a packed tar. What is wrong with
    a document or a page is raised by `load` of a page: a document that cannot be opened has one.

    Args:
        source: path of an image, PDF, TIFF, HEIC, zip or tar file, or an address that fsspec opens.
        start: index of the first page, from 0.
        stop: index after the last page; None for all.
    """
    return islice(_source_pages(source, start), None if stop is None else max(stop - start, 0))


def count_pages(source: str) -> int:
    """Count what `read_pages` yields, without decoding a page."""
    return sum(1 for _ in read_pages(source))


def _source_pages(source: str, start: int) -> Iterator[Page]:
    name = shown_name(source)
    try:
        file = open_document(source)
        kind = find_kind(file)
        if kind.is_archive:
            yield from _archive_pages(read_archive(file, kind, name=name), name, start)
        else:
            yield from islice(_document_pages(file, kind, name), start, None)
    except (PageError, MissingExtraError) as exc:
        yield Page(name, None, _failing(exc))


_MAX_COUNTS = 100_000
_counts: dict[tuple[str, tuple[float, int]], int] = {}
"""Pages of documents in archives that this process has opened, by name and stamp. A bulk job reads an archive in parts,
and each part would open all documents before it."""


def _archive_pages(members: Iterator[Member], name: str, start: int) -> Iterator[Page]:
    """Pages of the documents in an archive from index `start`; those before are not opened if it can be helped."""
    before = 0
    for member in members:
        key = f"{name}/{member.name}", member.stamp
        count = _counts.get(key, 0) if may_hold_many(member.name) else 1
        if not count or before + count > start:
            found = 0
            for found, page in enumerate(_member_pages(member, key[0]), 1):
                if before + found > start:
                    yield page
            count = found
            if len(_counts) < _MAX_COUNTS and may_hold_many(member.name):
                _counts[key] = count
        before += count
    if not before:
        message = f"{name}: expected images or documents in the archive, got none. Their names end in .png, .pdf or so."
        raise PageError(message, ErrorKind.UNKNOWN_FORMAT)


def _member_pages(member: Member, name: str) -> Iterator[Page]:
    """Pages of a document in an archive. One that holds an image only is not read before it is loaded."""
    if is_archive_name(member.name):
        yield Page(name, None, _failing(_nested(name)))
    elif not may_hold_many(member.name):
        yield Page(name, None, partial(_load_member, member, name))
    else:
        try:
            file = BytesIO(member.read())
        except PageError as exc:
            yield Page(name, None, _failing(exc))
            return
        yield from _document_pages(file, find_kind(file), name)


def _document_pages(file: BinaryIO, kind: Kind, name: str) -> Iterator[Page]:
    """Pages of a document that is no archive. An error becomes a page after those that were found."""
    found = 0
    try:
        if kind is Kind.PDF:
            for found, load in enumerate(read_pdf(file, name=name), 1):
                yield Page(name, found, load)
            if not found:
                raise PageError(f"{name}: expected a PDF with pages, got one without. Make it again.")
        elif kind is Kind.TIFF:
            yield from _tiff_pages(file, name)
        else:
            yield Page(name, None, partial(_load_image, file, kind, name))
    except (PageError, MissingExtraError) as exc:
        yield Page(name, found + 1 if found else None, _failing(exc))


def _tiff_pages(file: BinaryIO, name: str) -> Iterator[Page]:
    check_size(file, name=name)
    starts: list[int | PageError] = []
    try:
        for start in find_directories(file, name=name):
            starts.append(start)
    except PageError as exc:
        starts.append(exc)
    content = TiffContent(file)
    is_one = len(starts) == 1
    for number, found in enumerate(starts, 1):
        page_name = name if is_one else f"{name} page {number}"
        load = _failing(found) if isinstance(found, PageError) else partial(content.load, found, name=page_name)
        yield Page(name, None if is_one else number, load)


def _load_image(file: BinaryIO, kind: Kind, name: str) -> NDArray[np.uint8]:
    content = read_document(file, name=name)
    return decode_heic(content, name=name) if kind is Kind.HEIC else decode_image(content, name=name)


def _load_member(member: Member, name: str) -> NDArray[np.uint8]:
    """Load a member with the name of an image: it was counted as one page without being opened."""
    file = BytesIO(member.read())
    kind = find_kind(file)
    if kind.is_archive:
        raise _nested(name)
    pages = list(islice(_document_pages(file, kind, name), 2))
    if len(pages) > 1:
        suffix = "pdf" if kind is Kind.PDF else "tif"
        message = f"{name}: expected an image, as its name says, got a {kind} of several pages. Rename it to .{suffix}."
        raise PageError(message, ErrorKind.UNKNOWN_FORMAT)
    return pages[0].load()


def _nested(name: str) -> PageError:
    message = f"{name}: expected a document in the archive, got an archive. Unpack the outer one."
    return PageError(message, ErrorKind.UNKNOWN_FORMAT)


def _failing(error: PageError | MissingExtraError) -> Load:
    """A `load` that raises an error. Its tracebacks go: their frames would keep the document open."""
    for one in (error, error.__cause__, error.__context__):
        if one is not None:
            one.__traceback__ = None
    return partial(_fail, error)


def _fail(error: PageError | MissingExtraError) -> NDArray[np.uint8]:
    raise error
