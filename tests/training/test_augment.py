import numpy as np

from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.augment import augment, augment_geometry
from digitedge.training.config import ALL_TRANSFORMS


def test_geometry_moves_every_digit_and_keeps_it_in_the_crop() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    moved = augment_geometry(crops, np.random.default_rng(0))
    assert moved.shape == crops.shape
    assert moved.dtype == np.uint8
    assert np.all(np.any(moved != crops, axis=(1, 2)))
    remaining_ink = moved.sum(axis=(1, 2), dtype=float) / crops.sum(axis=(1, 2), dtype=float)
    assert np.quantile(remaining_ink, 0.05) > 0.5


def test_three_in_five_digits_get_more_than_geometry() -> None:
    crops, _ = synthetic_digits(400, seed=1)
    augmented = augment(crops, ALL_TRANSFORMS, np.random.default_rng(0))
    only_moved = augment_geometry(crops, np.random.default_rng(0))
    share = (augmented != only_moved).any(axis=(1, 2)).mean()
    assert 0.5 < share < 0.7


def test_the_input_is_not_changed() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    before = crops.copy()
    augment(crops, ALL_TRANSFORMS, np.random.default_rng(0))
    np.testing.assert_array_equal(crops, before)


def test_without_geometry_nothing_moves() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    np.testing.assert_array_equal(augment(crops, (), np.random.default_rng(0)), crops)
    lit = augment(crops, ("light",), np.random.default_rng(0))
    assert 0.3 < (lit == crops).all(axis=(1, 2)).mean() < 0.5
