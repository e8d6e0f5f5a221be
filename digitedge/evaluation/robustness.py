"""How often models fail on damaged digits: every kind of damage at every strength, the same images for all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from digitedge.datasets.labelled_crops import DigitSet
from digitedge.evaluation.corruptions import DEGRADATIONS, LEVELS, Degradation
from digitedge.metrics.classification import top1
from digitedge.runtime import Classifier


@dataclass(frozen=True, slots=True)
class DamageErrors:
    """Errors of one model under one kind of damage.

    Attributes:
        kind: name of the damage.
        unseen: whether no training uses it in any form.
        errors: share of wrong answers, 0 to 1, at the levels 1, 2 and 3.
    """

    kind: str
    unseen: bool
    errors: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of all levels, 0 to 1."""
        return float(np.mean(self.errors))


def mean_error(damages: Sequence[DamageErrors], *, unseen: bool) -> float | None:
    """Mean share of wrong answers over the kinds that training knows or does not know; None where there are none."""
    means = [damage.mean for damage in damages if damage.unseen is unseen]
    return float(np.mean(means)) if means else None


def measure_robustness(
    classifiers: Mapping[str, Classifier],
    digits: DigitSet,
    *,
    kinds: Sequence[Degradation] = DEGRADATIONS,
    seed: int = 0,
    tick: Callable[[], object] = lambda: None,
) -> dict[str, tuple[DamageErrors, ...]]:
    """Damage digits in every way, and let every model read them.

    Args:
        classifiers: the models by name.
        digits: at least one.
        kinds: of damage.
        seed: the same seed gives the same damage.
        tick: called when all models have read one kind at one level: `len(kinds) * len(LEVELS)` times.

    Returns:
        For every model its errors, in the order of `kinds`.

    Raises:
        InputError: no digits.
    """
    measured: dict[str, list[DamageErrors]] = {name: [] for name in classifiers}
    for kind in kinds:
        errors: dict[str, list[float]] = {name: [] for name in classifiers}
        for level in LEVELS:
            damaged = kind.apply(digits.crops, level, seed=seed)
            for name, classifier in classifiers.items():
                errors[name].append(1 - top1(classifier.probabilities(damaged), digits.labels))
            tick()
        for name, shares in errors.items():
            measured[name].append(DamageErrors(kind.name, kind.unseen, tuple(shares)))
    return {name: tuple(damages) for name, damages in measured.items()}
