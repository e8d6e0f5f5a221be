"""Decisions: which predictions are digits, why the others are not, and what the evidence says."""

import json
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import digitedge.reader.rejection as rejection
from digitedge.bundle.bundle import released_bundle
from digitedge.errors import ModelError
from digitedge.reader import Reader
from digitedge.reader.classify import Prediction
from digitedge.reader.context import FEATURES, MAX_EVIDENCE, describe, extract_features, initial_evidence
from digitedge.reader.rejection import (
    _GROUP_COLUMNS,
    _REJECT_REASONS,
    EVIDENCE,
    GROUPS,
    MAX_OVERLAP,
    OVERLAPS_DIGIT,
    Decision,
    Network,
    _reject_overlaps,
    decide,
    final_features,
    load_networks,
)
from digitedge.synthetic.handwriting.digits import render_digit
from digitedge.synthetic.handwriting.letters import render_word
from digitedge.synthetic.handwriting.writer import sample_single_writer
from digitedge.vision import Candidate
from digitedge.vision.segment import RejectReason

CLEAR = 0.999
IMAGE_SHAPE = (600, 900)
# Of the released int8 file.
MANIFEST = json.loads((released_bundle() / "manifest.json").read_text())
REJECT_THRESHOLD = MANIFEST["files"]["model_int8.tflite"]["reject_threshold"]


def predict(
    x: int = 0,
    y: int = 0,
    *,
    height: int = 40,
    digit: int = 5,
    confidence: float = CLEAR,
    initial_confidence: float | None = None,
    clutter: float = 0.0,
    reject_reason: RejectReason | None = None,
) -> Prediction:
    """Make a prediction for a written digit, by default a confident one on clean paper."""
    ink = render_digit(digit, np.random.default_rng(digit), height=height, pen_width=height / 10)
    box = (x, y, ink.shape[1], height)
    candidate = Candidate(box, ink, darkness=200.0, clutter=clutter, reject_reason=reject_reason)
    confidence = 0.0 if reject_reason else confidence
    probabilities = np.full(10, (1 - confidence) / 9 if confidence else 0.0, np.float32)
    probabilities[digit] = confidence
    initial = confidence if initial_confidence is None else initial_confidence
    return Prediction(candidate, box, np.zeros((28, 28), np.uint8), probabilities, initial)


def predict_row(*confidences: float, y: int = 100, **options: Any) -> list[Prediction]:
    digits = (2, 0, 6, 4, 8, 3, 5, 9)
    return [
        predict(50 + 45 * i, y, digit=digits[i % 8], confidence=confidence, **options)
        for i, confidence in enumerate(confidences)
    ]


def decide_all(predictions: Sequence[Prediction], min_confidence: float = 0.25) -> list[Decision]:
    return decide(predictions, IMAGE_SHAPE, min_confidence=min_confidence, reject_threshold=REJECT_THRESHOLD)


def reject_reasons(predictions: Sequence[Prediction], min_confidence: float = 0.25) -> list[str]:
    return [decision.reject_reason for decision in decide_all(predictions, min_confidence)]


def write(
    *lines: Sequence[NDArray[np.uint8]], width: int = IMAGE_SHAPE[1], height: int = IMAGE_SHAPE[0]
) -> NDArray[np.uint8]:
    """Write lines of ink on paper, 18 pixels between two pieces of ink in a line."""
    page = np.full((height, width), 228, np.uint8)
    for row, line in enumerate(lines):
        x, bottom = 60, 120 + 110 * row
        for ink in line:
            window = page[bottom - ink.shape[0] : bottom, x : x + ink.shape[1]]
            window[:] = (window * (1 - 0.8 * (ink / 255))).astype(np.uint8)
            x += ink.shape[1] + 18
    return page


def digits(text: str, *, seed: int = 0, height: int = 48) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return [render_digit(int(digit), rng, height=height, pen_width=height / 11) for digit in text]


def words(*texts: str, seed: int = 0, height: int = 48) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    writer = sample_single_writer(rng, 1)
    return [render_word(text, rng, height=height, pen_width=height / 11, writer=writer) for text in texts]


def test_no_predictions_give_no_decisions() -> None:
    assert decide([], IMAGE_SHAPE) == []


def test_network_adds_its_bias_to_what_its_hidden_units_weigh() -> None:
    network = Network(
        mean=np.array([1.0, 2.0]),
        scale=np.array([2.0, 0.5]),
        hidden=np.array([[1.0, -1.0], [0.5, 1.0]]),
        hidden_bias=np.array([0.0, 0.25]),
        output=np.array([2.0, -4.0]),
        bias=0.5,
    )
    # Standardized (1, 2) and (-1, 0): hidden (2, 1.25) and (0, 1.25), the negative one cut off.
    np.testing.assert_allclose(network.log_odds(np.array([[3.0, 3.0], [-1.0, 2.0]])), [4 - 5 + 0.5, 0 - 5 + 0.5])


def test_networks_fit_the_features() -> None:
    """Weights that were made for other features than those of the code are of no use."""
    for network in load_networks():
        hidden = len(network.output)
        shapes = [getattr(network, name).shape for name in ("mean", "scale", "hidden", "hidden_bias", "output")]
        count = len(FEATURES)
        assert shapes == [(count,), (count,), (count, hidden), (hidden,), (hidden,)]
        arrays = (network.mean, network.scale, network.hidden, network.hidden_bias, network.output)
        assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays)
        assert isfinite(network.bias)
        assert (network.scale > 0).all()


def test_networks_are_loaded_once() -> None:
    assert load_networks() is load_networks()


def test_every_feature_belongs_to_one_group_and_every_group_has_a_reason() -> None:
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(FEATURES)
    assert list(GROUPS) == list(EVIDENCE)
    assert set(_REJECT_REASONS) == set(EVIDENCE)
    assert len(set(_REJECT_REASONS.values())) == len(EVIDENCE)


def test_average_candidate_has_no_evidence_and_a_changed_feature_is_evidence_of_its_group_alone() -> None:
    network = load_networks()[1]
    features = np.tile(network.mean, (len(FEATURES) + 1, 1))
    changed = features[1:]
    changed[np.diag_indices(len(FEATURES))] += 3 * network.scale
    evidence = network.contributions(features, _GROUP_COLUMNS)
    np.testing.assert_allclose(evidence[0], 0, atol=1e-9)
    for name, row in zip(FEATURES, evidence[1:], strict=True):
        (own,) = (index for index, group in enumerate(EVIDENCE) if name in GROUPS[group])
        np.testing.assert_allclose(np.delete(row, own), 0, atol=1e-9)
    assert (np.abs(evidence[1:]).max(axis=1) > 1e-6).mean() > 0.8, "most features matter"


def test_in_the_second_round_neighbours_speak_with_the_log_odds_of_the_first() -> None:
    first, _ = load_networks()
    table = describe(predict_row(CLEAR, 0.3, 0.9, CLEAR), IMAGE_SHAPE)
    before = first.log_odds(extract_features(table, initial_evidence(table), REJECT_THRESHOLD))
    features = final_features(table, first, REJECT_THRESHOLD)
    clipped = before.clip(-MAX_EVIDENCE, MAX_EVIDENCE)
    expected = [np.delete(clipped, index).mean() for index in range(4)]
    np.testing.assert_allclose(features[:, FEATURES.index("token_mean")], expected)


def test_clear_digits_are_kept_alone_and_in_rows() -> None:
    assert reject_reasons([predict(100, 100)]) == [""]
    assert reject_reasons(predict_row(*[CLEAR] * 5) + predict_row(*[CLEAR] * 5, y=180)) == [""] * 10


def test_doubtful_digit_is_kept_between_digits_and_rejected_alone() -> None:
    row = predict_row(CLEAR, CLEAR, 0.45, CLEAR, CLEAR)
    between, alone = decide_all(row)[2], decide_all(row[2:3])[0]
    assert between.kept and not alone.kept
    assert between.score > alone.score


def test_clear_digit_between_letters_is_rejected() -> None:
    digit = decide_all(predict_row(0.3, 0.35, CLEAR, 0.3, 0.4, 0.3))[2]
    assert not digit.kept
    assert digit.reject_reason.startswith("no digits")


def test_reject_threshold_moves_the_evidence_of_the_confidence() -> None:
    scores = [
        decide([predict(100, 100, confidence=0.6)], IMAGE_SHAPE, reject_threshold=threshold)[0].score
        for threshold in (0.3, 0.7, 0.97)
    ]
    assert scores == sorted(scores, reverse=True) and scores[0] > scores[-1]


def test_reject_reason_is_that_of_the_group_with_the_least_evidence() -> None:
    page = write(words("garden", "winter"), words("home", "street"), digits("2504"))
    weighed = [one for one in Reader().trace(page).decisions if one.reject_reason in _REJECT_REASONS.values()]
    assert weighed
    for decision in weighed:
        evidence = dict(zip(EVIDENCE, decision.evidence, strict=True))
        (group,) = (name for name, reason in _REJECT_REASONS.items() if reason == decision.reject_reason)
        assert evidence[group] == min(evidence.values())
        assert decision.score <= 0


def test_kept_digits_have_positive_log_odds_and_all_evidence() -> None:
    for decision in decide_all(predict_row(*[CLEAR] * 4)):
        assert decision.kept and decision.score > 0
        assert len(decision.evidence) == len(EVIDENCE)


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
    assert decision.score == -np.inf


@pytest.mark.parametrize(
    ("shift", "is_rejected"), [(0, True), (10, True), (19, True), (20, False), (40, False), (60, False)]
)
def test_of_two_digits_that_overlap_the_more_certain_one_is_kept(shift: int, is_rejected: bool) -> None:
    """The common share counts of the smaller box: half a digit is rejected beside the whole one."""
    assert MAX_OVERLAP == 0.5
    ink = np.full((40, 40), 200, np.uint8)
    certain, other = (
        Decision(replace(predict(), candidate=Candidate(box, ink, 200.0, 0.0), box=box), "", score, ())
        for box, score in (((100, 100, 60, 60), 5.0), ((120 + shift, 110, 40, 40), 4.0))
    )
    assert [one.reject_reason for one in _reject_overlaps([other, certain])] == [OVERLAPS_DIGIT * is_rejected, ""]
    assert [one.reject_reason for one in _reject_overlaps([replace(other, score=6.0), certain])] == [
        "",
        OVERLAPS_DIGIT * is_rejected,
    ]
    rejected = replace(certain, reject_reason="low confidence")
    assert [one.reject_reason for one in _reject_overlaps([other, rejected])] == ["", "low confidence"]


def test_decision_as_json() -> None:
    (decision,) = decide_all([predict(3, 4, confidence=0.35)])
    value = json.loads(json.dumps(decision.to_dict(), allow_nan=False))
    evidence = value.pop("evidence")
    assert list(evidence) == list(EVIDENCE)
    assert list(evidence.values()) == list(decision.evidence)
    assert value == {
        "box": list(decision.box),
        "digit": 5,
        "confidence": 0.35,
        "kept": False,
        "reject_reason": decision.reject_reason,
    }


def test_decisions_do_not_depend_on_the_order_of_the_predictions() -> None:
    predictions = [*predict_row(CLEAR, 0.9, 0.4, 0.99), *predict_row(0.7, CLEAR, 0.3, y=190)]
    order = np.random.default_rng(0).permutation(len(predictions)).tolist()
    expected = [decision.to_dict() for decision in decide_all(predictions)]
    shuffled = [decision.to_dict() for decision in decide_all([predictions[i] for i in order])]
    assert [shuffled[order.index(i)] for i in range(len(predictions))] == expected


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("seed", range(3))
def test_number_is_read_and_words_are_not(reader: Reader, seed: int) -> None:
    letters = words("home", "garden", "winter", seed=seed)
    number = digits("250864", seed=seed)
    assert reader.read(write(number)).rows == ("250864",)
    assert reader.read(write(letters)).rows == ()
    assert reader.read(write(letters, number)).rows == ("250864",)


@pytest.mark.parametrize("seed", range(3))
def test_number_after_words_in_its_line_is_read(reader: Reader, seed: int) -> None:
    line = [*words("total", seed=seed), np.zeros((48, 60), np.uint8), *digits("2864", seed=seed)]
    assert reader.read(write(line)).rows == ("2864",)


def test_large_number_among_small_writing_is_read(reader: Reader) -> None:
    small = words("street", "number", "garden", "summer", height=26)
    assert reader.read(write(small, digits("4725", height=90), small)).rows == ("4725",)


@pytest.mark.parametrize("content", [None, b"", b"PK damaged"], ids=["missing", "empty", "damaged"])
def test_missing_or_damaged_weights_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / rejection.WEIGHTS_FILE).write_bytes(content)
    monkeypatch.setattr(rejection, "__file__", str(tmp_path / "rejection.py"))
    with pytest.raises(ModelError, match=r"Install digitedge again\."):
        load_networks.__wrapped__()


def test_weights_without_an_array_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / rejection.WEIGHTS_FILE, other=np.zeros(3))
    monkeypatch.setattr(rejection, "__file__", str(tmp_path / "rejection.py"))
    with pytest.raises(ModelError, match="expected an array named 1_mean"):
        load_networks.__wrapped__()


@pytest.mark.parametrize("name", ["1_mean", "1_hidden", "2_hidden_bias", "2_output", "2_bias"])
def test_weights_of_other_features_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    arrays = dict(np.load(Path(rejection.__file__).with_name(rejection.WEIGHTS_FILE)))
    arrays[name] = np.concatenate([arrays[name].ravel(), [1.0]])
    np.savez(tmp_path / rejection.WEIGHTS_FILE, **arrays)
    monkeypatch.setattr(rejection, "__file__", str(tmp_path / "rejection.py"))
    with pytest.raises(ModelError, match=rf"expected the weights of {len(rejection.FEATURES)} features"):
        load_networks.__wrapped__()
