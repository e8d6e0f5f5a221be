"""A photograph of a filled sheet becomes labelled crops: each digit is labelled by the row it stands in."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.cells import extract_cells, extract_page_ink, has_borders
from digitedge.collecting.crossed_out import is_crossed_out
from digitedge.collecting.flatten import flatten
from digitedge.collecting.pose import locate_sheet
from digitedge.collecting.sheet import CELLS, Cell
from digitedge.runtime import Classifier
from digitedge.utils.images import check_image
from digitedge.utils.opencv import to_grey
from digitedge.vision.normalize import normalize_digit

SURE = 0.9
"""Confidence of another digit from which a cell is doubtful."""


@dataclass(frozen=True, slots=True, eq=False)
class CellDigit:
    """The digit in one cell.

    Attributes:
        cell: where it stands; its row is the label.
        crop: uint8 (28, 28), the input of the classifier.
        predicted: what the classifier reads.
        confidence: of `predicted`, 0 to 1.
    """

    cell: Cell
    crop: NDArray[np.uint8] = field(repr=False)
    predicted: int
    confidence: float

    @property
    def is_doubtful(self) -> bool:
        """Whether the classifier is sure of another digit than the one that was asked for."""
        return self.predicted != self.cell.row and self.confidence >= SURE


@dataclass(frozen=True, slots=True, eq=False)
class SheetReading:
    """What was read from one photograph.

    Attributes:
        sheet: 12 hexadecimal digits of the hash of the photograph's pixels.
        digits: of all filled cells but those that are crossed out, row by row.
        crossed_out: cells that are.
        unseen: cells that are not in the photograph.
        page: uint8 (h, w, 3) or (h, w), the flat page.
    """

    sheet: str
    digits: tuple[CellDigit, ...]
    crossed_out: tuple[Cell, ...]
    unseen: tuple[Cell, ...]
    page: NDArray[np.uint8] = field(repr=False)

    @property
    def filled(self) -> int:
        """Number of cells that are not empty."""
        return len(self.digits) + len(self.crossed_out)

    @property
    def doubtful(self) -> list[CellDigit]:
        """Digits of which the classifier is sure that they are others."""
        return [one for one in self.digits if one.is_doubtful]


def read_sheet(image: NDArray[np.uint8], classifier: Classifier) -> SheetReading:
    """Read a photograph or scan of a filled sheet, in any orientation.

    Args:
        image: uint8 (H, W, 3) BGR or (H, W).
        classifier: helps to tell what is crossed out, and says which cells are doubtful. It labels nothing.

    Raises:
        DataError: no sheet, too little of one, two of them, or one of another version.
        InputError: another type or shape.
    """
    check_image(image)
    pose = locate_sheet(to_grey(image))
    page = flatten(image, pose)
    page_ink = extract_page_ink(to_grey(page))
    seen = {cell for cell in pose.cells_in_photo() if pose.is_between_markers(cell) or has_borders(page_ink, cell)}
    inks = {cell: ink for cell, ink in extract_cells(page_ink).items() if cell in seen}
    digits, crossed_out = [], []
    if inks:
        crops = np.stack([normalize_digit(ink) for ink in inks.values()])
        for (cell, ink), crop, scores in zip(inks.items(), crops, classifier.probabilities(crops), strict=True):
            if is_crossed_out(ink, scores):
                crossed_out.append(cell)
            else:
                digits.append(CellDigit(cell, crop, int(scores.argmax()), float(scores.max())))
    unseen = tuple(cell for cell in CELLS if cell not in seen)
    return SheetReading(_photo_id(image), tuple(digits), tuple(crossed_out), unseen, page)


def _photo_id(image: NDArray[np.uint8]) -> str:
    """A name of a photograph that tells nothing: the same pixels have the same, whatever the file is called."""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()[:12]
