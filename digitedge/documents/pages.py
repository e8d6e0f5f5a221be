"""Pages of a document: one way to get them, whatever it is and wherever it lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.images import decode_image, read_image_file


@dataclass(frozen=True, slots=True)
class Page:
    """A page that can be loaded, as long as no later one of its document was asked for.

    Attributes:
        source: path or address of the document; of a member of an archive, with its name: "box.zip/desk.png".
        number: of the page in its document, from 1; None for a file of one image.
        load: decodes or renders it: uint8 (H, W, 3) BGR. Raises PageError or MissingExtraError.
    """

    source: str
    number: int | None
    load: Callable[[], NDArray[np.uint8]]

    @property
    def name(self) -> str:
        """What to call it in messages."""
        return self.source if self.number is None else f"{self.source} page {self.number}"


def read_pages(source: str, *, start: int = 0, stop: int | None = None) -> Iterator[Page]:
    """Yield the pages of a document from index `start` to before `stop`, in order.

    What is wrong with a document or a page is raised by `load` of a page: a document that cannot be opened has one.
    """
    if start == 0 and stop != 0:
        yield Page(source, None, partial(_load, source))


def count_pages(source: str) -> int:
    """Count what `read_pages` yields, without decoding a page."""
    return sum(1 for _ in read_pages(source))


def may_hold_many(name: str) -> bool:
    """Whether a file of this name may hold more than one page, so that it is worth to be counted."""
    return False


def is_sequential(name: str) -> bool:
    """Whether a file of this name is an archive that can only be unpacked from its beginning."""
    return False


def _load(source: str) -> NDArray[np.uint8]:
    return decode_image(read_image_file(source), name=source)
