"""What an adaptation changes: errors before and after, and how much worse they may get."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.adaptation import Correction
from digitedge.bundle.bundle import REFERENCE_KEY
from digitedge.bundle.golden import load_golden
from digitedge.datasets.mnist import find_mnist, read_mnist
from digitedge.datasets.non_digits import draw_non_digits
from digitedge.evaluation.corruptions import CORRUPTIONS
from digitedge.metrics.classification import is_correct
from digitedge.metrics.gain import error_rates
from digitedge.runtime import FeatureClassifier
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.utils.tables import percent

CHECK_SEED = 43  # another one than that of what is learned from
RENDERED = 1000
CORRUPTED = 150
"""Digits that get every corruption, at its middle severity."""
NON_DIGIT_SCENES = 60  # nine non-digits each
# How much an error may rise, as a share. Rendered digits are harder than MNIST's, and fewer.
MNIST_RISE = 0.001
RISE = 0.01


@dataclass(frozen=True, slots=True)
class Change:
    """A share of wrong answers before and after.

    Attributes:
        name: of what is measured.
        before: with the network alone, 0 to 1.
        after: with the adaptation, 0 to 1.
        rise: by how much `after` may be higher.
        count: of the images.
    """

    name: str
    before: float
    after: float
    rise: float
    count: int

    @property
    def holds(self) -> bool:
        """Whether it is within the limit."""
        return self.after - self.before <= self.rise + 1e-9

    def describe(self) -> str:
        """In one line."""
        limit = f", at most {100 * self.rise:.1f} points more" if self.rise else ""
        return f"{self.name}: {percent(self.before)} before, {percent(self.after)} after{limit}"


def measure_change(
    name: str,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    labels: NDArray[np.uint8],
    *,
    rise: float = 0.0,
) -> Change:
    """Compare the errors of probabilities, float32 (N, 10), on digits with labels, uint8 (N,)."""
    first, second = (1 - float(is_correct(one, labels).mean()) for one in (before, after))
    return Change(name, first, second, rise, len(labels))


def measure_gain(
    before: NDArray[np.float32], after: NDArray[np.float32], labels: NDArray[np.uint8]
) -> tuple[Change, Change]:
    """Compare the errors and soft errors on own digits; see `ErrorRates`.

    Args:
        before: float32 (N, 10), of the network.
        after: float32 (N, 10), from `Correction.correct`.
        labels: uint8 (N,).
    """
    first, second = (error_rates(one, labels) for one in (before, after))
    error = Change("own digits, learned from the others", first.error, second.error, 0.0, len(labels))
    return error, Change("  their soft error (1 - probability)", first.soft_error, second.soft_error, 0.0, len(labels))


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """Crops of others as the network sees them; labels None for non-digits."""

    name: str
    features: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    labels: NDArray[np.uint8] | None
    rise: float


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """What an adaptation must not harm.

    Attributes:
        answers: digits, corrupted digits and non-digits of others.
        threshold: confidence from which a non-digit is accepted.
    """

    answers: tuple[_Answers, ...]
    threshold: float

    @classmethod
    def load(
        cls, network: FeatureClassifier, threshold: float, golden: Path | None, *, log: Callable[[str], object]
    ) -> Self:
        """Score the test images of MNIST, if they are on this machine, else rendered digits; and the rest.

        `golden` is the golden set of the bundle, whose digits shall get the answers of the original, or None.
        """
        found = find_mnist()
        if found is None:
            name, rise, (crops, labels) = "rendered digits", RISE, synthetic_digits(RENDERED, seed=CHECK_SEED)
        else:
            data = read_mnist(found)
            name, rise, crops, labels = "MNIST test digits", MNIST_RISE, data.x_test, data.y_test
        log(f"checking on {len(crops):,} {name}")
        corrupted = [one.apply(crops[:CORRUPTED], 2, seed=CHECK_SEED) for one in CORRUPTIONS]
        non_digits = list(draw_non_digits(NON_DIGIT_SCENES, seed=CHECK_SEED).values())
        sets: list[tuple[str, NDArray[np.uint8], NDArray[np.uint8] | None, float]] = [
            (name, crops, labels, rise),
            ("corrupted digits", np.concatenate(corrupted), np.tile(labels[:CORRUPTED], len(corrupted)), RISE),
            ("non-digits that are accepted", np.concatenate(non_digits), None, RISE),
        ]
        if golden is not None and golden.is_file():
            known = load_golden(golden)
            answers = known.probabilities[REFERENCE_KEY].argmax(axis=1).astype(np.uint8)
            sets.append(("golden digits, unlike the original", known.crops, answers, RISE))
        scored = (_Answers(one, *network.features_and_probabilities(x), y, most) for one, x, y, most in sets)
        return cls(tuple(scored), threshold)

    def changes(self, correction: Correction) -> list[Change]:
        """What a correction changes in each of them."""
        return [self._change(one, correction.apply(one.features, one.probabilities)) for one in self.answers]

    def _change(self, one: _Answers, after: NDArray[np.float32]) -> Change:
        if one.labels is not None:
            return measure_change(one.name, one.probabilities, after, one.labels, rise=one.rise)
        before, accepted = (
            float((scores.max(axis=1) >= self.threshold).mean()) for scores in (one.probabilities, after)
        )
        return Change(one.name, before, accepted, one.rise, len(after))
