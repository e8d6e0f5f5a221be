"""Cells: the areas between lines in which writing stands: boxes of forms, cells of tables, or the open page.

Unlike `find_tables`, this needs no grid: any lines divide the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2
from digitedge.vision.lines import Line

# Longer side in pixels of the copy in which lines are drawn and areas are found.
DRAWN_SIDE = 800
# Least thickness of a line in that copy, and how far it is drawn beyond its ends: corners of boxes may have gaps.
MIN_LINE_PX = 2
EXTENSION_PX = 3
# Where a box is sampled, in its widths and heights; a digit may cross a line.
SAMPLES = (0.25, 0.5, 0.75)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cell of each of N boxes.

    Attributes:
        number: intp (N,); boxes with the same number stand in the same cell. 0 for what lines cover.
        size: float64 (N, 2), width and height of the cell in pixels of the image.
    """

    number: NDArray[np.intp]
    size: NDArray[np.float64]


def find_cells(boxes: NDArray[np.float64], lines: Sequence[Line], shape: tuple[int, int]) -> Cells:
    """Find the cell in which each box stands.

    Args:
        boxes: float64 (N, 4): x, y, width, height in pixels of the image.
        lines: in pixels of the image.
        shape: height and width of the image. Without lines, all of it is one cell.

    Examples:
        >>> divider = Line(True, 0, np.full(100, 60.0), 2.0)
        >>> boxes = np.float64([[10, 40, 20, 30], [30, 40, 20, 30], [80, 40, 20, 30]])
        >>> cells = find_cells(boxes, [divider], (100, 200))
        >>> cells.number.tolist()
        [1, 1, 2]
    """
    if not lines or not len(boxes):
        return Cells(np.ones(len(boxes), np.intp), np.tile(np.array(shape[::-1], np.float64), (len(boxes), 1)))
    scale = min(1.0, DRAWN_SIDE / max(shape))
    high, wide = (max(1, round(side * scale)) for side in shape)
    labels, areas = _label_areas(_draw_lines(lines, scale, (high, wide)))
    x, y = (
        (scale * (boxes[:, i, None] + boxes[:, i + 2, None] * SAMPLES)).astype(np.intp).clip(0, side - 1)
        for i, side in ((0, wide), (1, high))
    )
    found = labels[y[:, :, None], x[:, None, :]].reshape(len(boxes), -1)
    number = _most_frequent(found)
    return Cells(number, areas[number, 2:4] / scale)


def _draw_lines(lines: Sequence[Line], scale: float, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw the lines, a little longer than they are, as 0 on 255."""
    drawn = np.full(shape, 255, np.uint8)
    for line in (line.scaled(scale) for line in lines):
        if not len(line.path):
            continue
        along = line.start + np.arange(len(line.path))
        along = np.concatenate([along[:1] - EXTENSION_PX, along, along[-1:] + EXTENSION_PX])
        across = np.rint(np.pad(line.path, 1, mode="edge"))
        points = np.column_stack([across, along] if line.vertical else [along, across]).astype(np.int32)
        cv2.polylines(drawn, [points], False, 0, max(MIN_LINE_PX, round(line.thickness)))
    return drawn


def _label_areas(drawn: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Number the A areas between lines from 1.

    Returns:
        The number of each pixel, int32 (h, w), 0 on lines.
        Of each number x, y, width, height and count of pixels, int32 (A + 1, 5).
    """
    _, labels, areas, _ = cv2.connectedComponentsWithStats(as_uint8(drawn), connectivity=4)
    return np.asarray(labels, np.int32), np.asarray(areas, np.int32)


def _most_frequent(numbers: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the most frequent number of each row that is not 0, or 0 if all are."""
    count = (numbers[:, :, None] == numbers[:, None, :]).sum(axis=2) * (numbers > 0)
    return np.take_along_axis(numbers, count.argmax(axis=1)[:, None], axis=1)[:, 0].astype(np.intp)
