"""Fit the weights of `digitedge.reader.rejection` on rendered scenes; prints WEIGHTS, BIAS and their effect.

Logistic regression by Newton's method. Every scene weighs as the root of its number of candidates, so that neither a
page of a hundred digits nor a single one dominates. Validated on scenes with other seeds. Takes two minutes.

    python tests/experiments/fit_rejection.py [MODEL] [SCENES]    # the released model and 600 scenes by default
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import Model, load_model
from digitedge.metrics.detection import match_digits
from digitedge.reader.classify import Prediction, classify_candidates
from digitedge.reader.rejection import BIAS, FEATURES, ROUNDS, WEIGHTS, extract_features, initial_evidence
from digitedge.synthetic.scenes import render_scene
from digitedge.vision import detect_candidates

SEED = 70_000
VALIDATION_SEED = 80_000
# L2 penalty. It limits what the scenes overstate: their writers vary less in height than people.
RIDGE = 0.3
# Pages of words are a twelfth of the scenes, but most of what a camera sees that is not digits, so they weigh more.
LETTERS = "letters"
LETTERS_WEIGHT = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class ScoredScene:
    """The predictions of one scene.

    Attributes:
        predictions: of all N candidates.
        reject_threshold: of the model.
        is_known: bool (N,), whether the candidate may be a digit and its truth is known.
        is_correct: bool (M,), for the M known candidates whether the prediction is correct.
        weight: of the scene.
    """

    predictions: list[Prediction]
    reject_threshold: float
    is_known: NDArray[np.bool_]
    is_correct: NDArray[np.bool_]
    weight: float

    def features(self, previous: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Return the features of the known candidates with a column of ones in front: float64 (M, 7).

        Args:
            previous: bias and weights that give the neighbours' evidence; None for the first round.
        """
        evidence = initial_evidence(self.predictions)
        if previous is not None:
            evidence = with_ones(extract_features(self.predictions, evidence, self.reject_threshold)) @ previous
        return with_ones(extract_features(self.predictions, evidence, self.reject_threshold))[self.is_known]


def with_ones(features: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.c_[np.ones(len(features)), features]


def main() -> None:
    """Fit, print the weights, and compare them with the present ones."""
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    loaded = load_model(model, force=True)
    scenes = list(score_scenes(loaded, SEED, count))
    weights = None
    for _ in range(ROUNDS + 1):  # one round more, so that the last weights are fitted to the evidence of their own kind
        weights = fit(scenes, weights)
    print(f"WEIGHTS = np.array({np.round(weights[1:], 2).tolist()})  # {', '.join(FEATURES)}\nBIAS = {weights[0]:.2f}")
    validation = list(score_scenes(loaded, VALIDATION_SEED, count // 2))
    digits = sum(int(scene.is_correct.sum()) for scene in validation)
    others = sum(len(scene.is_correct) for scene in validation) - digits
    for name, used in (("present", np.r_[BIAS, WEIGHTS]), ("new", weights)):
        kept = [scene.features(used) @ used > 0 for scene in validation]
        pairs = list(zip(kept, validation, strict=True))
        kept_digits = sum(int((keep & scene.is_correct).sum()) for keep, scene in pairs)
        kept_others = sum(int((keep & ~scene.is_correct).sum()) for keep, scene in pairs)
        print(f"{name}: keeps {kept_digits} of {digits} digits, and {kept_others} of {others} other candidates")


def score_scenes(model: Model, seed: int, count: int) -> Iterator[ScoredScene]:
    """Classify the candidates of rendered scenes."""
    for number in range(count):
        scene = render_scene(seed=seed + number)
        predictions = classify_candidates(detect_candidates(scene.frame), model.classifier)
        ignored = {id(one) for one in match_digits(scene.digits, predictions, ignore=scene.ignore).ignored}
        is_known = np.array(
            [one.candidate.reject_reason is None and id(one) not in ignored for one in predictions], bool
        )
        if is_known.any():
            correct = {id(one) for _, one in match_digits(scene.digits, predictions).true_positives}
            is_correct = np.array([id(one) in correct for one in predictions])[is_known]
            weight = LETTERS_WEIGHT if scene.scene_type == LETTERS else 1.0
            yield ScoredScene(predictions, model.reject_threshold, is_known, is_correct, weight)


def fit(scenes: Sequence[ScoredScene], previous: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Fit a weighted logistic regression; returns bias and weights, float64 (7,)."""
    features = np.concatenate([scene.features(previous) for scene in scenes])
    labels = np.concatenate([scene.is_correct for scene in scenes]).astype(float)
    sample_weights = np.concatenate(
        [np.full(len(scene.is_correct), scene.weight * len(scene.is_correct) ** -0.5) for scene in scenes]
    )
    weights = np.zeros(features.shape[1])
    for _ in range(30):
        expected = 1 / (1 + np.exp(-features @ weights))
        gradient = features.T @ (sample_weights * (labels - expected)) - RIDGE * weights
        curvature = (features * (sample_weights * expected * (1 - expected))[:, None]).T @ features
        weights += np.linalg.solve(curvature + RIDGE * np.eye(len(weights)), gradient)
    return weights


if __name__ == "__main__":
    main()
