"""The printed page: the sheet as a PDF or as an image, from one list of areas and texts."""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.pdf import PdfPage
from digitedge.collecting.sheet import (
    BLOCK_MM,
    CELLS,
    MARKER_BITS,
    MARKER_MM,
    MARKERS,
    ROWS,
    SHEET_VERSION,
    Cell,
    Paper,
    block_corner_mm,
    marker_bits,
    marker_corners_mm,
)
from digitedge.errors import InputError
from digitedge.utils.drawing import draw_text, text_width
from digitedge.utils.files import atomic_file
from digitedge.utils.opencv import encode_image

DPI = 300
"""Of the image; it states it, so that it is printed in its true size."""

# Borders of the cells: light, so that even pale ink stands out from them.
BORDER_MM = 0.25
BORDER_GREY = 190
TEXT_GREY = 60
# Heights of capitals in millimetres.
TITLE_MM = 3.6
DIGIT_MM = 4.0
TEXT_MM = 1.9
NAME_MM = 3.4

INSTRUCTIONS = (
    "Each row asks for the digit on its left. Write as you always do, one digit in each cell.",
    "Wrong? Cross the whole cell out with an X. Cells may stay empty.",
    "Photograph the whole sheet, then run: digitedge collect read PHOTO --into FOLDER",
)
PRIVACY = "The digits stay in that folder on your own computer. Nothing is sent anywhere."


@dataclass(frozen=True, slots=True)
class Area:
    """A filled rectangle, in millimetres from the upper left corner of the block; grey from 0 to 255."""

    x: float
    y: float
    width: float
    height: float
    grey: int


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text: the left end of its baseline and the height of its capitals, in millimetres."""

    x: float
    y: float
    height: float
    text: str
    grey: int = TEXT_GREY


def write_sheet(path: Path, *, paper: Paper = Paper.A4, writer: str = "") -> None:
    """Write a sheet as a PDF or PNG file, by the suffix of its path, atomically.

    Args:
        path: of the file.
        paper: that it will be printed on.
        writer: name that is printed on it. See `can_print`.

    Raises:
        InputError: another suffix, or a name that cannot be printed.
        DigitEdgeError: the folder cannot be written to, or the disk is full.
    """
    suffix = path.suffix.lower()
    if suffix not in (".pdf", ".png"):
        raise InputError(f"{path}: expected a suffix .pdf or .png, got {path.suffix!r}. Choose one of them.")
    if not can_print(writer):
        raise InputError(
            f"expected a name of at most {MAX_NAME_LENGTH} Western European letters to print, got {writer!r}. "
            "Leave it out, and write it by hand."
        )
    if suffix == ".pdf":
        content = draw_pdf(paper=paper, writer=writer)
    else:
        content = _state_dpi(encode_image(draw_image(paper=paper, writer=writer), ".png"))
    with atomic_file(path) as draft:
        draft.write_bytes(content)


MAX_NAME_LENGTH = 36


def can_print(name: str) -> bool:
    """Tell whether a name can be printed on the sheet: short enough, and in the letters of PDF's own fonts.

    Examples:
        >>> can_print("Zoë"), can_print("雨"), can_print("line" + chr(10) + "line")
        (True, False, False)
    """
    try:
        name.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return len(name) <= MAX_NAME_LENGTH and name.isprintable()


def draw_pdf(*, paper: Paper = Paper.A4, writer: str = "") -> bytes:
    """Draw a sheet as a PDF of one page, in its true size."""
    page = PdfPage(paper.size_mm)
    left, top = block_corner_mm(paper)
    for part in _page_parts(writer):
        if isinstance(part, Area):
            page.fill(left + part.x, top + part.y, part.width, part.height, grey=part.grey)
        else:
            page.write(part.text, left + part.x, top + part.y, height=part.height, grey=part.grey)
    return page.to_bytes(title=f"digitedge digit sheet, version {SHEET_VERSION}")


def draw_image(*, paper: Paper = Paper.A4, writer: str = "", dpi: int = DPI) -> NDArray[np.uint8]:
    """Draw a sheet as an image, uint8 (H, W, 3).

    Examples:
        >>> draw_image(dpi=100).shape
        (1169, 827, 3)
    """
    scale = dpi / 25.4
    width, height = (round(size * scale) for size in paper.size_mm)
    image = np.full((height, width, 3), 255, np.uint8)
    left, top = block_corner_mm(paper)
    for part in _page_parts(writer):
        x, y = (left + part.x) * scale, (top + part.y) * scale
        if isinstance(part, Area):
            right, bottom = (round(end) for end in (x + part.width * scale, y + part.height * scale))
            image[round(y) : max(bottom, round(y) + 1), round(x) : max(right, round(x) + 1)] = part.grey
        else:
            _print_text(image, part, (round(x), round(y)), scale)
    return image


def _print_text(image: NDArray[np.uint8], part: Text, corner: tuple[int, int], scale: float) -> None:
    """Print a text; OpenCV's font is wider than that of the PDF, so long lines get smaller."""
    height = max(1, round(part.height * scale))
    room = round((BLOCK_MM[0] - part.x) * scale)
    while height > 1 and text_width(part.text, height) > room:
        height -= 1
    draw_text(image, part.text, corner, height, (part.grey,) * 3)


def _page_parts(writer: str) -> Iterator[Area | Text]:
    for number in range(MARKERS):
        yield from _marker_areas(number)
    for cell in CELLS:
        yield from _cell_borders(cell)
    for row in range(ROWS):
        x, y, _, height = Cell(row, 0).box_mm
        yield Text(x - 5.2, y + (height + DIGIT_MM) / 2, DIGIT_MM, str(row))
    yield Text(14, 5, TITLE_MM, "Digit sheet")
    yield Text(14, 9, TEXT_MM, f"digitedge, version {SHEET_VERSION}")
    yield Text(0, 22, TEXT_MM, "Name")
    yield Area(9, 23, 68, BORDER_MM, TEXT_GREY)
    if writer:
        yield Text(10, 21.8, NAME_MM * min(1, 22 / len(writer)), writer, 0)
    for number, line in enumerate(INSTRUCTIONS):
        yield Text(81, 16 + 3.5 * number, TEXT_MM, line)
    yield Text(FIRST_CELL_OF_LAST_ROW_X, BLOCK_MM[1] - MARKER_MM - 2.4, TEXT_MM, PRIVACY)


FIRST_CELL_OF_LAST_ROW_X = Cell(ROWS - 1, 0).box_mm[0]


def _marker_areas(number: int) -> Iterator[Area]:
    """A black square, and the white runs of each line of its bits."""
    x, y = marker_corners_mm()[number, 0].tolist()
    yield Area(x, y, MARKER_MM, MARKER_MM, 0)
    bit = MARKER_MM / MARKER_BITS
    for line, bits in enumerate(marker_bits(number)):
        for run in re.finditer("1+", "".join("01"[one] for one in bits.tolist())):
            yield Area(x + run.start() * bit, y + line * bit, len(run[0]) * bit, bit, 255)


def _cell_borders(cell: Cell) -> Iterator[Area]:
    x, y, width, height = cell.box_mm
    for top in (y, y + height - BORDER_MM):
        yield Area(x, top, width, BORDER_MM, BORDER_GREY)
    for left in (x, x + width - BORDER_MM):
        yield Area(left, y, BORDER_MM, height, BORDER_GREY)


def _state_dpi(png: bytes) -> bytes:
    """Insert the resolution into a PNG, after its header: OpenCV does not write it."""
    per_metre = round(DPI / 0.0254)
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    header = 33  # signature, and the chunk IHDR
    return png[:header] + struct.pack(">I", 9) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[header:]
