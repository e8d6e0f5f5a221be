"""Models examined on labelled crops: clean, damaged, and among what is no digit.

Clean accuracy says nothing about a camera: of two nets with 99 % on clean digits, one failed on 12 % of damaged ones
and one on 32 %. So every file of a bundle is asked four questions: how often it is right, how often when digits are
damaged, whether its confidence can be believed, and whether confidence tells digits from other marks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import load_bundle, load_model
from digitedge.datasets.labelled_crops import DigitSet
from digitedge.errors import ModelError
from digitedge.evaluation.robustness import DamageErrors, mean_error, measure_robustness
from digitedge.evaluation.top_errors import Mistake, worst_mistakes
from digitedge.metrics.classification import expected_calibration_error, right_answers
from digitedge.metrics.ood import NOTHING, Separation, separate
from digitedge.runtime import Classifier, can_run
from digitedge.runtime.contract import CLASSES


@dataclass(frozen=True, slots=True, eq=False)
class Runnable:
    """The files of a bundle that can run here.

    Attributes:
        classifiers: file name -> the loaded file; that which runs by default comes first.
        bytes: file name -> its size.
        passed_over: names of the files whose runtime is not installed.
    """

    classifiers: dict[str, Classifier]
    bytes: dict[str, int]
    passed_over: tuple[str, ...]


def runnable(path: Path, *, force: bool = False) -> Runnable:
    """Load every file of a bundle that can run here, or one file.

    Args:
        path: a bundle, a file of a bundle, or a lone file.
        force: take a model that failed parity.

    Raises:
        ModelError: missing, damaged, or nothing that can run here.
        ParityError: it failed parity, and `force` is false.
        MissingExtraError: the runtime of the one file is not installed.
    """
    first = load_model(path, force=force)
    names = list(load_bundle(path).manifest.files) if path.is_dir() else [path.name]
    others = [path / name for name in names if name != first.path.name]
    models = [first, *(load_model(other, force=force) for other in others if can_run(other))]
    return Runnable(
        {model.path.name: model.classifier for model in models},
        {model.path.name: model.path.stat().st_size for model in models},
        tuple(other.name for other in others if not can_run(other)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was measured of one model.

    Attributes:
        images: clean digits that it read, of each digit 0 to 9.
        errors: how many of them wrongly, of each digit.
        calibration_error: see `expected_calibration_error`, 0 to 1.
        damages: errors for each kind of damage; empty where robustness was not asked for.
        separations: of the clean digits from each source of other marks; empty where none were given, or no digit was
            read rightly.
        mistakes: the worst on clean digits.
    """

    images: tuple[int, ...]
    errors: tuple[int, ...]
    calibration_error: float
    damages: tuple[DamageErrors, ...]
    separations: dict[str, Separation]
    mistakes: tuple[Mistake, ...]

    @property
    def top1(self) -> float:
        """Share of clean digits read rightly, 0 to 1."""
        return 1 - sum(self.errors) / sum(self.images)

    @property
    def seen_error(self) -> float | None:
        """Mean error under the kinds of damage that training knows relatives of, 0 to 1."""
        return mean_error(self.damages, unseen=False)

    @property
    def unseen_error(self) -> float | None:
        """Mean error under the kinds of damage that no training uses, 0 to 1."""
        return mean_error(self.damages, unseen=True)

    @property
    def accepted(self) -> float | None:
        """Share of non-digits as sure as 99 of 100 digits: mean of the sources, so that none outweighs another."""
        return float(np.mean([one.accepted for one in self.separations.values()])) if self.separations else None

    def to_json(self, names: Sequence[str]) -> dict[str, Any]:
        """Plain JSON; `names` are those of the crops. What was not measured is null."""
        return {
            "top1": _rounded(self.top1),
            "calibration_error": _rounded(self.calibration_error),
            "seen_error": _rounded(self.seen_error),
            "unseen_error": _rounded(self.unseen_error),
            "non_digits_accepted": _rounded(self.accepted),
            "digits": [
                {"digit": digit, "images": images, "errors": errors}
                for digit, (images, errors) in enumerate(zip(self.images, self.errors, strict=True))
            ],
            "damages": [
                {"kind": one.kind, "unseen": one.unseen, "errors": [_rounded(error) for error in one.errors]}
                for one in self.damages
            ],
            "non_digits": {
                source: {key: _rounded(value) for key, value in asdict(one).items()}
                for source, one in self.separations.items()
            },
            "worst": [{"name": names[one.index], **asdict(one)} for one in self.mistakes],
        }


def examine(
    classifiers: Mapping[str, Classifier],
    digits: DigitSet,
    *,
    damaged: DigitSet | None = None,
    non_digits: Mapping[str, NDArray[np.uint8]] | None = None,
    tick: Callable[[], object] = lambda: None,
) -> dict[str, Examination]:
    """Examine models on the same images.

    Args:
        classifiers: the models by name.
        digits: clean ones, at least one.
        damaged: digits to damage; None or an empty set leaves robustness out.
        non_digits: source -> uint8 (N, 28, 28), N >= 1; None leaves them out.
        tick: see `measure_robustness`.

    Raises:
        InputError: no digits.
        ModelError: a model answers what is no number.
    """
    robust = measure_robustness(classifiers, damaged, tick=tick) if damaged is not None and len(damaged) else {}
    return {
        name: _examined(name, classifier, digits, robust.get(name, ()), non_digits or {})
        for name, classifier in classifiers.items()
    }


def _examined(
    name: str,
    classifier: Classifier,
    digits: DigitSet,
    damages: tuple[DamageErrors, ...],
    non_digits: Mapping[str, NDArray[np.uint8]],
) -> Examination:
    """Let one model read the clean digits and the other marks."""
    probabilities = _finite(name, classifier.probabilities(digits.crops))
    right = right_answers(probabilities, digits.labels)
    scored = {source: _finite(name, classifier.probabilities(crops)) for source, crops in non_digits.items()}
    separations = {source: _separated(probabilities, digits.labels, others) for source, others in scored.items()}
    return Examination(
        images=_by_digit(digits.labels),
        errors=_by_digit(digits.labels[~right]),
        calibration_error=expected_calibration_error(probabilities, digits.labels),
        damages=damages,
        separations={source: one for source, one in separations.items() if one is not None},
        mistakes=worst_mistakes(probabilities, digits.labels),
    )


def _separated(
    probabilities: NDArray[np.float32], labels: NDArray[np.uint8], others: NDArray[np.float32]
) -> Separation | None:
    truth = np.concatenate([labels, np.full(len(others), NOTHING, np.uint8)])
    return separate(np.concatenate([probabilities, others]), truth)


def _by_digit(labels: NDArray[np.uint8]) -> tuple[int, ...]:
    return tuple(np.bincount(labels, minlength=CLASSES).tolist())


def _finite(name: str, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(probabilities).all():
        raise ModelError(f"{name}: expected probabilities, got answers that are not numbers. Export the file again.")
    return probabilities


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
