"""`digitedge eval [BUNDLE]`: evaluate every file of a bundle on labelled digits, corrupted digits and non-digits."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import (
    MODEL_HELP,
    DatasetOption,
    ForceOption,
    JsonOption,
    PlotsOption,
    PreprocessOption,
    SignatureOption,
    check_image_file,
    choose_model,
    echo,
    parse_path,
    print_json,
    print_line,
    print_text,
)
from digitedge.errors import DataError, InputError, MissingExtraError, install_command

if TYPE_CHECKING:
    from digitedge.datasets.labelled_crops import LabelledCrops
    from digitedge.evaluation.report import EvaluationReport

_STDOUT = Path("-")
# Defaults, which --save requires: number of digits to corrupt, and of scenes that give non-digits.
CORRUPTED = 2000
SCENES = 200


def bundle(
    bundle: Annotated[Path | None, typer.Argument(parser=parse_path, metavar="BUNDLE", help=MODEL_HELP)] = None,
    dataset: DatasetOption = None,
    images: Annotated[int | None, typer.Option(min=1, help="Number of digits, class-balanced. Default: all.")] = None,
    corrupted: Annotated[
        int, typer.Option(min=0, help="Number of digits to corrupt, class-balanced; 0 skips robustness.")
    ] = CORRUPTED,
    scenes: Annotated[
        int, typer.Option(min=0, help="Number of rendered scenes that give non-digits; 0 skips them.")
    ] = SCENES,
    top_errors: Annotated[
        Path | None, typer.Option(help="Write an image (PNG or JPEG) of the most confident wrong predictions.")
    ] = None,
    plots: PlotsOption = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown; - prints them.")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Save the figures in the bundle: in its evaluation.json and model card.")
    ] = False,
    as_json: JsonOption = False,
    preprocess: PreprocessOption = None,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Evaluate every file of a bundle: accuracy, robustness, calibration, and rejection of non-digits.

    Robustness is the mean error over corruptions at three severities: seen
    ones, whose relatives training uses, and unseen ones, which no training
    uses. All files are evaluated on the same images.

    Examples:
      digitedge eval
      digitedge eval export/cnn-1 --top-errors errors.png --markdown report.md
      digitedge eval export/cnn-1 --save
      digitedge eval --dataset my-digits --corrupted 0 --plots plots
      digitedge eval --dataset mnist --dataset my-digits --dataset school.csv
      digitedge eval --images 1000 --corrupted 200 --scenes 20
    """
    from digitedge.bundle.bundle import is_bundle, load_bundle
    from digitedge.bundle.model_card import CARD, EVALUATION, save_evaluation
    from digitedge.datasets.load import OWN, load_own_non_digits, load_test_crops
    from digitedge.datasets.mnist import find_mnist, local_training_digits
    from digitedge.datasets.non_digits import make_non_digits
    from digitedge.evaluation.classifier import evaluate_classifiers, load_files
    from digitedge.evaluation.corruptions import CORRUPTIONS, SEVERITIES
    from digitedge.evaluation.report import EvaluationReport
    from digitedge.utils.files import check_file_creatable

    _check_options(dataset or [], top_errors, plots, as_json=as_json, markdown=markdown)
    model = choose_model(bundle, name_it="digitedge eval ")
    if save:
        if images is not None or corrupted < CORRUPTED or scenes < SCENES:
            raise typer.BadParameter("leave out --images, --corrupted and --scenes", param_hint="--save")
        if not is_bundle(model):
            raise typer.BadParameter(f"takes a bundle, got the file {model}", param_hint="--save")
        check_file_creatable(model / EVALUATION)
    files, skipped = load_files(model, force=force, preprocess=preprocess, digits=local_training_digits, log=echo)
    for name in skipped:
        echo(f"{name}: skipped, because its runtime is not installed")
    try:
        digits = load_test_crops(dataset, log=echo)
    except DataError as exc:
        if not save or dataset or find_mnist() is not None:
            raise
        raise DataError(
            f"--save needs the digits that {model} was verified on, and MNIST is not available. Give it with --dataset."
        ) from exc
    _warn_of_training_digits(model, digits)
    digits = digits if images is None else digits.subset(images)
    if save:
        _check_save(model, skipped, digits)
    to_corrupt = digits.subset(corrupted)
    own_non_digits = load_own_non_digits(dataset)
    non_digits = make_non_digits(scenes) | ({OWN: own_non_digits} if len(own_non_digits) else {})
    steps = len(CORRUPTIONS) * len(SEVERITIES) if len(to_corrupt) else 1
    with typer.progressbar(length=steps, label="evaluating", file=sys.stderr) as bar:
        evaluations = evaluate_classifiers(
            {file.path.name: file.classifier for file in files},
            digits,
            corrupted=to_corrupt,
            non_digits=non_digits,
            on_progress=lambda: bar.update(1),
        )
    counts = {source: len(crops) for source, crops in non_digits.items()}
    sizes = {file.path.name: file.path.stat().st_size for file in files}
    report = EvaluationReport(model, sizes, skipped, digits, to_corrupt, counts, scenes, evaluations)
    _print(report, as_json=as_json, markdown=markdown)
    if save:
        save_evaluation(load_bundle(model), report.to_dict())
        echo(f"saved: {model / EVALUATION} and {model / CARD}")
    if top_errors is not None:
        _draw_top_errors(report, top_errors)
    if plots is not None:
        _write_plots(report, plots)


def _check_options(
    dataset: list[str], top_errors: Path | None, plots: Path | None, *, as_json: bool, markdown: Path | None
) -> None:
    """Refuse impossible options before minutes of evaluation."""
    from digitedge.evaluation.plots import PLOTS
    from digitedge.utils.files import check_file_creatable

    if as_json and markdown == _STDOUT:
        raise typer.BadParameter("cannot print beside --json: give a file", param_hint="--markdown")
    if markdown is not None and markdown != _STDOUT:
        check_file_creatable(markdown)
    images = {} if top_errors is None else {top_errors: "--top-errors"}
    images |= {} if plots is None else {plots / name: "--plots" for name in PLOTS}
    for image, option in images.items():
        check_image_file(option, image)
        for folder in filter(Path.is_dir, map(Path, dataset)):
            if folder.resolve() in image.resolve().parents:
                raise InputError(f"{option} {image} would lie among the digits of {folder}. Choose another folder.")


def _warn_of_training_digits(model: Path, digits: "LabelledCrops") -> None:
    """Say so if the model was fine-tuned on these digits: it has seen most of them."""
    from digitedge.bundle.bundle import is_bundle, read_manifest
    from digitedge.datasets.own_digits import digits_sha256

    own = read_manifest(model).own if is_bundle(model) else None
    if own is not None and own.sha256 == digits_sha256(digits):
        echo(
            f"note: {model} was trained on {own.training} of these {len(digits)} digits, so it looks better than it "
            "is. Its model card has the figures on the others."
        )


def _check_save(model: Path, skipped: list[str], digits: "LabelledCrops") -> None:
    """Refuse to save figures that lack a file or are of other digits than the bundle was verified on."""
    from digitedge.bundle.bundle import load_bundle
    from digitedge.datasets.dataset import images_sha256

    if skipped:
        raise MissingExtraError(
            f"--save needs the figures of every file, and {', '.join(skipped)} cannot run here. "
            f"Run: {install_command('onnx')}"
        )
    if images_sha256(digits.crops) != load_bundle(model).manifest.verified_on.sha256:
        raise DataError(f"--save needs the digits that {model} was verified on, got others. Give them with --dataset.")


def _print(report: "EvaluationReport", *, as_json: bool, markdown: Path | None) -> None:
    """Print JSON, Markdown or text; write the Markdown file last, because that may fail."""
    from digitedge.evaluation.plots import threshold_advice
    from digitedge.utils.files import write_text

    text = "\n".join([f"{report.title}.\n", *(table.markdown() for table in report.tables())])
    if as_json:
        print_json(report.to_dict())
    elif markdown == _STDOUT:
        print_text(text.removesuffix("\n"))
    else:
        print_text(f"{report.title}\n")
        for table in report.tables():
            print_text(table.text())
        print_line(f"{report.preferred_file}: {threshold_advice(report.evaluations[report.preferred_file].curve)}")
    if markdown is not None and markdown != _STDOUT:
        write_text(markdown, text)
        echo(f"tables: {markdown}")


def _draw_top_errors(report: "EvaluationReport", path: Path) -> None:
    """Draw the top errors of the preferred file."""
    from digitedge.utils.images import write_image

    evaluation = report.evaluations[report.preferred_file]
    if not evaluation.top_errors:
        echo(f"{report.preferred_file} makes no errors, so there is no image of them")
        return
    write_image(path, report.draw_top_errors())
    echo(f"top errors: {path} ({evaluation.shown_errors})")


def _write_plots(report: "EvaluationReport", folder: Path) -> None:
    """Write the plots of the preferred file."""
    from digitedge.evaluation.plots import write_plots

    evaluation = report.evaluations[report.preferred_file]
    write_plots(
        folder,
        title=report.title_of_preferred,
        confusion=evaluation.confusion,
        curve=evaluation.curve,
        errors=report.draw_top_errors(),
    )
    echo(f"plots: {folder}")
