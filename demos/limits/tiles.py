"""Shots -> one small image for the page: what was read is drawn in, and above each tile stands what it shows."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from measure import Measured, Shot
from numpy.typing import NDArray
from setting import FRAME

from digitedge.camera import draw_reading
from digitedge.utils.boxes import Box
from digitedge.utils.drawing import BLACK, shortened, write
from digitedge.utils.opencv import cv2

Image = NDArray[np.uint8]

# Pixels, in the shape of FRAME; two wide tiles, or three narrow ones, are as wide as a page on a screen.
WIDE, NARROW = (364, 273), (244, 183)
BAR, TYPE, GAP = 24, 10, 6
# At most so many narrow ones, in so many columns.
SHOWN, COLUMNS = 6, 3
# What is seen around the digits, in heights of the highest one.
AROUND = 0.9


def pair(left: tuple[str, Shot], right: tuple[str, Shot]) -> Image:
    """Put two images side by side, each with its caption."""
    return _grid([_tile(*left, WIDE), _tile(*right, WIDE)], columns=2)


def worst(measured: Sequence[Measured]) -> Image:
    """Put images of the points at which most is wrong side by side, in their order; where all is right, any."""
    ranked = sorted(measured, key=_share_of_errors, reverse=True)
    shown = [one for one in ranked if one.spoiled][:SHOWN] or ranked[:COLUMNS]
    tiles = [_tile(one.point.label, one.shot, NARROW) for one in measured if one in shown]
    return _grid(tiles, columns=COLUMNS)


def _share_of_errors(one: Measured) -> float:
    return one.score.errors / max(one.score.true, one.score.negatives)


def _grid(tiles: Sequence[Image], *, columns: int) -> Image:
    high, wide = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * (high + GAP) - GAP, columns * (wide + GAP) - GAP, 3), 255, np.uint8)
    for index, tile in enumerate(tiles):
        y, x = (high + GAP) * (index // columns), (wide + GAP) * (index % columns)
        sheet[y : y + high, x : x + wide] = tile
    return sheet


def _tile(caption: str, shot: Shot, size: tuple[int, int]) -> Image:
    """A caption over the part of an image where the digits are, with what was read there."""
    x, y, w, h = _window(shot)
    part = shot.case.frame[y : y + h, x : x + w]
    scale = size[0] / w
    large = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    digits = tuple(replace(digit, box=_within(digit.box, x, y, scale)) for digit in shot.reading.digits)
    tile = np.full((BAR + size[1], size[0], 3), 236, np.uint8)
    # The labels of the digits say what was read; a list of rows would hide some of them.
    tile[BAR:] = draw_reading(np.asarray(large, np.uint8), replace(shot.reading, digits=digits, rows=()))
    write(tile, shortened(caption, TYPE, size[0] - 12), (6, BAR - 7), TYPE, BLACK)
    return tile


def _window(shot: Shot) -> Box:
    """The part of an image around all digits that are written or were read, in the shape of the image."""
    boxes = np.array([digit.box for digit in (*shot.case.digits, *shot.reading.digits)])
    if not len(boxes):
        return 0, 0, *FRAME
    around = AROUND * boxes[:, 3].max()
    low, high = boxes[:, :2].min(axis=0) - around, (boxes[:, :2] + boxes[:, 2:]).max(axis=0) + around
    scale = min(1.0, float(((high - low) / FRAME).max()))
    size = np.ceil(scale * np.array(FRAME)).astype(int)
    corner = np.rint((low + high - size) / 2).astype(int).clip(0, FRAME - size)
    return int(corner[0]), int(corner[1]), int(size[0]), int(size[1])


def _within(box: Box, x: int, y: int, scale: float) -> Box:
    """A box of the whole image in an enlarged part of it."""
    left, top, right, bottom = np.rint(
        scale * np.array([box[0] - x, box[1] - y, box[0] + box[2] - x, box[1] + box[3] - y])
    )
    return int(left), int(top), int(right - left), int(bottom - top)
