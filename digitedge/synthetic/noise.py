"""Noise of every size for large images, cut from tiles that are made once: a hundred times as fast as fresh noise."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

# Side of a tile in pixels; larger images repeat it, each time mirrored.
TILE = 512


def fine_noise(rng: np.random.Generator, shape: tuple[int, int], *, coloured: bool = False) -> NDArray[np.uint8]:
    """Cut fine noise, uint8 (H, W), or (H, W, 3) if coloured: mean 128, deviation 32.

    Examples:
        >>> noise = fine_noise(np.random.default_rng(0), (600, 800))
        >>> noise.shape, round(noise.mean()), round(noise.std())
        ((600, 800), 128, 32)
    """
    top, left = rng.integers(0, TILE, 2)
    tile = np.roll(_tile(coloured), (top, left), (0, 1))
    down, right = max(0, shape[0] - TILE), max(0, shape[1] - TILE)
    return np.asarray(cv2.copyMakeBorder(tile, 0, down, 0, right, cv2.BORDER_REFLECT)[: shape[0], : shape[1]], np.uint8)


@cache
def _tile(coloured: bool) -> NDArray[np.uint8]:
    """The same at every call: brightness is smoothed a little, colour more, as a camera's noise is."""
    rng = np.random.default_rng(36)
    noise = cv2.blur(rng.standard_normal((TILE, TILE), np.float32), (2, 1), borderType=cv2.BORDER_REFLECT)
    if coloured:
        chroma = cv2.blur(rng.standard_normal((TILE, TILE, 3), np.float32), (3, 3))
        noise = noise[..., None] + chroma
    return np.asarray(np.rint(128 + 32 * noise / noise.std()).clip(0, 255), np.uint8)


def clouds(rng: np.random.Generator, shape: tuple[int, int], spot: float, *, stretch: float = 1.0) -> NDArray[np.uint8]:
    """Make smooth noise, uint8 (H, W), mean 128, deviation about 32.

    Args:
        rng: where chance comes from.
        shape: height and width in pixels.
        spot: size of the spots in pixels, > 0.
        stretch: how much wider than high they are.
    """
    rows, columns = 2 + int(shape[0] / spot), 2 + int(shape[1] / (spot * stretch))
    small = (128 + 36 * rng.standard_normal((rows, columns), np.float32)).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def add_noise(image: NDArray[np.uint8], noise: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    """Add noise around 128 to an image (H, W, 3); grey noise moves all three colours alike.

    Args:
        image: uint8 (H, W, 3).
        noise: uint8 (H, W) or (H, W, 3).
        amount: grey levels that a deviation of 32 becomes.
    """
    share = amount / 32
    if noise.ndim == 2:
        noise = np.asarray(cv2.cvtColor(noise, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(cv2.addWeighted(image, 1, noise, share, -128 * share), np.uint8)


def stain(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], colour: tuple[int, int, int], *, opacity: float = 1.0
) -> None:
    """Lay a colour on an image, in place, as far as the mask covers it.

    Args:
        image: uint8 (H, W, 3), BGR.
        mask: uint8 (H, W), 255 where the colour covers.
        colour: BGR, 0 to 255 each.
        opacity: 0 to 1, of the covering parts.
    """
    x, y, w, h = cv2.boundingRect(mask)
    part, cover = image[y : y + h, x : x + w], mask[y : y + h, x : x + w]
    rows, columns = cover.nonzero()
    share = cover[rows, columns, None].astype(np.float32) * np.float32(opacity / 255)
    seen = part[rows, columns]
    part[rows, columns] = np.rint(seen + (np.array(colour, np.float32) - seen) * share).astype(np.uint8)
