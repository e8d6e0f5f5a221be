"""Papers and boards with a life behind them: creased, embossed, brown, ruled in every strength, wiped.

Colours are BGR, 0 to 255, as a camera gives them in even light.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.noise import add_noise, clouds, fine_noise, stain
from digitedge.synthetic.page.lines import rule
from digitedge.utils.opencv import cv2


class Sheet(StrEnum):
    """What the digits stand on."""

    PLAIN = "plain"
    RULED = "ruled"
    SQUARED = "squared"
    NOTEBOOK = "notebook"
    CRUMPLED = "crumpled"
    NAPKIN = "napkin"
    BROWN = "brown"
    ENVELOPE = "envelope"
    STICKY = "sticky"
    WHITEBOARD = "whiteboard"
    BLACKBOARD = "blackboard"
    SCAN = "scan"


LINED = (Sheet.RULED, Sheet.SQUARED, Sheet.NOTEBOOK)


def make_sheet(
    sheet: Sheet,
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
    pitch: float,
    start: float = 0.0,
    angle: float = 0.0,
    bold: float = 0.5,
) -> NDArray[np.uint8]:
    """Make an empty sheet or board.

    Args:
        sheet: what kind.
        rng: where chance comes from.
        width: in pixels.
        height: in pixels.
        pitch: distance of the printed lines in pixels, where there are any.
        start: where one of them runs, in pixels below the upper left corner.
        angle: of the lines, in radians.
        bold: 0 to 1, how dark and thick the lines are.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    page = _ground(sheet, rng, (height, width))
    if sheet in LINED:
        _print_lines(page, sheet, rng, pitch=pitch, start=start, angle=angle, bold=bold)
    if sheet is Sheet.CRUMPLED:
        page = crumple(page, rng, strength=rng.uniform(0.06, 0.22))
    elif sheet is Sheet.NAPKIN:
        page = crumple(_emboss(page, rng), rng, strength=rng.uniform(0.03, 0.08))
    elif sheet is Sheet.BROWN:
        fibres = cv2.blur(fine_noise(rng, (height, width)), (13, 1))
        page = add_noise(page, np.asarray(fibres, np.uint8), rng.uniform(6, 14))
    elif sheet is Sheet.ENVELOPE:
        _stripe(page, rng)
    elif sheet in (Sheet.WHITEBOARD, Sheet.BLACKBOARD):
        _wipe(page, rng, dark=sheet is Sheet.BLACKBOARD)
    return page


def _ground(sheet: Sheet, rng: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """An even colour with the fibres and waves of the material."""
    colours = {
        Sheet.BROWN: ((110, 150, 185), (140, 178, 205), (96, 132, 168)),
        Sheet.STICKY: ((120, 232, 246), (190, 170, 240), (170, 225, 170), (235, 210, 160)),
        Sheet.BLACKBOARD: ((58, 74, 52), (50, 50, 48), (62, 52, 44)),
        Sheet.SCAN: ((255, 255, 255), (250, 250, 250)),
        Sheet.WHITEBOARD: ((236, 236, 232), (228, 230, 230)),
    }.get(sheet, ((236, 238, 240), (222, 230, 234), (226, 226, 226), (214, 226, 234), (238, 240, 238)))
    colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.94, 1.02)
    page = np.empty((*shape, 3), np.uint8)
    page[:] = colour.clip(0, 255).astype(np.uint8)
    if sheet is Sheet.SCAN:
        return page
    page = add_noise(page, fine_noise(rng, shape), rng.uniform(0.6, 3.0))
    return add_noise(page, clouds(rng, shape, max(8, max(shape) / rng.uniform(4, 30))), rng.uniform(0.5, 3.0))


def _print_lines(
    page: NDArray[np.uint8],
    sheet: Sheet,
    rng: np.random.Generator,
    *,
    pitch: float,
    start: float,
    angle: float,
    bold: float,
) -> None:
    """Rules or squares; a notebook has a red margin, and holes or a spiral."""
    inks = ((200, 160, 120), (190, 180, 170), (150, 150, 150), (215, 190, 130), (170, 150, 120))
    blue, green, red = (round(value * (1 - 0.55 * bold)) for value in inks[rng.integers(len(inks))])
    thickness = max(1, round(min(pitch * 0.12, rng.uniform(0.5, 1 + 3 * bold) * page.shape[0] / 900)))
    squares = sheet is Sheet.SQUARED
    opacity = 0.25 + 0.65 * bold
    rule(
        page,
        rng,
        pitch=pitch,
        colour=(blue, green, red),
        opacity=opacity,
        thickness=thickness,
        angle=angle,
        start=start,
        squares=squares,
    )
    if sheet is not Sheet.NOTEBOOK:
        return
    height, width = page.shape[:2]
    margin = width * rng.uniform(0.06, 0.16)
    mask = np.zeros((height, width), np.uint8)
    lean = np.tan(angle) * height
    cv2.line(mask, (round(margin), 0), (round(margin - lean), height), 255, thickness, cv2.LINE_AA)
    stain(page, mask, (120, 110, 215), opacity=0.4 + 0.4 * bold)
    mask[:] = 0
    every, radius = max(24.0, height / rng.uniform(3, 30)), max(3, round(width * rng.uniform(0.006, 0.014)))
    for y in np.arange(every / 2, height, every).tolist():
        cv2.circle(mask, (round(0.4 * margin - lean * y / height), round(y)), radius, 255, -1, cv2.LINE_AA)
    stain(page, mask, (60, 64, 70), opacity=0.85)


def crumple(page: NDArray[np.uint8], rng: np.random.Generator, *, strength: float) -> NDArray[np.uint8]:
    """Fold and crush a sheet: each crease is light on one side and dark on the other, and fades away.

    Args:
        page: uint8 (H, W, 3).
        rng: where chance comes from.
        strength: how much lighter and darker, as a share.
    """
    height, width = page.shape[0] // 3 + 1, page.shape[1] // 3 + 1
    y, x = np.mgrid[:height, :width].astype(np.float32)
    relief = np.zeros((height, width), np.float32)
    wavy = clouds(rng, (height, width), max(height, width) / 9).astype(np.float32) - 128
    for _ in range(rng.integers(4, 30)):
        angle, reach = rng.uniform(0, 2 * np.pi), max(width, height)
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = x - np.float32(rng.uniform(0, width)), y - np.float32(rng.uniform(0, height))
        across = dx * cos + dy * sin + wavy * np.float32(reach * rng.normal(0, 0.0006))
        along = dy * cos - dx * sin
        soft, length = np.float32(reach * rng.uniform(0.01, 0.07)), np.float32(reach * rng.uniform(0.05, 0.5))
        edge = across / (np.float32(rng.uniform(0.6, 2.0)) + np.abs(across))  # -1 to 1, steep at the crease
        relief += edge * np.exp(-np.abs(across) / soft - (along / length) ** 2) * np.float32(rng.uniform(0.3, 1))
    gains = (128 * (1 + strength * relief)).clip(30, 255).astype(np.uint8)
    large = cv2.resize(gains, page.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(page, cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), scale=1 / 128), np.uint8)


def _emboss(page: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Press rows of dots into a napkin: each is lit from one side."""
    height, width = page.shape[:2]
    period = max(7.0, width / rng.uniform(35, 90))
    angle = rng.uniform(-0.4, 0.4)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    phase = np.float32(2 * np.pi / period)
    u = phase * (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)))
    v = phase * (y * np.float32(np.cos(angle)) - x * np.float32(np.sin(angle)))
    dots = np.sin(u) * np.cos(v)
    deep = clouds(rng, (height, width), period * 6).astype(np.float32) / 128
    gains = (128 * (1 + np.float32(rng.uniform(0.02, 0.07)) * dots * deep)).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.multiply(page, cv2.cvtColor(gains, cv2.COLOR_GRAY2BGR), scale=1 / 128), np.uint8)


def _stripe(page: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Print the red and blue stripes of air mail along the border, and a box for the stamp."""
    height, width = page.shape[:2]
    edge, wide = round(0.11 * min(height, width)), max(6, round(0.05 * width))
    inner = np.full((height, width), 255, np.uint8)
    inner[edge : height - edge, edge : width - edge] = 0
    for index, colour in enumerate(((70, 60, 200), (170, 90, 50))):
        mask = np.zeros((height, width), np.uint8)
        for x in range(index * 2 * wide - height, width, 4 * wide):
            corners = np.array([[x, height], [x + wide, height], [x + wide + height, 0], [x + height, 0]])
            cv2.fillConvexPoly(mask, corners.astype(np.int32), 255, cv2.LINE_AA)
        stain(page, np.minimum(mask, inner), colour, opacity=0.8)
    side, pad = round(rng.uniform(0.12, 0.2) * height), round(1.4 * edge)
    cv2.rectangle(page, (width - pad - side, pad), (width - pad, pad + side), (170, 140, 110), max(1, height // 400))


def _wipe(page: NDArray[np.uint8], rng: np.random.Generator, *, dark: bool) -> None:
    """Traces of what was wiped off a board: broad pale strokes."""
    height, width = page.shape[:2]
    mask = np.zeros((height // 4 + 1, width // 4 + 1), np.uint8)
    for _ in range(rng.integers(0, 9)):
        ends = rng.uniform(-0.1, 1.1, (2, 2)) * [mask.shape[1], mask.shape[0]]
        (x0, y0), (x1, y1) = np.rint(ends).astype(int).tolist()
        cv2.line(mask, (x0, y0), (x1, y1), int(rng.integers(40, 200)), int(rng.integers(4, 30)), cv2.LINE_AA)
    mask = np.asarray(cv2.blur(mask, (9, 9)), np.uint8)
    streaks = cv2.blur(fine_noise(rng, mask.shape), (15, 3))
    mask = np.asarray(cv2.multiply(mask, streaks, scale=1 / 128), np.uint8)
    mask = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    stain(page, mask, (150, 156, 150) if dark else (205, 200, 200), opacity=0.3 if dark else 0.35)
