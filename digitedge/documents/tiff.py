"""Pages of a TIFF file: the chain of its directories.

OpenCV decodes the directory that the header points to, so each page is the file with another pointer. All checks of the
header of an image hold for every page.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from digitedge.documents.storage import read_changeable
from digitedge.errors import PageError
from digitedge.utils.image_header import TIFF_STARTS
from digitedge.utils.images import decode_image

MAX_PAGES = 100_000
"""Of one document."""
_SUBFILE_TYPE, _OLD_SUBFILE_TYPE = 254, 255
_REDUCED_OR_MASK = 1 | 4  # bits of tag 254: a thumbnail, a transparency mask
_OLD_REDUCED = 2


def find_directories(file: BinaryIO, *, name: str) -> Iterator[int]:
    """Yield where the directory of each page starts, without those of thumbnails and masks; of these alone the first.

    A chain that comes back to a directory ends there. Of the file, only the directories are read.

    Raises:
        PageError: the chain leads out of the file, or is too long; after what was found before.

    Source:
        TIFF 6.0, section 2: each directory ends with the offset of the next one.
    """
    file.seek(0)
    order = TIFF_STARTS[file.read(4)]
    seen: set[int] = set()
    found = 0
    try:
        (first,) = struct.unpack(order + "I", file.read(4))
        at = first
        while at and at not in seen:
            seen.add(at)
            if len(seen) > MAX_PAGES:
                raise PageError(f"{name}: expected at most {MAX_PAGES:,} pages in a TIFF, got more. Split it.")
            is_page, following = _read_directory(file, at, order)
            if is_page:
                found += 1
                yield at
            at = following
    except struct.error as exc:
        raise PageError(f"{name}: expected a complete TIFF, got one that is cut off. Copy it again.") from exc
    if not found:
        yield first


class TiffContent:
    """The content of a TIFF file: read when its first page is loaded, and once for all pages."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._content: bytearray | None = None

    def load(self, start: int, *, name: str) -> NDArray[np.uint8]:
        """Decode the page whose directory starts at `start`, as `digitedge.utils.images.decode_image` does.

        The pointer in the content is changed: a copy of a large file for each of its pages takes longer than decoding.
        """
        if self._content is None:
            self._content = read_changeable(self._file, name=name)
        struct.pack_into(TIFF_STARTS[bytes(self._content[:4])] + "I", self._content, 4, start)
        return decode_image(cast(bytes, self._content), name=name)  # which reads it only


def _read_directory(file: BinaryIO, at: int, order: str) -> tuple[bool, int]:
    """Whether a directory is a page, and where the next one starts."""
    file.seek(at)
    (count,) = struct.unpack(order + "H", file.read(2))
    content = file.read(12 * count + 4)
    is_page = True
    for entry in range(0, 12 * count, 12):
        tag, kind = struct.unpack_from(order + "HH", content, entry)
        if tag in (_SUBFILE_TYPE, _OLD_SUBFILE_TYPE):
            (value,) = struct.unpack_from(order + ("H" if kind == 3 else "I"), content, entry + 8)
            is_page = not value & _REDUCED_OR_MASK if tag == _SUBFILE_TYPE else value != _OLD_REDUCED
    (following,) = struct.unpack_from(order + "I", content, 12 * count)
    return is_page, following
