"""The check of a fine-tuned model against its parent: better on the digits it was made for, no worse on all others.

Both models see the same images. The digits that are held out of the fine-tuning must be read better. What the parent
could do before, the new model must still do: MNIST, digits of rendered scenes, the digits of earlier fine-tunings,
corrupted digits, and the rejection of non-digits. See docs/decisions/own-hand.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import sha256_of
from digitedge.bundle.manifest import Comparison
from digitedge.datasets.labelled_crops import LabelledCrops, balanced_indices
from digitedge.datasets.non_digits import EVALUATION_SEED, draw_non_digits
from digitedge.errors import ModelError
from digitedge.evaluation.changed_predictions import draw_changed
from digitedge.evaluation.corruptions import CORRUPTIONS
from digitedge.metrics.classification import is_correct, mcnemar_p
from digitedge.metrics.gain import error_rates, is_gain
from digitedge.metrics.ood import NON_DIGIT, threshold_at_99_tpr
from digitedge.runtime import Classifier
from digitedge.runtime.adapter import CONTRACT, AdaptedClassifier
from digitedge.runtime.keras import KerasNetwork
from digitedge.synthetic.scenes.crops import SceneCrops, crop_scenes
from digitedge.training.crop_cache import cached_crops

CHANGED = "changed.png"
OWN = "own held-out digits"
SCENES = 200
"""Rendered scenes whose digits and non-digits are compared."""
CORRUPTED = 400
"""Digits that are corrupted, by every corruption at the middle severity."""
SEVERITY = 2
MAX_DROP = 0.001
"""Largest loss of accuracy on digits that the parent knew; of few digits, one may be lost."""
MAX_HARD_DROP = 0.01
"""Largest loss on corrupted digits, and of rejected non-digits."""
MAX_CHANCE_DROP = 0.005
"""Largest loss on digits of rendered scenes if it may be chance: a few of their 2,000 change with every training."""
CHANCE_P = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentModel:
    """The model that was fine-tuned.

    Attributes:
        name: of its bundle or run.
        file: its .keras file.
        sha256: of that file.
        earlier: held-out digits of the fine-tunings that it came from, by name.
        not_compared: those that cannot be loaded any more, with the reason.
    """

    name: str
    file: Path
    sha256: str
    earlier: Mapping[str, LabelledCrops] = field(default_factory=dict)
    not_compared: Sequence[str] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ParentCheck:
    """The result.

    Attributes:
        comparisons: one for each set of images.
        changed: image of the own and test digits whose prediction changed, uint8 (H, W, 3) BGR.
    """

    comparisons: list[Comparison]
    changed: NDArray[np.uint8]

    @property
    def violations(self) -> list[str]:
        """What did not hold, one line each."""
        return [describe_failure(one) for one in self.comparisons if not one.passed]


def check_against_parent(
    parent: ParentModel,
    model: Classifier,
    own: LabelledCrops,
    test: LabelledCrops,
    *,
    scenes: int = SCENES,
    log: Callable[[str], object] = lambda line: None,
) -> ParentCheck:
    """Compare a fine-tuned model with its parent.

    Args:
        parent: the model that was fine-tuned.
        model: the result.
        own: the digits that are held out of the fine-tuning.
        test: test images of the data that both were trained on.
        scenes: number of rendered scenes.
        log: gets a line of progress.

    Raises:
        ModelError: the file of the parent is damaged, or not the one that was fine-tuned.
    """
    if sha256_of(parent.file) != parent.sha256:
        raise ModelError(f"{parent.file}: expected the model that was fine-tuned, got another one. Train again.")
    before: Classifier = AdaptedClassifier(KerasNetwork(parent.file), CONTRACT)
    log("comparing with the parent: own digits, test images, rendered scenes, corrupted digits, non-digits")
    found = cached_crops(_make_scene_crops, scenes, seed=EVALUATION_SEED)
    is_digit = found.labels != NON_DIGIT
    corrupted = _corrupt(test.choose(balanced_indices(test.labels, CORRUPTED, seed=0)))
    rendered = LabelledCrops("scenes", found.crops[is_digit], found.labels[is_digit], ())
    comparisons = [_compare_own(before, model, own, test)]
    for name, digits, max_drop, chance_drop in (
        (f"{test.name} test images", test, MAX_DROP, 0.0),
        *((name, digits, MAX_DROP, 0.0) for name, digits in parent.earlier.items()),
        ("digits of rendered scenes", rendered, MAX_DROP, MAX_CHANCE_DROP),
        ("corrupted digits", corrupted, MAX_HARD_DROP, 0.0),
    ):
        first, second = (is_correct(one.probabilities(digits.crops), digits.labels) for one in (before, model))
        comparisons.append(_compare(name, first, second, max_drop=max_drop, chance_drop=chance_drop))
    comparisons.append(_compare_rejection(before, model, test, found.crops[~is_digit]))
    return ParentCheck(comparisons, _draw_changed(before, model, own, test))


def _draw_changed(parent: Classifier, model: Classifier, own: LabelledCrops, test: LabelledCrops) -> NDArray[np.uint8]:
    """Draw what changed; own digits have numbers in place of the names of their files, because bundles are shared."""
    crops, labels = (np.concatenate([getattr(one, key) for one in (own, test)]) for key in ("crops", "labels"))
    names = [f"{kind} #{index}" for kind, one in (("own", own), ("test", test)) for index in range(len(one))]
    before, after = (one.probabilities(crops) for one in (parent, model))
    title = "own held-out digits and test images whose prediction changed"
    return draw_changed(crops, labels, before, after, title, names=names)


def describe_failure(one: Comparison) -> str:
    """Say in a line why a comparison failed."""
    if not one.images:
        return f"{one.name}: there are none, so nothing shows a gain. Collect at least three of every digit"
    shares = f"{100 * one.before:.2f} % before and {100 * one.after:.2f} % after ({one.images:,} images)"
    if one.max_drop is None:
        return f"{one.name}: {shares}, expected fewer errors, or as many and clearly less soft error"
    return f"{one.name}: {shares}, expected a loss of at most {100 * one.max_drop:.1f} points"


def _compare_own(parent: Classifier, model: Classifier, own: LabelledCrops, test: LabelledCrops) -> Comparison:
    """Compare on own digits, where the model must be better; see `is_gain`."""
    if not len(own):
        return Comparison(name=OWN, images=0, before=0, after=0, mcnemar_p=1, passed=False)
    scores = [one.probabilities(own.crops) for one in (parent, model)]
    first, second = (error_rates(one, own.labels) for one in scores)
    elsewhere = [error_rates(one.probabilities(test.crops), test.labels).soft_error for one in (parent, model)]
    before, after = (is_correct(one, own.labels) for one in scores)
    return Comparison(
        name=OWN,
        images=len(own),
        before=1 - first.error,
        after=1 - second.error,
        mcnemar_p=_mcnemar_p(before, after),
        soft_error_before=first.soft_error,
        soft_error_after=second.soft_error,
        passed=is_gain(first, second, soft_ratio=elsewhere[1] / max(elsewhere[0], 1e-9)),
    )


def _compare_rejection(
    parent: Classifier, model: Classifier, digits: LabelledCrops, non_digits: NDArray[np.uint8]
) -> Comparison:
    """Compare the shares of non-digits that are less confident than 99 % of the digits, as `digitedge eval` does."""

    def rejected(classifier: Classifier) -> NDArray[np.bool_]:
        threshold = threshold_at_99_tpr(classifier.probabilities(digits.crops), digits.labels)
        return np.asarray(classifier.probabilities(non_digits).max(axis=1) < threshold)

    return _compare("rejected non-digits", rejected(parent), rejected(model), max_drop=MAX_HARD_DROP)


def _compare(
    name: str,
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    *,
    max_drop: float,
    chance_drop: float = 0.0,
) -> Comparison:
    """Compare what is right before and after, bool (N,), N >= 1."""
    p = _mcnemar_p(before, after)
    limit = max(max_drop, 1 / len(before), chance_drop if p >= CHANCE_P else 0)
    drop = float(before.mean() - after.mean())
    return Comparison(
        name=name,
        images=len(before),
        before=float(before.mean()),
        after=float(after.mean()),
        mcnemar_p=p,
        max_drop=limit,
        passed=drop <= limit + 1e-12,  # shares such as 0.001 are not exact in binary
    )


def _mcnemar_p(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> float:
    return mcnemar_p(int(np.sum(before & ~after)), int(np.sum(after & ~before)))


def _corrupt(digits: LabelledCrops) -> LabelledCrops:
    crops = [corruption.apply(digits.crops, SEVERITY) for corruption in CORRUPTIONS]
    return LabelledCrops("corrupted", np.concatenate(crops), np.tile(digits.labels, len(crops)), ())


def _make_scene_crops(scenes: int, *, seed: int, written: object = None) -> SceneCrops:
    """Crop rendered scenes, and add as many drawn non-digits as `digitedge eval` has for them."""
    found = crop_scenes(scenes, seed=seed)
    drawn = np.concatenate(list(draw_non_digits(scenes, seed=seed).values()))
    labels = np.full(len(drawn), NON_DIGIT, np.uint8)
    return SceneCrops(np.concatenate([found.crops, drawn]), np.concatenate([found.labels, labels]))
