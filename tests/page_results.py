"""Results of pages of every kind, made by hand: rows, a table, a turned page, no digits, an error, odd names."""

from dataclasses import replace

import numpy as np

from digitedge.errors import ErrorKind
from digitedge.reader.page_result import PageFailure, PageResult
from digitedge.reader.reading import Cell, Digit, Reading, Table
from digitedge.utils.transform import Transform


def digit(value: int, x: int, y: int, confidence: float = 0.99) -> Digit:
    """A digit of 20 x 30 pixels, with a crop of its value in every pixel."""
    return Digit(value, confidence, (x, y, 20, 30), crop=np.full((28, 28), value, np.uint8))


ROWS = Reading(
    (digit(2, 10, 10), digit(0, 35, 10, 0.5), digit(7, 300, 12, 0.75), digit(5, 10, 100)),
    ("207", "5"),
    640,
    480,
    3.1,
    numbers=(("20", "7"), ("5",)),
)
LEFT, RIGHT, WIDE = (100, 50, 100, 50), (200, 50, 100, 50), (100, 100, 200, 50)
TABLE = Reading(
    (digit(9, 10, 10), digit(1, 110, 60), digit(2, 135, 60), digit(3, 320, 60), digit(8, 150, 110)),
    ("9", "123", "8"),
    640,
    480,
    3.1,
    numbers=(("9",), ("12", "3"), ("8",)),
    tables=(Table((100, 50, 200, 100), ((Cell("12", LEFT), Cell("", RIGHT)), (Cell("8", WIDE), Cell("", WIDE)))),),
)
TURNED = Reading((digit(4, 50, 60),), ("4",), 480, 640, 3.1, numbers=(("4",),), transform=Transform(rotate=90))
EMPTY = Reading((), (), 640, 480, 3.1)
FILTERED = Reading((), (), 640, 480, 3.1, left_out=2)
FAILURE = PageFailure(ErrorKind.DAMAGED, "=1.png: expected an image, got 3 bytes. Save it again.")


def result(source: str, page: int | None, reading: Reading) -> PageResult:
    return PageResult(source, page, replace(reading, source=source, page=page))


RESULTS = (
    result("scans/desk.jpg", None, ROWS),
    result("book.pdf", 1, TABLE),
    result("book.pdf", 12, TURNED),
    result("=1+1.png", None, EMPTY),
    result("/data/../é\udcff\n.png", None, FILTERED),
    PageResult("=1.png", None, error=FAILURE),
    PageResult("box.zip/lost.pdf", None, error=PageFailure(ErrorKind.CRASHED, "it ended its process 3 times")),
)
