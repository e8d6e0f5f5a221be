"""The ground truth of a rendered frame: every digit with its box, the rows, and what is to be ignored."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.page.page import PageTable
from digitedge.synthetic.page.scene_types import Difficulty
from digitedge.synthetic.page.writing import Row, all_ink
from digitedge.synthetic.photo.camera_pose import project
from digitedge.utils.boxes import Box, clip_box, union

# How far a digit may go beyond the frame and still count as whole, in pixels.
TOLERANCE = 1


@dataclass(frozen=True, slots=True)
class TrueDigit:
    """One digit, 0 to 9, of a frame, and its box in pixels of the frame, tight around the ink."""

    digit: int
    box: Box


@dataclass(frozen=True, slots=True)
class TrueCell:
    """A cell of a table: the digits in it, joined, and its box in pixels of the frame."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class TrueTable:
    """A table: its box in pixels of the frame, and its cells, row by row."""

    box: Box
    rows: tuple[tuple[TrueCell, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame and its ground truth.

    Attributes:
        frame: uint8 (H, W, 3), BGR.
        digits: all whole digits, in reading order.
        rows: the digits of each row joined, top to bottom.
        numbers: for each row the numbers in it, which are at least 1.2 heights of a digit apart, or in a document words
            or cells.
        ignore: boxes of other things; reading something there is neither right nor wrong.
        scene_type: a name in PLAIN_SCENE_TYPES, SCENE_TYPES, NEGATIVE_SCENE_TYPES or DOCUMENT_TYPES.
        difficulty: how hard it is to read.
        tables: those of documents.
        ambiguous: boxes of letters and signs of documents that look like a digit when they stand alone (o, S, a
            bracket): no digits for a reader, which sees their neighbours, but nothing to train a classifier on.
    """

    frame: NDArray[np.uint8]
    digits: tuple[TrueDigit, ...]
    rows: tuple[str, ...]
    numbers: tuple[tuple[str, ...], ...]
    ignore: tuple[Box, ...]
    scene_type: str
    difficulty: Difficulty
    tables: tuple[TrueTable, ...] = ()
    ambiguous: tuple[Box, ...] = ()


def box_in_frame(outline: NDArray[np.float64], matrix: NDArray[np.float64]) -> Box:
    """Return the box in the frame of an outline (P, 2) on the page, by a matrix (3, 3) from page to frame."""
    projected = project(outline, matrix)
    x, y = np.rint(projected.min(axis=0)).astype(int).tolist()
    right, bottom = np.rint(projected.max(axis=0)).astype(int).tolist()
    return x, y, right + 1 - x, bottom + 1 - y


def table_in_frame(table: PageTable, matrix: NDArray[np.float64]) -> TrueTable:
    """Return a table of a page as it is in the frame, by a matrix (3, 3) from page to frame."""
    cells = tuple(
        tuple(TrueCell(text, box_in_frame(corners, matrix)) for text, corners in zip(*row, strict=True))
        for row in zip(table.texts, table.corners, strict=True)
    )
    return TrueTable(union([cell.box for row in cells for cell in row]), cells)


def describe_scene(
    frame: NDArray[np.uint8],
    rows: Sequence[Row],
    boxes: Sequence[Box],
    *,
    ignore: Sequence[Box] = (),
    tables: Sequence[TrueTable] = (),
    ambiguous: Sequence[Box] = (),
    scene_type: str,
    difficulty: Difficulty,
) -> Scene:
    """Make a scene of a frame: digits that its border cuts are not read but ignored.

    `boxes` are those of all digits in `rows`, in the same order; all boxes may go beyond the frame.
    """
    height, width = frame.shape[:2]
    digits = [
        TrueDigit(placed.digit, clip_box(box, width, height))
        if placed.digit is not None and _is_whole(box, width, height)
        else None
        for placed, box in zip(all_ink(rows), boxes, strict=True)
    ]
    remaining = iter(digits)
    texts = [
        ["".join(str(one.digit) for one in islice(remaining, len(number)) if one) for number in row] for row in rows
    ]
    numbers = tuple(tuple(filter(None, row)) for row in texts if any(row))
    cut = [box for box in boxes if not _is_whole(box, width, height)]
    visible = (clip_box(box, width, height) for box in (*ignore, *cut))
    return Scene(
        frame=frame,
        digits=tuple(filter(None, digits)),
        rows=tuple("".join(row) for row in numbers),
        numbers=numbers,
        ignore=tuple(box for box in visible if min(box[2:]) > 0),
        scene_type=scene_type,
        difficulty=difficulty,
        tables=tuple(tables),
        ambiguous=tuple(ambiguous),
    )


def _is_whole(box: Box, width: int, height: int) -> bool:
    x, y, w, h = box
    return min(x, y) >= -TOLERANCE and x + w <= width + TOLERANCE and y + h <= height + TOLERANCE
