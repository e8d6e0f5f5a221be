"""`digitedge verify`."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.bundle.recipe import InputRange
from digitedge.cli.common import (
    DEFAULT_MODEL,
    DataOption,
    JsonOption,
    check_keras_file,
    choose_model,
    echo,
    parse_path,
    print_json,
)
from digitedge.cli.export import ToleranceOption, parse_limits
from digitedge.errors import DataError, DigitEdgeError, ParityError, require

if TYPE_CHECKING:
    from digitedge.bundle.bundle import Bundle
    from digitedge.datasets.dataset import Dataset
    from digitedge.exporting.verify import ParityResult

SCHEMA = "digitedge.verify/1"


def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(parser=parse_path, metavar="BUNDLE | REFERENCE CANDIDATE", help=DEFAULT_MODEL),
    ] = None,
    data: DataOption = None,
    input_range: Annotated[
        InputRange | None, typer.Option(help="Pixel values that a foreign REFERENCE .keras file was trained on.")
    ] = None,
    as_json: JsonOption = False,
    flipped: Annotated[
        Path | None, typer.Option(help="PNG file for the images whose prediction differs from the original's.")
    ] = None,
    golden: Annotated[
        bool, typer.Option("--golden", help="Check only the golden set: this device, not the accuracy.")
    ] = False,
    tolerance: ToleranceOption = None,
) -> None:
    """Compare every file of a bundle with the Keras original on the test images, or one model with another.

    Needs TensorFlow and the data. Without them the golden set of the bundle is checked, which proves that this device
    gives the same results as the one that exported it, but not the accuracy; --data, --flipped and --tolerance are
    refused then. The limits are those in the bundle's manifest, where a changed result is recorded; with --tolerance
    nothing is recorded.

    Examples:
      digitedge verify
      digitedge verify export/cnn-1 --json
      digitedge verify runs/train/cnn-1/model.keras other.tflite
    """
    from digitedge.bundle.bundle import load_bundle
    from digitedge.utils.files import check_file_creatable

    limits = parse_limits(tolerance)
    paths = paths or []
    if len(paths) > 2:
        raise typer.BadParameter("expected one bundle, or a reference and a candidate", param_hint="BUNDLE")
    if golden and (len(paths) == 2 or data is not None or flipped is not None or limits):
        raise typer.BadParameter("takes one bundle, and no --data, --flipped or --tolerance", param_hint="--golden")
    if input_range is not None and not (len(paths) == 2 and any(map(_is_keras, paths))):
        raise typer.BadParameter("needs a REFERENCE .keras file and a CANDIDATE", param_hint="--input-range")
    if flipped is not None:
        if flipped.suffix.lower() != ".png":
            raise typer.BadParameter(f"expected a .png file, got {flipped}", param_hint="--flipped")
        check_file_creatable(flipped)
    if len(paths) == 2:
        report = _verify_pair(paths[0], paths[1], data, input_range, limits, flipped)
    else:
        bundle = load_bundle(choose_model(paths[0] if paths else None))
        needs_images = data is not None or flipped is not None or bool(limits)
        digits = None if golden else _load_data(bundle, data, required=needs_images)
        report = _verify_golden(bundle) if digits is None else _verify_bundle(bundle, digits, limits, flipped)
    if as_json:
        print_json(report)
    else:
        _print_report(report)
    if not report["passed"]:
        violations = [f"{name}: {line}" for name, file in report["files"].items() for line in file["violations"]]
        raise ParityError("; ".join(violations))


def _load_data(bundle: "Bundle", source: str | None, *, required: bool) -> "Dataset | None":
    """Load the data that the bundle was made from; None, with a reason, if only the golden set can be checked.

    Raises:
        MissingExtraError: the data is required, but TensorFlow is not installed.
        DataError: the data is damaged, or required and not there.
    """
    from digitedge.datasets.load import SYNTHETIC, load_dataset
    from digitedge.datasets.mnist import find_mnist

    if importlib.util.find_spec("tensorflow") is None:
        if required:
            require("tensorflow", extra="train")
        echo("TensorFlow is not installed, so the Keras original cannot run: checking the golden set.")
        return None
    source = source or (SYNTHETIC if bundle.manifest.data.name == SYNTHETIC else None)
    try:
        return load_dataset(source)[1]
    except DataError as exc:
        if source is not None or find_mnist() is not None:
            raise  # the data is there, but damaged
        if required:
            raise DataError(
                "--flipped and --tolerance need the test images, and MNIST is not available. Give it with --data."
            ) from exc
        echo("MNIST is not available: checking the golden set.")
        return None


def _verify_bundle(
    bundle: "Bundle", digits: "Dataset", limits: dict[str, float], flipped: Path | None
) -> dict[str, Any]:
    from digitedge.exporting.verify import record_results, verify_bundle

    results = verify_bundle(bundle, digits, limits)
    try:
        if not limits and record_results(bundle, results, digits):
            echo(f"the result changed and is recorded in {bundle.path}")
    except DigitEdgeError as exc:
        echo(f"the result changed but cannot be recorded: {exc}")
    return _report(str(bundle.path), results, digits, flipped)


def _is_keras(path: Path) -> bool:
    return path.suffix == ".keras"


def _verify_pair(
    reference: Path,
    candidate: Path,
    data: str | None,
    input_range: InputRange | None,
    limits: dict[str, float],
    flipped: Path | None,
) -> dict[str, Any]:
    from dataclasses import replace

    from digitedge.runtime import load_classifier

    # Check the files before TensorFlow and the data are loaded, which takes longer.
    for path in filter(_is_keras, (reference, candidate)):
        check_keras_file(path)
    exported = {path: load_classifier(path) for path in (reference, candidate) if not _is_keras(path)}
    from digitedge.datasets.load import load_dataset
    from digitedge.exporting.keras_reference import load_reference
    from digitedge.exporting.verify import check_parity, tolerance_for

    digits = load_dataset(data)[1]
    first, second = (
        exported[path] if path in exported else load_reference(path, digits, input_range=input_range, log=echo)
        for path in (reference, candidate)
    )
    tolerance = replace(tolerance_for(candidate), **limits)
    results = check_parity(first.probabilities(digits.x_test), {candidate.name: (second, tolerance)}, digits)
    return _report(f"{candidate} against {reference}", results, digits, flipped)


def _report(
    subject: str, results: "dict[str, ParityResult]", digits: "Dataset", flipped: Path | None
) -> dict[str, Any]:
    from digitedge.exporting.verify import plot_flipped

    if flipped is not None:
        plot_flipped(flipped, results, digits)
        echo(f"flipped images: {flipped}")
    return {
        "schema": SCHEMA,
        "subject": subject,
        "proves": "accuracy",
        "passed": all(result.passed for result in results.values()),
        "files": {name: result.to_dict() for name, result in results.items()},
    }


def _verify_golden(bundle: "Bundle") -> dict[str, Any]:
    from digitedge.bundle.golden import check_bundle, load_golden

    if not bundle.manifest.passed:
        echo(f"{bundle.path}: at least one file failed the parity check, by the manifest")
    checked = check_bundle(bundle, log=echo)
    samples = len(load_golden(bundle.golden).crops)
    return {
        "schema": SCHEMA,
        "subject": str(bundle.path),
        "proves": "device",
        "passed": not any(checked.values()),
        "files": {
            name: {"samples": samples, "violations": lines, "passed": not lines} for name, lines in checked.items()
        },
    }


def _print_report(report: dict[str, Any]) -> None:
    from digitedge.utils.tables import Table, percent

    device_only = report["proves"] == "device"
    heads = ["golden crops" if device_only else "images"]
    if not device_only:
        heads += ["top-1", "original", "agreement", "flipped", "p", "difference"]
    lines = {}
    for name, file in report["files"].items():
        cells = [str(file["samples"])]
        if not device_only:
            cells += [percent(file[key]) for key in ("candidate_top1", "reference_top1", "agreement")]
            difference = "not a number" if file["max_abs_diff"] is None else f"{file['max_abs_diff']:.1e}"
            cells += [str(len(file["flipped"])), f"{file['mcnemar_p']:.2f}", difference]
        lines[name] = [*cells, "passed" if file["passed"] else "FAILED"]  # why: the error, which follows
    typer.echo(Table("file", [*heads, "parity"], lines).text())
    if device_only:
        typer.echo("This device gives the same results as the exporting one. That does not prove the accuracy.")
