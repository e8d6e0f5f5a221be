"""Robustness: the error of classifiers on corrupted digits, on the same images for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.evaluation.corruptions import CORRUPTIONS, SEVERITIES, Corruption
from digitedge.metrics.classification import top1
from digitedge.runtime import Classifier

SEED = 0
"""Seed of the corruptions, by default."""


@dataclass(frozen=True, slots=True)
class CorruptionErrors:
    """Errors of one classifier under one corruption: the share of wrong predictions at each severity, 0 to 1."""

    name: str
    unseen: bool
    errors: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the severities, 0 to 1."""
        return float(np.mean(self.errors))


def mean_error(corruptions: Sequence[CorruptionErrors], *, unseen: bool) -> float | None:
    """Return the mean error over the unseen or over the other corruptions, 0 to 1; None if there are none."""
    means = [corruption.mean for corruption in corruptions if corruption.unseen is unseen]
    return float(np.mean(means)) if means else None


def measure_robustness(
    classifiers: Mapping[str, Classifier],
    digits: LabelledCrops,
    *,
    corruptions: Sequence[Corruption] = CORRUPTIONS,
    seed: int = SEED,
    on_progress: Callable[[], object] = lambda: None,
) -> dict[str, tuple[CorruptionErrors, ...]]:
    """Measure the error of every classifier on clean digits under every corruption at every severity.

    `on_progress` is called `len(corruptions) * len(SEVERITIES)` times.

    Returns:
        Name of each classifier -> its errors, in the order of `corruptions`.

    Raises:
        InputError: no digits.
    """
    measured: dict[str, list[CorruptionErrors]] = {name: [] for name in classifiers}
    for corruption in corruptions:
        errors: dict[str, list[float]] = {name: [] for name in classifiers}
        for severity in SEVERITIES:
            crops = corruption.apply(digits.crops, severity, seed=seed)
            for name, classifier in classifiers.items():
                errors[name].append(1 - top1(classifier.probabilities(crops), digits.labels))
            on_progress()
        for name, shares in errors.items():
            measured[name].append(CorruptionErrors(corruption.name, corruption.unseen, tuple(shares)))
    return {name: tuple(found) for name, found in measured.items()}
