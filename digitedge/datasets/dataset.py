"""A data set in MNIST's form: four uint8 arrays, and the hash of their content."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Dataset(NamedTuple):
    """Training and test digits; unpacks as `x_train, y_train, x_test, y_test`.

    Attributes:
        x_train: uint8 (N, 28, 28), ink bright on 0.
        y_train: uint8 (N,), 0 to 9.
        x_test: uint8 (M, 28, 28).
        y_test: uint8 (M,).
    """

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.uint8]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.uint8]

    @property
    def sha256(self) -> str:
        """Hash of the four arrays with their shapes: hexadecimal."""
        digest = hashlib.sha256()
        for array in self:
            digest.update(idx_bytes(array))
        return digest.hexdigest()


SEARCH_DIGITS = 2000
"""Number of training digits on which the preprocessing of a third-party model is found."""


def search_digits(data: Dataset) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draw training digits for `digitedge.runtime.adapter_search.find_adapter`: uint8 (N, 28, 28), uint8 (N,)."""
    count = len(data.x_train)
    chosen = np.random.default_rng(0).choice(count, min(SEARCH_DIGITS, count), replace=False)
    return data.x_train[chosen], data.y_train[chosen]


def idx_bytes(array: NDArray[np.uint8]) -> bytes:
    r"""Pack an array as the content of an idx file, the format of MNIST.

    Source:
        The MNIST page of LeCun, Cortes and Burges: bytes 0, 0, 8 (unsigned byte), number of dimensions, each dimension
        as a big-endian 32-bit integer, values.

    Examples:
        >>> idx_bytes(np.uint8([7, 8]))
        b'\x00\x00\x08\x01\x00\x00\x00\x02\x07\x08'
    """
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def images_sha256(images: NDArray[np.uint8]) -> str:
    """Hash images, uint8 (N, 28, 28), in their order: hexadecimal."""
    return hashlib.sha256(idx_bytes(images)).hexdigest()
