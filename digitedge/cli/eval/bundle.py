"""`digitedge eval [BUNDLE]`: every file of a bundle on labelled digits, clean and damaged, and on what is no digit."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import DataOption, ForceOption, JsonOption, choose_model, print_json, say
from digitedge.errors import DataError, InputError, MissingExtraError
from digitedge.evaluation.report import Report

if TYPE_CHECKING:
    from digitedge.datasets.labelled_crops import DigitSet
    from digitedge.evaluation.classifier import Runnable

_PRINT = Path("-")
# How many digits are damaged, and how many scenes give non-digits, unless told: what a card tells of.
DAMAGED, SCENES = 2000, 200


def bundle(
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[BUNDLE]",
            help="A bundle, or a .tflite or .onnx file. Default: the newest fit bundle in ./export, else the released.",
        ),
    ] = None,
    data: DataOption = None,
    dataset: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|NPZ",
            help="Anyone's digits in place of MNIST: subfolders 0 to 9 of images, or an .npz with x and y.",
        ),
    ] = None,
    images: Annotated[
        int | None, typer.Option(min=1, help="Read so many, of every digit equally many. Default: all.")
    ] = None,
    damaged: Annotated[
        int, typer.Option(min=0, help="Damage so many of them, of every digit equally many; 0 leaves robustness out.")
    ] = DAMAGED,
    scenes: Annotated[
        int, typer.Option(min=0, help="Render so many scenes for non-digits; 0 leaves non-digits out.")
    ] = SCENES,
    worst: Annotated[
        Path | None, typer.Option(help="PNG or JPEG file for the wrong answers with the highest confidence.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown; - prints them.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the figures in the bundle: in its evaluation.json and its card.")
    ] = False,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Examine every file of a bundle: accuracy, robustness, calibration, and what is no digit.

    Robustness is the mean error over kinds of damage at three levels, apart for those that training knows relatives of
    (seen) and those that no training uses (unseen). Every file gets the same images.

    Examples:
      digitedge eval
      digitedge eval export/cnn-1 --worst worst.png --markdown report.md
      digitedge eval export/cnn-1 --keep
      digitedge eval --dataset my-digits --damaged 0
    """
    from digitedge.bundle.bundle import load_bundle
    from digitedge.bundle.model_card import CARD, EVALUATION, keep_evaluation
    from digitedge.datasets.non_digits import non_digits
    from digitedge.evaluation.classifier import examine, runnable
    from digitedge.evaluation.corruptions import DEGRADATIONS, LEVELS
    from digitedge.utils.files import check_file_place

    _check_options(data, dataset, worst, as_json=as_json, markdown=markdown)
    model = choose_model(bundle)
    if keep and (dataset is not None or images is not None or damaged < DAMAGED or scenes < SCENES):
        raise typer.BadParameter("leave out --dataset, --images, --damaged and --scenes", param_hint="--keep")
    if keep and not model.is_dir():
        raise typer.BadParameter(f"takes a bundle, got the file {model}", param_hint="--keep")
    if keep:
        check_file_place(model / EVALUATION)
    files = runnable(model, force=force)
    for name in files.passed_over:
        say(f"{name}: passed over, because its runtime is not installed")
    digits = _load_digits(data, dataset, images)
    if keep:
        _check_keep(model, files, digits)
    chosen = digits.subset(damaged)
    others = non_digits(scenes)
    ticks = len(DEGRADATIONS) * len(LEVELS) if len(chosen) else 1
    with typer.progressbar(length=ticks, label="examining", file=sys.stderr) as bar:
        examined = examine(files.classifiers, digits, damaged=chosen, non_digits=others, tick=lambda: bar.update(1))
    counts = {source: len(crops) for source, crops in others.items()}
    report = Report(model, files.bytes, files.passed_over, digits, chosen, counts, scenes, examined)
    _print(report, as_json=as_json, markdown=markdown)
    if keep:
        keep_evaluation(load_bundle(model), report.to_json())
        say(f"kept: {model / EVALUATION} and {model / CARD}")
    if worst is not None:
        _draw_worst(report, worst)


def _check_options(
    data: str | None, dataset: Path | None, worst: Path | None, *, as_json: bool, markdown: Path | None
) -> None:
    """Refuse what cannot be done now rather than after minutes."""
    from digitedge.utils.files import check_file_place
    from digitedge.utils.opencv import cv2

    if data is not None and dataset is not None:
        raise typer.BadParameter("takes the place of --data: give one of them", param_hint="--dataset")
    if as_json and markdown == _PRINT:
        raise typer.BadParameter("cannot print beside --json: give a file", param_hint="--markdown")
    if markdown is not None and markdown != _PRINT:
        check_file_place(markdown)
    if worst is None:
        return
    if not cv2.haveImageWriter(worst.name):
        raise InputError(f"--worst {worst}: expected a suffix such as .png or .jpg, got {worst.suffix!r}.")
    if dataset is not None and dataset.is_dir() and dataset.resolve() in worst.resolve().parents:
        raise InputError(f"--worst {worst} would lie among the digits of {dataset}. Choose another folder.")
    check_file_place(worst)


def _check_keep(model: Path, files: "Runnable", digits: "DigitSet") -> None:
    """Refuse to keep what is not of every file, or of other digits than those that the bundle was judged on."""
    from digitedge.bundle.bundle import load_bundle
    from digitedge.datasets.dataset import images_sha256

    if files.passed_over:
        raise MissingExtraError(
            f"--keep wants figures of every file, and {', '.join(files.passed_over)} cannot run here. "
            "Run: pip install 'digitedge[onnx]'"
        )
    if images_sha256(digits.crops) != load_bundle(model).manifest.judged_on.sha256:
        raise DataError(f"--keep wants the digits that {model} was judged on, got others. Give them with --data.")


def _load_digits(data: str | None, dataset: Path | None, images: int | None) -> "DigitSet":
    from digitedge.datasets.custom import load_foreign
    from digitedge.datasets.load import load_test_digits

    digits = load_foreign(dataset, log=say) if dataset is not None else load_test_digits(data)
    return digits if images is None else digits.subset(images)


def _print(report: Report, *, as_json: bool, markdown: Path | None) -> None:
    """Print JSON, Markdown or text; then write Markdown to its file, which may fail after all."""
    from digitedge.utils.files import write_text

    text = "\n".join([f"{report.title}.\n", *(table.markdown() for table in report.tables())])
    if as_json:
        print_json(report.to_json())
    elif markdown == _PRINT:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{report.title}\n")
        for table in report.tables():
            typer.echo(table.text())
    if markdown is not None and markdown != _PRINT:
        write_text(markdown, text)
        say(f"tables: {markdown}")


def _draw_worst(report: Report, path: Path) -> None:
    """Draw the worst mistakes of the file that runs by default."""
    from digitedge.evaluation.top_errors import draw_mistakes
    from digitedge.utils.images import write_image

    one = report.examined[report.preferred]
    if not one.mistakes:
        say(f"{report.preferred} makes no mistake, so there is no image of the worst")
        return
    shown = f"{len(one.mistakes)} of {sum(one.errors)} wrong answers, the surest first"
    title = f"{report.preferred} on {report.digits.name}: {shown}"
    write_image(path, draw_mistakes(one.mistakes, report.digits.crops, report.digits.names, title=title))
    say(f"worst: {path} ({shown})")
