"""Enlarged crops side by side, each with a caption and a name below it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.drawing import WHITE, Colour, draw_text, shorten_text, text_width
from digitedge.utils.opencv import cv2, resize

COLUMNS = 10
# In pixels of the image. A band of text is below each tile.
TILE = 112
GAP = 8
HEADER = 40
BAND = 38
# Heights of capitals, in pixels.
TITLE_HEIGHT = 13
TEXT_HEIGHT = 10
NAME_HEIGHT = 8
BACKGROUND: Colour = (52, 48, 44)


class DigitTile(NamedTuple):
    """A crop, uint8 (28, 28), with a caption, its colour and the name of the image."""

    crop: NDArray[np.uint8]
    caption: str
    colour: Colour
    name: str


def draw_digit_tiles(tiles: Sequence[DigitTile], *, title: str) -> NDArray[np.uint8]:
    """Draw tiles in rows below a title: uint8 (H, W, 3) BGR, at least as wide as the title."""
    columns_of_title = -(-(text_width(title, TITLE_HEIGHT) + 2 * GAP) // (TILE + GAP))
    columns = max(min(COLUMNS, len(tiles)), columns_of_title)
    rows = -(-len(tiles) // columns)
    shape = (HEADER + rows * (TILE + BAND + GAP), GAP + columns * (TILE + GAP), 3)
    image = np.full(shape, BACKGROUND, np.uint8)
    draw_text(image, title, (GAP, HEADER - 14), TITLE_HEIGHT, WHITE)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        x, y = GAP + column * (TILE + GAP), HEADER + row * (TILE + BAND + GAP)
        image[y : y + TILE, x : x + TILE] = resize(tile.crop, (TILE, TILE), cv2.INTER_NEAREST)[:, :, None]
        draw_text(image, tile.caption, (x, y + TILE + 15), TEXT_HEIGHT, tile.colour)
        draw_text(image, shorten_text(tile.name, NAME_HEIGHT, TILE), (x, y + TILE + 30), NAME_HEIGHT, WHITE)
    return image
