"""Bad light: gradients down to a fifth, vignettes, the shadows of hands and phones, reflections of lamps."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.photo.photograph import UNIT
from digitedge.utils.opencv import cv2


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
