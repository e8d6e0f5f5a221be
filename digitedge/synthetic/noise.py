"""Noise for large images, cut from tiles that are made once: a hundred times as fast as new noise for each image."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2, resize, to_bgr

# Side of a noise tile in pixels; larger images mirror it.
TILE_SIZE = 512
# Standard deviation of all noise made here, in grey levels.
DEVIATION = 32


def fine_noise(rng: np.random.Generator, shape: tuple[int, int], *, coloured: bool = False) -> NDArray[np.uint8]:
    """Make fine noise, uint8 (H, W), or (H, W, 3) if coloured: mean 128, deviation 32.

    Examples:
        >>> noise = fine_noise(np.random.default_rng(0), (600, 800))
        >>> noise.shape, round(noise.mean()), round(noise.std())
        ((600, 800), 128, 32)
    """
    top, left = rng.integers(0, TILE_SIZE, 2)
    tile = np.roll(_noise_tile(coloured), (top, left), (0, 1))
    down, right = max(0, shape[0] - TILE_SIZE), max(0, shape[1] - TILE_SIZE)
    return as_uint8(cv2.copyMakeBorder(tile, 0, down, 0, right, cv2.BORDER_REFLECT)[: shape[0], : shape[1]])


@cache
def _noise_tile(coloured: bool) -> NDArray[np.uint8]:
    """Make one fixed tile; as in a camera, colour noise is coarser than brightness noise."""
    rng = np.random.default_rng(36)
    noise = cv2.blur(rng.standard_normal((TILE_SIZE, TILE_SIZE), np.float32), (2, 1), borderType=cv2.BORDER_REFLECT)
    if coloured:
        chroma = cv2.blur(rng.standard_normal((TILE_SIZE, TILE_SIZE, 3), np.float32), (3, 3))
        noise = noise[..., None] + chroma
    return as_uint8(np.rint(128 + DEVIATION * noise / noise.std()).clip(0, 255))


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], spot_size: float, *, stretch: float = 1.0
) -> NDArray[np.uint8]:
    """Make smooth noise, uint8 (H, W), mean 128, deviation about 32.

    Its spots are `spot_size` > 0 pixels high and `stretch` times as wide.
    """
    rows, columns = 2 + int(shape[0] / spot_size), 2 + int(shape[1] / (spot_size * stretch))
    small = (128 + 36 * rng.standard_normal((rows, columns), np.float32)).clip(0, 255).astype(np.uint8)
    return resize(small, shape[::-1], cv2.INTER_CUBIC)


def add_noise(image: NDArray[np.uint8], noise: NDArray[np.uint8], deviation: float) -> NDArray[np.uint8]:
    """Add noise, uint8 (H, W) or (H, W, 3), to an image (H, W, 3), with a standard deviation of so many grey levels."""
    share = deviation / DEVIATION
    return as_uint8(cv2.addWeighted(image, 1, to_bgr(noise), share, -128 * share))


def apply_gains(image: NDArray[np.uint8], gains: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Multiply an image (H, W, 3) by gains, uint8 (H, W) or (H, W, 3); 128 leaves a pixel as it is."""
    return as_uint8(cv2.multiply(image, to_bgr(gains), scale=1 / 128))


def blend_colour(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], colour: tuple[int, int, int], *, opacity: float = 1.0
) -> None:
    """Blend a colour (BGR) into an image, in place, where a mask is bright; in uint8 (H, W), 255 covers fully."""
    x, y, w, h = cv2.boundingRect(mask)
    part, cover = image[y : y + h, x : x + w], mask[y : y + h, x : x + w]
    rows, columns = cover.nonzero()
    share = cover[rows, columns, None].astype(np.float32) * np.float32(opacity / 255)
    background = part[rows, columns]
    part[rows, columns] = np.rint(background + (np.array(colour, np.float32) - background) * share).astype(np.uint8)
