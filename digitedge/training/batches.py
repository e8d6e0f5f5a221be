"""What Keras is fed: every epoch in an order of its own, with every image as the plan has it."""

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.training.augment import camera_like
from digitedge.training.config import Plan
from digitedge.training.distillation import Teacher
from digitedge.training.training_data import Material


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """Batches of images, targets and weights in the loss, reshuffled every epoch; augmented where the plan says so.

    What is in a batch depends on the seed, the epoch and the batch alone, not on the order in which Keras asks: it
    peeks at the first batch before training starts. So a training that goes on sees what it would have seen.
    """

    def __init__(self, material: Material, plan: Plan, *, teacher: Teacher | None = None) -> None:
        """Take what to train on.

        Args:
            material: images and targets.
            plan: batch size, seed, and the transforms.
            teacher: its answers about each batch follow the true targets, float32 (B, 20) instead of (B, 10).
        """
        super().__init__()
        self._images, self._targets, self._weights = material.images, material.targets, material.weights
        self._plan, self._teacher = plan, teacher
        self.start(0)

    def __len__(self) -> int:
        return -(-len(self._images) // self._plan.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        chosen = self._order[index * self._plan.batch_size : (index + 1) * self._plan.batch_size]
        images, targets = self._images[chosen], self._targets[chosen]
        if self._plan.augment:
            images = camera_like(
                images, self._plan.augment, np.random.default_rng((self._plan.seed, self._epoch, index))
            )
        if self._teacher:
            targets = np.hstack([targets, self._teacher.probabilities(images)])
        return images[..., None].astype(np.float32), targets, self._weights[chosen]  # (B, 28, 28, 1)

    def start(self, epoch: int) -> None:
        """Shuffle for an epoch, counted from 0."""
        self._epoch = epoch
        self._order = np.random.default_rng((self._plan.seed, epoch)).permutation(len(self._images))
