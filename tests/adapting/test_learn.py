"""Learning a correction, and what it may change."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.adapting.adapt import Learned, choose_folds
from digitedge.adapting.check import RISE, Change, measure_change
from digitedge.adapting.learn import Samples, learn
from digitedge.bundle.adaptation import Adaptation, AdaptationInfo, Correction
from digitedge.datasets.labelled_crops import LabelledCrops

RNG = np.random.default_rng(0)
UNIT = np.eye(10, dtype=np.float32)


def cluster(place: int, label: int, answer: int, *, count: int = 20) -> Samples:
    """Features around one of eight directions, which the network reads as `answer` and are `label`."""
    features = np.abs(RNG.normal(0, 0.02, (count, 8))).astype(np.float32)
    features[:, place] += 1
    probabilities = np.full((count, 10), 0.02, np.float32)
    probabilities[:, answer] = 0.82
    return Samples(features, probabilities, np.tile(UNIT[label], (count, 1)))


def read(correction: Correction, samples: Samples) -> NDArray[np.float32]:
    return correction.apply(samples.features, samples.probabilities)


def test_digits_near_the_learned_ones_change_and_others_do_not() -> None:
    barred, usual = cluster(0, label=7, answer=4), cluster(1, label=4, answer=4)
    correction = learn(barred + usual)
    assert set(read(correction, cluster(0, 7, 4)).argmax(axis=1)) == {7}
    assert set(read(correction, cluster(1, 4, 4)).argmax(axis=1)) == {4}
    far = cluster(5, label=2, answer=2)
    np.testing.assert_allclose(read(correction, far), far.probabilities, atol=0.02)


def test_an_answer_to_which_nothing_is_added_is_that_of_the_network() -> None:
    sample = cluster(3, 1, 1)
    nothing = Correction(np.eye(8, dtype=np.float32), np.zeros((8, 10), np.float32))
    np.testing.assert_allclose(read(nothing, sample), sample.probabilities, atol=1e-6)


@pytest.mark.parametrize("scale", [0, 1, 30, -30])
def test_confidence_never_rises_and_rows_are_probabilities(scale: float) -> None:
    features = RNG.normal(0, 1, (200, 8)).astype(np.float32)
    probabilities = RNG.dirichlet(np.full(10, 0.3), 200).astype(np.float32)
    weights = (scale * RNG.normal(0, 1, (30, 10))).astype(np.float32)
    after = Correction(np.eye(8, dtype=np.float32)[RNG.integers(8, size=30)], weights).apply(features, probabilities)
    assert after.dtype == np.float32 and after.shape == (200, 10) and (after >= 0).all()
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-5)
    assert (after.max(axis=1) <= probabilities.max(axis=1) + 1e-6).all()


def test_no_crops_give_no_probabilities() -> None:
    one = Correction(np.eye(8, dtype=np.float32), np.zeros((8, 10), np.float32))
    assert one.apply(np.empty((0, 8), np.float32), np.empty((0, 10), np.float32)).shape == (0, 10)


def digits(labels: NDArray[np.uint8], groups: tuple[str, ...] = ()) -> LabelledCrops:
    crops = np.zeros((len(labels), 28, 28), np.uint8)
    crops[:, 0, 0] = np.arange(len(labels))  # all differ
    return LabelledCrops("own", crops, labels, ("",) * len(labels), groups)


def test_a_sheet_is_never_split_into_folds() -> None:
    groups = tuple(f"a/{index // 30}" for index in range(90))
    folds, how = choose_folds(digits(np.resize(np.arange(10, dtype=np.uint8), 90), groups))
    assert how == "by sheet"
    assert [set(folds[start : start + 30].tolist()) for start in (0, 30, 60)] == [{0}, {1}, {2}]


@pytest.mark.parametrize("groups", [(), ("a/1",) * 40])
def test_the_digits_of_one_sheet_are_spread_over_the_folds(groups: tuple[str, ...]) -> None:
    labels = np.resize(np.arange(10, dtype=np.uint8), 40)
    folds, how = choose_folds(digits(labels, groups))
    assert how == "one digit in four"
    assert all(sorted(folds[labels == digit].tolist()) == [0, 1, 2, 3] for digit in range(10))


def learned(*changes: Change) -> Learned:
    info = AdaptationInfo(
        model_sha256="0" * 64, passed=False, digits=20, error_before=0, error_after=0, created="2026-01-01T00:00:00Z"
    )
    return Learned(Adaptation(info, Correction(np.eye(1, 8, dtype=np.float32), UNIT[:1])), changes, "one digit in four")


@pytest.mark.parametrize(
    ("own", "soft", "other", "problem"),
    [
        ((0.10, 0.05), (0.2, 0.2), (0.02, 0.03), None),
        ((0.10, 0.10), (0.2, 0.17), (0.02, 0.02), None),
        ((0.10, 0.10), (0.2, 0.19), (0.02, 0.02), "nothing gained: own: 10.00 % before, 10.00 % after"),
        ((0.10, 0.12), (0.2, 0.1), (0.02, 0.02), "nothing gained"),
        (
            (0.10, 0.05),
            (0.2, 0.1),
            (0.02, 0.031),
            "it would harm: others: 2.00 % before, 3.10 % after, at most 1.0 points more",
        ),
    ],
)
def test_what_gains_nothing_or_harms_does_not_pass(
    own: tuple[float, float], soft: tuple[float, float], other: tuple[float, float], problem: str | None
) -> None:
    changes = (Change("own", *own, 0, 20), Change("soft", *soft, 0, 20), Change("others", *other, RISE, 1000))
    found = learned(*changes).problem
    assert found is None if problem is None else (found or "").startswith(problem)


def test_a_change_counts_wrong_answers() -> None:
    change = measure_change("own", UNIT[[1, 2, 3, 4]], UNIT[[1, 2, 3, 5]], np.uint8([1, 2, 5, 5]))
    assert (change.before, change.after, change.count) == (0.5, 0.25, 4)
