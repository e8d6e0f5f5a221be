"""Binarization: ink becomes a mask.

A pixel belongs to the mask if it reaches a share of the darkest ink in its neighbourhood and stands out from the noise
of the paper. The local share cuts each stroke at the same part of its own darkness: bold and pale writing on one page
keep their shape, and soft edges and pale lines beside a stroke are dropped. The noise level keeps bare paper empty.
See docs/decisions/binarization.md.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import as_uint8, cv2, resize

# Least ink level of the mask, 0 to 255: a hard pencil absorbs a tenth of the light; JPEG artefacts and creases less.
MIN_INK = 20
# Distance of ink from the noise of the paper, in standard deviations. Cloth, fur and leaves have long tails: ten
# photographs of objects gave 330 false digits at 5, 44 at 7 and 40 at 9.
NOISE_DEVIATIONS = 9.0
# Samples of the noise along the longer side.
NOISE_SAMPLES = 150
# Samples along each side of a tile with a noise level of its own.
TILE_SAMPLES = 10
# Share of the darkest ink in the neighbourhood that a pixel must reach.
PEAK_SHARE = 0.3
# The same of a pixel that belongs to the core of a stroke.
CORE_SHARE = 0.6
# Where there is ink on the next finer level, this share of the threshold is enough, but at least this ink level.
FINER_SHARE = 0.6
MIN_FINER_INK = 8
# Radius of the neighbourhood in pixels: a little more than a stroke's width in digits of 20 to 46 pixels.
NEIGHBOURHOOD_PX = 6


def binarize(ink: NDArray[np.uint8], finer: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Separate ink from paper.

    Args:
        ink: uint8 (H, W), 0 is paper, 255 is ink that reflects nothing.
        finer: mask of the next finer level without lines, uint8 (2H or 2H + 1, 2W or 2W + 1). Its strokes stay: a thin
            pen pales when the image is halved.

    Returns:
        uint8 (H, W), 255 where there is ink, else 0.

    Examples:
        >>> ink = np.full((100, 100), 6, np.uint8)
        >>> ink[40:60, 50:53] = 200  # bold
        >>> ink[40:60, 80:83] = 40  # pale
        >>> int((binarize(ink) > 0).sum())
        120
    """
    threshold = _ink_threshold(ink)
    height, width = ink.shape
    if finer is None or finer.shape[0] < 2 * height or finer.shape[1] < 2 * width:  # one pixel cannot be halved
        return as_uint8(cv2.compare(ink, threshold, cv2.CMP_GT, dst=threshold))
    mask = as_uint8(cv2.compare(ink, threshold, cv2.CMP_GT))
    cv2.convertScaleAbs(threshold, dst=threshold, alpha=FINER_SHARE)
    cv2.max(threshold, MIN_FINER_INK, dst=threshold)  # type: ignore[call-overload]  # the stubs lack scalars
    pale = cv2.compare(ink, threshold, cv2.CMP_GT)
    halved = resize(finer[: 2 * height, : 2 * width], (width, height), cv2.INTER_AREA)
    return as_uint8(cv2.bitwise_or(mask, pale, dst=mask, mask=halved))


def find_cores(ink: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Reduce strokes to their dark cores, so that those that touch come apart.

    Args:
        ink: uint8 (H, W), 0 is paper, 255 is ink that reflects nothing.
        mask: uint8 (H, W), 255 where there are strokes, else 0.

    Returns:
        uint8 (H, W), 255 where the mask has ink of `CORE_SHARE` of the darkest in its neighbourhood.

    Examples:
        >>> ink = np.zeros((60, 60), np.uint8)
        >>> ink[20:40, 20:24] = ink[20:40, 30:34] = 200
        >>> ink[20:40, 24:30] = 90  # the gap between two strokes is not white
        >>> int((binarize(ink) > 0).sum()), int((find_cores(ink, binarize(ink)) > 0).sum())
        (280, 160)
    """
    return as_uint8(cv2.bitwise_and(cv2.compare(ink, _share_of_peak(ink, CORE_SHARE), cv2.CMP_GT), mask))


def _ink_threshold(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the ink level that each pixel of the mask exceeds, uint8 (H, W)."""
    threshold = _share_of_peak(ink, PEAK_SHARE)
    return as_uint8(cv2.max(threshold, _noise_level(ink), dst=threshold))


def _share_of_peak(ink: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """Return a share of the darkest ink in the neighbourhood of each pixel, uint8 (H, W)."""
    size = (2 * NEIGHBOURHOOD_PX + 1, 2 * NEIGHBOURHOOD_PX + 1)
    peak = as_uint8(cv2.dilate(ink, np.ones(size, np.uint8)))
    # In place: the pages of a new array take longer to map than its values to compute.
    cv2.blur(peak, size, dst=peak)
    return as_uint8(cv2.convertScaleAbs(peak, dst=peak, alpha=share))


def _noise_level(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the level that the noise of bare paper stays under: of the tile, or of the image if that is lower.

    A rough desk must not hide the writing on a smooth sheet, and a broad stroke may cover a whole tile. uint8 (H, W).
    """
    step = max(1, max(ink.shape) // NOISE_SAMPLES)
    sampled = ink[::step, ::step]
    whole = _level_of_samples(sampled.reshape(1, -1))[0]
    rows, columns = (size // TILE_SAMPLES for size in sampled.shape)
    if not rows or not columns:
        return np.full(ink.shape, whole, np.uint8)
    tiles = (
        sampled[: rows * TILE_SAMPLES, : columns * TILE_SAMPLES]
        .reshape(rows, TILE_SAMPLES, columns, TILE_SAMPLES)
        .swapaxes(1, 2)
    )
    levels = np.minimum(_level_of_samples(tiles.reshape(rows * columns, -1)), whole).reshape(rows, columns)
    height, width = ink.shape
    return resize(levels, (width, height), cv2.INTER_LINEAR_EXACT)


def _level_of_samples(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a level for each row of samples (N, S), from its median and its spread below the median: uint8 (N,)."""
    count = samples.shape[1]
    ordered = np.sort(samples, axis=1, kind="stable")  # radix sort: for bytes faster than a partition
    median = ordered[:, count // 2].astype(np.float64)
    spread = np.maximum(1.0, median - ordered[:, round(0.16 * (count - 1))])
    return np.rint(median + NOISE_DEVIATIONS * spread).clip(MIN_INK, 255).astype(np.uint8)
