"""Doubtful cells, as they look in the photographs, on one image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.cells import cell_box_px
from digitedge.collecting.read import CellDigit, SheetReading
from digitedge.utils.drawing import BLACK, WHITE, draw_text, shorten_text
from digitedge.utils.opencv import as_uint8, cv2, to_bgr

DOUBTFUL_FILE = "_doubtful.png"
"""In the folder of the collection; no program takes an image whose name begins with "_" for data."""

# In pixels.
_MARGIN = 12
_GAP = 8
_TEXT_HEIGHT = 11
_TILE_WIDTH = 190
_COLUMNS = 6
_BACKGROUND = (52, 48, 44)


def describe(one: CellDigit) -> str:
    """Say in a few words why a cell is doubtful.

    Examples:
        >>> from digitedge.collecting.sheet import Cell
        >>> describe(CellDigit(Cell(1, 3), np.zeros((28, 28), np.uint8), 7, 0.987))
        'r1c03: asked for 1, looks like 7 (99 %)'
    """
    return f"{one.cell.name}: asked for {one.cell.row}, looks like {one.predicted} ({one.confidence:.0%})".replace(
        "%", " %"
    )


def draw_tile(sheet: SheetReading, one: CellDigit, *, name: str) -> NDArray[np.uint8]:
    """Draw a cell as it looks in the photograph of that name, with what it is read as: uint8 (H, W, 3)."""
    x, y, width, height = cell_box_px(one.cell)
    rows, columns = slice(y - _MARGIN, y + height + _MARGIN), slice(x - _MARGIN, x + width + _MARGIN)
    shown = to_bgr(sheet.page)[rows, columns]
    shown = as_uint8(cv2.convertScaleAbs(shown, alpha=255 / max(1, int(shown.max()))))  # it may be in a shadow
    lines = [f"{one.cell.name}: {one.cell.row} or {one.predicted}?", name]
    tile = np.full((shown.shape[0] + len(lines) * 2 * _TEXT_HEIGHT, _TILE_WIDTH, 3), WHITE, np.uint8)
    left = (_TILE_WIDTH - shown.shape[1]) // 2
    tile[: shown.shape[0], left : left + shown.shape[1]] = shown
    for number, line in enumerate(lines):
        baseline = shown.shape[0] + (2 * number + 1) * _TEXT_HEIGHT + 4
        draw_text(tile, shorten_text(line, _TEXT_HEIGHT, _TILE_WIDTH - 8), (4, baseline), _TEXT_HEIGHT, BLACK)
    return tile


def arrange_tiles(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Arrange tiles of equal size, at least one, on one image, uint8 (H, W, 3)."""
    height, width = tiles[0].shape[:2]
    columns = min(_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    image = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), _BACKGROUND, np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        x, y = _GAP + column * (width + _GAP), _GAP + row * (height + _GAP)
        image[y : y + height, x : x + width] = tile
    return image
