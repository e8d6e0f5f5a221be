"""Every corruption: shape, type, severity, and the same result for the same seed."""

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.evaluation.corruptions import CORRUPTIONS, SEVERITIES, Corruption
from digitedge.synthetic.handwriting.digits import synthetic_digits


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_a_higher_severity_changes_crops_more(corruption: Corruption) -> None:
    crops, _ = synthetic_digits(100, seed=5)
    original = crops.copy()
    change = []
    for severity in SEVERITIES:
        corrupted = corruption.apply(crops, severity)
        assert corrupted.dtype == np.uint8
        assert corrupted.shape == crops.shape
        change.append(np.abs(corrupted.astype(float) - crops).mean())
    assert 0 < change[0] < change[1] < change[2]
    np.testing.assert_array_equal(crops, original)
    np.testing.assert_array_equal(corruption.apply(crops, 1), corruption.apply(crops, 1))


@pytest.mark.parametrize("severity", [0, 4, -1])
def test_a_severity_that_does_not_exist_is_refused(severity: int) -> None:
    with pytest.raises(InputError, match=rf"expected a severity of \(1, 2, 3\), got {severity}"):
        CORRUPTIONS[0].apply(np.zeros((1, 28, 28), np.uint8), severity)


def test_moire_takes_from_the_ink_and_greys_the_paper() -> None:
    (moire,) = (corruption for corruption in CORRUPTIONS if corruption.name == "moire")
    halves = np.zeros((20, 28, 28), np.uint8)
    halves[:, :, 14:] = 255
    waves = moire.apply(halves, 3)
    paper, ink = waves[:, :, :14], waves[:, :, 14:]
    assert 50 < paper.max() < 100 and paper.min() < 5
    assert ink.min() < 15 and ink.max() > 240


def test_names_are_unique_and_enough_corruptions_are_unseen() -> None:
    assert len({corruption.name for corruption in CORRUPTIONS}) == len(CORRUPTIONS) >= 12
    assert sum(corruption.unseen for corruption in CORRUPTIONS) >= 5
