from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from digitedge.datasets.dataset import Dataset
from digitedge.errors import ModelError
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.architectures import build_mlp
from digitedge.training.config import Plan
from digitedge.training.distillation import DistillationLoss, Teacher
from digitedge.training.train import probabilities, train
from digitedge.training.training_data import TARGETS

TRUTH = TARGETS[[3]]
STUDENT = np.float32([[0.7] + [0.1] + [0.025] * 8])
TEACHER = np.float32([[0.1] + [0.7] + [0.025] * 8])


def loss(share: float, temperature: float, truth: np.ndarray, *answers: np.ndarray) -> float:
    both = np.hstack([truth, *answers])
    return float(DistillationLoss(share, temperature)(both, STUDENT))


def test_the_loss_is_hintons() -> None:
    def softened(p: np.ndarray) -> np.ndarray:
        return p ** (1 / 4) / (p ** (1 / 4)).sum()

    teacher, student = softened(TEACHER.astype(float)), softened(STUDENT.astype(float))
    divergence = (teacher * np.log(teacher / student)).sum()
    assert loss(0.25, 4, TRUTH, TEACHER) == pytest.approx(0.75 * -np.log(0.025) + 0.25 * 16 * divergence, rel=1e-5)


def test_a_student_that_answers_like_the_teacher_only_pays_for_the_truth() -> None:
    assert loss(0.5, 3, TRUTH, STUDENT) == pytest.approx(0.5 * -np.log(0.025), rel=1e-5)


def test_without_answers_or_where_there_is_no_digit_the_truth_is_all() -> None:
    assert loss(0.5, 3, TRUTH) == pytest.approx(-np.log(0.025), rel=1e-5)
    nothing = TARGETS[[10]]
    assert loss(0.5, 3, nothing, TEACHER) == loss(0.5, 3, nothing) == pytest.approx(-np.log(STUDENT).mean(), rel=1e-5)


def test_an_answer_that_is_sure_makes_no_nan() -> None:
    sure = TARGETS[[5]]
    gradient_free = DistillationLoss(0.5, 3)(np.hstack([TRUTH, sure]), TARGETS[[4]])
    assert np.isfinite(float(gradient_free))


def test_the_loss_survives_saving() -> None:
    again = keras.losses.deserialize(keras.losses.serialize(DistillationLoss(0.3, 2.5)))
    assert (again.share, again.temperature) == (0.3, 2.5)


def zero_to_one() -> keras.Model:
    model = build_mlp(0.2)
    model.layers[0].scale = 255.0
    return model


def logits() -> keras.Model:
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])


def small_images() -> keras.Model:
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (zero_to_one, r"takes pixels from 0 to 255.*--input-range 0-1; a bundle can be the teacher"),
        (logits, r"expected 10 probabilities.*a bundle can be the teacher"),
        (small_images, r"expected one input \(28, 28\)"),
    ],
)
def test_a_net_under_another_contract_is_no_teacher(build, message: str, tmp_path: Path) -> None:
    path = tmp_path / "other.keras"
    keras.utils.set_random_seed(0)
    build().save(path)
    with pytest.raises(ModelError, match=message):
        Teacher(path)


def test_a_missing_or_damaged_file_is_no_teacher(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no Keras file at"):
        Teacher(tmp_path / "none.keras")
    (tmp_path / "bad.keras").write_bytes(b"bad")
    with pytest.raises(ModelError, match="expected a model saved by Keras 3"):
        Teacher(tmp_path / "bad.keras")


def test_a_teacher_answers_as_its_model_predicts(released: Path) -> None:
    teacher = Teacher(released / "model.keras")
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28), np.uint8)
    predicted = keras.saving.load_model(released / "model.keras").predict(
        images[..., None].astype("float32"), verbose=0
    )
    np.testing.assert_allclose(teacher.probabilities(images), predicted, atol=1e-6)
    assert teacher.probabilities(images[:2]).shape == (2, 10)


def test_a_student_comes_nearer_to_its_teacher(tmp_path: Path, released: Path) -> None:
    images, digits = synthetic_digits(600, seed=3)
    digits[::2] = np.random.default_rng(0).permutation(digits[::2])  # half the truths are none
    unseen = synthetic_digits(200, seed=4)
    teacher = released.with_name("small") / "model.keras"
    plan = Plan(architecture="mlp", epochs=4, batch_size=32, validation_split=0.2, augment=(), teacher_share=0.9)

    def surprise(student: Plan) -> float:
        """Mean cross-entropy of a student's answers with the teacher's."""
        folder = tmp_path / str(student.teacher is None)
        folder.mkdir()
        train(student, Dataset(images, digits, *unseen), data_name="synthetic", folder=folder, log=lambda _: None)
        answers = probabilities(keras.saving.load_model(folder / "last.keras", compile=False), unseen[0])
        return float(-(Teacher(teacher).probabilities(unseen[0]) * np.log(answers)).sum(axis=1).mean())

    taught, alone = surprise(replace(plan, teacher=str(teacher))), surprise(plan)
    assert taught < 0.8 * alone, (taught, alone)
