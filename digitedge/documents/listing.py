"""Find documents by file, folder, pattern, address or list, without opening them."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TextIO

from digitedge.utils.images import find_images


class FoundDocument(NamedTuple):
    """A document that was found.

    Attributes:
        source: its path or address.
        size: in bytes.
        modified: when it was changed, in nanoseconds since 1970; of an object store, what it says.
    """

    source: str
    size: int
    modified: int


def walk_documents(arguments: Sequence[str], *, list_file: TextIO | None = None) -> Iterator[FoundDocument]:
    """Yield the documents that the arguments name, with those in all subfolders, as they are found: in no order."""
    for path in find_images(arguments):
        status = os.stat(path)
        yield FoundDocument(str(path), status.st_size, status.st_mtime_ns)
