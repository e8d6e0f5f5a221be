"""A page: rows of digits on a surface, seen flat and evenly lit, with the outline of every digit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.digits import render_ink
from digitedge.synthetic.handwriting.pen import sample_roughness
from digitedge.synthetic.handwriting.writer import one_hand
from digitedge.synthetic.page.surface import Medium, Tool, choose_tool, lay_on_desk, make_surface
from digitedge.utils.opencv import cv2

# Page pixels for each frame pixel, when the camera stands as usual: a page has more detail than the camera sees.
DETAIL = 1.15
# How much of the view's size a page goes on beyond it on each side, so that a moving camera does not look past its end.
BEYOND = 0.3
# Share of the view that digits may fill.
FILLED = 0.84
# Digits of a page in pixels, at least; a camera's view may shrink them by a tenth and they still are 24 high.
LEAST_HEIGHT = 32
# Ink that counts for the outline of a digit, 0 to 255.
VISIBLE = 90
# How often a sheet of paper lies so that the desk may be seen beside it.
ON_DESK = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A written page.

    Attributes:
        image: uint8 (H, W, 3), BGR.
        medium: what it is written on.
        digits: in reading order.
        outlines: for each digit float64 (P, 2), x and y of the convex hull of its ink in pixels of the image.
        rows: the digits of each row joined, top to bottom.
    """

    image: NDArray[np.uint8]
    medium: Medium
    digits: tuple[int, ...]
    outlines: tuple[NDArray[np.float64], ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Ink:
    """One digit, and where the upper left corner of its ink is: first in its row, then on the page."""

    digit: int
    ink: NDArray[np.uint8]
    x: int
    y: int


def write_page(rng: np.random.Generator, *, width: int, height: int, medium: Medium, least: int = 1) -> Page:
    """Let one writer fill a page with 1 to 3 rows of 1 to 8 digits.

    Args:
        rng: where chance comes from.
        width: of the view in pixels, >= 160; the digits stand in its middle.
        height: of the view in pixels, >= 120.
        medium: what to write on.
        least: digits in the longest row, at least, as far as there is room; 1 to 8.

    Returns:
        A page larger than the view by 2 * BEYOND, its digits at least LEAST_HEIGHT high and well apart.

    Examples:
        >>> page = write_page(np.random.default_rng(2), width=320, height=240, medium=Medium.RULED)
        >>> page.image.shape, "".join(page.rows) == "".join(map(str, page.digits))
        ((384, 512, 3), True)
    """
    check_size(width, height)
    count = int(rng.integers(1, min(3, int(height * FILLED / (1.4 * LEAST_HEIGHT))) + 1))
    longest = int(rng.integers(least, 9))
    lengths = np.maximum(rng.integers(1, longest + 1, count), longest * (np.arange(count) == rng.integers(count)))
    size = _digit_height(rng, width, height, lengths)
    pitch = round(min(size * rng.uniform(1.4, 1.7), height * FILLED / count))
    tool = choose_tool(medium, rng)
    rows = _write_rows(rng, size, lengths, tool, room=width * FILLED)
    shape = (round(height * (1 + 2 * BEYOND)), round(width * (1 + 2 * BEYOND)))
    image = make_surface(medium, rng, width=shape[1], height=shape[0], line=pitch)
    placed = _place(rows, rng, shape, pitch=pitch, room=width * FILLED)
    for ink in placed:
        _blend(image, ink, tool)
    if medium in (Medium.PAPER, Medium.RULED, Medium.SQUARED) and rng.random() < ON_DESK:
        image = lay_on_desk(image, rng, _box(placed), pad=size // 2, reach=round(0.1 * width))
    digits = tuple(ink.digit for ink in placed)
    return Page(image, medium, digits, tuple(map(_outline, placed)), tuple(_text(row) for row in rows))


def check_size(width: int, height: int) -> None:
    """Refuse views and frames too small for legible digits.

    Raises:
        InputError: under 160x120.
    """
    if width < 160 or height < 120:
        raise InputError(f"expected at least 160x120 pixels, got {width}x{height}. Smaller digits cannot be read.")


def _digit_height(rng: np.random.Generator, width: int, height: int, lengths: NDArray[np.int64]) -> int:
    """A height at which the rows fit, with a part of the room left over."""
    room = min(width * FILLED / (1.05 * int(lengths.max())), height * FILLED / (1.4 * len(lengths)), height * 0.36)
    return max(LEAST_HEIGHT, round(room * rng.uniform(0.5, 1.0)))


def _write_rows(
    rng: np.random.Generator, size: int, lengths: NDArray[np.int64], tool: Tool, *, room: float
) -> list[list[_Ink]]:
    """Write all rows in one hand; a row ends early when it is as long as the room is wide."""
    hand, roughness = one_hand(rng, int(lengths.sum())), sample_roughness(tool.pen, rng)
    gap = size * rng.uniform(0.24, 0.45)
    rows: list[list[_Ink]] = []
    for length in lengths.tolist():
        row: list[_Ink] = []
        x = 0
        for index, digit in enumerate(rng.integers(0, 10, length).tolist()):
            high = max(LEAST_HEIGHT, round(size * rng.normal(1, 0.04)))
            ink = render_ink(
                digit,
                rng,
                height=high,
                pen_width=max(2.0, tool.width * size),
                pen=tool.pen,
                hand=hand.one(sum(map(len, rows)) + index),
                roughness=roughness,
            )
            if row and x + ink.shape[1] > room:
                break
            row.append(_Ink(digit, ink, x, round(rng.normal(0, 0.025) * size) - high))
            x += ink.shape[1] + round(gap * rng.uniform(0.8, 1.25))
        rows.append(row)
    return rows


def _place(
    rows: list[list[_Ink]], rng: np.random.Generator, shape: tuple[int, int], *, pitch: int, room: float
) -> list[_Ink]:
    """Put all rows below each other around the middle of the page, each a little indented and not quite level."""
    widths = np.array([row[-1].x + row[-1].ink.shape[1] for row in rows])
    indents = np.minimum(rng.uniform(0, 0.3 * pitch, len(rows)), np.maximum(room - widths, 0))
    left = shape[1] / 2 - room / 2 + rng.uniform(0, max(0.0, room - float((widths + indents).max())))
    slope = rng.normal(0, 0.008, len(rows))
    feet = shape[0] / 2 + (np.arange(len(rows)) - len(rows) / 2 + 0.8) * pitch
    return [
        _Ink(
            ink.digit,
            ink.ink,
            round(left + indents[number] + ink.x),
            round(feet[number] + slope[number] * ink.x) + ink.y,
        )
        for number, row in enumerate(rows)
        for ink in row
    ]


def _blend(image: NDArray[np.uint8], placed: _Ink, tool: Tool) -> None:
    height, width = placed.ink.shape
    part = image[placed.y : placed.y + height, placed.x : placed.x + width]
    cover = placed.ink[..., None].astype(np.float32) * np.float32(tool.opacity / 255)
    part[:] = np.rint(part * (1 - cover) + np.array(tool.colour, np.float32) * cover).astype(np.uint8)


def _outline(placed: _Ink) -> NDArray[np.float64]:
    """Convex hull of the visible ink, float64 (P, 2), in pixels of the page."""
    hull = cv2.convexHull(cv2.findNonZero((placed.ink >= VISIBLE).view(np.uint8)))[:, 0]
    return np.asarray(hull + np.array([placed.x, placed.y]), np.float64)


def _box(placed: list[_Ink]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all ink."""
    left, top = min(ink.x for ink in placed), min(ink.y for ink in placed)
    right = max(ink.x + ink.ink.shape[1] for ink in placed)
    return left, top, right, max(ink.y + ink.ink.shape[0] for ink in placed)


def _text(row: list[_Ink]) -> str:
    return "".join(str(ink.digit) for ink in row)
