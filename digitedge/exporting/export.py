"""Export a trained model to a bundle: convert, load again, check parity, describe.

The bundle is put together in a draft folder and moved to its place at the end, so that a full disk, Ctrl-C or a kill
leaves the old bundle or none. A bundle that fails the parity check is written too, marked as failed: its parity.json
and flipped.png show why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from digitedge.benchmark.footprint import try_footprint
from digitedge.bundle.bundle import MANIFEST, REFERENCE_KEY, Bundle, load_bundle, sha256_of
from digitedge.bundle.golden import Golden, save_golden
from digitedge.bundle.made_here import remember_bundle
from digitedge.bundle.manifest import (
    GOLDEN,
    AdapterSpec,
    CropContract,
    DataSource,
    ImageSet,
    Manifest,
    ModelContract,
    ModelFile,
    Origin,
    OtherFile,
    OwnDigitsSource,
    Parent,
    describe_adapter,
    has_passed,
)
from digitedge.bundle.model_card import CARD, model_card
from digitedge.bundle.recipe import Artifact, Format
from digitedge.datasets.dataset import Dataset, images_sha256
from digitedge.datasets.labelled_crops import number_crops
from digitedge.datasets.own_digits import OwnDigits
from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.exporting.calibration import CALIBRATION_SEED, calibration_indices
from digitedge.exporting.conversion import Converter
from digitedge.exporting.converters import DESCRIBERS
from digitedge.exporting.file_maker import FileMaker
from digitedge.exporting.kept_original import keep_original, possible_artifacts
from digitedge.exporting.original import Original, load_original
from digitedge.exporting.parent_check import CHANGED, ParentCheck, ParentModel, check_against_parent
from digitedge.exporting.reject_threshold import reject_threshold, threshold_digits
from digitedge.exporting.remedies import REMEDIES, RemedyTrial, write_trials
from digitedge.exporting.verify import FLIPPED, PARITY, ParityResult, check_parity, plot_flipped, write_parity
from digitedge.metrics.classification import confusion_matrix
from digitedge.runtime import RUNTIMES, load_classifier
from digitedge.runtime.adapter_search import MIN_ACCURACY
from digitedge.synthetic.handwriting.digits import synthetic_digits
from digitedge.training.plots import plot_confusion
from digitedge.utils.drafts import sweep_drafts
from digitedge.utils.files import atomic_folder, check_creatable, write_text
from digitedge.utils.images import write_image
from digitedge.utils.version import __version__

GOLDEN_SAMPLES = 250
GOLDEN_SEED = 28
LABELS = "labels.txt"

_LIBRARIES = ("keras", "tf2onnx", "onnx", *(runtime.package for runtime in RUNTIMES), "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """A model to export, and what is known of it.

    Attributes:
        path: a Keras, `.onnx` or `.tflite` file, or a SavedModel folder.
        name: of the bundle.
        architecture: its name; "unknown" for a third-party model.
        seed: of the training; None if unknown.
        preprocess: the user's choice of the preprocessing; None to find the best.
        min_accuracy: smallest share of the training digits that it must read right, 0 to 1.
        data_sha256: hash of the data set that it was trained on; None if unknown.
        unfinished: whether its training was interrupted.
        writers: ids of the writers whose digits it learned from.
        own: the user's own digits that it was fine-tuned on; None if there are none.
        parent: the model that was fine-tuned on them; None if it was trained from new weights.
    """

    path: Path
    name: str
    architecture: str = "unknown"
    seed: int | None = None
    preprocess: str | None = None
    min_accuracy: float = MIN_ACCURACY
    data_sha256: str | None = None
    unfinished: bool = False
    writers: frozenset[str] = frozenset()
    own: OwnDigits | None = None
    parent: ParentModel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """The exported bundle.

    Attributes:
        bundle: as it was written.
        results: parity of each file.
        not_made: files that could not be made, with the reason.
        trials: what `auto` tried for each format.
        parent_check: the comparison of a fine-tuned model with its parent.
    """

    bundle: Bundle
    results: dict[str, ParityResult]
    not_made: dict[str, str]
    trials: dict[Format, list[RemedyTrial]] = field(default_factory=dict)
    parent_check: ParentCheck | None = None

    @property
    def violations(self) -> list[str]:
        """What is out of tolerance, file by file."""
        return [f"{name}: {line}" for name, result in self.results.items() for line in result.violations]


def export(
    source: ModelSource,
    artifacts: list[Artifact],
    data: Dataset,
    *,
    data_name: str,
    target: Path,
    overwrite: bool = False,
    limits: Mapping[str, float] | None = None,
    auto: bool = False,
    log: Callable[[str], None] = print,
) -> ExportResult:
    """Export a model and check the parity of every file with the original.

    Args:
        source: the model.
        artifacts: what to make; see `choose_artifacts`. What cannot be made of this kind of file is left out.
        data: training images to find the preprocessing and for calibration, test images for the parity check.
        data_name: of the data set, for the manifest.
        target: the bundle's folder.
        overwrite: replace an existing bundle.
        limits: fields of `Tolerance` that replace those of the recipes.
        auto: replace the quantized artifacts of each format by the remedy that `try_remedies` picks.
        log: gets lines of progress.

    Raises:
        DigitEdgeError: a bundle exists, or the folder cannot be written.
        ModelError: the model cannot be read or reads too few digits right, or no file can be made of it.
        InputError: the data is too small to calibrate on.
        DataError: the model was trained on other data.
    """
    check_target(target, overwrite)
    if source.data_sha256 is not None and source.data_sha256 != data.sha256:
        raise DataError(
            f"{source.path} was trained on data with content {source.data_sha256[:12]}..., got {data.sha256[:12]}...: "
            "its test images may be training images of this model. Give the same data with --data."
        )
    wanted = possible_artifacts(source.path, artifacts, log)
    with Converter() as converter, atomic_folder(target) as draft:
        original = load_original(
            source.path, data, preprocess=source.preprocess, min_accuracy=source.min_accuracy, log=log
        )
        calibration = data.x_train[calibration_indices(data.y_train, seed=CALIBRATION_SEED)]
        kept = keep_original(original, draft, calibration, data, log)
        converter.set_model(kept.source, kept.source_spec)
        maker = FileMaker(kept, converter, data, limits or {}, log)
        possible = kept.artifacts(wanted)
        trials: dict[Format, list[RemedyTrial]] = {}
        if left_out := [one.file_name for one in wanted if one not in possible]:
            log(f"{source.path.name}: not made of a {kept.own_recipe} file of this kind: {', '.join(left_out)}")
        if auto:
            possible, trials = maker.pick_remedies(possible)
        made, not_made = maker.make(possible, draft)
        if not made:
            raise ModelError(f"{source.path}: no file could be made. {'; '.join(not_made.values())}")
        classifiers = {one.file_name: load_classifier(draft / one.file_name, adapter=kept.file_adapter) for one in made}
        log(f"verifying {len(made)} files on {len(data.x_test)} test images")
        expected = kept.reference.probabilities(data.x_test)
        tolerances = {one.file_name: replace(one.recipe.tolerance, **(limits or {})) for one in made}
        results = check_parity(expected, {name: (c, tolerances[name]) for name, c in classifiers.items()}, data)
        digits = threshold_digits(data.x_train, data.y_train)
        thresholds = {name: reject_threshold(classifier, digits) for name, classifier in classifiers.items()}
        adapter = None if kept.file_adapter is None else describe_adapter(kept.file_adapter)
        entries = {
            one.file_name: _describe(one, draft, thresholds[one.file_name], results[one.file_name], adapter)
            for one in made
        }
        crops, _ = synthetic_digits(GOLDEN_SAMPLES, seed=GOLDEN_SEED)
        scored = {REFERENCE_KEY: kept.reference, **classifiers}
        golden = Golden(crops, {name: classifier.probabilities(crops) for name, classifier in scored.items()})
        save_golden(golden, draft / GOLDEN)
        write_text(draft / LABELS, "".join(f"{digit}\n" for digit in range(10)))
        write_parity(draft / PARITY, results)
        if trials:
            write_trials(draft / REMEDIES, trials)
        plot_flipped(draft / FLIPPED, results, data)
        plot_confusion(
            confusion_matrix(expected, data.y_test), draft / "confusion.png", title=f"{source.name} on the test images"
        )
        observed = ImageSet(samples=len(calibration), seed=CALIBRATION_SEED, sha256=images_sha256(calibration))
        parent_check = None
        if source.parent is not None and source.own is not None:
            test = number_crops(data_name.partition("+")[0], data.x_test, data.y_test)
            parent_check = check_against_parent(source.parent, kept.reference, source.own.held_out, test, log=log)
            write_image(draft / CHANGED, parent_check.changed)
        parent = _describe_parent(source.parent, parent_check)
        versions = {name: version(name) for name in _LIBRARIES}
        manifest = Manifest(
            name=source.name,
            architecture=source.architecture,
            parameters=kept.parameters,
            macs=_count_macs(draft / made[0].file_name),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seed=source.seed,
            passed=has_passed(entries, parent),
            data=DataSource(name=data_name, sha256=data.sha256),
            versions={"digitedge": __version__, "python": python_version(), **versions},
            crop=CropContract(),
            model=ModelContract(),
            calibration=observed
            if any(one.recipe.calibrated and one.recipe.name != kept.own_recipe for one in made)
            else None,
            verified_on=ImageSet(samples=len(data.x_test), seed=None, sha256=images_sha256(data.x_test)),
            reference_top1=next(iter(results.values())).parity.reference_top1,
            files=entries,
            others={
                name: OtherFile(sha256=sha256_of(draft / name), bytes=(draft / name).stat().st_size)
                for name in (kept.file.name, GOLDEN, LABELS)
            },
            reference=kept.file.name,
            reference_adapter=kept.file_spec,
            origin=_describe_origin(original) if source.architecture == "unknown" else None,
            unfinished=source.unfinished,
            not_made=not_made,
            own=_describe_own(source.own),
            parent=parent,
            writers=sorted(source.writers),
        )
        write_text(draft / CARD, model_card(manifest))
        write_text(draft / MANIFEST, manifest.to_json())
        load_bundle(draft)
        try:
            remember_bundle(target, manifest.to_json().encode())
        except DigitEdgeError as exc:
            log(f"{exc} Without it, commands use this bundle only if they are given its path, {target}.")
    return ExportResult(
        bundle=load_bundle(target), results=results, not_made=not_made, trials=trials, parent_check=parent_check
    )


def check_target(target: Path, overwrite: bool) -> None:
    """Check that a bundle may be written to a folder.

    Raises:
        DigitEdgeError: the folder cannot be written, is not a bundle, or is a bundle and `overwrite` is false.
    """
    check_creatable(target)
    sweep_drafts(target.parent)  # may put back a bundle that a killed export had moved away
    if not target.exists() and not target.is_symlink():
        return
    if not (target / MANIFEST).is_file():
        raise DigitEdgeError(f"{target} exists and is not a bundle. Choose another --name or --output.")
    if not overwrite:
        raise DigitEdgeError(f"the bundle {target} exists. Replace it with --overwrite, or choose another --name.")


def _count_macs(path: Path) -> int | None:
    """Multiply-accumulates of one image, counted in an exported file; None if not all of them are known."""
    footprint, _ = try_footprint(path)
    return footprint.macs if footprint and footprint.macs_complete else None


def _describe_own(own: OwnDigits | None) -> OwnDigitsSource | None:
    if own is None:
        return None
    return OwnDigitsSource(
        sha256=own.sha256,
        training=len(own.training),
        held_out=len(own.held_out),
        split=own.split,
    )


def _describe_parent(parent: ParentModel | None, check: ParentCheck | None) -> Parent | None:
    if parent is None or check is None:
        return None
    return Parent(
        name=parent.name,
        sha256=parent.sha256,
        comparisons=check.comparisons,
        not_compared=list(parent.not_compared),
    )


def _describe_origin(original: Original) -> Origin:
    best, *others = original.trials
    return Origin(
        file=original.path.name,
        adapter=describe_adapter(best.adapter),
        accuracy=best.accuracy,
        digits=best.digits,
        runner_up=str(others[0].adapter.preprocessing) if others else None,
        runner_up_accuracy=others[0].accuracy if others else None,
    )


def _describe(
    artifact: Artifact, draft: Path, reject_threshold: float, result: ParityResult, adapter: AdapterSpec | None
) -> ModelFile:
    """Make the manifest's entry of one file."""
    path = draft / artifact.file_name
    image, probabilities, ops, minimum_runtime = DESCRIBERS[artifact.format](path.read_bytes())
    return ModelFile(
        sha256=sha256_of(path),
        bytes=path.stat().st_size,
        recipe=artifact.recipe.name,
        input=image,
        output=probabilities,
        ops=ops,
        minimum_runtime=minimum_runtime,
        reject_threshold=reject_threshold,
        adapter=adapter,
        keep_float=list(artifact.keep_float),
        calibration_method=artifact.method,
        calibration_samples=artifact.calibration_samples,
        **result.to_entry(),
    )
