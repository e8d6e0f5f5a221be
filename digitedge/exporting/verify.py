"""Every exported file against the Keras original, on images that neither was fitted to.

`export` judges before a bundle is written, `verify` at any time after, with the same code: the test images of the run's
own data set, paired image by image.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import MANIFEST, Bundle
from digitedge.bundle.manifest import Manifest
from digitedge.bundle.model_card import rewrite_card
from digitedge.bundle.parity import Parity, compare
from digitedge.bundle.recipe import RECIPES, Tolerance
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DataError
from digitedge.exporting.keras_reference import KerasClassifier
from digitedge.runtime import Classifier, load_classifier
from digitedge.training.keras_io import load_keras
from digitedge.training.plots import plot_digits
from digitedge.utils.files import write_json

PARITY = "parity.json"
FLIPPED = "flipped.png"
PARITY_SCHEMA = "digitedge.parity/1"
FLIPPED_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was measured of one file, and the limits it was held to."""

    parity: Parity
    tolerance: Tolerance

    @property
    def violations(self) -> list[str]:
        """What is out of tolerance; empty means fit."""
        return self.parity.violations(self.tolerance)

    @property
    def fit(self) -> bool:
        """Whether parity holds."""
        return not self.violations

    def to_json(self) -> dict[str, Any]:
        """The figures, limits and verdict as plain JSON."""
        verdict = {"violations": self.violations, "fit": self.fit}
        return {**self.parity.to_json(), "tolerance": asdict(self.tolerance), **verdict}


Limits = Mapping[str, float | None]
"""Fields of `Tolerance` that the user sets for all files; None, or a name that is missing, keeps the file's own."""


def judge(
    expected: NDArray[np.float32], candidates: Mapping[str, tuple[Classifier, Tolerance]], data: Dataset
) -> dict[str, Judgement]:
    """Compare candidates with their reference on the test images.

    Args:
        expected: float32 (M, 10), the original's probabilities on the test images.
        candidates: file name -> the loaded file and its limits.
        data: its test half is the judge.

    Raises:
        InputError: no test images, or a reference that answers NaN.
    """
    return {
        name: Judgement(compare(expected, classifier.probabilities(data.x_test), data.y_test), tolerance)
        for name, (classifier, tolerance) in candidates.items()
    }


def judge_bundle(bundle: Bundle, data: Dataset, limits: Limits) -> dict[str, Judgement]:
    """Judge every file of a bundle again, by the tolerances in its manifest where `limits` sets no others.

    Raises:
        DataError: another data set than the one that the bundle was made from.
    """
    if data.sha256 != bundle.manifest.data.sha256:
        raise DataError(
            f"{bundle.path} was made from {bundle.manifest.data.name} with content "
            f"{bundle.manifest.data.sha256[:12]}..., got {data.sha256[:12]}...: another data set proves nothing. "
            "Give the right one with --data."
        )
    candidates = {
        name: (load_classifier(bundle.path / name), entry.tolerance.with_limits(**limits))
        for name, entry in bundle.manifest.files.items()
    }
    original = KerasClassifier(load_keras(bundle.reference), bundle.reference)  # a bundle's is under the contract
    return judge(original.probabilities(data.x_test), candidates, data)


def tolerance_for(candidate: Path) -> Tolerance:
    """The limits for a lone file: those of the recipe in its name (`model_float16.tflite`), else those of int8."""
    recipe = RECIPES.get(candidate.stem.rpartition("_")[2], RECIPES["int8"])
    return recipe.tolerance


def record_verdicts(bundle: Bundle, judgements: Mapping[str, Judgement], data: Dataset) -> bool:
    """Write verdicts that changed into the bundle, so that `camera` and `predict` act on them.

    Returns:
        Whether a verdict changed. Where none did, nothing is written.

    Raises:
        DigitEdgeError: the bundle's folder is not writable.
    """
    files = bundle.manifest.files
    if all(files[name].fit == judgement.fit for name, judgement in judgements.items()):
        return False
    entries = {name: replace(entry, **measured(judgements[name])) for name, entry in files.items()}
    manifest: Manifest = replace(bundle.manifest, files=entries, fit=all(entry.fit for entry in entries.values()))
    write_json(bundle.path / MANIFEST, manifest.to_json())  # first: `camera` and `predict` act on it
    write_parity(bundle.path / PARITY, judgements)
    plot_flipped(bundle.path / FLIPPED, judgements, data)
    rewrite_card(bundle, manifest)
    return True


def measured(judgement: Judgement) -> dict[str, Any]:
    """The fields of a manifest's entry that a judgement fills."""
    parity = judgement.parity
    return {
        "top1": parity.candidate_top1,
        "agreement": parity.agreement,
        "max_abs_diff": parity.to_json()["max_abs_diff"],
        "mcnemar_p": parity.mcnemar_p,
        "tolerance": judgement.tolerance,
        "fit": judgement.fit,
    }


def write_parity(path: Path, judgements: Mapping[str, Judgement]) -> None:
    """Write parity.json: every figure of every file, with the indices of the flipped images."""
    write_json(path, {"schema": PARITY_SCHEMA, "files": {name: j.to_json() for name, j in judgements.items()}})


def plot_flipped(path: Path, judgements: Mapping[str, Judgement], data: Dataset) -> None:
    """Draw the test images that a file answers otherwise than the original, with label and number of files."""
    indices = sorted({i for judgement in judgements.values() for i in judgement.parity.flipped})
    captions = [f"#{i} is {data.y_test[i]}\n{_flips_of(i, judgements.values())}" for i in indices[:FLIPPED_SHOWN]]
    images: NDArray[np.uint8] = data.x_test[indices[:FLIPPED_SHOWN]]
    shown = f"{len(images)} of {len(indices)}" if len(images) < len(indices) else str(len(indices))
    plot_digits(images, captions, path, title=f"test images that a file answers otherwise than the original ({shown})")


def _flips_of(index: int, judgements: Iterable[Judgement]) -> str:
    count = sum(index in judgement.parity.flipped for judgement in judgements)
    return f"in {count} file{'s' if count > 1 else ''}"
