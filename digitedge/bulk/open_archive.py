"""The archive that this process has read last, where that can only be unpacked from its beginning.

The shards of a packed tar come one after the other: each goes on where the last one ended. A process unpacks it once,
and not once for each shard.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from digitedge.documents import Page, is_sequential, read_pages

_Stamp = tuple[str, int, int]


@dataclass(slots=True)
class _OpenArchive:
    """An archive, its size and time, and how many of its pages were taken."""

    stamp: _Stamp
    pages: Iterator[Page]
    taken: int = 0


_WAITING: list[_OpenArchive] = []


def read_on(path: str, start: int, stop: int | None) -> Iterator[Page]:
    """Yield the pages of a document from index `start` to before `stop`, as `read_pages` does."""
    stamp = _stamp(path) if is_sequential(path) else None
    if stamp is None:
        yield from read_pages(path, start=start, stop=stop)
        return
    archive = _take(stamp, start) or _OpenArchive(stamp, read_pages(path))
    while stop is None or archive.taken < stop:
        page = next(archive.pages, None)
        if page is None:
            return
        archive.taken += 1
        if archive.taken > start:
            yield page
    _WAITING[:] = [archive]


def _take(stamp: _Stamp, start: int) -> _OpenArchive | None:
    """The open archive, if it is this one and has not gone too far; another one is closed."""
    try:
        archive = _WAITING.pop()
    except IndexError:
        return None
    return archive if archive.stamp == stamp and archive.taken <= start else None


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # an address, or it is gone
        return None
    return path, status.st_size, status.st_mtime_ns
