"""Lines on paper: printed ones (rules, squares), and those that a hand draws (underlines, frames, circles, tables)."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.noise import stain
from digitedge.utils.opencv import cv2

# Fractional bits of cv2's coordinates.
SHIFT = 4


def rule(
    sheet: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    pitch: float,
    colour: tuple[int, int, int],
    opacity: float,
    thickness: int = 1,
    angle: float = 0.0,
    start: float = 0.0,
    squares: bool = False,
) -> None:
    """Print parallel lines across a sheet, in place; for squares also lines at right angles.

    Args:
        sheet: uint8 (H, W, 3), BGR.
        rng: where chance comes from: some lines are printed a little paler.
        pitch: distance of the lines in pixels.
        colour: BGR.
        opacity: 0 to 1.
        thickness: of the lines in pixels.
        angle: of the lines, in radians, clockwise.
        start: how far below the upper left corner one of them runs, in pixels.
        squares: whether to print both ways.
    """
    mask = np.zeros(sheet.shape[:2], np.uint8)
    for turn in (0.0, np.pi / 2)[: 2 if squares else 1]:
        _parallel(mask, rng, pitch=max(3.0, pitch), thickness=thickness, angle=angle + turn, start=start)
    stain(sheet, mask, colour, opacity=opacity)


def _parallel(
    mask: NDArray[np.uint8], rng: np.random.Generator, *, pitch: float, thickness: int, angle: float, start: float
) -> None:
    height, width = mask.shape
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ np.stack([along, across], -1)
    low, high = corners.min(axis=0), corners.max(axis=0)
    first = np.ceil((low[1] - start) / pitch)
    for offset in (start + pitch * np.arange(first, (high[1] - start) / pitch)).tolist():
        ends = [
            np.rint((along * end + across * offset) * (1 << SHIFT)).astype(int).tolist() for end in (low[0], high[0])
        ]
        cv2.line(mask, ends[0], ends[1], int(rng.integers(205, 256)), thickness, cv2.LINE_AA, SHIFT)


def hand_line(
    mask: NDArray[np.uint8], points: NDArray[np.float64], rng: np.random.Generator, *, thickness: float, wobble: float
) -> None:
    """Draw through points as a hand does, not quite straight, in place.

    Args:
        mask: uint8 (H, W), drawn on in white.
        points: float64 (P, 2), x and y in pixels.
        rng: where chance comes from.
        thickness: in pixels.
        wobble: how far the hand strays, in pixels.
    """
    steps = np.linspace(0, len(points) - 1, 24 * (len(points) - 1) + 1)
    line = np.stack([np.interp(steps, np.arange(len(points)), points[:, axis]) for axis in (0, 1)], -1)
    waves = rng.uniform(0.3, 1.5, 2) * steps[:, None] + rng.uniform(0, 6.3, 2)
    fixed = np.rint((line + wobble * np.sin(waves)) * (1 << SHIFT)).astype(np.int32)
    cv2.polylines(mask, [fixed], False, 255, max(1, round(thickness)), cv2.LINE_AA, SHIFT)


def box_points(
    box: tuple[float, float, float, float], rng: np.random.Generator, *, untidy: float
) -> NDArray[np.float64]:
    """Corners of a closed frame around (left, top, right, bottom), each off by about `untidy` pixels: (5, 2)."""
    left, top, right, bottom = box
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]], np.float64)
    return corners + rng.normal(0, untidy, corners.shape)


def circle_points(
    box: tuple[float, float, float, float], rng: np.random.Generator, *, untidy: float
) -> NDArray[np.float64]:
    """A circle or ellipse around (left, top, right, bottom), its end a little past its start: (40, 2)."""
    left, top, right, bottom = box
    angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi + rng.uniform(-0.1, 0.3), 40)
    radius = 0.72 + np.linspace(0, rng.normal(0, untidy / max(1.0, right - left)), 40)
    return np.stack(
        [
            (left + right) / 2 + (right - left) * radius * np.cos(angle),
            (top + bottom) / 2 + (bottom - top) * radius * np.sin(angle),
        ],
        -1,
    )
