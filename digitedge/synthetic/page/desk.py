"""The desk under a paper, and where the paper ends."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import corners_of
from digitedge.synthetic.noise import add_noise, fine_noise, smooth_noise
from digitedge.utils.opencv import as_uint8, cv2, resize, to_bgr

# Wood, grey, nearly black, and light plastic; BGR.
_COLOURS = ((70, 105, 150), (48, 70, 98), (120, 160, 196), (92, 94, 96), (40, 38, 38), (24, 22, 22), (150, 150, 150))


def make_desk(rng: np.random.Generator, shape: tuple[int, int], *, dark: bool = False) -> NDArray[np.uint8]:
    """Make a desk of wood or plastic, uint8 (H, W, 3); a dark one is nearly black."""
    colours = _COLOURS[4:6] if dark else _COLOURS
    colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.8, 1.15)
    desk = np.full((*shape, 3), colour.clip(0, 255), np.uint8)
    if rng.random() < 0.6:
        streaks = smooth_noise(rng, shape, max(3, shape[0] / rng.uniform(40, 160)), stretch=rng.uniform(15, 60))
        desk = add_noise(desk, streaks, rng.uniform(0.03, 0.12) * colour.mean())
    return add_noise(desk, fine_noise(rng, shape), rng.uniform(1, 4))


def lay_on_desk(
    desk: NDArray[np.uint8], paper: NDArray[np.uint8], rng: np.random.Generator, corners: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Lay a paper on a desk, cut out along its corners, float64 (4, 2) in pixels, with a thin shadow beside it."""
    height, width = desk.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners.clip(-4 * width, 5 * width)).astype(np.int32), 255)
    reach = max(2, width // 120)
    small = resize(mask, (width // 4 + 1, height // 4 + 1), cv2.INTER_AREA)
    blurred = cv2.blur(small, (1 + reach // 2, 1 + reach // 2))
    shadow = np.roll(blurred, rng.integers(0, 1 + reach // 4, 2), (0, 1))
    gains = resize(255 - (shadow * np.float32(0.5)).astype(np.uint8), (width, height), cv2.INTER_LINEAR)
    image = as_uint8(cv2.multiply(desk, to_bgr(gains), scale=1 / 255))
    cv2.copyTo(paper, mask, image)
    return image


def sample_paper_corners(
    edges: tuple[int, int, int, int], rng: np.random.Generator, shape: tuple[int, int], *, pad: float, sides: int
) -> NDArray[np.float64]:
    """Sample where a paper ends: its corners, float64 (4, 2).

    `edges` (left, top, right, bottom) are on it, with `pad` pixels around; on so many sides its border is in the image.
    """
    height, width = shape
    room = np.array([edges[0], edges[1], width - edges[2], height - edges[3]], np.float64)
    distance = np.full(4, 4.0 * max(width, height))
    for side in np.argsort(-room * rng.uniform(0.3, 1, 4))[:sides]:
        distance[side] = max(pad, room[side] * rng.uniform(0.15, 0.8))
    left, top = edges[0] - distance[0], edges[1] - distance[1]
    right, bottom = edges[2] + distance[2], edges[3] + distance[3]
    return corners_of((left, top, right, bottom)) + rng.normal(0, 0.12 * pad, (4, 2))
