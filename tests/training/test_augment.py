import numpy as np

from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.augment import camera_like, moved
from digitedge.training.config import CAMERA


def test_digits_move_but_stay_in_the_field() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    elsewhere = moved(crops, np.random.default_rng(0))
    assert elsewhere.shape == crops.shape
    assert elsewhere.dtype == np.uint8
    assert np.all(np.any(elsewhere != crops, axis=(1, 2)))
    share = elsewhere.sum(axis=(1, 2), dtype=float) / crops.sum(axis=(1, 2), dtype=float)
    assert np.quantile(share, 0.05) > 0.5


def test_two_in_five_digits_are_only_moved() -> None:
    crops, _ = synthetic_digits(400, seed=1)
    spoiled = camera_like(crops, CAMERA, np.random.default_rng(0))
    only_moved = moved(crops, np.random.default_rng(0))
    share = (spoiled != only_moved).any(axis=(1, 2)).mean()
    assert 0.5 < share < 0.7


def test_the_originals_are_left_alone() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    kept = crops.copy()
    camera_like(crops, CAMERA, np.random.default_rng(0))
    np.testing.assert_array_equal(crops, kept)


def test_without_geometry_nothing_moves() -> None:
    crops, _ = synthetic_digits(100, seed=1)
    np.testing.assert_array_equal(camera_like(crops, (), np.random.default_rng(0)), crops)
    shifted = camera_like(crops, ("light",), np.random.default_rng(0))
    assert 0.3 < (shifted == crops).all(axis=(1, 2)).mean() < 0.5
