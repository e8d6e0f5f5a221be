import numpy as np

from digitedge.data.cuttings import Cuttings
from digitedge.data.synthetic import synthetic_digits
from digitedge.training.augment import AugmentedBatches, random_affine
from digitedge.training.material import as_material


def test_digits_move_but_stay_in_the_field() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    moved = random_affine(crops, np.random.default_rng(0))
    assert moved.shape == crops.shape
    assert moved.dtype == np.uint8
    assert np.all(np.any(moved != crops, axis=(1, 2)))
    share = moved.sum(axis=(1, 2)) / crops.sum(axis=(1, 2))
    assert 0.9 < np.median(share) < 1.1
    assert share.min() > 0.6


def test_the_originals_are_left_alone() -> None:
    crops, _ = synthetic_digits(10, seed=1)
    kept = crops.copy()
    random_affine(crops, np.random.default_rng(0))
    np.testing.assert_array_equal(crops, kept)


def test_an_epoch_shows_every_digit_once_and_the_next_one_otherwise() -> None:
    crops, labels = synthetic_digits(50, seed=1)
    material = as_material(Cuttings(crops, labels))
    batches = AugmentedBatches(material, batch_size=16, seed=3)
    first = [batches[i] for i in range(len(batches))]
    assert [len(x) for x, _, _ in first] == [16, 16, 16, 2]
    assert np.concatenate([y for _, y, _ in first]).sum(axis=0).tolist() == [5.0] * 10
    np.testing.assert_array_equal(batches[2][0], first[2][0])  # whenever Keras asks
    batches.on_epoch_end()
    assert not np.array_equal(batches[0][0], first[0][0])
    again = AugmentedBatches(material, batch_size=16, seed=3)
    np.testing.assert_array_equal(again[0][0], first[0][0])
