"""AUROC, FPR at 99 % TPR, and the threshold, against values computed by hand."""

import numpy as np
import pytest

from digitedge.metrics.ood import NON_DIGIT, measure_ood, threshold_at_99_tpr


def predict(digits: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Return probabilities that predict each digit with its confidence."""
    rows = np.zeros((len(digits), 10), np.float32)
    rows[np.arange(len(digits)), digits % 10] = confidence
    return rows


def test_exactly_99_percent_of_the_digits_reach_the_threshold() -> None:
    digits = np.resize(np.arange(10, dtype=np.uint8), 1000)
    confidence = np.random.default_rng(0).permutation(np.arange(1, 1001, dtype=np.float32) / 1000)
    threshold = threshold_at_99_tpr(predict(digits, confidence), digits)
    assert threshold == pytest.approx(0.011)
    assert (confidence >= threshold).mean() == 0.99


def test_wrong_predictions_and_non_digits_do_not_change_the_threshold() -> None:
    digits = np.resize(np.arange(10, dtype=np.uint8), 100)
    wrong = predict((digits + 1) % 10, np.full(100, 0.2))
    non_digits = predict(digits, np.full(100, 0.3))
    probabilities = np.concatenate([predict(digits, np.full(100, 0.9)), wrong, non_digits])
    labels = np.concatenate([digits, digits, np.full(100, NON_DIGIT, np.uint8)])
    assert threshold_at_99_tpr(probabilities, labels) == pytest.approx(0.9)


@pytest.mark.parametrize(
    "probabilities", [np.zeros((0, 10), np.float32), np.full((3, 10), np.nan, np.float32)], ids=["empty", "nan"]
)
def test_without_correct_predictions_the_threshold_is_1(probabilities: np.ndarray) -> None:
    labels = np.zeros(len(probabilities), np.uint8)
    assert threshold_at_99_tpr(probabilities, labels) == 1.0
    assert measure_ood(probabilities, labels) is None


def test_auroc_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(600) < 0.5, rng.integers(0, 10, 600), NON_DIGIT).astype(np.uint8)
    confidence = np.float32(rng.integers(1, 20, 600) / 20)  # many ties
    result = measure_ood(predict(labels, confidence), labels)
    assert result is not None
    digits, non_digits = confidence[labels != NON_DIGIT], confidence[labels == NON_DIGIT]
    assert (result.digits, result.non_digits) == (len(digits), len(non_digits))
    assert result.auroc == pytest.approx((np.sign(digits[:, None] - non_digits[None, :]).mean() + 1) / 2)
    assert result.fpr_at_99_tpr == (non_digits >= result.threshold_at_99_tpr).mean()


def test_perfect_confidences_have_auroc_1_and_reversed_ones_0() -> None:
    labels = np.repeat(np.uint8([3, NON_DIGIT]), 50)
    high, low = np.linspace(0.8, 1, 50), np.linspace(0.1, 0.3, 50)
    perfect = measure_ood(predict(labels, np.concatenate([high, low])), labels)
    reversed_ = measure_ood(predict(labels, np.concatenate([low, high])), labels)
    assert perfect is not None
    assert reversed_ is not None
    assert (perfect.auroc, perfect.fpr_at_99_tpr) == (1.0, 0.0)
    assert (reversed_.auroc, reversed_.fpr_at_99_tpr) == (0.0, 1.0)


def test_without_non_digits_nothing_is_measured() -> None:
    assert measure_ood(np.eye(10, dtype=np.float32), np.arange(10, dtype=np.uint8)) is None
