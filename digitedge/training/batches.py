"""The batches that Keras trains on: shuffled, augmented, and with the teacher's probabilities where there is one."""

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.training.augment import augment
from digitedge.training.config import TrainConfig
from digitedge.training.distillation import Teacher
from digitedge.training.training_data import TrainingData


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # keras has no types
    """Batches of images, targets and sample weights.

    A batch depends on the seed, the epoch and its index alone, not on the order in which Keras asks for batches (it
    reads the first one before training starts). So a resumed training sees the same batches.
    """

    def __init__(self, data: TrainingData, config: TrainConfig, *, teacher: Teacher | None = None) -> None:
        """Prepare epoch 0.

        A teacher's probabilities follow the true targets: float32 (B, 20) instead of (B, 10); 0 for images about which
        it is not asked.
        """
        super().__init__()
        self._images, self._targets, self._weights = data.images, data.targets, data.weights
        self._taught = len(data.images) if data.taught is None else data.taught
        self._config, self._teacher = config, teacher
        self.start_epoch(0)

    def __len__(self) -> int:
        return -(-len(self._images) // self._config.batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        config = self._config
        chosen = self._order[index * config.batch_size : (index + 1) * config.batch_size]
        images, targets = self._images[chosen], self._targets[chosen]
        if config.augment:
            images = augment(images, config.augment, np.random.default_rng((config.seed, self._epoch, index)))
        if self._teacher:
            answers = np.zeros_like(targets)
            is_taught = chosen < self._taught
            answers[is_taught] = self._teacher.probabilities(images[is_taught])
            targets = np.hstack([targets, answers])
        return images[..., None].astype(np.float32), targets, self._weights[chosen]  # (B, 28, 28, 1)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for an epoch, counted from 0."""
        self._epoch = epoch
        self._order = np.random.default_rng((self._config.seed, epoch)).permutation(len(self._images))
