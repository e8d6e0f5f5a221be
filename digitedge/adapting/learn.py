"""Learn a correction: kernel logistic regression on the features, added to what the network says.

Own digits shall get their labels. Rendered digits and non-digits shall keep the answers of the network: so other hands
are not forgotten. Constants: docs/decisions/adapt.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.adaptation import LEAST_PROBABILITY, Correction, kernel, normalize_features, softmax
from digitedge.datasets.labelled_crops import LabelledCrops, balanced_indices
from digitedge.datasets.non_digits import draw_non_digits
from digitedge.runtime import FeatureClassifier
from digitedge.runtime.contract import CLASSES
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.utils.opencv import as_uint8, cv2

RENDERED = 800
NON_DIGIT_SCENES = 33  # nine non-digits each
BACKGROUND_SEED = 41
MAX_NON_DIGITS = 300
"""Of the user's own."""
MAX_OWN = 1500
"""Own digits and their copies: more would take minutes on a Raspberry Pi."""
COPIES = 2
PENALTY = 0.3
STEPS = 25


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What is learned from, or judged by.

    Attributes:
        features: float32 (N, F).
        probabilities: float32 (N, 10), of the network.
        targets: float32 (N, 10), what the answer shall be.
    """

    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    targets: NDArray[np.float32]

    def __add__(self, other: "Samples") -> "Samples":
        return Samples(
            np.concatenate([self.features, other.features]),
            np.concatenate([self.probabilities, other.probabilities]),
            np.concatenate([self.targets, other.targets]),
        )

    def choose(self, indices: NDArray[np.intp]) -> "Samples":
        """Choose samples by their indices, intp (K,)."""
        return Samples(self.features[indices], self.probabilities[indices], self.targets[indices])


def make_background(network: FeatureClassifier, non_digits: NDArray[np.uint8]) -> Samples:
    """What shall stay as it is: rendered digits that the network reads, drawn non-digits, and the user's own."""
    crops, labels = synthetic_digits(RENDERED, seed=BACKGROUND_SEED)
    digits = _as_they_are(network, crops)
    drawn = np.concatenate(list(draw_non_digits(NON_DIGIT_SCENES, seed=BACKGROUND_SEED).values()))
    others = _as_they_are(network, np.concatenate([drawn, non_digits[:MAX_NON_DIGITS]]))
    return digits.choose(np.flatnonzero(digits.probabilities.argmax(axis=1) == labels)) + others


def _as_they_are(network: FeatureClassifier, crops: NDArray[np.uint8]) -> Samples:
    features, probabilities = network.features_and_probabilities(crops)
    return Samples(features, probabilities, probabilities)


def own_samples(network: FeatureClassifier, digits: LabelledCrops) -> list[Samples]:
    """The own digits, and copies that are warped a little: lists of N samples each."""
    targets = np.eye(CLASSES, dtype=np.float32)[digits.labels]
    rng = np.random.default_rng(BACKGROUND_SEED)
    count = min(COPIES, max(0, MAX_OWN // len(digits) - 1))
    sets = [digits.crops, *(_warp(digits.crops, rng) for _ in range(count))]
    return [Samples(*network.features_and_probabilities(crops), targets) for crops in sets]


def limit_digits(digits: LabelledCrops) -> LabelledCrops:
    """A balanced choice of `MAX_OWN` digits where there are more."""
    return digits.choose(balanced_indices(digits.labels, MAX_OWN, seed=BACKGROUND_SEED))


def _warp(crops: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn, slant, stretch and move crops a little, each in its own way: uint8 (N, 28, 28)."""
    warped = np.empty_like(crops)
    centre = np.full(2, (crops.shape[1] - 1) / 2)
    for crop, target in zip(crops, warped, strict=True):
        angle, slant = rng.normal(0, (0.09, 0.1))
        wide, high = np.exp(rng.normal(0, 0.07, 2))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = turn @ np.array([[wide, slant], [0, high]])
        shift = centre - matrix @ centre + rng.normal(0, 0.6, 2)
        target[:] = as_uint8(cv2.warpAffine(crop, np.column_stack([matrix, shift]), crop.shape))
    return warped


def learn(samples: Samples) -> Correction:
    """Fit a correction whose anchors are the samples.

    Source:
        Multinomial logistic regression with the bound of its Hessian by Böhning 1992, doi:10.1007/BF00048682, which
        needs one inverse for all steps.
    """
    anchors = normalize_features(samples.features)
    logits = np.log(np.maximum(samples.probabilities, np.float32(LEAST_PROBABILITY)))
    closeness = kernel(anchors, anchors)
    step = np.linalg.inv(closeness / 2 + np.float32(PENALTY) * np.eye(len(anchors), dtype=np.float32))
    weights = np.zeros_like(logits)
    for _ in range(STEPS):
        error = softmax(logits + closeness @ weights) - samples.targets
        weights -= step @ (error + np.float32(PENALTY) * weights)
    return Correction(anchors, weights)
