"""Models of three lines, whose figures can be worked out by hand, and a real one."""

from pathlib import Path

import numpy as np
import pytest

from digitedge.datasets.labelled_crops import DigitSet, numbered
from digitedge.errors import InputError, ModelError
from digitedge.evaluation.classifier import examine
from digitedge.evaluation.corruptions import DEGRADATIONS, LEVELS, Degradation
from digitedge.evaluation.robustness import mean_error, measure_robustness
from digitedge.runtime import load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits


class FirstPixel:
    """Reads the digit that the first pixel names, with the second pixel's confidence in percent."""

    def probabilities(self, crops):
        rows = np.zeros((len(crops), 10), np.float32)
        rows[np.arange(len(crops)), crops[:, 0, 0] % 10] = crops[:, 0, 1] / 100
        return rows


class Blind:
    def probabilities(self, crops):
        return np.full((len(crops), 10), np.nan, np.float32)


def named(answers, confidence) -> np.ndarray:
    crops = np.zeros((len(answers), 28, 28), np.uint8)
    crops[:, 0, 0], crops[:, 0, 1] = answers, confidence
    return crops


def some_digits() -> DigitSet:
    """A hundred with confidences 1 to 100, of which the three surest are answered wrongly."""
    labels = np.resize(np.arange(10, dtype=np.uint8), 100)
    answers = labels.copy()
    answers[97:] += 1  # 7, 8 and 9 read as 8, 9 and 0
    return numbered("some", named(answers % 10, np.arange(1, 101)), labels)


def add(amount: float):
    def damage(crops, strength, rng):
        damaged = crops.copy()
        damaged[: int(strength), 0, 0] += np.uint8(amount)
        return damaged

    return damage


def test_errors_are_counted_for_each_digit_and_the_worst_listed() -> None:
    examined = examine({"it": FirstPixel()}, some_digits())["it"]
    assert examined.images == (10,) * 10
    assert examined.errors == (0,) * 7 + (1, 1, 1)
    assert examined.top1 == pytest.approx(0.97)
    assert [(one.truth, one.answer) for one in examined.mistakes] == [(9, 0), (8, 9), (7, 8)]
    assert (examined.seen_error, examined.unseen_error, examined.accepted) == (None, None, None)


def test_sources_of_non_digits_count_alike_whatever_their_size() -> None:
    # 97 digits are right, with confidences of 1 to 97 percent: 2 percent keeps 99 of 100 of them.
    others = {"many": named([1] * 40, [1] * 30 + [50] * 10), "few": named([1] * 2, [1, 90]), "none": named([1], [1])}
    examined = examine({"it": FirstPixel()}, some_digits(), non_digits=others)["it"]
    assert {source: one.accepted for source, one in examined.separations.items()} == {
        "many": 0.25,
        "few": 0.5,
        "none": 0.0,
    }
    assert {round(one.threshold, 6) for one in examined.separations.values()} == {0.02}
    assert examined.accepted == pytest.approx(0.25)


def test_mean_errors_part_what_training_knows_from_what_it_does_not() -> None:
    kinds = (
        Degradation("known", False, (10, 20, 60), add(1)),
        Degradation("other known", False, (0, 0, 0), add(1)),
        Degradation("new", True, (90, 90, 90), add(1)),
    )
    digits = numbered("some", named(np.resize(np.arange(10), 100), [50] * 100), np.resize(np.uint8(range(10)), 100))
    ticks: list[None] = []
    measured = measure_robustness({"it": FirstPixel()}, digits, kinds=kinds, tick=lambda: ticks.append(None))["it"]
    assert [one.errors for one in measured] == [
        pytest.approx((0.1, 0.2, 0.6)),
        (0, 0, 0),
        pytest.approx((0.9, 0.9, 0.9)),
    ]
    assert mean_error(measured, unseen=False) == pytest.approx((0.3 + 0) / 2)
    assert mean_error(measured, unseen=True) == pytest.approx(0.9)
    assert mean_error(measured[:2], unseen=True) is None
    assert len(ticks) == len(kinds) * len(LEVELS)


def test_answers_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="blind: expected probabilities"):
        examine({"blind": Blind()}, some_digits())


def test_no_digits_are_refused() -> None:
    with pytest.raises(InputError, match="at least 1"):
        examine({"it": FirstPixel()}, some_digits().subset(0))


def test_json_has_every_figure_of_a_real_model(fixtures: Path) -> None:
    digits = numbered("rendered", *synthetic_digits(30, seed=8))
    model = {name: load_classifier(fixtures / "good.tflite") for name in ("first", "second")}
    found = examine(model, digits, damaged=digits.subset(10), non_digits={"blank": np.zeros((2, 28, 28), np.uint8)})
    first, second = (one.to_json(digits.names) for one in found.values())
    assert first == second
    assert [one["kind"] for one in first["damages"]] == [kind.name for kind in DEGRADATIONS]
    assert all(len(one["errors"]) == len(LEVELS) for one in first["damages"])
    assert sum(one["errors"] for one in first["digits"]) == round(30 * (1 - first["top1"]))
    assert 0 <= first["unseen_error"] <= 1
    assert first["worst"][0]["name"] == f"#{first['worst'][0]['index']}"
    assert first["non_digits"]["blank"]["others"] == 2
