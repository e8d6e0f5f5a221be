"""Examples as one small image: tiles with a caption and the reading drawn in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from measure import Example, PointResult
from numpy.typing import NDArray
from setting import FRAME

from digitedge.reader.overlay import draw_reading
from digitedge.utils.boxes import Box
from digitedge.utils.drawing import BLACK, draw_text, shorten_text
from digitedge.utils.opencv import cv2, resize

Image = NDArray[np.uint8]

# Pixels, in the aspect of FRAME. Two wide tiles, or three narrow ones, are as wide as a page on a screen.
WIDE = (364, 273)
NARROW = (244, 183)
# Height of the caption bar, size of its type, and gap between tiles, in pixels.
BAR_HEIGHT = 24
TYPE_SIZE = 10
GAP = 6
MAX_NARROW_TILES = 6
COLUMNS = 3
# Margin around the digits, in heights of the highest one.
MARGIN = 0.9


def side_by_side(left: tuple[str, Example], right: tuple[str, Example]) -> Image:
    """Two examples with their captions."""
    return _grid([_tile(*left, WIDE), _tile(*right, WIDE)], columns=2)


def worst_examples(results: Sequence[PointResult]) -> Image:
    """Examples of the points with the most errors, in the order of the table; if there is no error, of any points."""
    ranked = sorted(results, key=_error_rate, reverse=True)
    shown = [one for one in ranked if one.images_with_errors][:MAX_NARROW_TILES] or ranked[:COLUMNS]
    tiles = [_tile(one.point.label, one.example, NARROW) for one in results if one in shown]
    return _grid(tiles, columns=COLUMNS)


def _error_rate(one: PointResult) -> float:
    return one.score.errors / max(one.score.digits, one.score.negatives)


def _grid(tiles: Sequence[Image], *, columns: int) -> Image:
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        y, x = (height + GAP) * (index // columns), (width + GAP) * (index % columns)
        sheet[y : y + height, x : x + width] = tile
    return sheet


def _tile(caption: str, example: Example, size: tuple[int, int]) -> Image:
    """The part of an image with digits, the reading drawn in, below a caption."""
    x, y, w, h = _window(example)
    scale = size[0] / w
    part = resize(example.labelled.frame[y : y + h, x : x + w], size, cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    digits = tuple(replace(digit, box=_box_in_tile(digit.box, x, y, scale)) for digit in example.reading.digits)
    tile = np.full((BAR_HEIGHT + size[1], size[0], 3), 236, np.uint8)
    # Without the list of rows, which would hide digits. Every box has its label.
    tile[BAR_HEIGHT:] = draw_reading(part, replace(example.reading, digits=digits, rows=()))
    draw_text(tile, shorten_text(caption, TYPE_SIZE, size[0] - 12), (6, BAR_HEIGHT - 7), TYPE_SIZE, BLACK)
    return tile


def _window(example: Example) -> Box:
    """The part of an image around all digits, true or read, in the aspect of the image."""
    boxes = np.array([digit.box for digit in (*example.labelled.digits, *example.reading.digits)])
    if not len(boxes):
        return 0, 0, *FRAME
    margin = MARGIN * boxes[:, 3].max()
    low, high = boxes[:, :2].min(axis=0) - margin, (boxes[:, :2] + boxes[:, 2:]).max(axis=0) + margin
    scale = min(1.0, float(((high - low) / FRAME).max()))
    size = np.ceil(scale * np.array(FRAME)).astype(int)
    corner = np.rint((low + high - size) / 2).astype(int).clip(0, FRAME - size)
    return int(corner[0]), int(corner[1]), int(size[0]), int(size[1])


def _box_in_tile(box: Box, x: int, y: int, scale: float) -> Box:
    """Convert a box of the image to an enlarged part of it."""
    left, top, right, bottom = np.rint(
        scale * np.array([box[0] - x, box[1] - y, box[0] + box[2] - x, box[1] + box[3] - y])
    )
    return int(left), int(top), int(right - left), int(bottom - top)
