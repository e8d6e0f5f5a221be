from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset
from digitedge.errors import ModelError
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.architectures import build_mlp
from digitedge.training.config import TrainConfig
from digitedge.training.distillation import DistillationLoss, Teacher
from digitedge.training.keras_io import predict_probabilities
from digitedge.training.train import train
from digitedge.training.training_data import TARGETS

TRUTH = TARGETS[[3]]
STUDENT = np.float32([[0.7] + [0.1] + [0.025] * 8])
TEACHER = np.float32([[0.1] + [0.7] + [0.025] * 8])


def loss(weight: float, temperature: float, truth: NDArray[np.float32], *teacher: NDArray[np.float32]) -> float:
    """Loss of STUDENT."""
    return float(DistillationLoss(weight, temperature)(np.hstack([truth, *teacher]), STUDENT))


def test_the_loss_is_that_of_hinton() -> None:
    def soften(p: NDArray[np.float64]) -> NDArray[np.float64]:
        return p ** (1 / 4) / (p ** (1 / 4)).sum()

    teacher, student = soften(TEACHER.astype(float)), soften(STUDENT.astype(float))
    divergence = (teacher * np.log(teacher / student)).sum()
    assert loss(0.25, 4, TRUTH, TEACHER) == pytest.approx(0.75 * -np.log(0.025) + 0.25 * 16 * divergence, rel=1e-5)


def test_a_student_equal_to_the_teacher_has_the_loss_of_the_true_targets_alone() -> None:
    assert loss(0.5, 3, TRUTH, STUDENT) == pytest.approx(0.5 * -np.log(0.025), rel=1e-5)


def test_without_a_teacher_and_for_non_digits_the_true_targets_decide() -> None:
    assert loss(0.5, 3, TRUTH) == pytest.approx(-np.log(0.025), rel=1e-5)
    non_digit = TARGETS[[10]]
    expected = pytest.approx(-np.log(STUDENT).mean(), rel=1e-5)
    assert loss(0.5, 3, non_digit, TEACHER) == loss(0.5, 3, non_digit) == expected


def test_a_digit_about_which_the_teacher_is_not_asked_is_learned_from_the_truth() -> None:
    assert loss(0.5, 3, TRUTH, np.zeros_like(TEACHER)) == loss(0.5, 3, TRUTH)


def test_probabilities_of_0_and_1_give_no_nan() -> None:
    certain = DistillationLoss(0.5, 3)(np.hstack([TRUTH, TARGETS[[5]]]), TARGETS[[4]])
    assert np.isfinite(float(certain))


def test_the_loss_survives_saving() -> None:
    again = keras.losses.deserialize(keras.losses.serialize(DistillationLoss(0.3, 2.5)))
    assert (again.weight, again.temperature) == (0.3, 2.5)


def model_for_0_to_1() -> keras.Model:
    model = build_mlp(0.2)
    model.layers[0].scale = 255.0
    return model


def model_of_logits() -> keras.Model:
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])


def model_of_small_images() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (model_for_0_to_1, r"takes pixels from 0 to 255.*digitedge export FILE; a bundle can be the teacher"),
        (model_of_logits, r"expected 10 probabilities.*a bundle can be the teacher"),
        (model_of_small_images, r"expected one input \(28, 28\)"),
    ],
)
def test_a_teacher_outside_the_model_contract_is_refused(
    build: Callable[[], keras.Model], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "other.keras"
    keras.utils.set_random_seed(0)
    build().save(path)
    with pytest.raises(ModelError, match=message):
        Teacher(path)


def test_a_missing_or_damaged_teacher_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no Keras file at"):
        Teacher(tmp_path / "none.keras")
    (tmp_path / "bad.keras").write_bytes(b"bad")
    with pytest.raises(ModelError, match="expected a model saved by Keras 3"):
        Teacher(tmp_path / "bad.keras")


def test_a_teacher_scores_as_its_model_predicts(released: Path) -> None:
    teacher = Teacher(released / "model.keras")
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
    predicted = predict_probabilities(keras.saving.load_model(released / "model.keras"), images)
    np.testing.assert_allclose(teacher.probabilities(images), predicted, atol=1e-6)
    assert teacher.probabilities(images[:2]).shape == (2, 10)


@pytest.mark.slow
def test_distillation_brings_a_student_nearer_to_its_teacher(tmp_path: Path, released: Path) -> None:
    images, digits = synthetic_digits(600, seed=3)
    digits[::2] = np.random.default_rng(0).permutation(digits[::2])  # half of the labels are random
    test = synthetic_digits(200, seed=4)
    teacher = released.with_name("small") / "model.keras"
    config = TrainConfig(
        architecture="mlp",
        optimizer="rmsprop",
        epochs=4,
        batch_size=32,
        validation_split=0.2,
        augment=(),
        teacher_weight=0.9,
    )

    def cross_entropy_with_teacher(student: TrainConfig) -> float:
        folder = tmp_path / str(student.teacher is None)
        folder.mkdir()
        train(student, Dataset(images, digits, *test), data_name="synthetic", folder=folder, log=lambda _: None)
        predicted = predict_probabilities(keras.saving.load_model(folder / "last.keras", compile=False), test[0])
        return float(-(Teacher(teacher).probabilities(test[0]) * np.log(predicted)).sum(axis=1).mean())

    taught = cross_entropy_with_teacher(replace(config, teacher=str(teacher)))
    untaught = cross_entropy_with_teacher(config)
    assert taught < 0.8 * untaught, (taught, untaught)
