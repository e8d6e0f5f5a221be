"""Training and validation data: the data set, crops of rendered scenes, and the user's own digits.

A model that has seen only the data set is confident about everything. So models that meet a camera also see digits as
the reader crops them from scenes, and non-digits whose target is 0.1 for every digit (outlier exposure), so that a low
confidence means "not a digit". The validation scenes are never trained on.

A model that is fine-tuned on own digits sees the others too (rehearsal), so that it forgets nothing.

Source:
    Hendrycks, Mazeika, Dietterich 2019, arXiv:1812.04606. Why non-digits weigh as much as digits:
    see docs/decisions/outlier-exposure.md.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.non_digits import draw_non_digits
from digitedge.datasets.own_digits import OwnDigits
from digitedge.metrics.ood import NON_DIGIT
from digitedge.runtime.contract import CLASSES
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.scenes.crops import SceneCrops, crop_scenes, join_crops
from digitedge.training.config import TrainConfig
from digitedge.training.crop_cache import cached_crops
from digitedge.utils.crop_format import CROP_SIZE

# Different from each other and from the seeds of tests, of the demo clip and of `--data synthetic`.
TRAINING_SEED = 1001
VALIDATION_SEED = 1002
# Training scenes per validation scene.
TRAINING_SCENES = 10
# Digits rendered one by one, per scene: about as many as a scene holds.
RENDERED_DIGITS = 8
# Weight of a non-digit in the loss; that of a digit is 1.
NON_DIGIT_WEIGHT = 1.0
NO_CROPS = np.empty((0, CROP_SIZE, CROP_SIZE), np.uint8)
# Rows 0 to 9: the targets of the digits. Last row: the target of a non-digit.
TARGETS = np.vstack([np.eye(CLASSES), np.full(CLASSES, 1 / CLASSES)]).astype(np.float32)


class TrainingData(NamedTuple):
    """Images and their targets.

    Attributes:
        images: uint8 (N, 28, 28).
        targets: float32 (N, 10): one-hot for a digit, 0.1 everywhere for a non-digit.
        taught: a teacher is asked about the first so many images, None for all.
        scenes: so many images are crops of scenes; they follow those of the data set.
        own: so many images, the last ones, are the user's.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    taught: int | None = None
    scenes: int = 0
    own: int = 0

    @property
    def parts(self) -> tuple[int, int, int]:
        """How many images are of the data set, of scenes, and of the user."""
        return len(self.images) - self.scenes - self.own, self.scenes, self.own

    def without_own(self) -> "TrainingData":
        """The images that are not the user's."""
        last = len(self.images) - self.own
        return TrainingData(self.images[:last], self.targets[:last])

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The true labels: uint8 (N,), 0 to 9 or NON_DIGIT."""
        return np.where(self.targets.max(axis=1) > 0.5, self.targets.argmax(axis=1), NON_DIGIT).astype(np.uint8)

    @property
    def weights(self) -> NDArray[np.float32]:
        """The weight of each image in the loss: float32 (N,)."""
        return np.where(self.labels == NON_DIGIT, NON_DIGIT_WEIGHT, 1).astype(np.float32)


def make_training_data(
    config: TrainConfig, data: Dataset, own: OwnDigits | None = None, non_digits: NDArray[np.uint8] = NO_CROPS
) -> tuple[TrainingData, TrainingData]:
    """Make the data to train on and the data to validate on; the test images are not used.

    The user's own non-digits, uint8 (K, 28, 28), are trained on among the own digits.

    Held-out own digits choose nothing, so that they can evaluate the result: those that are trained on validate.

    A model that is its own teacher is asked about the images of the data set alone: it may be wrong about scenes. About
    own digits no teacher is asked.
    """
    count = config.training_count(len(data.x_train))
    training = [SceneCrops(data.x_train[:count], data.y_train[:count])]
    validation = [SceneCrops(data.x_train[count:], data.y_train[count:])]
    if config.scenes:
        validation_scenes = -(-config.scenes // TRAINING_SCENES)
        for parts, scenes, seed in (
            (training, config.scenes, TRAINING_SEED),
            (validation, validation_scenes, VALIDATION_SEED),
        ):
            written = WrittenDigits.from_data(parts[0].crops, parts[0].labels)
            parts.append(cached_crops(make_training_crops, scenes, seed=seed, written=written))
    is_own_teacher = config.start is not None and config.teacher is None
    taught = count if is_own_teacher or own is not None else None
    if own is None:
        return _join(training, taught=taught), _join(validation)
    ours = [_labelled(own.training), SceneCrops(non_digits, np.full(len(non_digits), NON_DIGIT, np.uint8))]
    return _join(training, ours, taught=taught), _join(validation, [_labelled(own.training)])


def _labelled(digits: LabelledCrops) -> SceneCrops:
    return SceneCrops(digits.crops, digits.labels)


def _join(parts: list[SceneCrops], own: Sequence[SceneCrops] = (), *, taught: int | None = None) -> TrainingData:
    """Join the images of the data set, those of scenes if there are any, and those of the user."""
    joined = to_training_data(join_crops([*parts, *own]))
    return joined._replace(taught=taught, scenes=sum(map(len, parts[1:])), own=sum(map(len, own)))


def validation_weights(validation: TrainingData) -> NDArray[np.float32]:
    """Return the weight of each validation image, float32 (N,): own digits weigh as much as all others together."""
    weights = validation.weights
    others = len(weights) - validation.own
    if validation.own and others:
        weights[:others] *= len(weights) / (2 * others)
        weights[others:] *= len(weights) / (2 * validation.own)
    return weights


def make_training_crops(scenes: int, *, seed: int, written: WrittenDigits | None = None) -> SceneCrops:
    """Crop rendered scenes, and add rendered digits and non-digits in proportion.

    With `written`, the digits of most documents are these images.

    Examples:
        >>> crops = make_training_crops(1, seed=0)
        >>> int((crops.labels == NON_DIGIT).sum()) >= 7
        True
    """
    rendered = SceneCrops(*synthetic_digits(RENDERED_DIGITS * scenes, seed=seed))
    drawn = draw_non_digits(scenes, seed=seed).values()
    others = [SceneCrops(crops, np.full(len(crops), NON_DIGIT, np.uint8)) for crops in drawn]
    return join_crops([crop_scenes(scenes, seed=seed, written=written), rendered, *others])


def to_training_data(crops: SceneCrops) -> TrainingData:
    """Turn labels into targets.

    Examples:
        >>> to_training_data(SceneCrops(np.zeros((2, 28, 28), np.uint8), np.uint8([1, NON_DIGIT]))).targets[:, :3]
        array([[0. , 1. , 0. ],
               [0.1, 0.1, 0.1]], dtype=float32)
    """
    return TrainingData(crops.crops, TARGETS[np.minimum(crops.labels, CLASSES)])
