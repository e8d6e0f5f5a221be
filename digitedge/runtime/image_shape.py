"""The image in the input of a model: where it is in the shape, and how a crop gets its size."""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.crop_format import CROP_SIZE

# Smallest side of an image that a model may take.
MIN_SIDE = 8
# Dimensions of one input: (height, width, channels) and less; some have a further 1.
MAX_DIMENSIONS = 4


class Fit(StrEnum):
    """How a crop of 28x28 becomes an image of another size."""

    PAD = "pad"
    CROP = "crop"
    RESIZE = "resize"


class ImageShape(NamedTuple):
    """The image in the input of a model.

    Attributes:
        height: in pixels.
        width: in pixels.
        channels: 1, or 3 for a colour image, which gets the crop three times.
        channels_first: (3, height, width) in place of (height, width, 3).
    """

    height: int
    width: int
    channels: int = 1
    channels_first: bool = False

    @property
    def fits(self) -> list[Fit | None]:
        """How a crop can get this size."""
        if self.height == self.width == CROP_SIZE:
            return [None]
        if min(self.height, self.width) > CROP_SIZE:
            return [Fit.PAD, Fit.RESIZE]
        return [Fit.CROP, Fit.RESIZE] if max(self.height, self.width) < CROP_SIZE else [Fit.RESIZE]


def fill_shape(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Put numbers in place of the free dimensions of an input without its batch.

    Examples:
        >>> fill_shape((None, None, 1)), fill_shape((None, 28)), fill_shape((1, None, None))
        ((28, 28, 1), (28, 28), (1, 28, 28))
    """
    if len(shape) == 1:
        return (CROP_SIZE**2 if shape[0] is None else shape[0],)
    channel = None
    if len(shape) >= 3:  # where one of the ends is 1 or 3, or free, the channels are there
        channel = 0 if shape[0] in (1, 3) and shape[2] not in (1, 3) else 2
    defaults = [1 if index == channel else CROP_SIZE for index in range(len(shape))]
    return tuple(default if size is None else size for size, default in zip(shape, defaults, strict=True))


def find_image_shape(shape: tuple[int, ...]) -> ImageShape | None:
    """Find the image in an input shape without its batch; None where there is none.

    Examples:
        >>> find_image_shape((784,)), find_image_shape((3, 32, 32))
        (ImageShape(height=28, width=28, channels=1, channels_first=False), \
ImageShape(height=32, width=32, channels=3, channels_first=True))
    """
    sizes = [size for size in shape if size != 1]
    if math.prod(sizes) == CROP_SIZE**2:
        return ImageShape(CROP_SIZE, CROP_SIZE)
    if len(sizes) == 1 and math.isqrt(sizes[0]) ** 2 == sizes[0]:
        sizes = [math.isqrt(sizes[0])] * 2
    if len(sizes) == 3 and 3 in (sizes[0], sizes[2]):
        first = sizes[2] != 3
        height, width = sizes[1:] if first else sizes[:2]
        found = ImageShape(height, width, 3, first)
    elif len(sizes) == 2:
        found = ImageShape(sizes[0], sizes[1])
    else:
        return None
    return found if min(found.height, found.width) >= MIN_SIDE else None


def split_batch(shape: Sequence[int | None]) -> tuple[int | None, tuple[int, ...]] | None:
    """Split an input shape into its batch, None where it is free, and the shape of one input.

    The batch is 0 where the file takes one input without a batch. None where no image is found.

    Examples:
        >>> split_batch([1, 1, 28, 28]), split_batch([None, 784]), split_batch([28, 28])
        ((1, (1, 28, 28)), (None, (784,)), (0, (28, 28)))
    """
    without_batch = () if None in shape else tuple(shape)
    for batch, one in ((shape[:1], tuple(shape[1:])), ([0], without_batch)):
        if batch and one and len(one) <= MAX_DIMENSIONS and find_image_shape(filled := fill_shape(one)):
            return batch[0], filled
    return None


def describe_shape(shape: Sequence[object]) -> str:
    """A shape for messages: free dimensions as N.

    Examples:
        >>> describe_shape([None, 784])
        '(N, 784)'
    """
    return f"({', '.join('N' if size is None else str(size) for size in shape)})"


def fit_matrix(fit: Fit | None, size: int) -> NDArray[np.float32]:
    """The matrix (size, 28) that brings the rows or the columns of a crop to another number.

    `RESIZE` is bilinear with half-pixel centres and without anti-aliasing, as in TensorFlow.
    """
    if fit is not Fit.RESIZE:
        return np.eye(size, CROP_SIZE, k=(CROP_SIZE - size) // 2, dtype=np.float32)
    centres = np.clip((np.arange(size) + 0.5) * CROP_SIZE / size - 0.5, 0, CROP_SIZE - 1)
    distances = np.abs(centres[:, None] - np.arange(CROP_SIZE))
    return np.asarray(np.maximum(0, 1 - distances), np.float32)
