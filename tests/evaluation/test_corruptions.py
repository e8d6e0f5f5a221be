import numpy as np
import pytest

from digitedge.evaluation.corruptions import DEGRADATIONS, LEVELS, Degradation
from digitedge.synthetic.handwriting.digits import synthetic_digits

KINDS = pytest.mark.parametrize("kind", DEGRADATIONS, ids=lambda kind: kind.name)


@KINDS
def test_every_level_damages_more_than_the_one_below(kind: Degradation) -> None:
    crops, _ = synthetic_digits(100, seed=5)
    kept = crops.copy()
    harm = []
    for level in LEVELS:
        damaged = kind.apply(crops, level)
        assert damaged.dtype == np.uint8
        assert damaged.shape == crops.shape
        harm.append(np.abs(damaged.astype(float) - crops).mean())
    assert 0 < harm[0] < harm[1] < harm[2]
    np.testing.assert_array_equal(crops, kept)
    np.testing.assert_array_equal(kind.apply(crops, 1), kind.apply(crops, 1))


def test_enough_kinds_are_unseen() -> None:
    assert len(DEGRADATIONS) >= 12
    assert sum(kind.unseen for kind in DEGRADATIONS) >= 5
    assert len({kind.name for kind in DEGRADATIONS}) == len(DEGRADATIONS)
