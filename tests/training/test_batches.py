from pathlib import Path

import numpy as np
import pytest

from digitedge.metrics.ood import NOTHING
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.synthetic.scenes.crops import Cuttings
from digitedge.training.batches import Batches
from digitedge.training.config import CAMERA, Plan
from digitedge.training.distillation import Teacher
from digitedge.training.training_data import Material, as_material

PLAN = Plan(architecture="cnn", epochs=1, batch_size=16, seed=3, validation_split=0.2, augment=CAMERA)


@pytest.fixture(scope="module")
def material() -> Material:
    return as_material(Cuttings(*synthetic_digits(50, seed=1)))


def test_an_epoch_shows_every_digit_once_and_the_next_one_otherwise(material: Material) -> None:
    batches = Batches(material, PLAN)
    first = [batches[i] for i in range(len(batches))]
    assert [len(x) for x, _, _ in first] == [16, 16, 16, 2]
    assert np.concatenate([y for _, y, _ in first]).sum(axis=0).tolist() == [5.0] * 10
    np.testing.assert_array_equal(batches[2][0], first[2][0])  # whenever Keras asks
    batches.start(1)
    assert not np.array_equal(batches[0][0], first[0][0])
    batches.start(0)
    np.testing.assert_array_equal(batches[0][0], first[0][0])


def test_a_teacher_is_asked_about_the_images_as_they_are_shown(material: Material, released: Path) -> None:
    teacher = Teacher(released / "model.keras")
    images, targets, _ = Batches(material, PLAN, teacher=teacher)[3]
    np.testing.assert_array_equal(targets[:, :10], Batches(material, PLAN)[3][1])
    shown = teacher.probabilities(images[..., 0].astype(np.uint8))
    np.testing.assert_allclose(targets[:, 10:], shown, atol=1e-6)


def test_what_is_no_digit_counts_as_much_as_a_digit(material: Material) -> None:
    others = as_material(Cuttings(material.images, np.full(50, NOTHING, np.uint8)))
    assert Batches(others, PLAN)[0][2].tolist() == [1.0] * 16
