"""What a camera makes of a flat, evenly lit page: perspective, light and shadow, blur, noise.

The frame side of the scenes. Everything that runs once a frame works on uint8 with OpenCV, so that a clip runs faster
than a camera; what stays the same for a while (light, noise) is made once for many frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

# Gains are kept as uint8 in steps of 1/UNIT, so they reach 255 / 128.
UNIT = 128
# Distance of all ink from the edge of the frame, in pixels.
MARGIN = 8.0
# Noise is made larger than the frame by this many pixels and laid on at a random place each time.
SPARE = 64


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera stands.

    Attributes:
        shift: of the middle of the page, in shares of the frame's width and height.
        zoom: frame pixels for each page pixel.
        turn: in radians, clockwise.
        tilt: how much nearer the right and the lower edge of the frame are than its middle; 0.1 is clearly seen.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    zoom: float = 1.0
    turn: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)


def homography(view: View, *, page: tuple[int, int], frame: tuple[int, int]) -> NDArray[np.float64]:
    """Give the matrix (3, 3) that takes page pixels to frame pixels; sizes are (width, height).

    Examples:
        >>> matrix = homography(View(zoom=2.0), page=(100, 100), frame=(200, 200))
        >>> (matrix @ [25, 25, 1]).tolist()  # the middle of a pixel stays the middle of its copy
        [50.5, 50.5, 1.0]
    """
    cos, sin = view.zoom * np.cos(view.turn), view.zoom * np.sin(view.turn)
    to_middle = np.array([[1, 0, -(page[0] - 1) / 2], [0, 1, -(page[1] - 1) / 2], [0, 0, 1]])
    turned = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    tilted = np.array([[1, 0, 0], [0, 1, 0], [-2 * view.tilt[0] / frame[0], -2 * view.tilt[1] / frame[1], 1]])
    x, y = (frame[0] - 1) / 2 + view.shift[0] * frame[0], (frame[1] - 1) / 2 + view.shift[1] * frame[1]
    to_frame = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])
    return np.asarray(to_frame @ tilted @ turned @ to_middle, np.float64)


def project(points: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take points (P, 2) of the page to the frame."""
    seen = points @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(seen[:, :2] / seen[:, 2:], np.float64)


def keep_inside(
    matrix: NDArray[np.float64], points: NDArray[np.float64], *, frame: tuple[int, int], margin: float = MARGIN
) -> NDArray[np.float64]:
    """Move the camera, and step back if need be, until all points are in the frame.

    Args:
        matrix: float64 (3, 3), from page to frame.
        points: float64 (P, 2), in page pixels.
        frame: (width, height).
        margin: how far from the frame's edge the points stay, in pixels.

    Returns:
        float64 (3, 3); the same if all points already are inside.
    """
    seen = project(points, matrix)
    low, high = seen.min(axis=0), seen.max(axis=0)
    end = np.array(frame) - 1.0
    scale = min(1.0, float(((end - 2 * margin) / np.maximum(high - low, 1e-9)).min()))
    low, high = low * scale, high * scale
    move = np.maximum(margin - low, 0) + np.minimum(end - margin - high, 0)
    return np.array([[scale, 0, move[0]], [0, scale, move[1]], [0, 0, 1]]) @ matrix


def uneven_light(rng: np.random.Generator, *, width: int, height: int) -> NDArray[np.uint8]:
    """Make the light of a room: how bright each pixel of an evenly lit page comes out.

    Returns:
        uint8 (height, width, 3), gains in steps of 1/UNIT: brightness, tint, slope, vignette and often a shadow.
    """
    y, x = np.meshgrid(np.linspace(-1, 1, 48), np.linspace(-1, 1, 64), indexing="ij")
    angle = rng.uniform(0, 2 * np.pi)
    slope = 1 + rng.uniform(0.02, 0.22) * (x * np.cos(angle) + y * np.sin(angle))
    vignette = 1 - rng.uniform(0, 0.16) * (x * x + y * y)
    light = rng.uniform(0.72, 1.05) * slope * vignette * _shadow(rng, x, y)
    tint = 1 + np.array([rng.normal(-0.015, 0.035), 0, rng.normal(0.01, 0.03)])
    gains = np.clip(light[..., None] * tint * UNIT, 0, 255).astype(np.float32)
    return np.asarray(cv2.resize(gains, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255), np.uint8)


def _shadow(rng: np.random.Generator, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shadow of something held over the page: beyond a line it is darker, more or less suddenly."""
    if rng.random() < 0.4:
        return np.ones_like(x)
    angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.9)
    beyond = (x * np.cos(angle) + y * np.sin(angle) + 0.15 * np.sin(3 * y) - distance) / rng.uniform(0.05, 0.35)
    return np.asarray(1 - rng.uniform(0.08, 0.38) / (1 + np.exp(-beyond)), np.float64)


def sensor_noise(rng: np.random.Generator, *, width: int, height: int, sigma: float) -> NDArray[np.uint8]:
    """Make noise around 128, uint8 (height + SPARE, width + SPARE, 3): mostly brightness, a little colour."""
    shape = (height + SPARE, width + SPARE)
    brightness = rng.standard_normal(shape, np.float32)[..., None]
    colour = cv2.blur(rng.standard_normal((*shape, 3), np.float32), (2, 2))
    noise = cv2.blur(np.asarray(brightness + 0.8 * colour), (2, 1)) * np.float32(1.3 * sigma)
    return (noise + np.float32(128.5)).clip(0, 255).astype(np.uint8)


def expose(
    image: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    light: NDArray[np.uint8],
    noise: NDArray[np.uint8],
    blur: float = 0.0,
    motion: tuple[float, float] = (0.0, 0.0),
) -> NDArray[np.uint8]:
    """Take one image of a page.

    Args:
        image: the page, uint8 (H, W, 3).
        matrix: float64 (3, 3), from page to frame.
        rng: where the noise is laid.
        light: of `uneven_light`; its size is the size of the frame.
        noise: of `sensor_noise`, for the same size.
        blur: of the lens, standard deviation in pixels.
        motion: way of the camera while the shutter is open, in pixels.

    Returns:
        uint8 (h, w, 3), BGR, the size of `light`.
    """
    height, width = light.shape[:2]
    seen = cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    if blur > 0.2:
        seen = cv2.GaussianBlur(seen, (5, 5) if blur > 0.8 else (3, 3), blur)
    if max(map(abs, motion)) > 0.8:
        seen = cv2.filter2D(seen, -1, _smear(motion))
    lit = cv2.multiply(seen, light, scale=1 / UNIT)
    top, left = rng.integers(0, SPARE, 2)
    noisy = cv2.addWeighted(lit, 1, noise[top : top + height, left : left + width], 1, -128)
    return np.asarray(noisy, np.uint8)


def _smear(motion: tuple[float, float]) -> NDArray[np.float32]:
    """A line through the middle of a kernel, as long as the way of the camera, at most 8 pixels."""
    reach = min(4, int(np.ceil(max(map(abs, motion)) / 2)))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    ends = [
        (round((reach + way * 0.5 * motion[0]) * 16), round((reach + way * 0.5 * motion[1]) * 16)) for way in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA, 4)
    return np.asarray(kernel / max(1, int(kernel.sum())), np.float32)
