import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.bundle.parity import compare_outputs
from digitedge.bundle.recipe import RECIPES
from digitedge.errors import InputError

FLOAT32, INT8 = RECIPES["float32"].tolerance, RECIPES["int8"].tolerance


@pytest.fixture
def labels() -> NDArray[np.uint8]:
    return np.tile(np.arange(10, dtype=np.uint8), 200)


@pytest.fixture
def reference(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities of a good model: 0.91 at the label."""
    return np.asarray(0.9 * np.eye(10, dtype=np.float32)[labels] + 0.01, np.float32)


def test_equal_outputs_are_within_every_tolerance(reference: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
    parity = compare_outputs(reference, reference.copy(), labels)
    assert parity.violations(FLOAT32) == []
    assert (parity.agreement, parity.max_abs_diff, parity.mcnemar_p, parity.flipped) == (1.0, 0.0, 1.0, ())


def test_one_nan_fails_parity(reference: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
    broken = reference.copy()
    broken[7, 3] = np.nan
    parity = compare_outputs(reference, broken, labels)
    assert parity.flipped == (7,)
    assert any("not a number" in line for line in parity.violations(INT8))
    assert parity.to_dict()["max_abs_diff"] is None


def test_shuffled_rows_fail_parity(reference: NDArray[np.float32], labels: NDArray[np.uint8]) -> None:
    shuffled = np.random.default_rng(0).permutation(reference)
    assert len(compare_outputs(reference, shuffled, labels).violations(INT8)) == 2


def test_flips_without_a_top1_drop_lower_the_agreement(
    reference: NDArray[np.float32], labels: NDArray[np.uint8]
) -> None:
    wrong = reference.copy()
    wrong[:10] = np.roll(wrong[:10], 1, axis=1)
    other = reference.copy()
    other[10:20] = np.roll(other[10:20], 1, axis=1)
    parity = compare_outputs(wrong, other, labels)
    assert parity.top1_drop == 0
    assert parity.mcnemar_p == 1.0
    assert parity.agreement == 0.99
    assert parity.violations(INT8) == ["agreement 99.0000 %, limit 99.8000 %"]


def test_a_drop_at_the_limit_passes_and_a_larger_one_fails(
    reference: NDArray[np.float32], labels: NDArray[np.uint8]
) -> None:
    worse = reference.copy()
    worse[:2] = np.roll(worse[:2], 1, axis=1)  # 2 of 2,000: 0.1 pp, and an agreement of 99.9 %
    assert compare_outputs(reference, worse, labels).violations(INT8) == []
    worse[2:3] = np.roll(worse[2:3], 1, axis=1)
    assert compare_outputs(reference, worse, labels).violations(INT8) == ["top-1 drop 0.150 pp, limit 0.100 pp"]


def test_a_difference_in_probability_fails_float32_but_not_int8(
    reference: NDArray[np.float32], labels: NDArray[np.uint8]
) -> None:
    parity = compare_outputs(reference, reference + np.float32(0.001), labels)
    assert len(parity.violations(FLOAT32)) == 1
    assert parity.violations(INT8) == []


def test_missing_rows_empty_sets_and_broken_references_are_refused(
    reference: NDArray[np.float32], labels: NDArray[np.uint8]
) -> None:
    with pytest.raises(InputError, match="N >= 1"):
        compare_outputs(reference[:0], reference[:0], labels[:0])
    with pytest.raises(InputError):
        compare_outputs(reference, reference[:-1], labels)
    with pytest.raises(InputError, match="not finite"):
        compare_outputs(np.full_like(reference, np.nan), reference, labels)
