"""A trained model in, a bundle out: convert, load again, judge, describe; all of it or nothing.

The bundle is put together in a temporary folder and takes its place in one move, so that a full disk or Ctrl-C leaves
the old bundle or none. One that fails parity is written all the same, marked unfit: its parity.json and flipped.png
show why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

import keras
import numpy as np
from numpy.typing import NDArray

from digitedge import __version__
from digitedge.bundle.bundle import MANIFEST, Bundle, load_bundle, sha256_of
from digitedge.bundle.golden import REFERENCE_KEY, Golden, save_golden
from digitedge.bundle.manifest import GOLDEN, REFERENCE, DataSource, ImageSet, Manifest, ModelFile, OtherFile
from digitedge.bundle.model_card import CARD, model_card
from digitedge.bundle.recipe import Artifact, Format, InputRange
from digitedge.datasets.dataset import Dataset, images_sha256
from digitedge.errors import DataError, DigitEdgeError
from digitedge.exporting.calibration import calibration_indices
from digitedge.exporting.golden_crops import golden_crops
from digitedge.exporting.keras_reference import KerasClassifier, load_original
from digitedge.exporting.onnx import convert_onnx, describe_onnx
from digitedge.exporting.reject_threshold import reject_threshold, threshold_digits
from digitedge.exporting.tflite import convert_tflite, describe_tflite
from digitedge.exporting.verify import FLIPPED, PARITY, Judgement, Limits, judge, measured, plot_flipped, write_parity
from digitedge.metrics.classification import confusion
from digitedge.runtime import Classifier, load_classifier
from digitedge.synthetic.scenes.crops import Cuttings
from digitedge.training.architectures import count_macs
from digitedge.training.keras_io import save_keras, without_optimizer
from digitedge.training.plots import plot_confusion
from digitedge.utils.files import atomic_folder, check_place, write_json, write_text

CALIBRATION_SEED = 0
LABELS = "labels.txt"

_CONVERTERS = {Format.TFLITE: (convert_tflite, describe_tflite), Format.ONNX: (convert_onnx, describe_onnx)}
_LIBRARIES = ("tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime", "ai-edge-litert", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to export: a Keras file, and what is known of it.

    Attributes:
        path: the .keras file.
        name: of the bundle.
        architecture: as in the run's args.json; "unknown" for a file from elsewhere.
        seed: of the training; None where unknown.
        input_range: what the user says; None for 0-255.
        data_sha256: hash of the data set it was trained on; None where unknown.
    """

    path: Path
    name: str
    architecture: str = "unknown"
    seed: int | None = None
    input_range: InputRange | None = None
    data_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export left: the bundle, and how each file was judged."""

    bundle: Bundle
    judgements: dict[str, Judgement]

    @property
    def violations(self) -> list[str]:
        """What is out of tolerance, file by file."""
        return [f"{name}: {line}" for name, judgement in self.judgements.items() for line in judgement.violations]


def export(
    source: Source,
    artifacts: list[Artifact],
    data: Dataset,
    *,
    data_name: str,
    target: Path,
    overwrite: bool = False,
    limits: Limits | None = None,
    log: Callable[[str], None] = print,
) -> Exported:
    """Export a model and judge every file of it.

    Args:
        source: the Keras file.
        artifacts: what to make; see `choose_artifacts`.
        data: training images for calibration, test images for the judgement.
        data_name: how the data set is called in the manifest.
        target: the bundle's folder.
        overwrite: replace a bundle that stands there.
        limits: in place of the recipes' own.
        log: gets a line of progress.

    Raises:
        DigitEdgeError: a bundle stands there, or the folder cannot be written.
        ModelError: the model cannot be read or converted, or a converted file breaks the contract.
        InputError: the model reads better under the other input range, or the data is too small to calibrate on.
        DataError: the model was trained on other data.
    """
    check_target(target, overwrite)
    _check_data(source, data)
    original = load_original(source.path, data, input_range=source.input_range, log=log)
    reference = KerasClassifier(without_optimizer(original.model), source.path)
    chosen = calibration_indices(data.y_train, seed=CALIBRATION_SEED)
    calibration = data.x_train[chosen]
    with atomic_folder(target) as draft:
        save_keras(reference.model, draft / REFERENCE)
        classifiers = {a.file_name: _write_file(reference.model, a, calibration, draft, log) for a in artifacts}
        log(f"verifying {len(artifacts)} files on {len(data.x_test)} test images")
        expected = reference.probabilities(data.x_test)
        tolerances = {a.file_name: a.recipe.tolerance.with_limits(**(limits or {})) for a in artifacts}
        judgements = judge(expected, {name: (c, tolerances[name]) for name, c in classifiers.items()}, data)
        digits = threshold_digits(data.x_train, data.y_train)
        entries = {
            a.file_name: _entry(a, draft, classifiers[a.file_name], digits, judgements[a.file_name]) for a in artifacts
        }
        _write_golden(draft / GOLDEN, reference, classifiers)
        write_text(draft / LABELS, "".join(f"{digit}\n" for digit in range(10)))
        write_parity(draft / PARITY, judgements)
        plot_flipped(draft / FLIPPED, judgements, data)
        plot_confusion(
            confusion(expected, data.y_test), draft / "confusion.png", title=f"{source.name} on the test images"
        )
        manifest = _manifest(source, reference.model, entries, judgements, calibration, data, data_name, draft)
        write_text(draft / CARD, model_card(manifest))
        write_json(draft / MANIFEST, manifest.to_json())
        load_bundle(draft)
    return Exported(bundle=load_bundle(target), judgements=judgements)


def check_target(target: Path, overwrite: bool) -> None:
    """Refuse to replace a bundle unasked, anything that is no bundle at all, and a place that cannot be written to.

    Raises:
        DigitEdgeError: something stands at `target` that may not be replaced, or nothing can be put there.
    """
    check_place(target)
    if not target.exists() and not target.is_symlink():
        return
    if not (target / MANIFEST).is_file():
        raise DigitEdgeError(
            f"{target} exists and is no bundle, so it stays as it is. Choose another --name or --output."
        )
    if not overwrite:
        raise DigitEdgeError(f"the bundle {target} exists. Replace it with --overwrite, or choose another --name.")


def _check_data(source: Source, data: Dataset) -> None:
    if source.data_sha256 is not None and source.data_sha256 != data.sha256:
        raise DataError(
            f"{source.path} was trained on data with content {source.data_sha256[:12]}..., got {data.sha256[:12]}...: "
            "its test images would prove nothing. Give the same data with --data."
        )


def _write_file(
    model: keras.Model, artifact: Artifact, calibration: NDArray[np.uint8], draft: Path, log: Callable[[str], None]
) -> Classifier:
    """Convert one file, and load it again in its runtime."""
    convert, _ = _CONVERTERS[artifact.format]
    path = draft / artifact.file_name
    path.write_bytes(convert(model, artifact.recipe, calibration))
    classifier = load_classifier(path)
    log(f"{artifact.file_name}: {path.stat().st_size / 1000:.0f} kB, loads, meets the contract")
    return classifier


def _entry(
    artifact: Artifact, draft: Path, classifier: Classifier, digits: Cuttings, judgement: Judgement
) -> ModelFile:
    """State what a file is and how it was judged."""
    _, describe = _CONVERTERS[artifact.format]
    content = (draft / artifact.file_name).read_bytes()
    image, probabilities, ops, minimum_runtime = describe(content)
    return ModelFile(
        sha256=sha256_of(draft / artifact.file_name),
        bytes=len(content),
        recipe=artifact.recipe.name,
        input=image,
        output=probabilities,
        ops=ops,
        minimum_runtime=minimum_runtime,
        threshold=reject_threshold(classifier, digits),
        **measured(judgement),
    )


def _write_golden(path: Path, reference: Classifier, files: dict[str, Classifier]) -> None:
    crops = golden_crops()
    answers = {
        name: classifier.probabilities(crops) for name, classifier in {REFERENCE_KEY: reference, **files}.items()
    }
    save_golden(Golden(crops, answers), path)


def _manifest(
    source: Source,
    model: keras.Model,
    entries: dict[str, ModelFile],
    judgements: dict[str, Judgement],
    calibration: NDArray[np.uint8],
    data: Dataset,
    data_name: str,
    draft: Path,
) -> Manifest:
    """State everything that is known of the bundle."""
    observed = ImageSet(samples=len(calibration), seed=CALIBRATION_SEED, sha256=images_sha256(calibration))
    return Manifest(
        name=source.name,
        architecture=source.architecture,
        parameters=model.count_params(),
        macs=count_macs(model),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=source.seed,
        fit=all(entry.fit for entry in entries.values()),
        data=DataSource(name=data_name, sha256=data.sha256),
        versions={"digitedge": __version__, "python": python_version(), **{name: version(name) for name in _LIBRARIES}},
        calibration=observed if any(entry.recipe == "int8" for entry in entries.values()) else None,
        judged_on=ImageSet(samples=len(data.x_test), seed=None, sha256=images_sha256(data.x_test)),
        reference_top1=next(iter(judgements.values())).parity.reference_top1,
        files=entries,
        others={
            name: OtherFile(sha256=sha256_of(draft / name), bytes=(draft / name).stat().st_size)
            for name in (REFERENCE, GOLDEN, LABELS)
        },
    )
