"""Evaluate classifiers on labelled crops: accuracy, robustness, calibration, and OOD detection."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import LabelledDigits, Model, is_bundle, load_bundle, load_model
from digitedge.datasets.labelled_crops import LabelledCrops
from digitedge.errors import ModelError
from digitedge.evaluation.robustness import CorruptionErrors, mean_error, measure_robustness
from digitedge.evaluation.top_errors import TopError, find_top_errors
from digitedge.metrics.classification import confusion_matrix, expected_calibration_error, is_correct
from digitedge.metrics.ood import NON_DIGIT, OodResult, measure_ood
from digitedge.metrics.precision_recall import PrecisionRecallCurve, precision_recall_curve
from digitedge.runtime import Classifier, can_run


def load_files(
    path: Path,
    *,
    force: bool = False,
    preprocess: str | None = None,
    digits: Callable[[], LabelledDigits | None] = lambda: None,
    log: Callable[[str], object] = lambda line: None,
) -> tuple[list[Model], list[str]]:
    """Load every file of a bundle that can run here, or one file. Errors as in `load_model`.

    Returns:
        The files that can run here, the preferred one first; and the names of those whose runtime is not installed.
    """
    preferred = load_model(path, force=force, preprocess=preprocess, digits=digits, log=log)
    names = list(load_bundle(path).manifest.files) if is_bundle(path) else [path.name]
    others = [path / name for name in names if name != preferred.path.name]
    models = [preferred, *(load_model(other, force=force) for other in others if can_run(other))]
    return models, [other.name for other in others if not can_run(other)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifierEvaluation:
    """The figures of one classifier.

    Attributes:
        confusion: number of clean images by true digit (rows) and prediction (columns): int64 (10, 10).
        curve: precision and recall if predictions below a threshold are rejected.
        calibration_error: see `expected_calibration_error`, 0 to 1.
        corruptions: errors under each corruption; empty if robustness was not measured.
        ood: result for each source of non-digits; empty if there were none or no digit was classified correctly.
        top_errors: wrong predictions on clean images, the most confident first.
    """

    confusion: NDArray[np.int64]
    curve: PrecisionRecallCurve
    calibration_error: float
    corruptions: tuple[CorruptionErrors, ...]
    ood: dict[str, OodResult]
    top_errors: tuple[TopError, ...]

    @property
    def images(self) -> tuple[int, ...]:
        """Number of clean images of each digit 0 to 9."""
        return tuple(self.confusion.sum(axis=1).tolist())

    @property
    def errors(self) -> tuple[int, ...]:
        """Number of wrong predictions of each digit."""
        return tuple((self.confusion.sum(axis=1) - self.confusion.diagonal()).tolist())

    @property
    def shown_errors(self) -> str:
        """How many of the wrong predictions are in `top_errors`, in words."""
        return f"{len(self.top_errors)} of {sum(self.errors)} wrong predictions, most confident first"

    @property
    def top1(self) -> float:
        """Accuracy on clean images, 0 to 1."""
        return 1 - sum(self.errors) / sum(self.images)

    @property
    def seen_corruption_error(self) -> float | None:
        """Mean error under the corruptions whose relatives training uses, 0 to 1."""
        return mean_error(self.corruptions, unseen=False)

    @property
    def unseen_corruption_error(self) -> float | None:
        """Mean error under the corruptions that no training uses, 0 to 1."""
        return mean_error(self.corruptions, unseen=True)

    @property
    def mean_fpr_at_99_tpr(self) -> float | None:
        """Mean of the FPR at 99 % TPR of the sources of non-digits, each with the same weight; 0 to 1."""
        return float(np.mean([result.fpr_at_99_tpr for result in self.ood.values()])) if self.ood else None

    def to_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """Return plain JSON; what was not measured is null. `names` are those of the crops."""
        return {
            "top1": _rounded(self.top1),
            "calibration_error": _rounded(self.calibration_error),
            "seen_corruption_error": _rounded(self.seen_corruption_error),
            "unseen_corruption_error": _rounded(self.unseen_corruption_error),
            "mean_fpr_at_99_tpr": _rounded(self.mean_fpr_at_99_tpr),
            "by_digit": [
                {"digit": digit, "images": images, "errors": errors}
                for digit, (images, errors) in enumerate(zip(self.images, self.errors, strict=True))
            ],
            "confusion": self.confusion.tolist(),
            "precision_recall": self.curve.to_dict(),
            "corruptions": [asdict(one) | {"errors": list(map(_rounded, one.errors))} for one in self.corruptions],
            "ood": {
                source: {key: _rounded(value) for key, value in asdict(result).items()}
                for source, result in self.ood.items()
            },
            "top_errors": [{"name": names[error.index], **asdict(error)} for error in self.top_errors],
        }


def evaluate_classifiers(
    classifiers: Mapping[str, Classifier],
    digits: LabelledCrops,
    *,
    corrupted: LabelledCrops | None = None,
    non_digits: Mapping[str, NDArray[np.uint8]] | None = None,
    on_progress: Callable[[], object] = lambda: None,
) -> dict[str, ClassifierEvaluation]:
    """Evaluate classifiers on the same images.

    Robustness is skipped without clean digits to corrupt, OOD detection without non-digits, which are uint8
    (N, 28, 28), N >= 1, by source. `on_progress` is called as in `measure_robustness`.

    Raises:
        InputError: no digits.
        ModelError: a probability is not finite.
    """
    robustness = {}
    if corrupted is not None and len(corrupted):
        robustness = measure_robustness(classifiers, corrupted, on_progress=on_progress)
    evaluations = {}
    for name, classifier in classifiers.items():
        probabilities = _finite_probabilities(name, classifier, digits.crops)
        ood: dict[str, OodResult] = {}
        for source, crops in (non_digits or {}).items():
            both = np.concatenate([probabilities, _finite_probabilities(name, classifier, crops)])
            result = measure_ood(both, np.concatenate([digits.labels, np.full(len(crops), NON_DIGIT, np.uint8)]))
            ood |= {source: result} if result else {}
        evaluations[name] = ClassifierEvaluation(
            confusion=confusion_matrix(probabilities, digits.labels),
            curve=_curve(probabilities, digits.labels),
            calibration_error=expected_calibration_error(probabilities, digits.labels),
            corruptions=robustness.get(name, ()),
            ood=ood,
            top_errors=find_top_errors(probabilities, digits.labels),
        )
    return evaluations


def _finite_probabilities(name: str, classifier: Classifier, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    probabilities = classifier.probabilities(crops)
    if not np.isfinite(probabilities).all():
        raise ModelError(f"{name}: expected finite probabilities, got NaN or infinity. Export the file again.")
    return probabilities


def _curve(probabilities: NDArray[np.float32], labels: NDArray[np.uint8]) -> PrecisionRecallCurve:
    curve = precision_recall_curve(probabilities.max(axis=1), is_correct(probabilities, labels), len(labels))
    assert curve is not None  # there are digits, or `is_correct` had raised
    return curve


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
