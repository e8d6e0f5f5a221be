"""The batches that Keras trains on: shuffled, augmented, and with the teacher's probabilities where there is one.

With own digits, each batch holds a fixed share of them: 200 among 60,000 others would change nothing.
"""

from collections.abc import Sequence

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
        self._parts = data.parts
        self._config, self._teacher = config, teacher
        self.start_epoch(0)

    def __len__(self) -> int:
        return self._config.steps or -(-len(self._images) // self._config.batch_size)

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
        rng = np.random.default_rng((self._config.seed, epoch))
        if self._config.own_share:
            counts = count_parts(self._parts, self._config)
            self._order = draw_in_shares(self._parts, counts, len(self), rng)
        else:
            self._order = rng.permutation(len(self._images))


def count_parts(parts: Sequence[int], config: TrainConfig) -> tuple[int, int, int]:
    """How many images of the data set, of scenes and of the user are in each batch: as many of scenes as own ones.

    Without scene crops the data set takes their places.
    """
    own = max(1, round(config.own_share * config.batch_size))
    scenes = min(own, config.batch_size - own) if parts[1] else 0
    return config.batch_size - own - scenes, scenes, own


def draw_in_shares(
    parts: Sequence[int], counts: Sequence[int], batches: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Draw the indices of batches that hold so many images of each part; the parts lie one behind the other.

    Each image of a part comes once before any comes again.

    Examples:
        >>> draw_in_shares((100, 1), (3, 2), 2, np.random.default_rng(0)).reshape(2, 5)[:, 3:].tolist()
        [[100, 100], [100, 100]]
    """
    columns = []
    starts = np.cumsum([0, *parts])
    for start, size, count in zip(starts, parts, counts, strict=False):
        wanted = batches * count
        passes = [rng.permutation(size) for _ in range(-(-wanted // max(size, 1)))]
        drawn = np.concatenate([np.empty(0, np.intp), *passes])[:wanted]
        columns.append(start + drawn.reshape(batches, count))
    return np.concatenate(columns, axis=1).ravel()
