"""Decisions from all evidence: each feature alone can reject a candidate, and the reject reason names it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from digitedge.bundle.bundle import released_bundle
from digitedge.reader.classify import Prediction
from digitedge.reader.rejection import FEATURES, Decision, decide, extract_features, initial_evidence
from digitedge.vision import Candidate
from digitedge.vision.segment import RejectReason

CLEAR = 0.999
# Of the released int8 file.
MANIFEST = json.loads((released_bundle() / "manifest.json").read_text())
REJECT_THRESHOLD = MANIFEST["files"]["model_int8.tflite"]["reject_threshold"]


def predict(
    x: int = 0,
    y: int = 0,
    *,
    width: int = 28,
    height: int = 40,
    digit: int = 5,
    confidence: float = CLEAR,
    initial_confidence: float | None = None,
    clutter: float = 0.02,
    reject_reason: RejectReason | None = None,
) -> Prediction:
    """Make a prediction, by default a confident one for a candidate on clean paper."""
    box = (x, y, width, height)
    ink = np.full((height, width), 200, np.uint8)
    candidate = Candidate(box, ink, darkness=200.0, clutter=clutter, reject_reason=reject_reason)
    confidence = 0.0 if reject_reason else confidence
    probabilities = np.zeros(10, np.float32)
    probabilities[digit] = confidence
    initial = confidence if initial_confidence is None else initial_confidence
    return Prediction(candidate, box, np.zeros((28, 28), np.uint8), probabilities, initial)


def predict_row(*confidences: float, y: int = 0, **options: Any) -> list[Prediction]:
    return [predict(50 * i, y, confidence=confidence, **options) for i, confidence in enumerate(confidences)]


def predict_letters(rows: int) -> list[Prediction]:
    """Make a page of candidates that hardly look like digits."""
    return [letter for row in range(rows) for letter in predict_row(*[0.1] * 8, y=80 * row)]


def decide_all(predictions: Sequence[Prediction], min_confidence: float = 0.25) -> list[Decision]:
    return decide(predictions, min_confidence=min_confidence, reject_threshold=REJECT_THRESHOLD)


def reject_reasons(predictions: Sequence[Prediction], min_confidence: float = 0.25) -> list[str]:
    return [decision.reject_reason for decision in decide_all(predictions, min_confidence)]


def test_no_predictions_give_no_decisions() -> None:
    assert decide([]) == []


def test_clear_digits_are_kept_alone_and_in_rows() -> None:
    assert reject_reasons([predict()]) == [""]
    assert reject_reasons(predict_row(*[CLEAR] * 5) + predict_row(*[CLEAR] * 5, y=80)) == [""] * 10


def test_clear_one_alone_is_kept() -> None:
    assert reject_reasons([predict(width=8)]) == [""]


def test_doubtful_digit_is_rejected_alone_and_kept_between_digits() -> None:
    assert reject_reasons([predict(confidence=0.35)]) == ["low confidence"]
    assert reject_reasons(predict_row(CLEAR, CLEAR, 0.35, CLEAR, CLEAR)) == [""] * 5


def test_clear_digit_between_letters_is_rejected() -> None:
    decisions = decide_all(predict_row(0.1, 0.2, CLEAR, 0.1, 0.15, 0.1))
    assert not any(decision.kept for decision in decisions)
    assert decisions[2].reject_reason == "no digits in the row"


def test_row_of_digits_below_a_row_of_letters_is_kept() -> None:
    letters = predict_row(0.1, 0.2, 0.1, 0.15, 0.1)
    assert reject_reasons(letters + predict_row(CLEAR, CLEAR, CLEAR, CLEAR, y=100))[-4:] == [""] * 4


def test_whole_words_in_the_row_count_against_a_digit() -> None:
    words = [predict(100 + 200 * i, width=150, reject_reason=RejectReason.TOO_WIDE) for i in range(4)]
    assert reject_reasons([predict(), *words])[0] == "no digits in the row"


def test_digit_alone_is_kept_on_a_page_with_a_word_and_rejected_on_a_page_of_letters() -> None:
    alone = predict(0, 2000, confidence=0.97)
    assert reject_reasons([*predict_row(*[0.1] * 4), alone])[-1] == ""
    assert reject_reasons([*predict_letters(5), alone])[-1] == "no digits on the page"


@pytest.mark.parametrize("rows", [2, 8, 40])
def test_clear_number_below_a_page_of_letters_is_kept(rows: int) -> None:
    number = predict_row(*[CLEAR] * 5, y=5000)
    assert reject_reasons([*predict_letters(rows), *number])[-5:] == [""] * 5


def test_letters_with_high_confidence_are_rejected_on_a_page_of_letters() -> None:
    page = [one for y in (0, 80, 160, 240) for one in predict_row(0.2, 0.97, 0.3, 0.97, 0.1, 0.97, y=y)]
    assert not any(decision.kept for decision in decide_all(page))


def test_doubtful_candidate_in_clutter_is_rejected() -> None:
    assert reject_reasons([predict(confidence=0.97)]) == [""]
    assert reject_reasons([predict(confidence=0.97, clutter=3.0)]) == ["cluttered surroundings"]


def test_candidate_of_another_height_than_all_digits_is_rejected() -> None:
    tall = predict(300, 200, height=110, width=80, confidence=0.97)
    assert reject_reasons([*predict_row(*[CLEAR] * 4), tall])[-1] == "unusual height"


def test_doubtful_bare_stroke_is_rejected() -> None:
    assert reject_reasons([predict(confidence=0.6)]) == [""]
    assert reject_reasons([predict(width=8, confidence=0.6)]) != [""]
    assert reject_reasons([predict(confidence=0.97, clutter=0.085)]) == [""]
    assert reject_reasons([predict(width=4, confidence=0.97, clutter=0.085)]) == ["bare stroke"]


def test_parts_of_a_split_are_no_evidence_for_their_neighbours() -> None:
    row = FEATURES.index("row")
    whole = predict_row(CLEAR, CLEAR)
    split = predict_row(CLEAR, CLEAR, initial_confidence=0.1)
    assert (extract_features(whole, initial_evidence(whole))[:, row] > 0).all()
    assert (extract_features(split, initial_evidence(split))[:, row] < 0).all()


@pytest.mark.parametrize("min_confidence", [0.0, 0.5])
def test_nan_confidence_is_rejected(min_confidence: float) -> None:
    reasons = reject_reasons([predict(confidence=float("nan"))], min_confidence)
    assert reasons == [f"confidence under {min_confidence:g}"]


def test_candidate_below_the_least_confidence_is_rejected_regardless_of_other_evidence() -> None:
    below, at = 0.89, float(np.float32(0.9))
    assert reject_reasons(predict_row(CLEAR, CLEAR, below, CLEAR), min_confidence=0.9)[2] == "confidence under 0.9"
    assert reject_reasons(predict_row(CLEAR, CLEAR, at, CLEAR), min_confidence=at)[2] == ""


def test_candidate_without_the_shape_of_a_digit_has_its_reject_reason_and_no_evidence() -> None:
    (decision,) = decide_all([predict(reject_reason=RejectReason.BAR)], min_confidence=0.0)
    assert (decision.kept, decision.reject_reason, decision.evidence) == (False, "bar", ())


def test_decision_as_json() -> None:
    (decision,) = decide_all([predict(3, 4, confidence=0.35)])
    value = json.loads(json.dumps(decision.to_dict()))
    evidence = value.pop("evidence")
    assert list(evidence) == list(FEATURES)
    assert list(evidence.values()) == list(decision.evidence)
    assert value == {
        "box": [3, 4, 28, 40],
        "digit": 5,
        "confidence": 0.35,
        "kept": False,
        "reject_reason": "low confidence",
    }


def test_decisions_do_not_depend_on_the_order_of_the_predictions() -> None:
    predictions = [*predict_row(CLEAR, 0.9, 0.4, 0.99), *predict_row(0.7, CLEAR, 0.2, y=90)]
    order = np.random.default_rng(0).permutation(len(predictions)).tolist()
    expected = [decision.to_dict() for decision in decide_all(predictions)]
    shuffled = [decision.to_dict() for decision in decide_all([predictions[i] for i in order])]
    assert [shuffled[order.index(i)] for i in range(len(predictions))] == expected
