import numpy as np
import pytest

from digitedge.metrics.ood import NOTHING, separate, threshold_for


def scores(digits: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Probabilities that name each digit with its confidence."""
    rows = np.zeros((len(digits), 10), np.float32)
    rows[np.arange(len(digits)), digits % 10] = confidence
    return rows


def test_exactly_99_of_100_digits_reach_the_threshold() -> None:
    digits = np.resize(np.arange(10, dtype=np.uint8), 1000)
    confidence = np.random.default_rng(0).permutation(np.arange(1, 1001, dtype=np.float32) / 1000)
    threshold = threshold_for(scores(digits, confidence), digits)
    assert threshold == pytest.approx(0.011)
    assert (confidence >= threshold).mean() == 0.99


def test_digits_that_are_read_wrongly_and_others_do_not_pull_the_threshold() -> None:
    digits = np.resize(np.arange(10, dtype=np.uint8), 100)
    wrong = scores((digits + 1) % 10, np.full(100, 0.2))
    none = scores(digits, np.full(100, 0.3))
    both = np.concatenate([scores(digits, np.full(100, 0.9)), wrong, none])
    truth = np.concatenate([digits, digits, np.full(100, NOTHING, np.uint8)])
    assert threshold_for(both, truth) == pytest.approx(0.9)


@pytest.mark.parametrize("answers", [np.zeros((0, 10), np.float32), np.full((3, 10), np.nan, np.float32)])
def test_a_net_that_reads_nothing_rightly_is_never_believed(answers: np.ndarray) -> None:
    assert threshold_for(answers, np.zeros(len(answers), np.uint8)) == 1.0
    assert separate(answers, np.zeros(len(answers), np.uint8)) is None


def test_the_area_under_the_curve_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(600) < 0.5, rng.integers(0, 10, 600), NOTHING).astype(np.uint8)
    confidence = np.float32(rng.integers(1, 20, 600) / 20)  # many ties
    found = separate(scores(truth, confidence), truth)
    assert found is not None
    digits, others = confidence[truth != NOTHING], confidence[truth == NOTHING]
    assert (found.digits, found.others) == (len(digits), len(others))
    assert found.auroc == pytest.approx((np.sign(digits[:, None] - others[None, :]).mean() + 1) / 2)
    assert found.accepted == (others >= found.threshold).mean()


def test_perfect_and_reversed_confidences_are_told_apart() -> None:
    truth = np.repeat(np.uint8([3, NOTHING]), 50)
    high, low = np.linspace(0.8, 1, 50), np.linspace(0.1, 0.3, 50)
    right = separate(scores(truth, np.concatenate([high, low])), truth)
    wrong = separate(scores(truth, np.concatenate([low, high])), truth)
    assert right is not None
    assert wrong is not None
    assert (right.auroc, right.accepted) == (1.0, 0.0)
    assert (wrong.auroc, wrong.accepted) == (0.0, 1.0)


def test_without_others_there_is_nothing_to_separate() -> None:
    assert separate(np.eye(10, dtype=np.float32), np.arange(10, dtype=np.uint8)) is None
