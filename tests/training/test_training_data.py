import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.datasets.non_digits import DRAWINGS, GLYPHS
from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training import crop_cache
from digitedge.training.config import ALL_TRANSFORMS, TrainConfig
from digitedge.training.training_data import RENDERED_DIGITS, TrainingData, make_training_data

TRAINING_SCENES = 21
VALIDATION_SCENES = 3
CONFIG = TrainConfig(
    architecture="cnn",
    optimizer="adamw",
    epochs=1,
    validation_split=0.2,
    augment=ALL_TRANSFORMS,
    scenes=TRAINING_SCENES,
)
Split = tuple[TrainingData, TrainingData]


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(*synthetic_digits(300, seed=1), *synthetic_digits(20, seed=2))


@pytest.fixture(scope="module")
def split(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Split:
    """Training data and validation data with scenes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crop_cache, "cache_folder", lambda: tmp_path_factory.mktemp("crops"))
        return make_training_data(CONFIG, data)


def test_without_scenes_the_end_of_the_data_set_validates(data: Dataset) -> None:
    config = TrainConfig(architecture="mlp", optimizer="rmsprop", epochs=1, validation_split=0.2, augment=())
    training, validation = make_training_data(config, data)
    np.testing.assert_array_equal(training.images, data.x_train[:240])
    np.testing.assert_array_equal(validation.images, data.x_train[240:])
    np.testing.assert_array_equal(validation.targets, np.eye(10, dtype=np.float32)[data.y_train[240:]])


def test_scenes_add_digits_and_non_digits(data: Dataset, split: Split) -> None:
    training, validation = split
    for part, own, scenes in (
        (training, data.x_train[:240], TRAINING_SCENES),
        (validation, data.x_train[240:], VALIDATION_SCENES),
    ):
        assert part.images.dtype == np.uint8
        assert part.targets.dtype == np.float32
        assert part.images.shape[1:] == (28, 28)
        assert len(part.images) == len(part.targets)
        np.testing.assert_array_equal(part.images[: len(own)], own)
        non_digits = part.labels == NON_DIGIT
        assert non_digits.sum() >= (DRAWINGS + GLYPHS) * scenes
        assert (~non_digits).sum() > len(own) + RENDERED_DIGITS * scenes  # the others are from the scenes


def test_the_target_of_a_non_digit_is_a_tenth_for_every_digit(split: Split) -> None:
    training, _ = split
    non_digits = training.labels == NON_DIGIT
    np.testing.assert_allclose(training.targets[non_digits], 0.1)
    np.testing.assert_array_equal(
        training.targets[~non_digits], np.eye(10, dtype=np.float32)[training.labels[~non_digits]]
    )


def test_no_training_image_validates(split: Split) -> None:
    training, validation = ({image.tobytes() for image in part.images} for part in split)
    assert not training & validation
