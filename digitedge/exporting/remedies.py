"""Remedies for lost parity: a few ways to quantize a model, tried out on training images; the smallest good one wins.

Test images are not looked at, so that the parity check of the export stays an independent one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.parity import compare_outputs
from digitedge.bundle.recipe import RECIPES, Artifact, CalibrationMethod, Format
from digitedge.datasets.dataset import Dataset
from digitedge.errors import DigitEdgeError, InputError
from digitedge.exporting.calibration import CALIBRATION_SAMPLES, CALIBRATION_SEED, calibration_indices
from digitedge.exporting.conversion import Converter, Wanted
from digitedge.exporting.converters import Convertible
from digitedge.exporting.layer_report import float_file_of, report_layers
from digitedge.runtime import Classifier, load_classifier
from digitedge.utils.drafts import temporary_folder
from digitedge.utils.files import write_json
from digitedge.utils.tables import Table, percent

REMEDIES = "remedies.json"
SCHEMA = "digitedge.remedies/1"
LARGE_CALIBRATION = 2000
COMPARED = 2000
"""Number of training images to compare on, none of which any calibration sees."""
TIMED = 100  # images, one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class RemedyTrial:
    """One remedy and how good it was on training images.

    Attributes:
        artifact: the remedy.
        size_bytes: of the file.
        top1: share of correct predictions.
        agreement: share of predictions equal to the original's.
        latency_ms: median time for one image on one thread of this machine.
        violations: what is out of tolerance.
        problem: why there is no file; the figures are then None.
    """

    artifact: Artifact
    size_bytes: int | None = None
    top1: float | None = None
    agreement: float | None = None
    latency_ms: float | None = None
    violations: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def passed(self) -> bool:
        """Whether there is a file within its tolerance."""
        return self.problem is None and not self.violations

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        figures = {name: getattr(self, name) for name in ("size_bytes", "top1", "agreement", "latency_ms", "problem")}
        return {**_options(self.artifact), **figures, "violations": list(self.violations), "passed": self.passed}


def try_remedies(
    reference: Classifier,
    model: Convertible,
    converter: Converter,
    file_format: Format,
    data: Dataset,
    *,
    limits: Mapping[str, float],
    log: Callable[[str], None] = print,
) -> list[RemedyTrial]:
    """Try the recipes of a format, int8 also with other calibrations and with layers in float.

    Args:
        reference: the original.
        model: the original as it is converted.
        converter: makes the files; it has the model.
        file_format: of the files.
        data: whose training images are used.
        limits: fields of `Tolerance` that replace those of the recipes.
        log: gets a line for each remedy.
    """
    compared = _compared_images(data)
    expected = reference.probabilities(data.x_train[compared])
    plain = Artifact(RECIPES["int8"], file_format)
    large = min(LARGE_CALIBRATION, 10 * int(np.bincount(data.y_train, minlength=10).min() // 2))
    options = [
        plain,
        replace(plain, method=CalibrationMethod.PERCENTILE),
        *([replace(plain, calibration_samples=large)] if large > CALIBRATION_SAMPLES else []),
    ]
    recipes = [one for one in RECIPES.values() if one.name != "int8" and file_format in one.formats]
    options += [Artifact(recipe, file_format) for recipe in reversed(recipes)]
    with temporary_folder() as folder:
        places = {artifact: Path(folder, str(number), artifact.file_name) for number, artifact in enumerate(options)}
        trials = _try_all(places, converter, data, compared, expected, limits, log)
        if trials[0].problem is None:
            choices = _find_kept(model, places[plain], data, limits, log)
            options = [replace(plain, keep_float=kept) for kept in choices]
            places = {one: Path(folder, f"kept-{number}", one.file_name) for number, one in enumerate(options)}
            trials[1:1] = _try_all(places, converter, data, compared, expected, limits, log)[::-1]
    return trials


def pick(trials: Sequence[RemedyTrial]) -> Artifact | None:
    """The smallest file that passed; None if none did."""
    passed = [trial for trial in trials if trial.passed]
    return min(passed, key=lambda trial: trial.size_bytes or 0).artifact if passed else None


def trials_table(file_format: Format, trials: Sequence[RemedyTrial]) -> Table:
    """What was tried for a format, and the pick."""
    picked = pick(trials)
    lines = {}
    for trial in trials:
        if trial.problem is not None:
            cells = ["-", "-", "-", "-", trial.problem]
        else:
            kilobytes = f"{(trial.size_bytes or 0) / 1000:.1f}"
            figures = [percent(trial.top1), percent(trial.agreement), f"{trial.latency_ms:.3f}"]
            cells = [kilobytes, *figures, "passed" if trial.passed else "FAILED"]
        lines[_describe(trial.artifact)] = [*cells, "<- pick" if trial.artifact == picked else ""]
    heads = ["kB", "top-1", "agreement", "ms", "parity", ""]
    return Table(f"{file_format}, {COMPARED} training images", heads, lines)


def write_trials(path: Path, trials: Mapping[Format, Sequence[RemedyTrial]]) -> None:
    """Write remedies.json: every remedy of every format, and the pick."""
    formats = {}
    for file_format, tried in trials.items():
        picked = pick(tried)
        formats[file_format.value] = {
            "trials": [trial.to_dict() for trial in tried],
            "pick": None if picked is None else _options(picked),
        }
    write_json(path, {"schema": SCHEMA, "images": "training", "formats": formats})


def calibration_images(artifact: Artifact, data: Dataset) -> NDArray[np.uint8]:
    """The training images to calibrate a file on: uint8 (N, 28, 28)."""
    samples = artifact.calibration_samples or CALIBRATION_SAMPLES
    return data.x_train[calibration_indices(data.y_train, samples=samples, seed=CALIBRATION_SEED)]


def _compared_images(data: Dataset) -> NDArray[np.int64]:
    """Choose training images that no calibration sees, as far as there are enough."""
    seen = set()
    for samples in (CALIBRATION_SAMPLES, LARGE_CALIBRATION):
        try:
            seen |= set(calibration_indices(data.y_train, samples=samples, seed=CALIBRATION_SEED).tolist())
        except InputError:
            break
    free = np.setdiff1d(np.arange(len(data.y_train)), sorted(seen))
    return np.sort(np.random.default_rng(CALIBRATION_SEED).permutation(free)[:COMPARED])


def _try_all(
    places: Mapping[Artifact, Path],
    converter: Converter,
    data: Dataset,
    compared: NDArray[np.int64],
    expected: NDArray[np.float32],
    limits: Mapping[str, float],
    log: Callable[[str], None],
) -> list[RemedyTrial]:
    """Make and measure files, each at its place."""
    files = {}
    for artifact, path in places.items():
        log(f"trying {_describe(artifact)}")
        path.parent.mkdir()
        files[path] = Wanted(artifact, calibration_images(artifact, data))
    failed = converter.convert(files) if files else {}
    return [
        RemedyTrial(artifact=artifact, problem=failed[path])
        if path in failed
        else _measure(artifact, path, data, compared, expected, limits)
        for artifact, path in places.items()
    ]


def _measure(
    artifact: Artifact,
    path: Path,
    data: Dataset,
    compared: NDArray[np.int64],
    expected: NDArray[np.float32],
    limits: Mapping[str, float],
) -> RemedyTrial:
    try:
        classifier = load_classifier(path)
    except DigitEdgeError as exc:
        return RemedyTrial(artifact=artifact, problem=str(exc))
    crops = data.x_train[compared]
    parity = compare_outputs(expected, classifier.probabilities(crops), data.y_train[compared])
    times = []
    for crop in crops[:TIMED]:
        start = time.perf_counter()
        classifier.probabilities(crop[None])
        times.append(1000 * (time.perf_counter() - start))
    return RemedyTrial(
        artifact=artifact,
        size_bytes=path.stat().st_size,
        top1=parity.candidate_top1,
        agreement=parity.agreement,
        latency_ms=float(np.median(times)),
        violations=tuple(parity.violations(replace(artifact.recipe.tolerance, **limits))),
    )


def _find_kept(
    model: Convertible, path: Path, data: Dataset, limits: Mapping[str, float], log: Callable[[str], None]
) -> list[tuple[str, ...]]:
    """The choices of layers to keep in float: what the report on a file advises, and the most harmful one alone."""
    limit = replace(RECIPES["int8"].tolerance, **limits).agreement
    report = report_layers(float_file_of(model, Format(path.suffix[1:])), path, data, limit=limit)
    if report.note:
        log(report.note)
    choices: list[tuple[str, ...]] = [(one.name,) for one in report.layers[:1] if one.quantized_range is not None]
    if report.remedy is not None and report.remedy.keep_float:
        choices.insert(0, report.remedy.keep_float)
    return list(dict.fromkeys(choices))


def _describe(artifact: Artifact) -> str:
    parts = [artifact.recipe.name]
    if artifact.method is not CalibrationMethod.MINMAX:
        parts.append(artifact.method.value)
    if artifact.calibration_samples is not None:
        parts.append(f"{artifact.calibration_samples} images")
    if artifact.keep_float:
        parts.append(f"{', '.join(artifact.keep_float)} in float")
    return ", ".join(parts)


def _options(artifact: Artifact) -> dict[str, Any]:
    return {
        "recipe": artifact.recipe.name,
        "keep_float": list(artifact.keep_float),
        "calibration_method": artifact.method.value,
        "calibration_samples": artifact.calibration_samples,
    }
