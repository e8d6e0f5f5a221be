"""Learn an adaptation, and find out what it changes before it may be used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from digitedge.adapting.check import Change, Others, measure_gain
from digitedge.adapting.learn import Samples, learn, limit_digits, make_background, own_samples
from digitedge.bundle.adaptation import Adaptation, AdaptationInfo, Correction, feature_classifier
from digitedge.bundle.bundle import Model, sha256_of
from digitedge.bundle.manifest import GOLDEN
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.datasets.own_digits import digit_ids
from digitedge.errors import DataError, ModelError
from digitedge.metrics.gain import ErrorRates, is_gain

MIN_DIGITS = 10
FOLDS = 4
STRENGTHS = (1.0, 0.5, 0.25)
"""Of the correction; the first that passes is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """An adaptation and its check.

    Attributes:
        adaptation: what was learned of all own digits.
        changes: before and after: the error of the own digits, their soft errors, and what others suffer.
        folds: how the own digits were split, in a few words.
    """

    adaptation: Adaptation
    changes: tuple[Change, ...]
    folds: str

    @property
    def problem(self) -> str | None:
        """Why it may not be used, or None."""
        own, soft, *others = self.changes
        if not is_gain(ErrorRates(own.before, soft.before), ErrorRates(own.after, soft.after)):
            return f"nothing gained: {own.describe()}"
        return next((f"it would harm: {one.describe()}" for one in others if not one.holds), None)


def adapt(
    model: Model, digits: LabelledCrops, non_digits: NDArray[np.uint8], *, log: Callable[[str], object]
) -> Learned:
    """Learn a hand, and check it on own digits that it was not learned from, and on digits and non-digits of others.

    Args:
        model: whose file gives features.
        digits: own digits, at least `MIN_DIGITS`; classes may be missing.
        non_digits: uint8 (N, 28, 28), own ones; N may be 0.
        log: gets lines of progress.

    Raises:
        DataError: too few digits.
        ModelError: the file gives no features, or features that are not finite.
    """
    network = feature_classifier(model)
    if len(digits) < MIN_DIGITS:
        raise DataError(f"{digits.name}: expected at least {MIN_DIGITS} digits to learn from, got {len(digits)}.")
    digits = limit_digits(digits)
    log(f"learning from {len(digits)} digits")
    own = own_samples(network, digits)
    background = make_background(network, non_digits)
    if not all(np.isfinite(one.features).all() for one in (*own, background)):
        raise ModelError(f"{model.path}: expected features that are finite, got others. Export the model again.")
    folds, how = choose_folds(digits)
    others = Others.load(network, model.reject_threshold, model.path.with_name(GOLDEN), log=log)
    trained = [(np.flatnonzero(folds == fold), _learn_from(own, background, folds != fold)) for fold in set(folds)]
    final = _learn_from(own, background, np.ones(len(digits), bool))
    for strength in STRENGTHS:
        correction = _weaken(final, strength)
        judged = np.empty_like(own[0].probabilities)
        for held_out, part in trained:
            chosen = own[0].choose(held_out)
            judged[held_out] = _weaken(part, strength).correct(chosen.features, chosen.probabilities)
        gain = measure_gain(own[0].probabilities, judged, digits.labels)
        learned = _describe(model, correction, (*gain, *others.changes(correction)), how, digits)
        if learned.problem is None:
            break
    return learned


def _describe(
    model: Model, correction: Correction, changes: tuple[Change, ...], folds: str, digits: LabelledCrops
) -> Learned:
    def build(passed: bool) -> Learned:
        """Describe it as passed or not; whether it passed is found by its changes."""
        info = AdaptationInfo(
            model_sha256=sha256_of(model.path),
            passed=passed,
            digits=len(digits),
            error_before=changes[0].before,
            error_after=changes[0].after,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            writers=sorted(digits.writers),
        )
        return Learned(Adaptation(info, correction), changes, folds)

    return build(build(passed=False).problem is None)


def choose_folds(digits: LabelledCrops) -> tuple[NDArray[np.intp], str]:
    """Split digits into folds, each of which is judged by what was learned from the others.

    Returns:
        The fold of each digit, intp (N,), and how they were split: by sheet or writer where there are several.
    """
    groups = sorted({group for group in digits.groups if group})
    if len(groups) > 1 and all(digits.groups):
        place = {group: index % FOLDS for index, group in enumerate(groups)}
        return np.array([place[group] for group in digits.groups], np.intp), "by sheet"
    ids, first, number = np.unique(digit_ids(digits), return_index=True, return_inverse=True)  # some may be there twice
    rank = np.empty(len(ids), np.intp)
    rank[np.lexsort((first, digits.labels[first]))] = np.arange(len(ids))
    return np.asarray(rank[number] % FOLDS, np.intp), "one digit in four"


def _learn_from(own: list[Samples], background: Samples, is_chosen: NDArray[np.bool_]) -> Correction:
    chosen = np.flatnonzero(is_chosen)
    return learn(reduce(Samples.__add__, (one.choose(chosen) for one in own), background))


def _weaken(correction: Correction, strength: float) -> Correction:
    return Correction(correction.anchors, correction.weights * np.float32(strength))
