"""`digitedge verify`."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from digitedge.cli.common import (
    DEFAULT_MODEL,
    DataOption,
    JsonOption,
    PreprocessOption,
    SignatureOption,
    check_model_file,
    choose_model,
    echo,
    parse_path,
    print_json,
    print_line,
    print_text,
)
from digitedge.cli.export import ToleranceOption, parse_limits
from digitedge.errors import DataError, DigitEdgeError, ModelError, ParityError, require

if TYPE_CHECKING:
    from digitedge.bundle.bundle import Bundle
    from digitedge.datasets.dataset import Dataset
    from digitedge.datasets.load import TrainingDigits
    from digitedge.exporting.layer_report import LayerReport
    from digitedge.exporting.verify import ParityResult

    _Reports = tuple[dict[str, Any], dict[str, LayerReport]]

SCHEMA = "digitedge.verify/1"


class _Shown(NamedTuple):
    """What is shown beyond the figures."""

    flipped: Path | None = None
    layers: bool = False
    layers_image: Path | None = None


def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(parser=parse_path, metavar="BUNDLE | REFERENCE CANDIDATE", help=DEFAULT_MODEL),
    ] = None,
    data: DataOption = None,
    preprocess: PreprocessOption = None,
    as_json: JsonOption = False,
    flipped: Annotated[
        Path | None, typer.Option(help="PNG file for the images whose prediction differs from the original's.")
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Say what each layer of the quantized files loses; also if a file fails.")
    ] = False,
    layers_image: Annotated[Path | None, typer.Option(help="PNG file for a plot of the layers.")] = None,
    golden: Annotated[
        bool, typer.Option("--golden", help="Check only the golden set: this device, not the accuracy.")
    ] = False,
    tolerance: ToleranceOption = None,
    _require_signature: SignatureOption = None,
) -> None:
    """Compare every file of a bundle with the original on the test images, or one model with another.

    Needs TensorFlow and the data. Without them the golden set of the bundle is checked, which proves that this device
    gives the same results as the one that exported it, but not the accuracy; --data, --flipped, --layers and
    --tolerance are refused then. The limits are those in the bundle's manifest, where a changed result is recorded;
    with --tolerance, or with other digits than those of the export, nothing is recorded.

    Examples:
      digitedge verify
      digitedge verify export/cnn-1 --json
      digitedge verify export/cnn-1 --layers
      digitedge verify --data my-digits
      digitedge verify runs/train/cnn-1/model.keras other.tflite
    """
    from digitedge.bundle.bundle import load_bundle
    from digitedge.utils.files import check_file_creatable

    limits = parse_limits(tolerance)
    paths = paths or []
    if len(paths) > 2:
        raise typer.BadParameter("expected one bundle, or a reference and a candidate", param_hint="BUNDLE")
    shown = _Shown(flipped, layers or layers_image is not None, layers_image)
    if golden and (len(paths) == 2 or data is not None or shown != _Shown() or limits):
        expected = "takes one bundle, and no --data, --flipped, --layers or --tolerance"
        raise typer.BadParameter(expected, param_hint="--golden")
    if preprocess is not None and len(paths) != 2:
        raise typer.BadParameter("needs a REFERENCE, whose pixels it names, and a CANDIDATE", param_hint="--preprocess")
    for option, image in (("--flipped", flipped), ("--layers-image", layers_image)):
        if image is not None:
            if image.suffix.lower() != ".png":
                raise typer.BadParameter(f"expected a .png file, got {image}", param_hint=option)
            check_file_creatable(image)
    if len(paths) == 2:
        report, reports = _verify_pair(paths[0], paths[1], data, preprocess, limits, shown)
    else:
        chosen = choose_model(paths[0] if paths else None, name_it="digitedge verify ")
        bundle = load_bundle(chosen, log=echo)
        needs_images = data is not None or shown != _Shown() or bool(limits)
        digits = None if golden else _load_data(bundle, data, required=needs_images)
        report, reports = (
            (_verify_golden(bundle), {})
            if digits is None
            else _verify_bundle(bundle, digits, limits, shown, other_data=data is not None)
        )
    if as_json:
        print_json(report)
    else:
        _print_report(report)
        for name, one in reports.items():
            print_text(one.text(name))
    if not report["passed"]:
        violations = [f"{name}: {line}" for name, file in report["files"].items() for line in file["violations"]]
        raise ParityError("; ".join(violations))


def _load_data(bundle: "Bundle", source: list[str] | None, *, required: bool) -> "TrainingDigits | None":
    """Load the given data, else that of the bundle; None, with a reason, if only the golden set can be checked.

    Raises:
        MissingExtraError: the data is required, but TensorFlow is not installed.
        DataError: the data is damaged, or required and not there.
    """
    from digitedge.datasets.load import SYNTHETIC, load_training_digits
    from digitedge.datasets.mnist import find_mnist

    if importlib.util.find_spec("tensorflow") is None:
        if required:
            require("tensorflow", extra="train")
        echo("TensorFlow is not installed, so the original cannot run: checking the golden set.")
        return None
    source = source or ([SYNTHETIC] if bundle.manifest.data.name == SYNTHETIC else None)
    try:
        return load_training_digits(source, log=echo)
    except DataError as exc:
        if source is not None or find_mnist() is not None:
            raise  # the data is there, but damaged
        if required:
            raise DataError(
                "--flipped, --layers and --tolerance need the images, and MNIST is not available. Give it with --data."
            ) from exc
        echo("MNIST is not available: checking the golden set.")
        return None


def _verify_bundle(
    bundle: "Bundle", digits: "TrainingDigits", limits: dict[str, float], shown: "_Shown", *, other_data: bool
) -> "_Reports":
    from digitedge.exporting.layer_report import report_bundle
    from digitedge.exporting.verify import record_results, verify_bundle

    data, subject = digits.joined(), str(bundle.path)
    is_same = data.sha256 == bundle.manifest.data.sha256
    if other_data and not is_same:
        data, subject = digits.for_evaluation(), f"{bundle.path} on {digits.name}"
        echo(f"{digits.name}: other digits than those of the export, so no result is recorded")
        _warn_of_few(len(data.y_test), bundle, limits)
    results = verify_bundle(bundle, data, limits, other_data=other_data)
    try:
        if is_same and not limits and record_results(bundle, results, data):
            echo(f"the result changed and is recorded in {bundle.path}")
    except DigitEdgeError as exc:
        echo(f"the result changed but cannot be recorded: {exc}")
    return _report(subject, results, data, shown, lambda wanted: report_bundle(bundle, data, wanted))


def _warn_of_few(images: int, bundle: "Bundle", limits: dict[str, float]) -> None:
    """Say so if one image with another prediction makes a file fail."""
    agreement = limits.get("agreement", min(entry.tolerance.agreement for entry in bundle.manifest.files.values()))
    if 1 - 1 / images < agreement:
        echo(
            f"{images:,} digits are few: a single other prediction is outside the limit of {agreement:.2%}. For other "
            "limits: --tolerance"
        )


def _verify_pair(
    reference: Path,
    candidate: Path,
    data: list[str] | None,
    preprocess: str | None,
    limits: dict[str, float],
    shown: "_Shown",
) -> "_Reports":
    from dataclasses import replace

    # Check the files before the data is loaded, which takes longer.
    for path in (reference, candidate):
        check_model_file(path)
    from digitedge.bundle.bundle import load_model
    from digitedge.datasets.dataset import search_digits
    from digitedge.datasets.load import load_training_digits
    from digitedge.exporting.converters import wrap_keras
    from digitedge.exporting.layer_report import LayerReport, report_pair
    from digitedge.exporting.verify import check_parity, tolerance_for
    from digitedge.metrics.classification import top1
    from digitedge.runtime.adapter import AdaptedClassifier
    from digitedge.runtime.adapter_search import MIN_ACCURACY
    from digitedge.runtime.keras import KerasNetwork
    from digitedge.utils.tables import percent

    digits = load_training_digits(data, log=echo).for_evaluation()
    first, second = (
        load_model(path, force=True, preprocess=asked, digits=lambda: search_digits(digits), log=echo).classifier
        for path, asked in ((reference, preprocess), (candidate, None))
    )
    expected = first.probabilities(digits.x_test)
    if not top1(expected, digits.y_test) >= MIN_ACCURACY:
        raise ModelError(
            f"{reference}: expected a reference that reads at least {percent(MIN_ACCURACY)} of the test images right, "
            f"got {percent(top1(expected, digits.y_test))}: agreement with it proves nothing. Name what it wants with "
            "--preprocess."
        )
    tolerance = replace(tolerance_for(candidate), **limits)
    results = check_parity(expected, {candidate.name: (second, tolerance)}, digits)
    original: Any = reference
    if isinstance(first, AdaptedClassifier) and isinstance(first.network, KerasNetwork):
        original = wrap_keras(first.network, first.adapter)

    def explain(wanted: dict[str, float]) -> dict[str, LayerReport]:
        return {name: report_pair(original, candidate, digits, limit=limit) for name, limit in wanted.items()}

    return _report(f"{candidate} against {reference}", results, digits, shown, explain)


def _report(
    subject: str,
    results: "dict[str, ParityResult]",
    digits: "Dataset",
    shown: "_Shown",
    explain: Callable[[dict[str, float]], "dict[str, LayerReport]"],
) -> "_Reports":
    from digitedge.exporting.layer_report import NOT_QUANTIZED, plot_layers
    from digitedge.exporting.verify import plot_flipped

    if shown.flipped is not None:
        plot_flipped(shown.flipped, results, digits)
        echo(f"flipped images: {shown.flipped}")
    # A file that fails is explained without being asked for.
    limits = {name: one.tolerance.agreement for name, one in results.items() if shown.layers or not one.passed}
    explained = explain(limits)
    layers = {n: one for n, one in explained.items() if one.note != NOT_QUANTIZED or not results[n].passed}
    if shown.layers_image is not None:
        plot_layers(shown.layers_image, layers)
        echo(f"layers: {shown.layers_image}")
    report = {
        "schema": SCHEMA,
        "subject": subject,
        "proves": "accuracy",
        "passed": all(result.passed for result in results.values()),
        "files": {
            name: {**result.to_dict(), **({"layers": layers[name].to_dict()} if name in layers else {})}
            for name, result in results.items()
        },
    }
    return report, layers


def _verify_golden(bundle: "Bundle") -> dict[str, Any]:
    from digitedge.bundle.golden import check_bundle, load_golden

    if failed := bundle.manifest.failed_check():
        echo(f"{bundle.path} failed {failed}, by the manifest")
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
    print_text(Table("file", [*heads, "parity"], lines).text())
    if device_only:
        print_line("This device gives the same results as the exporting one. That does not prove the accuracy.")
