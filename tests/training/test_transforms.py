import numpy as np
import pytest

from digitedge.evaluation.corruptions import CORRUPTIONS
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.transforms import TRANSFORMS


@pytest.mark.parametrize("name", TRANSFORMS)
def test_full_strength_changes_each_digit_differently(name: str) -> None:
    crops, _ = synthetic_digits(1, seed=1)
    crops = np.repeat(crops, 60, axis=0)
    changed = TRANSFORMS[name](crops, np.ones(60, np.float32), np.random.default_rng(0))
    assert changed.shape == crops.shape
    assert changed.dtype == np.uint8
    assert (changed != crops).any(axis=(1, 2)).mean() > 0.8
    assert len(np.unique(changed, axis=0)) > 20


@pytest.mark.parametrize("name", sorted(set(TRANSFORMS) - {"occlusion"}))
def test_less_strength_changes_less(name: str) -> None:
    crops, _ = synthetic_digits(60, seed=1)
    weak, strong = (
        TRANSFORMS[name](crops, np.full(60, strength, np.float32), np.random.default_rng(0)).astype(float)
        for strength in (0.1, 1.0)
    )
    assert 2 * np.abs(weak - crops).mean() < np.abs(strong - crops).mean()


@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_same_seed_gives_the_same_crops(name: str) -> None:
    crops, _ = synthetic_digits(20, seed=1)
    strengths = np.full(20, 0.5, np.float32)
    first, again = (TRANSFORMS[name](crops, strengths, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_sensor_binarizes_some_crops() -> None:
    crops, _ = synthetic_digits(200, seed=1)
    seen = TRANSFORMS["sensor"](crops, np.full(200, 0.5, np.float32), np.random.default_rng(0))
    binary_share = ((seen == 0) | (seen == 255)).all(axis=(1, 2)).mean()
    assert 0.15 < binary_share < 0.35


def test_hollow_empties_broad_strokes_and_keeps_their_edges() -> None:
    bars = np.zeros((100, 28, 28), np.uint8)
    bars[:, 4:24, 11:17] = 255
    hollow = TRANSFORMS["hollow"](bars, np.ones(100, np.float32), np.random.default_rng(0))
    inside, edge = hollow[:, 14, 12:16], hollow[:, 14, 11]
    assert np.median(inside.max(axis=1)) < 128
    assert np.median(edge) > 100 and (edge >= inside.min(axis=1)).all()


def test_no_transform_is_named_like_an_unseen_corruption() -> None:
    unseen = " ".join(corruption.name for corruption in CORRUPTIONS if corruption.unseen).split()
    assert not set(unseen) & set(TRANSFORMS)


def test_geometry_makes_some_narrow_digits_square() -> None:
    bars = np.zeros((300, 28, 28), np.uint8)
    bars[:, 4:24, 12:16] = 255
    moved = TRANSFORMS["geometry"](bars, np.ones(300, np.float32), np.random.default_rng(0))
    area = (moved > 127).sum(axis=(1, 2)) / 80
    assert 0.03 < (area > 1.9).mean() < 0.3
