"""Toy classifiers with figures computed by hand, and a real one."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.datasets.labelled_crops import LabelledCrops, number_crops
from digitedge.errors import InputError, ModelError
from digitedge.evaluation.classifier import evaluate_classifiers
from digitedge.evaluation.corruptions import CORRUPTIONS, SEVERITIES, Corruption
from digitedge.evaluation.robustness import mean_error, measure_robustness
from digitedge.runtime import load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits


class FirstPixel:
    """Predicts the digit in the first pixel, with the percentage in the second pixel as confidence."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        rows = np.zeros((len(crops), 10), np.float32)
        rows[np.arange(len(crops)), crops[:, 0, 0] % 10] = crops[:, 0, 1] / 100
        return rows


class ReturnsNan:
    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.full((len(crops), 10), np.nan, np.float32)


def crops_of(predictions: object, confidence: object) -> NDArray[np.uint8]:
    """Return crops that FirstPixel predicts so."""
    crops = np.zeros((len(np.atleast_1d(predictions)), 28, 28), np.uint8)
    crops[:, 0, 0], crops[:, 0, 1] = predictions, confidence
    return crops


def hundred_digits() -> LabelledCrops:
    """A hundred with confidences of 1 to 100 percent; the three most confident predictions are wrong."""
    labels = np.resize(np.arange(10, dtype=np.uint8), 100)
    predictions = labels.copy()
    predictions[97:] += 1  # 7, 8 and 9 become 8, 9 and 0
    return number_crops("hundred", crops_of(predictions % 10, np.arange(1, 101)), labels)


def change_digits(crops: NDArray[np.uint8], strength: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A corruption that makes so many of FirstPixel's predictions wrong."""
    corrupted = crops.copy()
    corrupted[: int(strength), 0, 0] += np.uint8(1)
    return corrupted


def test_errors_are_counted_by_digit_and_the_top_ones_listed() -> None:
    evaluation = evaluate_classifiers({"toy": FirstPixel()}, hundred_digits())["toy"]
    assert evaluation.images == (10,) * 10
    assert evaluation.errors == (0,) * 7 + (1, 1, 1)
    assert evaluation.top1 == pytest.approx(0.97)
    assert [(error.label, error.prediction) for error in evaluation.top_errors] == [(9, 0), (8, 9), (7, 8)]


def test_what_was_not_measured_is_none() -> None:
    evaluation = evaluate_classifiers({"toy": FirstPixel()}, hundred_digits())["toy"]
    assert evaluation.seen_corruption_error is None
    assert evaluation.unseen_corruption_error is None
    assert evaluation.mean_fpr_at_99_tpr is None


def test_sources_of_non_digits_weigh_the_same_whatever_their_size() -> None:
    # 97 digits are correct, with confidences of 1 to 97 percent: 2 percent keeps 99 % of them.
    non_digits = {
        "many": crops_of([1] * 40, [1] * 30 + [50] * 10),
        "few": crops_of([1] * 2, [1, 90]),
        "one": crops_of([1], [1]),
    }
    evaluation = evaluate_classifiers({"toy": FirstPixel()}, hundred_digits(), non_digits=non_digits)["toy"]
    rates = {source: result.fpr_at_99_tpr for source, result in evaluation.ood.items()}
    assert rates == {"many": 0.25, "few": 0.5, "one": 0.0}
    assert {round(result.threshold_at_99_tpr, 6) for result in evaluation.ood.values()} == {0.02}
    assert evaluation.mean_fpr_at_99_tpr == pytest.approx(0.25)


def test_seen_and_unseen_corruptions_have_separate_mean_errors() -> None:
    corruptions = (
        Corruption("seen", False, (10, 20, 60), change_digits),
        Corruption("also seen", False, (0, 0, 0), change_digits),
        Corruption("unseen", True, (90, 90, 90), change_digits),
    )
    labels = np.resize(np.arange(10, dtype=np.uint8), 100)
    digits = number_crops("hundred", crops_of(labels, [50] * 100), labels)
    calls: list[None] = []
    measured = measure_robustness(
        {"toy": FirstPixel()}, digits, corruptions=corruptions, on_progress=lambda: calls.append(None)
    )["toy"]
    assert [one.errors for one in measured] == [
        pytest.approx((0.1, 0.2, 0.6)),
        (0, 0, 0),
        pytest.approx((0.9, 0.9, 0.9)),
    ]
    assert mean_error(measured, unseen=False) == pytest.approx((0.3 + 0) / 2)
    assert mean_error(measured, unseen=True) == pytest.approx(0.9)
    assert mean_error(measured[:2], unseen=True) is None
    assert len(calls) == len(corruptions) * len(SEVERITIES)


def test_nan_probabilities_are_refused() -> None:
    with pytest.raises(ModelError, match="broken: expected finite probabilities"):
        evaluate_classifiers({"broken": ReturnsNan()}, hundred_digits())


def test_no_digits_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        evaluate_classifiers({"toy": FirstPixel()}, hundred_digits().subset(0))


def test_json_has_every_figure_of_a_real_model(fixtures: Path) -> None:
    digits = number_crops("rendered", *synthetic_digits(30, seed=8))
    classifiers = {name: load_classifier(fixtures / "good.tflite") for name in ("first", "second")}
    non_digits = {"blank": np.zeros((2, 28, 28), np.uint8)}
    evaluations = evaluate_classifiers(classifiers, digits, corrupted=digits.subset(10), non_digits=non_digits)
    first, second = (evaluation.to_dict(digits.names) for evaluation in evaluations.values())
    assert first == second
    assert [one["name"] for one in first["corruptions"]] == [corruption.name for corruption in CORRUPTIONS]
    assert all(len(one["errors"]) == len(SEVERITIES) for one in first["corruptions"])
    assert sum(one["errors"] for one in first["by_digit"]) == round(30 * (1 - first["top1"]))
    assert 0 <= first["unseen_corruption_error"] <= 1
    assert first["top_errors"][0]["name"] == f"#{first['top_errors'][0]['index']}"
    assert first["ood"]["blank"]["non_digits"] == 2
