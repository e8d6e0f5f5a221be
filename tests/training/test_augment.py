import numpy as np

from digitedge.data.cuttings import Cuttings
from digitedge.data.synthetic import synthetic_digits
from digitedge.training.augment import AugmentedBatches, camera_like, moved
from digitedge.training.material import as_material


def test_digits_move_but_stay_in_the_field() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    elsewhere = moved(crops, np.random.default_rng(0))
    assert elsewhere.shape == crops.shape
    assert elsewhere.dtype == np.uint8
    assert np.all(np.any(elsewhere != crops, axis=(1, 2)))
    share = elsewhere.sum(axis=(1, 2), dtype=float) / crops.sum(axis=(1, 2), dtype=float)
    assert np.quantile(share, 0.05) > 0.5


def test_half_of_the_digits_are_only_moved() -> None:
    crops, _ = synthetic_digits(400, seed=1)
    spoiled = camera_like(crops, np.random.default_rng(0))
    only_moved = moved(crops, np.random.default_rng(0))
    share = (spoiled != only_moved).any(axis=(1, 2)).mean()
    assert 0.4 < share < 0.6


def test_the_originals_are_left_alone() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    kept = crops.copy()
    camera_like(crops, np.random.default_rng(0))
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
