"""The desk under a sheet, and where the sheet ends."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.noise import add_noise, clouds, fine_noise
from digitedge.utils.opencv import cv2

# Wood, grey, nearly black, and light plastic; BGR.
_DESKS = ((70, 105, 150), (48, 70, 98), (120, 160, 196), (92, 94, 96), (40, 38, 38), (24, 22, 22), (150, 150, 150))
_DARK = _DESKS[4:6]


def make_desk(rng: np.random.Generator, shape: tuple[int, int], *, dark: bool = False) -> NDArray[np.uint8]:
    """Make a table of wood or plastic, uint8 (H, W, 3); a dark one is nearly black."""
    colours = _DARK if dark else _DESKS
    colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.8, 1.15)
    desk = np.empty((*shape, 3), np.uint8)
    desk[:] = colour.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        streaks = clouds(rng, shape, max(3, shape[0] / rng.uniform(40, 160)), stretch=rng.uniform(15, 60))
        desk = add_noise(desk, streaks, rng.uniform(0.03, 0.12) * colour.mean())
    return add_noise(desk, fine_noise(rng, shape), rng.uniform(1, 4))


def lay_on(
    desk: NDArray[np.uint8], sheet: NDArray[np.uint8], rng: np.random.Generator, corners: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Cut a sheet along its corners and lay it on a desk, a thin shadow beside it.

    Args:
        desk: uint8 (H, W, 3).
        sheet: uint8 (H, W, 3).
        rng: where chance comes from.
        corners: float64 (4, 2), of the sheet in pixels.
    """
    height, width = desk.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners.clip(-4 * width, 5 * width)).astype(np.int32), 255)
    reach = max(2, width // 120)
    small = cv2.resize(mask, (width // 4 + 1, height // 4 + 1), interpolation=cv2.INTER_AREA)
    small = np.roll(cv2.blur(small, (1 + reach // 2, 1 + reach // 2)), rng.integers(0, 1 + reach // 4, 2), (0, 1))
    shade = cv2.resize(
        255 - (small * np.float32(0.5)).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR
    )
    laid = np.asarray(cv2.multiply(desk, cv2.cvtColor(shade, cv2.COLOR_GRAY2BGR), scale=1 / 255), np.uint8)
    cv2.copyTo(sheet, mask, laid)
    return laid


def sheet_corners(
    keep: tuple[int, int, int, int], rng: np.random.Generator, shape: tuple[int, int], *, pad: float, sides: int
) -> NDArray[np.float64]:
    """Choose a sheet around (left, top, right, bottom), whose edge is seen on `sides` sides: float64 (4, 2)."""
    height, width = shape
    room = np.array([keep[0], keep[1], width - keep[2], height - keep[3]], np.float64)
    away = np.full(4, 4.0 * max(width, height))
    for side in np.argsort(-room * rng.uniform(0.3, 1, 4))[:sides]:
        away[side] = max(pad, room[side] * rng.uniform(0.15, 0.8))
    left, top = keep[0] - away[0], keep[1] - away[1]
    right, bottom = keep[2] + away[2], keep[3] + away[3]
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return corners + rng.normal(0, 0.12 * pad, (4, 2))
