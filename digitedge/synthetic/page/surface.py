"""What people write on, and with what: paper, lines, squares, whiteboard, blackboard, and the tools that go with each.

Colours are BGR, 0 to 255, as a camera gives them in even light; light and shadow come later (photograph).
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.pen import Pen
from digitedge.utils.opencv import cv2


class Medium(StrEnum):
    """What the digits stand on."""

    PAPER = "paper"
    RULED = "ruled"
    SQUARED = "squared"
    WHITEBOARD = "whiteboard"
    BLACKBOARD = "blackboard"


@dataclass(frozen=True, slots=True)
class Tool:
    """What a page is written with.

    Attributes:
        pen: kind of pen.
        colour: BGR of full ink, 0 to 255 each.
        opacity: 0 to 1, how much of the surface full ink covers.
        width: of the line, in heights of the digits.
    """

    pen: Pen
    colour: tuple[int, int, int]
    opacity: float
    width: float


BLACK, BLUE, RED, GREEN = (42, 38, 36), (128, 58, 34), (48, 44, 188), (70, 108, 38)
# Pen, colours, range of opacity, range of width; each as likely as it is named.
_PAPER_TOOLS = (
    (Pen.BALL, (BLUE, BLUE, BLACK, RED), (0.82, 0.95), (0.055, 0.085)),
    (Pen.BALL, (BLUE, BLACK), (0.85, 0.97), (0.07, 0.11)),
    (Pen.FELT, (BLACK, BLACK, BLUE, RED, GREEN), (0.9, 1.0), (0.10, 0.15)),
    (Pen.PENCIL, ((88, 86, 88), (70, 68, 70)), (0.68, 0.85), (0.065, 0.10)),
)
_BOARD_TOOLS = ((Pen.FELT, (BLACK, BLACK, (150, 62, 22), RED, GREEN), (0.86, 0.97), (0.085, 0.13)),)
_CHALK_TOOLS = ((Pen.CHALK, ((226, 232, 232), (226, 232, 232), (170, 225, 232)), (0.78, 0.92), (0.085, 0.125)),)


def choose_tool(medium: Medium, rng: np.random.Generator) -> Tool:
    """Choose a pen that people use on this medium."""
    tools = {Medium.WHITEBOARD: _BOARD_TOOLS, Medium.BLACKBOARD: _CHALK_TOOLS}.get(medium, _PAPER_TOOLS)
    pen, colours, opacity, width = tools[rng.integers(len(tools))]
    shade = np.array(colours[rng.integers(len(colours))]) + rng.integers(-12, 13, 3)
    blue, green, red = (int(value) for value in shade.clip(0, 255))
    return Tool(pen, (blue, green, red), float(rng.uniform(*opacity)), float(rng.uniform(*width)))


def make_surface(medium: Medium, rng: np.random.Generator, *, width: int, height: int, line: int) -> NDArray[np.uint8]:
    """Make an empty sheet or board.

    Args:
        medium: what kind.
        rng: where chance comes from.
        width: in pixels.
        height: in pixels.
        line: distance of the lines in pixels, where there are any; one of them runs at half the height.

    Returns:
        uint8 (height, width, 3), BGR.
    """
    if medium is Medium.BLACKBOARD:
        return _blackboard(rng, width, height)
    if medium is Medium.WHITEBOARD:
        return _whiteboard(rng, width, height)
    sheet = _paper(rng, width, height)
    if medium is Medium.RULED:
        _rule(sheet, rng, line)
    if medium is Medium.SQUARED:
        _rule(sheet, rng, max(8, round(line / 2)), squares=True)
    return sheet


def lay_on_desk(
    sheet: NDArray[np.uint8], rng: np.random.Generator, keep: tuple[int, int, int, int], *, pad: int, reach: int
) -> NDArray[np.uint8]:
    """Cut a sheet on some sides and lay it on a desk, with a thin shadow beside it.

    Args:
        sheet: uint8 (H, W, 3), BGR.
        rng: where chance comes from.
        keep: left, top, right, bottom of what must stay on the sheet.
        pad: distance that the cuts keep from it, in pixels.
        reach: how much further away they are at most, in pixels, as a multiple of 1 to 4.

    Returns:
        uint8, the shape of `sheet`.
    """
    height, width = sheet.shape[:2]
    away = pad + rng.uniform(0, 4, 4) * reach
    away[rng.random(4) < 0.45] = 4 * max(width, height)
    left, top, right, bottom = np.array(keep) + np.array([-1, -1, 1, 1]) * away
    skew = rng.normal(0, 0.008) * height
    corners = np.array([[left + skew, top], [right + skew, top], [right - skew, bottom], [left - skew, bottom]])
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners.clip(-4 * width, 5 * width)).astype(np.int32), 255, cv2.LINE_AA)
    shade = 1 - np.float32(0.45 / 255) * cv2.GaussianBlur(np.roll(mask, (3, 4), (0, 1)), (0, 0), 5)
    cover = mask[..., None].astype(np.float32) / 255
    return np.asarray(sheet * cover + _desk(rng, width, height) * shade[..., None] * (1 - cover), np.uint8)


def _desk(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Wood with its grain, or a plain grey or dark table."""
    woods = ([70.0, 105, 150], [48, 70, 98], [120, 160, 196], [92, 94, 96], [48, 46, 46])
    base = np.array(woods[rng.integers(len(woods))]) * rng.uniform(0.85, 1.1)
    streaks = cv2.blur(_cloud(rng, width, height, 3), (1 + width // 4, 1))
    texture = 14 * streaks + 3 * _cloud(rng, width, height, 50) + _cloud(rng, width, height, 1)
    return _tinted(base, np.asarray(texture, np.float32))


def _paper(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """White to cream, with fibres and a few soft waves."""
    base = rng.uniform(214, 240) - np.array([rng.uniform(0, 16), rng.uniform(0, 5), 0])
    texture = 1.6 * _cloud(rng, width, height, 1) + 1.2 * _cloud(rng, width, height, 24)
    return _tinted(base, texture)


def _whiteboard(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Glossy and cold, with traces of what was wiped off."""
    base = rng.uniform(218, 240) + np.array([rng.uniform(0, 6), 1, rng.uniform(-4, 2)])
    wiped = np.clip(_cloud(rng, width, height, 40) - 0.8, 0, None) * rng.uniform(3, 9)
    return _tinted(base, 0.5 * _cloud(rng, width, height, 1) - wiped)


def _blackboard(rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Slate or green, with the haze that a sponge leaves."""
    green = rng.random() < 0.5
    base = rng.uniform(0.85, 1.15) * np.array([58.0, 74, 52] if green else [52.0, 50, 48])
    streaks = cv2.blur(_cloud(rng, width, height, 14), (1 + width // 8, 1 + height // 40))
    haze = np.clip(_cloud(rng, width, height, 60), -0.5, None) * rng.uniform(2, 6)
    return _tinted(base, 1.6 * _cloud(rng, width, height, 1) + 7 * streaks + haze)


def _rule(sheet: NDArray[np.uint8], rng: np.random.Generator, pitch: int, *, squares: bool = False) -> None:
    """Print thin pale lines: across, and downwards too for squares; ruled paper may have a red margin."""
    height, width = sheet.shape[:2]
    colour = np.array([210.0, 188, 160]) + rng.uniform(-14, 14, 3)
    strength = float(rng.uniform(0.3, 0.65) if squares else rng.uniform(0.45, 0.85))
    for row in range(height // 2 % pitch, height, pitch):
        _tint(sheet[row : row + 1], colour, strength)
    if squares:
        for column in range(width // 2 % pitch, width, pitch):
            _tint(sheet[:, column : column + 1], colour, strength)
    elif rng.random() < 0.4:
        column = int(width * 0.16)
        _tint(sheet[:, column : column + 2], np.array([150.0, 150, 222]), strength)


def _tint(part: NDArray[np.uint8], colour: NDArray[np.float64], strength: float) -> None:
    part[:] = np.minimum(part, (part * (1 - strength) + colour * strength)).astype(np.uint8)


def _tinted(base: NDArray[np.float64], texture: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(base.astype(np.float32) + texture[..., None], 0, 255), np.uint8)


def _cloud(rng: np.random.Generator, width: int, height: int, size: int) -> NDArray[np.float32]:
    """Smooth noise with spots of about `size` pixels: float32 (height, width), mean 0, deviation about 1."""
    small = rng.standard_normal((2 + height // size, 2 + width // size), np.float32)
    if size == 1:
        return small[:height, :width]
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
