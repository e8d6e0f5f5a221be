"""The parity check: every exported file against the Keras original, on test images that no training has seen.

`export` checks before a bundle is written and `verify` at any later time, with the same code.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import MANIFEST, Bundle, read_manifest_bytes
from digitedge.bundle.made_here import is_made_here, remember_bundle
from digitedge.bundle.manifest import Manifest, build_adapter, has_passed
from digitedge.bundle.model_card import rewrite_card
from digitedge.bundle.parity import Parity, compare_outputs
from digitedge.bundle.recipe import RECIPES, Tolerance
from digitedge.bundle.signature import SIGNATURE
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DataError, ModelError
from digitedge.exporting.original import load_reference
from digitedge.runtime import Classifier, load_classifier
from digitedge.training.plots import plot_digits
from digitedge.utils.files import write_json, write_text

PARITY = "parity.json"
FLIPPED = "flipped.png"
PARITY_SCHEMA = "digitedge.parity/1"
FLIPPED_SHOWN = 40  # images in flipped.png


@dataclass(frozen=True, slots=True)
class ParityResult:
    """The measured parity of one file, and its limits."""

    parity: Parity
    tolerance: Tolerance

    @property
    def violations(self) -> list[str]:
        """What is out of tolerance; empty if the file passed."""
        return self.parity.violations(self.tolerance)

    @property
    def passed(self) -> bool:
        """Whether the file is within its tolerance."""
        return not self.violations

    def to_dict(self) -> dict[str, Any]:
        """Figures, limits and result as plain JSON."""
        result = {"violations": self.violations, "passed": self.passed}
        return {**self.parity.to_dict(), "tolerance": asdict(self.tolerance), **result}

    def to_entry(self) -> dict[str, Any]:
        """The fields of a manifest's `ModelFile` that come from the parity check."""
        return {
            "top1": self.parity.candidate_top1,
            "agreement": self.parity.agreement,
            "max_abs_diff": self.parity.to_dict()["max_abs_diff"],
            "mcnemar_p": self.parity.mcnemar_p,
            "tolerance": self.tolerance,
            "passed": self.passed,
        }


def check_parity(
    expected: NDArray[np.float32], candidates: Mapping[str, tuple[Classifier, Tolerance]], data: Dataset
) -> dict[str, ParityResult]:
    """Compare candidates by file name with the original's probabilities on the test images, float32 (M, 10).

    Raises:
        InputError: no test images, or a reference that gives NaN.
    """
    return {
        name: ParityResult(compare_outputs(expected, classifier.probabilities(data.x_test), data.y_test), tolerance)
        for name, (classifier, tolerance) in candidates.items()
    }


def verify_bundle(
    bundle: Bundle, data: Dataset, limits: Mapping[str, float], *, other_data: bool = False
) -> dict[str, ParityResult]:
    """Check every file of a bundle again.

    Args:
        bundle: to check.
        data: that the bundle was made from, or other data if `other_data`.
        limits: fields of `Tolerance` that replace those in the manifest.
        other_data: whether the test images of other data may be used.

    Raises:
        DataError: other data than that of the bundle.
    """
    if not other_data and data.sha256 != bundle.manifest.data.sha256:
        raise DataError(
            f"expected the data that {bundle.path} was made from, {bundle.manifest.data.name} with content "
            f"{bundle.manifest.data.sha256[:12]}..., got {data.sha256[:12]}... Give the right data with --data."
        )
    candidates = {
        name: (
            load_classifier(bundle.path / name, adapter=build_adapter(entry.adapter), sha256=entry.sha256),
            replace(entry.tolerance, **limits),
        )
        for name, entry in bundle.manifest.files.items()
    }
    return check_parity(load_reference(bundle).probabilities(data.x_test), candidates, data)


def tolerance_for(candidate: Path) -> Tolerance:
    """The limits of a file without a manifest: of the recipe in its name (`model_float16.tflite`), else of int8."""
    return RECIPES.get(candidate.stem.rpartition("_")[2], RECIPES["int8"]).tolerance


def record_results(bundle: Bundle, results: Mapping[str, ParityResult], data: Dataset) -> bool:
    """Write results into the bundle if a file passed before and failed now, or the reverse; return whether.

    Raises:
        DigitEdgeError: the bundle's folder is not writable.
        ModelError: the bundle is signed; another manifest would break its signature.
    """
    files = bundle.manifest.files
    if all(files[name].passed == result.passed for name, result in results.items()):
        return False
    if (bundle.path / SIGNATURE).exists():
        raise ModelError(f"{bundle.path} is signed, so its manifest stays. Export it again, or remove {SIGNATURE}.")
    entries = {name: replace(entry, **results[name].to_entry()) for name, entry in files.items()}
    passed = has_passed(entries, bundle.manifest.parent)
    manifest: Manifest = replace(bundle.manifest, files=entries, passed=passed)
    if is_made_here(bundle.path, read_manifest_bytes(bundle.path)):
        remember_bundle(bundle.path.resolve(), manifest.to_json().encode())
    write_text(bundle.path / MANIFEST, manifest.to_json())  # first, because `camera` and `predict` read it
    write_parity(bundle.path / PARITY, results)
    plot_flipped(bundle.path / FLIPPED, results, data)
    rewrite_card(bundle, manifest)
    return True


def write_parity(path: Path, results: Mapping[str, ParityResult]) -> None:
    """Write parity.json: every figure of every file, with the indices of the flipped images."""
    write_json(path, {"schema": PARITY_SCHEMA, "files": {name: result.to_dict() for name, result in results.items()}})


def plot_flipped(path: Path, results: Mapping[str, ParityResult], data: Dataset) -> None:
    """Plot the test images whose prediction differs from the original's, with label and number of files."""
    flips = [index for result in results.values() for index in result.parity.flipped]
    indices = sorted(set(flips))
    shown = indices[:FLIPPED_SHOWN]
    captions = [
        f"#{index} is {data.y_test[index]}\nin {flips.count(index)} file{'s' if flips.count(index) > 1 else ''}"
        for index in shown
    ]
    count = f"{len(shown)} of {len(indices)}" if len(shown) < len(indices) else str(len(indices))
    plot_digits(
        data.x_test[shown], captions, path, title=f"test images whose prediction differs from the original ({count})"
    )
