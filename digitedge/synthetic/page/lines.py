"""Lines on paper: printed ones (rules, squares) and hand-drawn ones (underlines, frames, circles, tables)."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import SUBPIXEL_BITS, Edges, draw_line, outline_of, to_subpixels
from digitedge.synthetic.noise import blend_colour
from digitedge.utils.opencv import cv2


def print_lines(
    page: NDArray[np.uint8],
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
    """Print parallel lines across a page, uint8 (H, W, 3), in place; some are a little paler than others.

    They are `pitch` pixels apart, and one starts `start` pixels below the upper left corner. The angle is in radians,
    clockwise; `squares` adds lines at right angles.
    """
    pitch = max(3.0, pitch)
    height, width = page.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    for turned in (angle, angle + np.pi / 2)[: 2 if squares else 1]:
        along, across = np.array([np.cos(turned), np.sin(turned)]), np.array([-np.sin(turned), np.cos(turned)])
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ np.stack([along, across], -1)
        low, high = corners.min(axis=0), corners.max(axis=0)
        first = np.ceil((low[1] - start) / pitch)
        for offset in (start + pitch * np.arange(first, (high[1] - start) / pitch)).tolist():
            ends = np.stack([along * low[0], along * high[0]]) + across * offset
            (x0, y0), (x1, y1) = to_subpixels(ends).tolist()
            cv2.line(mask, (x0, y0), (x1, y1), int(rng.integers(205, 256)), thickness, cv2.LINE_AA, SUBPIXEL_BITS)
    blend_colour(page, mask, colour, opacity=opacity)


def draw_by_hand(
    mask: NDArray[np.uint8], points: NDArray[np.float64], rng: np.random.Generator, *, thickness: float, wobble: float
) -> None:
    """Draw a white line through points, float64 (P, 2), onto a mask (H, W), in place; it wobbles by so many pixels."""
    steps = np.linspace(0, len(points) - 1, 24 * (len(points) - 1) + 1)
    line = np.stack([np.interp(steps, np.arange(len(points)), points[:, axis]) for axis in (0, 1)], -1)
    waves = rng.uniform(0.3, 1.5, 2) * steps[:, None] + rng.uniform(0, 6.3, 2)
    draw_line(mask, line + wobble * np.sin(waves), 255, max(1, round(thickness)))


def frame_points(edges: Edges, rng: np.random.Generator, *, deviation: float) -> NDArray[np.float64]:
    """Corners of a closed frame at (left, top, right, bottom), displaced by about `deviation` pixels: (5, 2)."""
    return outline_of(edges) + rng.normal(0, deviation, (5, 2))


def ellipse_points(edges: Edges, rng: np.random.Generator, *, deviation: float) -> NDArray[np.float64]:
    """An ellipse around (left, top, right, bottom) that ends a little past its start: (40, 2)."""
    left, top, right, bottom = edges
    angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, 2 * np.pi + rng.uniform(-0.1, 0.3), 40)
    radius = 0.72 + np.linspace(0, rng.normal(0, deviation / max(1.0, right - left)), 40)
    x = (left + right) / 2 + (right - left) * radius * np.cos(angle)
    y = (top + bottom) / 2 + (bottom - top) * radius * np.sin(angle)
    return np.stack([x, y], -1)
