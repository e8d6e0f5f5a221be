"""A sheet of paper becomes labelled digits: `write_sheet` prints it, `read_sheet` reads a photograph of it.

What is read is added to a collection (`digitedge.datasets.collection`) with `save_digits`.
"""

from digitedge.collecting.known_sheets import KnownSheets
from digitedge.collecting.page import write_sheet
from digitedge.collecting.read import CellDigit, SheetReading, read_sheet
from digitedge.collecting.save import save_digits
from digitedge.collecting.sheet import CELLS, SHEET_VERSION, Cell, Paper

__all__ = [
    "CELLS",
    "SHEET_VERSION",
    "Cell",
    "CellDigit",
    "KnownSheets",
    "Paper",
    "SheetReading",
    "read_sheet",
    "save_digits",
    "write_sheet",
]
