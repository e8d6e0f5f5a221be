"""Export a trained model to a bundle: convert, load again, check parity, describe.

The bundle is put together in a temporary folder and moved to its place at the end, so that a full disk or Ctrl-C leaves
the old bundle or none. A bundle that fails the parity check is written too, marked as failed: its parity.json and
flipped.png show why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import MANIFEST, Bundle, load_bundle, sha256_of
from digitedge.bundle.golden import REFERENCE_KEY, Golden, save_golden
from digitedge.bundle.manifest import (
    GOLDEN,
    REFERENCE,
    CropContract,
    DataSource,
    ImageSet,
    Manifest,
    ModelContract,
    ModelFile,
    OtherFile,
)
from digitedge.bundle.model_card import CARD, model_card
from digitedge.bundle.recipe import Artifact, Format, InputRange
from digitedge.datasets.dataset import Dataset, images_sha256
from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.exporting.calibration import calibration_indices
from digitedge.exporting.keras_reference import KerasClassifier, load_reference
from digitedge.exporting.onnx import convert_onnx, describe_onnx
from digitedge.exporting.reject_threshold import reject_threshold, threshold_digits
from digitedge.exporting.tflite import convert_tflite, describe_tflite
from digitedge.exporting.verify import FLIPPED, PARITY, ParityResult, check_parity, plot_flipped, write_parity
from digitedge.metrics.classification import confusion_matrix
from digitedge.runtime import RUNTIMES, Classifier, load_classifier
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.architectures import count_macs
from digitedge.training.keras_io import load_keras, save_keras
from digitedge.training.plots import plot_confusion
from digitedge.utils.files import atomic_folder, check_creatable, write_json, write_text
from digitedge.utils.version import __version__

CALIBRATION_SEED = 0
GOLDEN_SAMPLES = 250
# Largest difference of a probability between the original and its copy in the bundle: rounding, and no more.
MAX_COPY_DIFFERENCE = 1e-4
GOLDEN_SEED = 28
LABELS = "labels.txt"

_CONVERTERS = {Format.TFLITE: (convert_tflite, describe_tflite), Format.ONNX: (convert_onnx, describe_onnx)}
_LIBRARIES = ("tensorflow", "keras", "tf2onnx", "onnx", *(runtime.package for runtime in RUNTIMES), "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class KerasModelSource:
    """A Keras file to export, and what is known of it.

    Attributes:
        path: the .keras file.
        name: of the bundle.
        architecture: its name; "unknown" for a foreign file.
        seed: of the training; None if unknown.
        input_range: the user's choice; None for 0-255.
        data_sha256: hash of the data set that it was trained on; None if unknown.
    """

    path: Path
    name: str
    architecture: str = "unknown"
    seed: int | None = None
    input_range: InputRange | None = None
    data_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """The exported bundle, and the parity result of each file."""

    bundle: Bundle
    results: dict[str, ParityResult]

    @property
    def violations(self) -> list[str]:
        """What is out of tolerance, file by file."""
        return [f"{name}: {line}" for name, result in self.results.items() for line in result.violations]


def export(
    source: KerasModelSource,
    artifacts: list[Artifact],
    data: Dataset,
    *,
    data_name: str,
    target: Path,
    overwrite: bool = False,
    limits: Mapping[str, float] | None = None,
    log: Callable[[str], None] = print,
) -> ExportResult:
    """Export a model and check the parity of every file.

    Args:
        source: the Keras file.
        artifacts: what to make; see `choose_artifacts`.
        data: training images for calibration, test images for the parity check.
        data_name: of the data set, for the manifest.
        target: the bundle's folder.
        overwrite: replace an existing bundle.
        limits: fields of `Tolerance` that replace those of the recipes.
        log: gets lines of progress.

    Raises:
        DigitEdgeError: a bundle exists, or the folder cannot be written.
        ModelError: the model cannot be read or converted, or a converted file breaks the contract.
        InputError: the model expects the other input range, or the data is too small to calibrate on.
        DataError: the model was trained on other data.
    """
    check_target(target, overwrite)
    if source.data_sha256 is not None and source.data_sha256 != data.sha256:
        raise DataError(
            f"{source.path} was trained on data with content {source.data_sha256[:12]}..., got {data.sha256[:12]}...: "
            "its test images may be training images of this model. Give the same data with --data."
        )
    reference = load_reference(source.path, data, input_range=source.input_range, log=log)
    calibration = data.x_train[calibration_indices(data.y_train, seed=CALIBRATION_SEED)]
    with atomic_folder(target) as draft:
        _save_reference(reference, draft / REFERENCE, calibration, source.path)
        classifiers = {a.file_name: _write_file(reference.model, a, calibration, draft, log) for a in artifacts}
        log(f"verifying {len(artifacts)} files on {len(data.x_test)} test images")
        expected = reference.probabilities(data.x_test)
        tolerances = {a.file_name: replace(a.recipe.tolerance, **(limits or {})) for a in artifacts}
        results = check_parity(expected, {name: (c, tolerances[name]) for name, c in classifiers.items()}, data)
        digits = threshold_digits(data.x_train, data.y_train)
        thresholds = {name: reject_threshold(classifier, digits) for name, classifier in classifiers.items()}
        entries = {a.file_name: _describe(a, draft, thresholds[a.file_name], results[a.file_name]) for a in artifacts}
        crops, _ = synthetic_digits(GOLDEN_SAMPLES, seed=GOLDEN_SEED)
        scored = {REFERENCE_KEY: reference, **classifiers}
        golden = Golden(crops, {name: classifier.probabilities(crops) for name, classifier in scored.items()})
        save_golden(golden, draft / GOLDEN)
        write_text(draft / LABELS, "".join(f"{digit}\n" for digit in range(10)))
        write_parity(draft / PARITY, results)
        plot_flipped(draft / FLIPPED, results, data)
        plot_confusion(
            confusion_matrix(expected, data.y_test), draft / "confusion.png", title=f"{source.name} on the test images"
        )
        observed = ImageSet(samples=len(calibration), seed=CALIBRATION_SEED, sha256=images_sha256(calibration))
        versions = {name: version(name) for name in _LIBRARIES}
        manifest = Manifest(
            name=source.name,
            architecture=source.architecture,
            parameters=reference.model.count_params(),
            macs=count_macs(reference.model),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=source.seed,
            passed=all(entry.passed for entry in entries.values()),
            data=DataSource(name=data_name, sha256=data.sha256),
            versions={"digitedge": __version__, "python": python_version(), **versions},
            crop=CropContract(),
            model=ModelContract(),
            calibration=observed if any(a.recipe.calibrated for a in artifacts) else None,
            verified_on=ImageSet(samples=len(data.x_test), seed=None, sha256=images_sha256(data.x_test)),
            reference_top1=next(iter(results.values())).parity.reference_top1,
            files=entries,
            others={
                name: OtherFile(sha256=sha256_of(draft / name), bytes=(draft / name).stat().st_size)
                for name in (REFERENCE, GOLDEN, LABELS)
            },
        )
        write_text(draft / CARD, model_card(manifest))
        write_json(draft / MANIFEST, manifest.to_dict())
        load_bundle(draft)
    return ExportResult(bundle=load_bundle(target), results=results)


def check_target(target: Path, overwrite: bool) -> None:
    """Check that a bundle may be written to a folder.

    Raises:
        DigitEdgeError: the folder cannot be written, is not a bundle, or is a bundle and `overwrite` is false.
    """
    check_creatable(target)
    if not target.exists() and not target.is_symlink():
        return
    if not (target / MANIFEST).is_file():
        raise DigitEdgeError(f"{target} exists and is not a bundle. Choose another --name or --output.")
    if not overwrite:
        raise DigitEdgeError(f"the bundle {target} exists. Replace it with --overwrite, or choose another --name.")


def _save_reference(reference: KerasClassifier, path: Path, images: NDArray[np.uint8], original: Path) -> None:
    """Save the reference for later comparisons, and check that its file gives the same answers as the original."""
    save_keras(reference.model, path)
    answers = KerasClassifier(load_keras(path)).probabilities(images)
    difference = float(np.abs(answers - reference.probabilities(images)).max())
    if not difference <= MAX_COPY_DIFFERENCE:  # also true for NaN
        raise ModelError(
            f"{original}: expected the same answers after Keras saved and loaded it, got a probability that differs by "
            f"{difference:.2g}: a layer does not save its whole state. Replace that layer by a built-in one."
        )


def _write_file(
    model: keras.Model, artifact: Artifact, calibration: NDArray[np.uint8], draft: Path, log: Callable[[str], None]
) -> Classifier:
    """Convert one file, and load it in its runtime."""
    path = draft / artifact.file_name
    convert, _ = _CONVERTERS[artifact.format]
    path.write_bytes(convert(model, artifact.recipe, calibration))
    classifier = load_classifier(path)
    log(f"{artifact.file_name}: {path.stat().st_size / 1000:.0f} kB, loads, meets the contract")
    return classifier


def _describe(artifact: Artifact, draft: Path, reject_threshold: float, result: ParityResult) -> ModelFile:
    """Make the manifest's entry of one file."""
    path = draft / artifact.file_name
    _, describe = _CONVERTERS[artifact.format]
    image, probabilities, ops, minimum_runtime = describe(path.read_bytes())
    return ModelFile(
        sha256=sha256_of(path),
        bytes=path.stat().st_size,
        recipe=artifact.recipe.name,
        input=image,
        output=probabilities,
        ops=ops,
        minimum_runtime=minimum_runtime,
        reject_threshold=reject_threshold,
        **result.to_entry(),
    )
