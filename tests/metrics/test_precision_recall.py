"""The precision-recall curve, against values computed by hand."""

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.metrics.precision_recall import MAX_POINTS, PrecisionRecallCurve, precision_recall_curve


def curve_of(*answers: tuple[float, bool], true_digits: int) -> PrecisionRecallCurve:
    confidence, correct = zip(*answers, strict=True)
    curve = precision_recall_curve(np.float64(confidence), np.array(correct), true_digits)
    assert curve is not None
    return curve


@pytest.fixture
def curve() -> PrecisionRecallCurve:
    """Of five digits, one is not read; two answers are equally confident, in any order."""
    return curve_of((0.5, False), (0.9, True), (0.7, True), (0.8, False), (0.7, True), (0.95, True), true_digits=5)


def test_each_threshold_keeps_what_is_as_confident(curve: PrecisionRecallCurve) -> None:
    assert curve.thresholds.tolist() == [0.5, 0.7, 0.8, 0.9, 0.95]
    assert curve.precision.tolist() == pytest.approx([4 / 6, 4 / 5, 2 / 3, 1, 1])
    assert curve.recall.tolist() == pytest.approx([4 / 5, 4 / 5, 2 / 5, 2 / 5, 1 / 5])
    assert curve.f1.tolist() == pytest.approx([8 / 11, 8 / 10, 1 / 2, 4 / 7, 1 / 3])


def test_the_best_point_has_the_best_f1(curve: PrecisionRecallCurve) -> None:
    assert curve.best == pytest.approx((0.7, 0.8, 0.8, 0.8))


def test_a_precision_is_reached_where_the_recall_is_best(curve: PrecisionRecallCurve) -> None:
    assert curve.at_precision(0.99) == pytest.approx((0.9, 1.0, 0.4, 4 / 7))
    assert curve.at_precision(0.75) == curve.best  # also where the precision is lower between the two
    assert curve_of((0.9, False), (0.2, True), true_digits=2).at_precision(0.6) is None


def test_an_answer_that_is_never_right_has_no_f1() -> None:
    curve = curve_of((0.9, False), (0.8, False), true_digits=3)
    assert (curve.precision.tolist(), curve.recall.tolist(), curve.f1.tolist()) == ([0, 0], [0, 0], [0, 0])
    assert curve.at_precision(0) is None  # a recall of 0 is no advice


def test_json_has_few_points_with_both_ends() -> None:
    confidence = np.linspace(0.1, 0.9, 1000)
    curve = precision_recall_curve(confidence, np.arange(1000) % 2 == 0, 1000)
    assert curve is not None
    points = curve.to_dict()["points"]
    assert len(points) == MAX_POINTS
    assert (points[0]["threshold"], points[-1]["threshold"]) == (0.1, 0.9)
    assert curve.to_dict()["precision_99"] is None


def test_without_answers_or_digits_there_is_no_curve() -> None:
    nothing = np.zeros(0)
    assert precision_recall_curve(nothing, nothing.astype(bool), 3) is None
    assert precision_recall_curve(np.float64([0.9]), np.array([False]), 0) is None


@pytest.mark.parametrize(
    ("confidence", "correct", "true_digits"),
    [([0.9, 0.8], [True], 2), ([np.nan], [True], 1), ([0.9, 0.8], [True, True], 1)],
    ids=["lengths", "nan", "more right answers than digits"],
)
def test_impossible_counts_are_an_error(confidence: list[float], correct: list[bool], true_digits: int) -> None:
    with pytest.raises(InputError, match="finite values"):
        precision_recall_curve(np.float64(confidence), np.array(correct), true_digits)
