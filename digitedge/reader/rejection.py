"""Rejection: predictions become decisions, which candidates are digits and why the others are not.

No single feature separates digits from letters, signs and lines, so a small network weighs all of `context.FEATURES`.
It runs twice: in the second round, a candidate knows what was decided about its neighbours, so a letter is rejected
because the rest of its word was. The weights were fitted on rendered documents; see docs/decisions/rejection.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError
from digitedge.reader.classify import Prediction
from digitedge.reader.context import CONTEXTS, FEATURES, CandidateTable, describe, extract_features, initial_evidence
from digitedge.utils.boxes import Box, intersection_matrix
from digitedge.utils.loading import read_npz
from digitedge.vision.lines import Line

MIN_CONFIDENCE = 0.25
"""Default of the least confidence of a digit: below it, predictions are wrong more often than right."""

WEIGHTS_FILE = "rejection.npz"
"""The weights of the networks, beside this module; tests/experiments/fit_rejection.py makes them."""

EVIDENCE = ("confidence", "shape", "size", "ink", "overlap", "neighbours", *CONTEXTS)
"""Groups of features, and the keys of the evidence in verbose JSON."""

# Largest distance of a feature from its mean, in standard deviations: beyond it, networks extrapolate.
MAX_DEVIATION = 4.0
# Share of the smaller one of two digits from which only the more certain one is kept.
MAX_OVERLAP = 0.5

GROUPS = {
    "confidence": ("confidence", "runner_up", "initial", "split", *(f"is_{digit}" for digit in range(10))),
    "shape": ("aspect", "slimness", "slant", "fill", "stroke"),
    "size": ("height_px", "height_share", "coarse"),
    "ink": ("darkness", "clutter"),
    "overlap": ("inside", "holds"),
    "neighbours": ("left_gap", "left", "right_gap", "right"),
    **{context: tuple(name for name in FEATURES if name.startswith(f"{context}_")) for context in CONTEXTS},
}
"""The features of each group."""

_GROUP_COLUMNS = tuple([FEATURES.index(name) for name in GROUPS[group]] for group in EVIDENCE)

_REJECT_REASONS = {
    "confidence": "low confidence",
    "shape": "unusual shape",
    "size": "unusual size",
    "ink": "pale or cluttered",
    "overlap": "part of something else",
    "neighbours": "no digits beside it",
    "token": "no digits in its word",
    "line": "no digits in its line",
    "column": "no digits above or below",
    "near": "no digits near it",
    "cell": "no digits in its cell",
    "alike": "no digits of its height",
    "page": "unlike the rest of the page",
}
OVERLAPS_DIGIT = "overlaps a digit"
"""Reject reason of a candidate that covers the same ink as a digit that is more certain."""


ADVICE = "Install digitedge again."
_ARRAYS = ("mean", "scale", "hidden", "hidden_bias", "output", "bias")


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A network with one hidden layer that gives log odds.

    Attributes:
        mean: float32 (F,), subtracted from the features.
        scale: float32 (F,), by which they are divided then.
        hidden: float32 (F, H), weights of the hidden layer (ReLU).
        hidden_bias: float32 (H,).
        output: float32 (H,), weights of the output.
        bias: float32 (), of the output.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output: NDArray[np.float32]
    bias: NDArray[np.float32]

    def log_odds(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log odds, float64 (N,), that candidates with these features, float64 (N, F), are digits."""
        return self._weigh(self._standardize(features) @ self.hidden)

    def contributions(self, features: NDArray[np.float64], groups: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return what each group of columns adds to the log odds, against its average: float64 (N, len(groups))."""
        standard = self._standardize(features)
        weighted = standard @ self.hidden
        scores = self._weigh(weighted)
        # The average of a standardized feature is 0, so without a group its part of the sum is missing.
        without = [self._weigh(weighted - standard[:, group] @ self.hidden[group]) for group in groups]
        return np.column_stack([scores - one for one in without])

    def _standardize(self, features: NDArray[np.float64]) -> NDArray[np.float32]:
        return ((features - self.mean) / self.scale).clip(-MAX_DEVIATION, MAX_DEVIATION).astype(np.float32)

    def _weigh(self, weighted: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the log odds for inputs of the hidden layer without its bias."""
        return np.asarray(np.maximum(weighted + self.hidden_bias, 0) @ self.output + self.bias, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """Whether a candidate is a digit.

    Attributes:
        prediction: of the candidate.
        reject_reason: why it is not a digit, in a few words; "" if it is kept.
        score: log odds that it is a digit; -inf if its size or shape rules that out.
        evidence: log odds that each group of EVIDENCE adds, compared with an average candidate; empty if its size or
            shape rules it out.
    """

    prediction: Prediction
    reject_reason: str
    score: float
    evidence: tuple[float, ...]

    @property
    def kept(self) -> bool:
        """Whether it is reported as a digit."""
        return not self.reject_reason

    @property
    def box(self) -> Box:
        """x, y, width, height in pixels of the image."""
        return self.prediction.box

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON, as in verbose readings."""
        return {
            "box": list(self.box),
            "digit": self.prediction.digit,
            "confidence": round(self.prediction.confidence, 4),
            "kept": self.kept,
            "reject_reason": self.reject_reason,
            "evidence": dict(zip(EVIDENCE, self.evidence, strict=False)),
        }


def decide(
    predictions: Sequence[Prediction],
    shape: tuple[int, int],
    lines: Sequence[Line] = (),
    *,
    min_confidence: float = MIN_CONFIDENCE,
    reject_threshold: float = 0.5,
) -> list[Decision]:
    """Decide which predictions are digits.

    Args:
        predictions: of all candidates of an image.
        shape: height and width of the image.
        lines: of its tables and forms, in pixels of the image.
        min_confidence: least confidence of a digit, 0 to 1, regardless of other evidence.
        reject_threshold: confidence that is evidence neither for nor against a digit, 0 to 1; from the manifest.

    Returns:
        A decision for each prediction, in the same order.
    """
    if not predictions:
        return []
    first, last = load_networks()
    table = describe(predictions, shape, lines)
    features = final_features(table, first, reject_threshold)
    scores = last.log_odds(features)
    evidence = last.contributions(features, _GROUP_COLUMNS)
    decisions = [
        _decide(prediction, float(score), row, min_confidence)
        for prediction, score, row in zip(predictions, scores, evidence, strict=True)
    ]
    return _reject_overlaps(decisions)


def final_features(table: CandidateTable, first: Network, reject_threshold: float) -> NDArray[np.float64]:
    """Return the features of the second round, in which neighbours speak with the log odds of the first."""
    before = first.log_odds(extract_features(table, initial_evidence(table), reject_threshold))
    return extract_features(table, before, reject_threshold)


@cache
def load_networks() -> tuple[Network, Network]:
    """Load the networks of the first and the second round.

    Raises:
        ModelError: the weights are missing or damaged, or of other features.
    """
    path = Path(__file__).with_name(WEIGHTS_FILE)
    arrays = read_npz(path, error=ModelError, advice=ADVICE)
    try:
        first, last = (
            Network(**{name: arrays[f"{number}_{name}"].astype(np.float32) for name in _ARRAYS}) for number in (1, 2)
        )
    except KeyError as exc:
        raise ModelError(f"{path}: expected an array named {exc.args[0]}. {ADVICE}") from exc
    for network in (first, last):
        hidden, features = network.output.shape, (len(FEATURES),)
        found = [getattr(network, name).shape for name in _ARRAYS]
        if found != [features, features, features + hidden, hidden, hidden, ()]:
            raise ModelError(f"{path}: expected the weights of {len(FEATURES)} features, got {found}. {ADVICE}")
    return first, last


def _decide(prediction: Prediction, score: float, evidence: NDArray[np.float64], min_confidence: float) -> Decision:
    shape_reason = prediction.candidate.reject_reason
    if shape_reason is not None:
        return Decision(prediction, str(shape_reason), -np.inf, ())
    rounded = tuple(round(float(value), 2) + 0.0 for value in evidence)  # + 0.0: no -0.0 in JSON
    if not prediction.confidence >= min_confidence:  # also true for NaN
        return Decision(prediction, f"confidence under {min_confidence:g}", score, rounded)
    if not score > 0:
        return Decision(prediction, _REJECT_REASONS[EVIDENCE[int(evidence.argmin())]], score, rounded)
    return Decision(prediction, "", score, rounded)


def _reject_overlaps(decisions: list[Decision]) -> list[Decision]:
    """Reject digits that overlap a more certain one: halves of a digit, and pairs that were read as one."""
    order = sorted((i for i, one in enumerate(decisions) if one.kept), key=lambda i: -decisions[i].score)
    boxes = np.array([decisions[i].box for i in order], np.int64).reshape(-1, 4)
    areas = boxes[:, 2:].prod(axis=1)
    overlaps = intersection_matrix(boxes, boxes) > MAX_OVERLAP * np.minimum(areas, areas[:, None])
    result = list(decisions)
    digits: list[int] = []  # positions in `order`
    for position, i in enumerate(order):
        if overlaps[position, digits].any():
            result[i] = replace(decisions[i], reject_reason=OVERLAPS_DIGIT)
        else:
            digits.append(position)
    return result
