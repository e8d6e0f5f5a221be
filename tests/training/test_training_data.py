import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.metrics.ood import NOTHING
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training import crop_cache
from digitedge.training.config import CAMERA, Plan
from digitedge.training.training_data import GLYPHS, MARKS, RENDERED, Material, divide

PLAN = Plan(architecture="cnn", epochs=1, validation_split=0.2, augment=CAMERA, scenes=12)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return Dataset(*synthetic_digits(300, seed=1), *synthetic_digits(20, seed=2))


@pytest.fixture(scope="module")
def divided(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Material, Material]:
    """Material with 12 scenes to train on and 2 to validate with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crop_cache, "cache_folder", lambda: tmp_path_factory.mktemp("cuttings"))
        return divide(PLAN, data)


def test_without_scenes_the_data_set_is_split_at_its_end(data: Dataset) -> None:
    plan = Plan(architecture="mlp", epochs=1, validation_split=0.2, augment=())
    training, validation = divide(plan, data)
    np.testing.assert_array_equal(training.images, data.x_train[:240])
    np.testing.assert_array_equal(validation.images, data.x_train[240:])
    np.testing.assert_array_equal(validation.targets, np.eye(10, dtype=np.float32)[data.y_train[240:]])


def test_scenes_add_digits_and_what_is_none(data: Dataset, divided: tuple[Material, Material]) -> None:
    for material, first, scenes in zip(divided, (data.x_train[:240], data.x_train[240:]), (12, 2), strict=True):
        assert material.images.dtype == np.uint8
        assert material.targets.dtype == np.float32
        assert material.images.shape[1:] == (28, 28)
        assert len(material.images) == len(material.targets)
        np.testing.assert_array_equal(material.images[: len(first)], first)
        none = material.digits == NOTHING
        assert none.sum() >= (MARKS + GLYPHS) * scenes
        assert (~none).sum() > len(first) + RENDERED * scenes  # the rest was cut out of the scenes


def test_what_is_none_is_asked_for_a_tenth_of_each_digit(divided: tuple[Material, Material]) -> None:
    training, _ = divided
    none = training.digits == NOTHING
    np.testing.assert_allclose(training.targets[none], 0.1)
    np.testing.assert_array_equal(training.targets[~none], np.eye(10, dtype=np.float32)[training.digits[~none]])


def test_nothing_validates_that_was_trained_on(divided: tuple[Material, Material]) -> None:
    training, validation = ({image.tobytes() for image in material.images} for material in divided)
    assert not training & validation
