"""Areas that were not drawn with a pen: blots, fingers, soft shadows and binarized textures."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import SUBPIXEL_BITS, to_subpixels
from digitedge.utils.opencv import as_uint8, cv2, resize

# Side of the noise that textures are cut from, in pixels.
_NOISE_SIZE = 512


def render_blot(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Render a drop, a shard, a star or a finger with hard or soft edges: uint8 (size, size), bright on 0.

    It is never slim and upright, which would be a broad 1.
    """
    shape = (_drop, _shard, _star, _finger)[rng.integers(4)](rng)
    wide, high = (1.0, rng.uniform(0.4, 1)) if rng.random() < 0.7 else (rng.uniform(0.85, 1), 1.0)
    points = to_subpixels((shape * [wide, high] * 0.46 + 0.5) * size)
    ink = np.zeros((size, size), np.uint8)
    cv2.fillPoly(ink, [points], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    if rng.random() < 0.5:
        ink = as_uint8(cv2.GaussianBlur(ink, (0, 0), size * rng.uniform(0.01, 0.12)))
    return ink


def _drop(rng: np.random.Generator) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * np.pi, 48)
    size, phase = rng.normal(0, 0.1, 3), rng.uniform(0, 6.3, 3)
    radius = 0.85 + (size * np.sin(np.outer(angle, [2, 3, 5]) + phase)).sum(axis=1)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


def _shard(rng: np.random.Generator) -> NDArray[np.float64]:
    corners = int(rng.integers(3, 8))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 2 * np.pi / corners, corners)
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _star(rng: np.random.Generator) -> NDArray[np.float64]:
    corners = 2 * int(rng.integers(4, 9))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + rng.uniform(0, 6.3)
    radius = np.resize([1, rng.uniform(0.35, 0.7)], corners)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


def _finger(rng: np.random.Generator) -> NDArray[np.float64]:
    """A bar with a round tip that reaches in from the left, the right, above or below."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 24)
    tip = np.stack([rng.uniform(-0.2, 0.5) + 0.5 * np.cos(angle), rng.uniform(0.7, 0.95) * np.sin(angle)], -1)
    finger = np.concatenate([tip, tip[[-1, 0]] * [0, 1.1] - [1.2, 0]])
    return np.asarray((finger if rng.random() < 0.5 else finger[:, ::-1]) * rng.choice([-1, 1]), np.float64)


def render_texture(rng: np.random.Generator, size: int) -> NDArray[np.uint8]:
    """Render a piece of fur, wood, crumpled paper or rough ground: uint8 (H, W), bright on 0, `size` pixels long."""
    noise = _noises()[rng.integers(len(_noises()))]
    side = int(rng.integers(48, 161))
    top, left = rng.integers(0, _NOISE_SIZE - side, 2)
    window = noise[top : top + side, left : left + round(side * rng.uniform(0.6, 1))]
    window = window.T if rng.random() < 0.5 else window
    ink = (window > np.quantile(window, rng.uniform(0.5, 0.75))).astype(np.uint8)
    if side > 96 and rng.random() < 0.7:
        ink = _largest_component(ink)
    scale = size / max(ink.shape)
    shape = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    return resize(255 * ink, shape, cv2.INTER_LINEAR)


def _largest_component(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y, w, h = stats[largest, : cv2.CC_STAT_AREA].tolist()
    return as_uint8(labels[y : y + h, x : x + w] == largest)


@cache
def _noises() -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(17)
    return [make(rng) for make in (_fur, _wood, _crumple, _ground) for _ in range(4)]


def _smooth(rng: np.random.Generator, across: float, down: float) -> NDArray[np.float32]:
    fine = rng.standard_normal((_NOISE_SIZE, _NOISE_SIZE), np.float32)
    noise = cv2.GaussianBlur(fine, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_REFLECT)
    return np.asarray(noise / noise.std(), np.float32)


def _fur(rng: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(_smooth(rng, 1.6, rng.uniform(5, 12)) + 0.6 * _smooth(rng, 10, 10), np.float32)


def _wood(rng: np.random.Generator) -> NDArray[np.float32]:
    rings = np.sin(6 * _smooth(rng, 60, 14))
    return np.asarray(rings + 0.5 * _smooth(rng, 12, 1.5), np.float32)


def _crumple(rng: np.random.Generator) -> NDArray[np.float32]:
    """Thin lines where smooth noise crosses zero, like creases or veins."""
    creases = [-np.abs(_smooth(rng, spot, spot)) / share for spot, share in ((14, 1.0), (7, 1.6))]
    return np.asarray(np.maximum(*creases) + 0.05 * _smooth(rng, 2, 2), np.float32)


def _ground(rng: np.random.Generator) -> NDArray[np.float32]:
    return np.asarray(_smooth(rng, 12, 12) + 0.7 * _smooth(rng, 5, 5) + 0.5 * _smooth(rng, 2, 2), np.float32)
