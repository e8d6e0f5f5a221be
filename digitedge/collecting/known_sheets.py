"""Another photograph of a sheet that was read before is known by its digits, so that none is saved twice.

Two photographs of one digit give crops that are alike, but so do two digits of a neat hand. What tells them apart is
the cell: in another photograph of the same sheet, the crop of a cell is more like its own than like that of any other
cell of its row. Between two sheets the own cell is the most similar one by chance only.
"""

from collections.abc import Sequence
from contextlib import suppress
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.read import CellDigit, SheetReading
from digitedge.collecting.sheet import ROWS
from digitedge.datasets.collection import list_images, open_collection
from digitedge.errors import CameraError
from digitedge.utils.images import read_image
from digitedge.utils.opencv import as_uint8, cv2, to_grey

# Distance from chance, in standard deviations, from which two sheets are the same. Of 120 digits of one hand 7 to 12 %
# find their own cell on another sheet, and 36 % or more in another photograph: 2.4 at most, and 11 at least. A neat
# hand that leans more and more along each row reaches 7.6.
_DEVIATIONS = 9.0
# Blur before crops are compared, in pixels: they are not placed alike to the pixel.
_SIGMA = 1.0


class KnownSheets:
    """The sheets of a collection, with the crops of their cells."""

    def __init__(self, folder: str | Path) -> None:
        """Read the crops of a collection; a folder that is missing has none.

        Raises:
            DataError: collection.json is damaged.
        """
        self._sheets: dict[str, dict[str, NDArray[np.float32]]] = {}
        self._sources: dict[str, str] = {}
        self._writers: dict[str, str] = {}
        for image in list_images(folder) if open_collection(folder).records else ():
            if image.record.sheet and image.record.cell:
                with suppress(CameraError):  # a damaged image hides no other
                    crop = to_grey(read_image(image.path))
                    self._add(image.record.sheet, image.record.source, image.record.cell, crop)
                    self._writers[image.record.sheet] = image.record.writer

    def add(self, reading: SheetReading, *, source: str, writer: str) -> None:
        """Add the digits of a sheet that was saved."""
        self._writers[reading.sheet] = writer or self.writer(reading.sheet)
        for one in reading.digits:
            self._add(reading.sheet, source, one.cell.name, one.crop)

    def find(self, reading: SheetReading, *, writer: str = "") -> str | None:
        """Return the known sheet that a photograph shows, or None if it shows a new one.

        `writer` is the id of its writer, "" if unknown: a sheet of another writer is another sheet.
        """
        if reading.sheet in self._sheets:
            return reading.sheet
        scores = {
            sheet: _likeness(reading.digits, crops)
            for sheet, crops in self._sheets.items()
            if not writer or self._writers[sheet] in ("", writer)
        }
        best = max(scores, key=scores.__getitem__, default=None)
        return best if best is not None and scores[best] >= _DEVIATIONS else None

    def writer(self, sheet: str) -> str:
        """Return the id of the writer of a sheet; "" if that is not known."""
        return self._writers.get(sheet, "")

    def source(self, sheet: str) -> str:
        """Return the name of the photograph that a known sheet was first read from."""
        return self._sources[sheet]

    def cells(self, sheet: str) -> set[str]:
        """Return the names of the cells of a known sheet that were saved."""
        return set(self._sheets[sheet])

    def _add(self, sheet: str, source: str, cell: str, crop: NDArray[np.uint8]) -> None:
        self._sources.setdefault(sheet, source)
        self._sheets.setdefault(sheet, {}).setdefault(cell, _standardize(crop))


def _standardize(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Blur a crop, and scale it to mean 0 and length 1, float32 (784,), so that a product is a correlation."""
    blurred = as_uint8(cv2.GaussianBlur(crop, (0, 0), _SIGMA)).astype(np.float32).ravel()
    centred = blurred - blurred.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6), np.float32)


def _likeness(digits: Sequence[CellDigit], known: dict[str, NDArray[np.float32]]) -> float:
    """How many more digits are most like their own cell than by chance, in standard deviations."""
    hits = expected = variance = 0.0
    for row in range(ROWS):
        own = [one for one in digits if one.cell.row == row and one.cell.name in known]
        if len(own) > 1:
            photographed = np.stack([_standardize(one.crop) for one in own])
            saved = np.stack([known[one.cell.name] for one in own])
            hits += float(((photographed @ saved.T).argmax(axis=1) == np.arange(len(own))).sum())
            expected += 1.0
            variance += 1 - 1 / len(own)  # of as many trials with a chance of one in as many
    return (hits - expected) / sqrt(variance) if variance else 0.0
