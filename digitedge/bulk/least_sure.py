"""The least sure digits of many pages: their crops are kept, and drawn as one sheet."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from pathlib import PurePath
from typing import Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.digit_tiles import DigitTile, draw_digit_tiles
from digitedge.reader.page_result import PageResult
from digitedge.reader.reading import format_confidence
from digitedge.utils.drawing import YELLOW
from digitedge.utils.text import printable

LIMIT = 60
"""Number of digits that are kept."""
CROP_SHAPE = (28, 28)

_Row = tuple[float, int, bytes, int, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class LeastSure:
    """A digit that was read with little confidence.

    Attributes:
        confidence: 0 to 1.
        digit: 0 to 9.
        source: path or address of its document.
        page: number of the page in it, from 1; None for a file of one image.
        crop: uint8 (28, 28), the input of the classifier.
    """

    confidence: float
    digit: int
    source: str
    page: int | None
    crop: NDArray[np.uint8] = field(repr=False)

    def to_row(self) -> _Row:
        """Return plain values, which also sort digits: the least sure first, and without ties."""
        return (
            self.confidence,
            self.digit,
            self.source.encode(errors="surrogatepass"),
            self.page or 0,
            self.crop.tobytes(),
        )

    @classmethod
    def from_row(cls, row: _Row) -> Self:
        """Make a digit of what `to_row` returned."""
        confidence, digit, source, page, crop = row
        image = np.frombuffer(crop, np.uint8).reshape(CROP_SHAPE)
        return cls(confidence, digit, source.decode(errors="surrogatepass"), page or None, image)


def find_least_sure(results: Iterable[PageResult], *, limit: int = LIMIT) -> tuple[LeastSure, ...]:
    """Return the least sure digits of these pages, the least sure first; those without a crop are left out."""
    return merge_least_sure(
        [
            LeastSure(digit.confidence, digit.digit, result.source, result.page, digit.crop)
            for result in results
            for digit in (result.reading.digits if result.reading else ())
            if digit.crop is not None
        ],
        limit=limit,
    )


def merge_least_sure(*groups: Iterable[LeastSure], limit: int = LIMIT) -> tuple[LeastSure, ...]:
    """Return the least sure of all groups, the same in any order of the groups; each once, also if it is in several."""
    rows = {digit.to_row() for group in groups for digit in group}
    return tuple(map(LeastSure.from_row, nsmallest(limit, rows)))


def pack_least_sure(digits: Sequence[LeastSure]) -> bytes:
    """Return what `unpack_least_sure` takes: about 180 bytes a digit."""
    return zlib.compress(msgspec.msgpack.encode([digit.to_row() for digit in digits]))


def unpack_least_sure(content: bytes) -> tuple[LeastSure, ...]:
    """Return the digits of `pack_least_sure`."""
    return tuple(map(LeastSure.from_row, msgspec.msgpack.decode(zlib.decompress(content), type=list[_Row])))


def draw_least_sure(digits: Sequence[LeastSure], *, title: str) -> NDArray[np.uint8]:
    """Draw crops with their digit, confidence and page: uint8 (H, W, 3) BGR; the title alone if there are none."""
    tiles = [
        DigitTile(digit.crop, f"{digit.digit}  {format_confidence(digit.confidence)}", YELLOW, _name(digit))
        for digit in digits
    ]
    return draw_digit_tiles(tiles, title=title)


def _name(digit: LeastSure) -> str:
    name = printable(PurePath(digit.source).name)
    return name if digit.page is None else f"{name} p. {digit.page}"
