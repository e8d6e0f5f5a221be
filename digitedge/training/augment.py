"""Simple geometry: every epoch sees each digit turned, sheared, scaled and shifted a little differently."""

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.opencv import cv2
from digitedge.training.material import Material

# Half-widths of uniform distributions; wide enough to cover a tilted page, narrow enough that a 6 never becomes a 9.
ROTATION_DEG = 12.0
SHEAR = 0.2
SCALE = 0.15
SHIFT_PX = 2.0


def random_affine(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give each image its own small affine transform about its centre.

    Args:
        images: uint8 (N, H, W), ink bright on 0.
        rng: source of the transforms.

    Returns:
        uint8 (N, H, W), bilinear, what comes in from outside is 0.
    """
    height, width = images.shape[1:]
    transforms = _affine_matrices(len(images), rng, centre=((width - 1) / 2, (height - 1) / 2))
    moved = np.empty_like(images)
    for image, transform, target in zip(images, transforms, moved, strict=True):
        cv2.warpAffine(image, transform, (width, height), dst=target, flags=cv2.INTER_LINEAR)
    return moved


def _affine_matrices(n: int, rng: np.random.Generator, *, centre: tuple[float, float]) -> NDArray[np.float64]:
    """Random transforms as OpenCV takes them: float64 (N, 2, 3)."""
    angle = np.deg2rad(rng.uniform(-ROTATION_DEG, ROTATION_DEG, n))
    shear = rng.uniform(-SHEAR, SHEAR, n)
    scale = rng.uniform(1 - SCALE, 1 + SCALE, (n, 2))
    shift = rng.uniform(-SHIFT_PX, SHIFT_PX, (n, 2))
    cos, sin = np.cos(angle), np.sin(angle)
    # rotation @ shear @ scale, written out
    linear = np.stack(
        [cos * scale[:, 0], (cos * shear - sin) * scale[:, 1], sin * scale[:, 0], (sin * shear + cos) * scale[:, 1]]
    )
    linear = linear.T.reshape(n, 2, 2)
    middle = np.array(centre)
    offset = middle - linear @ middle + shift  # the centre stays, then moves by the shift
    return np.concatenate([linear, offset[:, :, None]], axis=2)


class AugmentedBatches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """Batches of freshly moved digits, reshuffled every epoch.

    The transforms of a batch depend on the seed, the epoch and the batch alone, not on the order in which Keras asks:
    it peeks at the first batch before training starts.
    """

    def __init__(self, material: Material, *, batch_size: int, seed: int) -> None:
        """Take what to train on; the batches are images, targets and weights in the loss."""
        super().__init__()
        self._images, self._targets, self._weights = material.images, material.targets, material.weights
        self._batch_size, self._seed, self._epoch = batch_size, seed, 0
        self._shuffle()

    def __len__(self) -> int:
        return -(-len(self._images) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        moved = random_affine(self._images[chosen], np.random.default_rng((self._seed, self._epoch, index)))
        return moved[..., None].astype(np.float32), self._targets[chosen], self._weights[chosen]

    def on_epoch_end(self) -> None:
        """Shuffle anew."""
        self._epoch += 1
        self._shuffle()

    def _shuffle(self) -> None:
        self._order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._images))
