from pathlib import Path

import numpy as np
import pytest

from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.scenes.crops import SceneCrops
from digitedge.training.batches import Batches
from digitedge.training.config import ALL_TRANSFORMS, TrainConfig
from digitedge.training.distillation import Teacher
from digitedge.training.training_data import TrainingData, to_training_data

CONFIG = TrainConfig(
    architecture="cnn",
    optimizer="adamw",
    epochs=1,
    batch_size=16,
    seed=3,
    validation_split=0.2,
    augment=ALL_TRANSFORMS,
)


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return to_training_data(SceneCrops(*synthetic_digits(50, seed=1)))


def test_each_epoch_has_every_digit_once_in_an_order_of_its_own(data: TrainingData) -> None:
    batches = Batches(data, CONFIG)
    first = [batches[i] for i in range(len(batches))]
    assert [len(x) for x, _, _ in first] == [16, 16, 16, 2]
    assert np.concatenate([y for _, y, _ in first]).sum(axis=0).tolist() == [5.0] * 10
    np.testing.assert_array_equal(batches[2][0], first[2][0])  # in whatever order Keras asks
    batches.start_epoch(1)
    assert not np.array_equal(batches[0][0], first[0][0])
    batches.start_epoch(0)
    np.testing.assert_array_equal(batches[0][0], first[0][0])


def test_the_teacher_scores_the_augmented_images(data: TrainingData, released: Path) -> None:
    teacher = Teacher(released / "model.keras")
    images, targets, _ = Batches(data, CONFIG, teacher=teacher)[3]
    np.testing.assert_array_equal(targets[:, :10], Batches(data, CONFIG)[3][1])
    expected = teacher.probabilities(images[..., 0].astype(np.uint8))
    np.testing.assert_allclose(targets[:, 10:], expected, atol=1e-6)


def test_the_teacher_is_not_asked_about_images_beyond_those_it_teaches(data: TrainingData, released: Path) -> None:
    teacher = Teacher(released / "model.keras")
    all_taught, few_taught = (Batches(one, CONFIG, teacher=teacher) for one in (data, data._replace(taught=20)))
    answers = np.concatenate([few_taught[i][1][:, 10:] for i in range(len(few_taught))])
    is_taught = np.random.default_rng((CONFIG.seed, 0)).permutation(len(data.images)) < 20
    expected = np.concatenate([all_taught[i][1][:, 10:] for i in range(len(all_taught))])
    np.testing.assert_allclose(answers[is_taught], expected[is_taught], atol=1e-6)
    assert not answers[~is_taught].any()


def test_a_non_digit_weighs_as_much_as_a_digit(data: TrainingData) -> None:
    non_digits = to_training_data(SceneCrops(data.images, np.full(50, NON_DIGIT, np.uint8)))
    assert Batches(non_digits, CONFIG)[0][2].tolist() == [1.0] * 16
