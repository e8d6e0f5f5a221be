"""`digitedge verify`."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.bundle.recipe import InputRange
from digitedge.cli.common import DataOption, JsonOption, check_keras_file, choose_model, print_json, say
from digitedge.cli.export import AgreementOption, DifferenceOption, DropOption
from digitedge.errors import DataError, DigitEdgeError, ParityError

if TYPE_CHECKING:
    from digitedge.bundle.bundle import Bundle
    from digitedge.datasets.dataset import Dataset
    from digitedge.exporting.verify import Judgement

app = typer.Typer(add_completion=False)

SCHEMA = "digitedge.verify/1"


@app.command()
def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[BUNDLE | REFERENCE CANDIDATE]",
            help="Default: the newest bundle in ./export that is fit, else the released one.",
        ),
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="The same as BUNDLE: the folder of a bundle.")] = None,
    data: DataOption = None,
    input_range: Annotated[
        InputRange | None, typer.Option(help="Pixel values that a REFERENCE .keras file from elsewhere was trained on.")
    ] = None,
    as_json: JsonOption = False,
    flipped: Annotated[Path | None, typer.Option(help="PNG file for the images that a file answers otherwise.")] = None,
    golden: Annotated[
        bool, typer.Option("--golden", help="Check the golden set only: this device, not the accuracy.")
    ] = False,
    agreement: AgreementOption = None,
    top1_drop: DropOption = None,
    max_abs_diff: DifferenceOption = None,
) -> None:
    """Compare every file of a bundle with the Keras original on the test images, or one model with another.

    Needs TensorFlow and the data. Without them the golden set of the bundle is checked, which proves that this device
    computes as the exporting one did, but not the accuracy. A bundle is held to the limits in its manifest, and a
    verdict that changed is written there; with other limits, nothing is written.

    Examples:
      digitedge verify
      digitedge verify export/cnn-1 --json
      digitedge verify runs/train/cnn-1/model.keras other.tflite
    """
    from digitedge.bundle.bundle import load_bundle
    from digitedge.utils.files import check_file_place

    chosen = [*(paths or []), *([model] if model else [])]
    if len(chosen) > 2 or (model and paths):
        raise typer.BadParameter("expected one bundle, or a reference and a candidate", param_hint="paths")
    limits = {"agreement": agreement, "top1_drop": top1_drop, "max_abs_diff": max_abs_diff}
    if golden and (len(chosen) == 2 or any(option is not None for option in (data, flipped, *limits.values()))):
        raise typer.BadParameter(
            "takes one bundle, and no --data, limits or images of test images", param_hint="--golden"
        )
    if input_range is not None and not (len(chosen) == 2 and any(_is_keras(path) for path in chosen)):
        raise typer.BadParameter("goes with a REFERENCE .keras file and a CANDIDATE", param_hint="--input-range")
    if flipped is not None:
        check_file_place(flipped)
    if len(chosen) == 2:
        report = _verify_pair(chosen[0], chosen[1], data, input_range, limits, flipped)
    else:
        bundle = load_bundle(choose_model(chosen[0] if chosen else None))
        digits = None if golden else _test_data(bundle, data)
        report = _verify_golden(bundle) if digits is None else _verify_bundle(bundle, digits, limits, flipped)
    _print(report, as_json)
    if not report["fit"]:
        broken = [f"{name}: {line}" for name, file in report["files"].items() for line in file["violations"]]
        raise ParityError("; ".join(broken))


def _test_data(bundle: "Bundle", source: str | None) -> "Dataset | None":
    """The data set that the bundle was made from, or None and a line that says why only the golden set is left."""
    from digitedge.datasets.load import SYNTHETIC, load_dataset
    from digitedge.datasets.mnist import find_mnist

    if importlib.util.find_spec("tensorflow") is None:
        say("TensorFlow is not installed, so the Keras original cannot be asked: checking the golden set.")
        return None
    source = source or (SYNTHETIC if bundle.manifest.data.name == SYNTHETIC else None)
    try:
        return load_dataset(source)[1]
    except DataError as exc:
        if source is not None or find_mnist() is not None:
            raise  # data is there and is not what it should be
        say(f"no test images ({exc}): checking the golden set.")
        return None


def _verify_bundle(
    bundle: "Bundle", digits: "Dataset", limits: dict[str, float | None], flipped: Path | None
) -> dict[str, Any]:
    from digitedge.exporting.verify import judge_bundle, record_verdicts

    judgements = judge_bundle(bundle, digits, limits)
    own_limits = all(limit is None for limit in limits.values())
    try:
        if own_limits and record_verdicts(bundle, judgements, digits):
            say(f"the verdict changed; {bundle.path} now says so")
    except DigitEdgeError as exc:
        say(f"the verdict changed but cannot be recorded: {exc}")
    return _report(str(bundle.path), judgements, digits, flipped)


def _is_keras(path: Path) -> bool:
    return path.suffix == ".keras"


def _verify_pair(
    reference: Path,
    candidate: Path,
    data: str | None,
    input_range: InputRange | None,
    limits: dict[str, float | None],
    flipped: Path | None,
) -> dict[str, Any]:
    from digitedge.runtime import load_classifier

    # Whatever can be wrong with the files is better known before TensorFlow and the data are loaded.
    for path in filter(_is_keras, (reference, candidate)):
        check_keras_file(path)
    exported = {path: load_classifier(path) for path in (reference, candidate) if not _is_keras(path)}
    from digitedge.datasets.load import load_dataset
    from digitedge.exporting.keras_reference import load_original
    from digitedge.exporting.verify import judge, tolerance_for

    digits = load_dataset(data)[1]
    first, second = (
        exported[path] if path in exported else load_original(path, digits, input_range=input_range, log=say)
        for path in (reference, candidate)
    )
    tolerance = tolerance_for(candidate).with_limits(**limits)
    judgements = judge(first.probabilities(digits.x_test), {candidate.name: (second, tolerance)}, digits)
    return _report(f"{candidate} against {reference}", judgements, digits, flipped)


def _report(
    subject: str, judgements: "dict[str, Judgement]", digits: "Dataset", flipped: Path | None
) -> dict[str, Any]:
    from digitedge.exporting.verify import plot_flipped

    if flipped is not None:
        plot_flipped(flipped, judgements, digits)
        say(f"flipped images: {flipped}")
    return {
        "schema": SCHEMA,
        "subject": subject,
        "proves": "accuracy",
        "fit": all(judgement.fit for judgement in judgements.values()),
        "files": {name: judgement.to_json() for name, judgement in judgements.items()},
    }


def _verify_golden(bundle: "Bundle") -> dict[str, Any]:
    from digitedge.bundle.golden import check_bundle, load_golden

    if not bundle.manifest.fit:
        say(f"{bundle.path} is unfit by its manifest: at least one file does not answer like the original")
    checked = check_bundle(bundle, log=say)
    samples = len(load_golden(bundle.golden).crops)
    files = {name: {"samples": samples, "violations": lines, "fit": not lines} for name, lines in checked.items()}
    return {
        "schema": SCHEMA,
        "subject": str(bundle.path),
        "proves": "device",
        "fit": all(file["fit"] for file in files.values()),
        "files": files,
    }


def _print(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(report)
        return
    for name, file in report["files"].items():
        verdict = "fit" if file["fit"] else "UNFIT: " + "; ".join(file["violations"])
        if report["proves"] == "device":
            typer.echo(f"{name:24} {file['samples']} golden crops  {verdict}")
            continue
        difference = "not a number" if file["max_abs_diff"] is None else f"{file['max_abs_diff']:.1e}"
        typer.echo(
            f"{name:24} right {file['candidate_top1']:.2%} (original {file['reference_top1']:.2%})  "
            f"agreement {file['agreement']:.2%}  flipped {len(file['flipped'])} of {file['samples']}  "
            f"p {file['mcnemar_p']:.2f}  difference {difference}  {verdict}"
        )
    if report["proves"] == "device":
        typer.echo("This proves that this device computes as the exporting one did; it does not prove the accuracy.")
