"""The flat page of a sheet becomes the ink of each cell: printed borders removed, strokes given to their cells.

A digit may cross the border of its cell: what is mostly in one cell belongs to it as a whole.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.flatten import PX_PER_MM
from digitedge.collecting.sheet import CELL_MM, CELLS, COLUMNS, FIRST_CELL_MM, PITCH_MM, ROWS, Cell
from digitedge.utils.boxes import Box
from digitedge.utils.opencv import as_uint8, cv2, resize
from digitedge.vision.illumination import Illumination, extract_ink
from digitedge.vision.segment import connected_components

# The paper is estimated on a copy with so many pixels of the flat page in one, what is narrower than this is a stroke,
# and the result is blurred: by little, or the hard edge of a shadow would look like ink.
_LIGHT_STEP = 3
_LIGHT_SIGMA = 1.0
_MAX_STROKE_MM = 9.0
# How far from the edge of a shadow, in the same pixels, the estimate may be wrong, and up to which share of its
# darkness.
_EDGE_REACH = 3
_EDGE_SHARE = 1.0
# Where a printed border may be beside its place, in pixels: the paper is not quite flat.
_BORDER_REACH = 4
# Distance from the middle of a border at which the paper is bare again, in pixels.
_BORDER_HALF = 3
# Share of a border's pixels that strokes leave free, and what its noise adds to its darkness.
_FREE_SHARE = 0.4
_BORDER_NOISE = 1.3
# Least ink level of a border that is seen.
_VISIBLE_BORDER = 6
# Blur in pixels before ink is told from paper: photographs seldom have the resolution of the flat page.
_SMOOTHING = 0.9
# A stroke has at least this share of the darkest ink in its neighbourhood, and so many times the ink level of bare
# paper, or at least so much: all of it (weak), and somewhere (strong).
_PEAK_SHARE = 0.3
_NEIGHBOURHOOD_PX = 6
_WEAK_DEVIATIONS, _MIN_WEAK = 3.0, 8
_STRONG_DEVIATIONS, _MIN_STRONG = 5.0, 14
# Side of a tile in which the level of bare paper is estimated, and the share of its pixels that surely are bare.
_TILE_PX = 40
_BARE_SHARE = 0.5
# A piece of ink with at least this share in one cell is that cell's as a whole.
_OWN_SHARE = 0.75
# What is paler than this share of the digits of a sheet is no digit, but a shadow's edge or the rest of a border.
_PALE_SHARE = 0.3
# Least longer side of the largest piece of a digit in millimetres, and of another piece, in sides of the largest.
MIN_DIGIT_MM = 2.2
_MIN_PART = 0.15
# Writing reaches at most this far out of the cells, in millimetres: beyond are the printed digits.
_MARGIN_MM = 1.6


class PageInk(NamedTuple):
    """A flat page without its light.

    Attributes:
        ink: uint8 (h, w): 0 is paper, 255 is ink that reflects nothing.
        edges: uint8 (h, w): how dark the edge of a shadow may look there as ink.
    """

    ink: NDArray[np.uint8]
    edges: NDArray[np.uint8]


def extract_page_ink(page: NDArray[np.uint8]) -> PageInk:
    """Remove the light from a flat page, uint8 (h, w), in grey, see `flatten`."""
    # Finer than the light of any image (`estimate_illumination`): strokes are thinner than a cell.
    thumbnail = resize(page, (page.shape[1] // _LIGHT_STEP, page.shape[0] // _LIGHT_STEP), cv2.INTER_AREA)
    size = round(_MAX_STROKE_MM * PX_PER_MM / _LIGHT_STEP) | 1
    closed = cv2.morphologyEx(thumbnail, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    light = as_uint8(cv2.GaussianBlur(closed, (0, 0), _LIGHT_SIGMA))
    reach = np.ones((2 * _EDGE_REACH + 1, 2 * _EDGE_REACH + 1), np.uint8)
    brightest, darkest = cv2.dilate(light, reach).astype(np.float32), cv2.erode(light, reach).astype(np.float32)
    steps = as_uint8(np.rint(255 * (1 - darkest / np.maximum(brightest, 1))).astype(np.uint8))
    return PageInk(
        extract_ink(page, Illumination(light, inverted=False)), resize(steps, page.shape[::-1], cv2.INTER_LINEAR)
    )


def extract_cells(page_ink: PageInk) -> dict[Cell, NDArray[np.uint8]]:
    """Extract the ink of all cells.

    Args:
        page_ink: see `extract_page_ink`.

    Returns:
        For each cell that is not empty: its ink, uint8 (h, w), bright on 0, cropped to the ink.
    """
    ink = remove_borders(page_ink.ink)
    left, top, right, bottom = _grid_px()
    ink[:top] = ink[bottom:] = 0
    ink[:, :left] = ink[:, right:] = 0
    strokes, strong = _find_strokes(as_uint8(cv2.GaussianBlur(ink, (0, 0), _SMOOTHING)), page_ink.edges)
    owners = _assign_ink(strokes)
    found = {}
    for number, cell in enumerate(CELLS):
        around = _around(cell)
        is_own = owners[around] == number
        own = _cut_out(ink[around], is_own) if (strong[around] & is_own).any() else None
        if own is not None:
            found[cell] = own
    darkness = np.array([int(own.max()) for own in found.values()])
    least = _PALE_SHARE * float(np.median(darkness)) if found else 0.0
    return {cell: own for cell, own in found.items() if own.max() >= least}


def _around(cell: Cell) -> tuple[slice, slice]:
    """The part of the flat page that holds the ink of a cell, which may reach into its neighbours."""
    x, y, width, height = cell_box_px(cell)
    return slice(max(0, y - height), y + 2 * height), slice(max(0, x - width), x + 2 * width)


def remove_borders(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Remove the printed borders of all cells from the ink of a page, uint8 (h, w); strokes that cross them stay."""
    cleaned = ink.copy()
    for cell in CELLS:
        for side in _sides(cell):
            _remove_border(_lay_flat(cleaned[side]))
    return cleaned


def has_borders(page_ink: PageInk, cell: Cell) -> bool:
    """Tell whether three of the printed borders of a cell, or all, are where they should be."""
    profiles = [_profile(_lay_flat(page_ink.ink[side])) for side in _sides(cell)]
    return sum(float(profile[_BORDER_HALF:-_BORDER_HALF].max()) >= _VISIBLE_BORDER for profile in profiles) >= 3


def _lay_flat(strip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A view of a strip in which its border runs from left to right."""
    return strip if strip.shape[0] < strip.shape[1] else strip.T


def _profile(strip: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The darkness of the rows of a strip over that of the paper, float32 (rows,), without strokes that cross it."""
    free = np.quantile(strip, _FREE_SHARE, axis=1).astype(np.float32)
    return np.asarray(np.maximum(free - min(free[0], free[-1]), 0), np.float32)


def _sides(cell: Cell) -> Iterator[tuple[slice, slice]]:
    """Yield the strips of a page around the four borders of a cell."""
    x, y, width, height = cell_box_px(cell)
    reach = _BORDER_REACH + _BORDER_HALF
    for row in (y, y + height - 1):
        yield slice(row - reach, row + reach + 1), slice(x - _BORDER_HALF, x + width + _BORDER_HALF)
    for column in (x, x + width - 1):
        yield slice(y - _BORDER_HALF, y + height + _BORDER_HALF), slice(column - reach, column + reach + 1)


def _remove_border(strip: NDArray[np.uint8]) -> None:
    """Remove the line along the middle of a strip, uint8 (2 * reach + 1, L), in place."""
    profile = _profile(strip)
    middle = _BORDER_HALF + int(profile[_BORDER_HALF:-_BORDER_HALF].argmax())
    rows = slice(middle - _BORDER_HALF, middle + _BORDER_HALF + 1)
    band = strip[rows]
    without = np.maximum(band - _BORDER_NOISE * profile[rows, None], 0)
    above, below = strip[max(0, rows.start - 1)], strip[min(len(strip) - 1, rows.stop)]
    bridge = np.minimum(_widen(above), _widen(below))  # a stroke that crosses, also at a slant
    band[:] = np.minimum(band, np.maximum(without, bridge)).astype(np.uint8)


def _widen(row: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = 2 * _BORDER_HALF + 1
    return as_uint8(cv2.dilate(row[None], np.ones((1, size), np.uint8))[0])


def cell_box_px(cell: Cell) -> Box:
    """Return the box of a cell in pixels of the flat page."""
    x, y, width, height = (round(value * PX_PER_MM) for value in cell.box_mm)
    return x, y, width, height


def _grid_px() -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what may hold writing, in pixels of the flat page."""
    start = np.array(FIRST_CELL_MM)
    end = start + (np.array([COLUMNS, ROWS]) - 1) * PITCH_MM + CELL_MM
    left, top = np.rint((start - _MARGIN_MM) * PX_PER_MM).astype(int).tolist()
    right, bottom = np.rint((end + _MARGIN_MM) * PX_PER_MM).astype(int).tolist()
    return left, top, right, bottom


def _find_strokes(ink: NDArray[np.uint8], edges: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Separate strokes from paper: what stands out a little, beside what clearly does.

    What may be the edge of a shadow does not clearly stand out.

    Returns:
        The strokes, uint8 (h, w), 255 and 0, and where they clearly stand out, bool (h, w).
    """
    size = (2 * _NEIGHBOURHOOD_PX + 1, 2 * _NEIGHBOURHOOD_PX + 1)
    edge = _PEAK_SHARE * cv2.blur(cv2.dilate(ink, np.ones(size, np.uint8)), size).astype(np.float32)
    noise = _noise(ink)
    weak = ink > np.maximum(edge, np.maximum(_WEAK_DEVIATIONS * noise, _MIN_WEAK))
    strong = ink > np.maximum(edge, np.maximum(_STRONG_DEVIATIONS * noise, _MIN_STRONG + _EDGE_SHARE * edges))
    labels = connected_components(weak.view(np.uint8) * np.uint8(255)).labels
    is_stroke = np.zeros(int(labels.max()) + 1, np.bool_)
    is_stroke[labels[strong]] = True
    return is_stroke[labels].view(np.uint8) * np.uint8(255), strong


def _noise(ink: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Estimate the level of bare paper around each pixel, float32 (h, w), from tiles: most of a tile is bare."""
    rows, columns = (length // _TILE_PX for length in ink.shape)
    tiles = ink[: rows * _TILE_PX, : columns * _TILE_PX].reshape(rows, _TILE_PX, columns, _TILE_PX)
    levels = np.quantile(tiles, _BARE_SHARE, axis=(1, 3)).astype(np.float32)
    return np.asarray(
        cv2.resize(cv2.medianBlur(levels, 3), ink.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32
    )


def _assign_ink(mask: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the index in CELLS of the cell that each pixel of a mask belongs to, int32 (h, w); -1 for paper."""
    nearest = _nearest_cells(mask.shape)
    components = connected_components(mask)
    pixels = np.flatnonzero(components.labels)
    label, cell = components.labels.ravel()[pixels] - 1, nearest.ravel()[pixels]
    shares = np.zeros((len(components.areas), len(CELLS)), np.int32)
    np.add.at(shares, (label, cell), 1)
    is_whole = shares.max(axis=1, initial=0) >= _OWN_SHARE * components.areas
    owners = np.full(mask.shape, -1, np.int32)
    owners.ravel()[pixels] = np.where(is_whole[label], shares.argmax(axis=1)[label], cell)
    return owners


def _nearest_cells(shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return the index of the nearest cell of each pixel; gaps are divided in their middle."""
    column, row = (
        np.clip((np.arange(size) / PX_PER_MM - first + (pitch - cell) / 2) // pitch, 0, count - 1).astype(np.int32)
        for size, first, pitch, cell, count in zip(
            shape[::-1], FIRST_CELL_MM, PITCH_MM, CELL_MM, (COLUMNS, ROWS), strict=True
        )
    )
    return np.asarray(row[:, None] * COLUMNS + column, np.int32)


def _cut_out(ink: NDArray[np.uint8], own: NDArray[np.bool_]) -> NDArray[np.uint8] | None:
    """Cut the ink of a cell out; None if there is none but specks."""
    components = connected_components(own.view(np.uint8) * np.uint8(255))
    sides = components.boxes[:, 2:].max(axis=1, initial=0)
    if sides.max(initial=0) < MIN_DIGIT_MM * PX_PER_MM:
        return None
    kept = np.flatnonzero(sides >= _MIN_PART * sides.max()) + 1
    mask = np.isin(components.labels, kept)
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    window = slice(y, y + height), slice(x, x + width)
    return np.where(mask[window], ink[window], np.uint8(0))
