"""What is around a page and above it: a desk, fingers at the border, hard shadows, lamps and their reflections."""

import numpy as np
from numpy.typing import NDArray

from digitedge.data.grainy import add_noise, clouds, fine_noise
from digitedge.data.photograph import UNIT
from digitedge.opencv import cv2

Box = tuple[int, int, int, int]

_DESKS = ((70, 105, 150), (48, 70, 98), (120, 160, 196), (92, 94, 96), (40, 38, 38), (24, 22, 22), (150, 150, 150))
_SKIN = ((128, 160, 210), (96, 128, 182), (60, 84, 128), (150, 180, 226))


def make_desk(rng: np.random.Generator, shape: tuple[int, int], *, dark: bool = False) -> NDArray[np.uint8]:
    """Make a table of wood or plastic, uint8 (H, W, 3); a dark one is nearly black."""
    colours = _DESKS[4:6] if dark else _DESKS
    colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.8, 1.15)
    desk = np.empty((*shape, 3), np.uint8)
    desk[:] = colour.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.6:
        streaks = clouds(rng, shape, max(3, shape[0] / rng.uniform(40, 160)), stretch=rng.uniform(15, 60))
        desk = add_noise(desk, streaks, rng.uniform(2, 14))
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
    keep: Box, rng: np.random.Generator, shape: tuple[int, int], *, pad: float, sides: int
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


def put_finger(frame: NDArray[np.uint8], rng: np.random.Generator, boxes: list[Box]) -> Box | None:
    """Let a finger come in over the border of a frame, in place, where no digit is.

    Args:
        frame: uint8 (H, W, 3).
        rng: where chance comes from.
        boxes: (left, top, right, bottom) of what must stay free.

    Returns:
        left, top, right, bottom of the finger; None where there was no room.
    """
    height, width = frame.shape[:2]
    thick = max(width, height) * rng.uniform(0.06, 0.13)
    for _ in range(8):
        side = rng.integers(4)
        along, deep = rng.uniform(0.1, 0.9), rng.uniform(0.06, 0.28)
        start = np.array([[along, -0.1], [1.1, along], [along, 1.1], [-0.1, along]][side]) * [width, height]
        inward = np.array([[0, 1], [-1, 0], [0, -1], [1, 0]][side])
        tip = start + inward * (deep + 0.1) * np.array([width, height]) + rng.normal(0, 0.4 * thick, 2)
        low, high = np.minimum(start, tip) - 0.6 * thick, np.maximum(start, tip) + 0.6 * thick
        if all(high[0] < b[0] or low[0] > b[2] or high[1] < b[1] or low[1] > b[3] for b in boxes):
            _draw_finger(frame, rng, start, tip, thick)
            left, top = np.maximum(low, 0).astype(int).tolist()
            right, bottom = np.minimum(high, [width, height]).astype(int).tolist()
            return left, top, right, bottom
    return None


def _draw_finger(
    frame: NDArray[np.uint8],
    rng: np.random.Generator,
    start: NDArray[np.float64],
    tip: NDArray[np.float64],
    thick: float,
) -> None:
    """Skin that gets darker at its sides, and a nail."""
    skin = np.array(_SKIN[rng.integers(len(_SKIN))]) * rng.uniform(0.8, 1.1)
    ends = [tuple(np.rint(point).astype(int).tolist()) for point in (start, tip)]
    for share in np.linspace(1, 0.3, 8).tolist():
        shade = (skin * (1.12 - 0.42 * share**2)).clip(0, 255).tolist()
        cv2.line(frame, ends[0], ends[1], shade, max(1, round(thick * share)), cv2.LINE_AA)
    if rng.random() < 0.6:
        angle = float(np.degrees(np.arctan2(*(tip - start)[::-1])))
        axes = (round(0.34 * thick), round(0.26 * thick))
        nail = (skin * 1.1 + 12).clip(0, 255).tolist()
        cv2.ellipse(frame, ends[1], axes, angle, 0, 360, nail, -1, cv2.LINE_AA)


def harsh_light(
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
    brightness: float,
    gradient: float,
    shadows: int,
    vignette: float,
) -> NDArray[np.uint8]:
    """Make bad light: how bright each pixel of an evenly lit page comes out.

    Args:
        rng: where chance comes from.
        width: of the frame in pixels.
        height: of the frame in pixels.
        brightness: 0 to 1.9, of the brightest part.
        gradient: 0 to 1, share of the light that is missing at the dark end.
        shadows: of things with more or less hard edges, how many.
        vignette: 0 to 1, share of the light that is missing in the corners.

    Returns:
        uint8 (height, width, 3), gains in steps of 1/UNIT.
    """
    rows, columns = max(8, height // 4), max(8, width // 4)
    y, x = np.meshgrid(
        np.linspace(-1, 1, rows, dtype=np.float32), np.linspace(-1, 1, columns, dtype=np.float32), indexing="ij"
    )
    angle = rng.uniform(0, 2 * np.pi)
    ramp = 0.5 + 0.36 * (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)))  # about 0 to 1
    light = 1 - np.float32(gradient) * ramp.clip(0, 1) ** np.float32(rng.uniform(0.7, 2.5))
    light *= 1 - np.float32(vignette) * ((x * x + y * y) / 2) ** np.float32(rng.uniform(0.8, 2.5))
    for _ in range(shadows):
        light *= _cast_shadow(rng, (rows, columns))
    tint = 1 + np.array([rng.normal(-0.02, 0.04), 0, rng.normal(0.01, 0.03)], np.float32)
    gains = (light[..., None] * tint * np.float32(UNIT * brightness)).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(gains, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _cast_shadow(rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
    """The shadow of a phone, an arm or a hand, reaching in from a border: gains, float32 (H, W)."""
    rows, columns = shape
    mask = np.zeros(shape, np.uint8)
    size = max(rows, columns)
    side = rng.uniform(0, 2 * np.pi)
    middle = np.array([columns, rows]) / 2 * (1 + np.array([np.cos(side), np.sin(side)]) * rng.uniform(0.4, 1.1))
    turn = side + rng.normal(0, 0.4)
    half = np.array([rng.uniform(0.2, 0.7), rng.uniform(0.12, 0.4)]) * size
    corners = (
        np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        * half
        @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    )
    cv2.fillConvexPoly(mask, np.rint(middle + corners).astype(np.int32), 255)
    if rng.random() < 0.5:  # a hand: knuckles along the edge
        for way in np.linspace(-0.9, 0.9, 4).tolist():
            knuckle = middle - np.array([np.cos(turn), np.sin(turn)]) * half[0]
            knuckle = knuckle + np.array([-np.sin(turn), np.cos(turn)]) * half[1] * way
            cv2.circle(mask, np.rint(knuckle).astype(int).tolist(), round(0.24 * half[1]), 255, -1)
    soft = 1 + 2 * round(size * rng.uniform(0.004, 0.05))
    mask = np.asarray(cv2.blur(cv2.blur(mask, (soft, soft)), (soft, soft)), np.uint8)
    return 1 - mask * np.float32(rng.uniform(0.15, 0.6) / 255)


def reflect(frame: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Let lamps shine back from a glossy board: soft bright spots and bands."""
    rows, columns = frame.shape[0] // 8 + 1, frame.shape[1] // 8 + 1
    glow = np.zeros((rows, columns), np.uint8)
    for _ in range(rng.integers(1, 4)):
        middle = (int(rng.integers(columns)), int(rng.integers(rows)))
        axes = (1 + int(columns * rng.uniform(0.02, 0.2)), 1 + int(rows * rng.uniform(0.02, 0.12)))
        cv2.ellipse(glow, middle, axes, rng.uniform(-30, 30), 0, 360, int(rng.integers(30, 120)), -1)
    soft = 1 + 2 * max(1, columns // 24)
    glow = cv2.resize(cv2.blur(cv2.blur(glow, (soft, soft)), (soft, soft)), frame.shape[1::-1])
    return np.asarray(cv2.add(frame, cv2.cvtColor(glow, cv2.COLOR_GRAY2BGR)), np.uint8)
