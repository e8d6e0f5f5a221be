"""`digitedge eval photos` and `digitedge eval scenes`: evaluate the reader on images with ground truth."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    ForceOption,
    JsonOption,
    ModelOption,
    PlotsOption,
    PreprocessOption,
    SignatureOption,
    ThresholdOption,
    check_image_file,
    choose_model,
    echo,
    load_chosen,
    print_json,
    print_line,
    print_text,
)
from digitedge.datasets.splits import Half, half_of
from digitedge.errors import DataError, InputError
from digitedge.utils.tables import Table

if TYPE_CHECKING:
    from digitedge.evaluation.contact_sheet import ContactSheet
    from digitedge.evaluation.reader import FrameResult, LabelledFrame, ReaderEvaluation
    from digitedge.metrics.detection import DetectionScore

SheetOption = Annotated[
    Path | None, typer.Option("--sheet", help="Write a contact sheet (PNG or JPEG) of the errors, worst images first.")
]
PerImageOption = Annotated[bool, typer.Option("--per-image", help="Add a line for every image, worst first.")]

ERROR_HEADS = ["digits", "false neg.", "misclassified", "false pos.", "F1"]


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of both commands."""

    model: Path | None
    preprocess: str | None
    threshold: float
    force: bool
    sheet: Path | None
    plots: Path | None
    as_json: bool
    per_image: bool


def photos(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="A folder of images with their labels.json.")
    ],
    half: Annotated[
        Half | None, typer.Option(help="Only one half of the writers: tune on the first, report the second.")
    ] = None,
    per_image: PerImageOption = False,
    sheet: SheetOption = None,
    plots: PlotsOption = None,
    as_json: JsonOption = False,
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Evaluate the reader on your labelled photographs: errors by difficulty, and false positives without digits.

    labels.json lists the images: "file", "kind" (photo, scan or negative),
    "rows", and "digits" with "label" and "box"; of a PDF or TIFF also "page".

    Examples:
      digitedge eval photos my-photos --plots plots
      digitedge eval photos my-photos --half first --per-image
    """
    from digitedge.datasets.annotations import load_annotations
    from digitedge.evaluation.reader import photo_frames

    labelled = load_annotations(folder)
    images = [image for image in labelled if half in (None, half_of(image.group))]
    if not images:
        raise DataError(f"{folder}: expected several writers, got none in the {half} half. Leave out --half.")
    photographs = {image.path.resolve() for image in labelled}
    for option, path in _image_files(sheet, plots):
        if path.resolve() in photographs:
            raise InputError(f"{option} {path} would overwrite that image. Choose another place.")
    writers = len({image.group for image in images})
    about: dict[str, Any] = {"schema": "digitedge.eval-photos/1", "folder": str(folder), "half": half}
    about |= {"images": len(images), "writers": writers}
    title = f"{folder}{f', {half} half' if half else ''}: {len(images)} images by {writers} writers"
    options = _Options(model, preprocess, threshold, force, sheet, plots, as_json, per_image)
    _evaluate(photo_frames(images), about, title, options)


def scenes(
    images: Annotated[int, typer.Option(min=1, help="Number of scenes.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the first scene; the others count up from it.")] = 0,
    documents: Annotated[
        bool, typer.Option("--documents", help="Render documents instead: tables, forms, bills, exercises and more.")
    ] = False,
    per_image: PerImageOption = False,
    sheet: SheetOption = None,
    plots: PlotsOption = None,
    as_json: JsonOption = False,
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Evaluate the reader on rendered scenes, easy to hard: the figures of `eval photos`, without data of your own.

    Each seed renders one image whose digits are known. About 30 % of the
    images have no digits: whatever is read there is a false positive.
    Half of the documents are of types that no training has seen.

    Examples:
      digitedge eval scenes --sheet errors.png
      digitedge eval scenes --documents
      digitedge eval scenes --images 300 --seed 1000 --json
    """
    from digitedge.evaluation.reader import document_frames, scene_frames

    seeds = range(seed, seed + images)
    title = f"rendered {'documents' if documents else 'scenes'}, seeds {seeds[0]} to {seeds[-1]}: {images} images"
    options = _Options(model, preprocess, threshold, force, sheet, plots, as_json, per_image)
    about = {"schema": "digitedge.eval-scenes/1", "seed": seed, "images": images, "documents": documents}
    _evaluate(document_frames(seeds) if documents else scene_frames(seeds), about, title, options)


def _evaluate(frames: "Iterable[LabelledFrame]", about: dict[str, Any], title: str, options: _Options) -> None:
    """Evaluate all frames, print the figures as JSON or tables, and write the contact sheet."""
    from digitedge.evaluation.contact_sheet import ContactSheet
    from digitedge.evaluation.plots import write_plots
    from digitedge.evaluation.reader import evaluate_reader
    from digitedge.reader import Reader

    for option, path in _image_files(options.sheet, options.plots):
        check_image_file(option, path)
    sheet = ContactSheet() if options.sheet or options.plots else None
    model = choose_model(options.model)
    loaded = load_chosen(model, force=options.force, preprocess=options.preprocess)
    reader = Reader(loaded, threshold=options.threshold)
    with typer.progressbar(frames, length=about["images"], label="reading", file=sys.stderr) as watched:
        evaluation = evaluate_reader(reader, watched, sheet=sheet)
    if options.as_json:
        print_json(about | {"model": str(model), "threshold": reader.threshold} | evaluation.to_dict())
    else:
        print_text(f"{title}\n")
        _print_tables(evaluation, per_image=options.per_image)
    if options.sheet and sheet:
        _write_sheet(sheet, options.sheet, title)
    if options.plots and sheet:
        curve, errors = evaluation.curve, sheet.draw(title)
        write_plots(options.plots, title=title, confusion=evaluation.confusion, curve=curve, errors=errors)
        echo(f"plots: {options.plots}")
    elif evaluation.total.errors and not options.sheet:
        echo("next: --plots DIR shows the errors")


def _image_files(sheet: Path | None, plots: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield every image that is to be written, after the option that asks for it."""
    from digitedge.evaluation.plots import PLOTS

    if sheet is not None:
        yield "--sheet", sheet
    if plots is not None:
        yield from (("--plots", plots / name) for name in PLOTS)


def _write_sheet(sheet: "ContactSheet", path: Path, title: str) -> None:
    from digitedge.utils.images import write_image

    if not sheet.errors:
        echo("no errors, so there is no contact sheet")
        return
    write_image(path, sheet.draw(title))
    echo(f"contact sheet: {path} ({sheet.shown} of {sheet.errors} errors)")


def _print_tables(evaluation: "ReaderEvaluation", *, per_image: bool) -> None:
    """Print the figures by difficulty, by scene type if known, of negatives, and of every image."""
    from digitedge.evaluation.plots import threshold_advice
    from digitedge.evaluation.reader import ALL, WITH_DIGITS

    heads = ["images", *ERROR_HEADS, "mean F1", "F1 in order", "rows exact"]
    by_difficulty = evaluation.by_difficulty if evaluation.total.frames else {}
    for corner, scores in (("difficulty", by_difficulty), ("scene type", evaluation.by_scene_type)):
        if scores:
            lines = {WITH_DIGITS if name == ALL else name: _cells(score) for name, score in scores.items()}
            print_text(Table(corner, heads, lines).text())
    if evaluation.negatives:
        lines = {
            name: [str(score.negatives), str(score.negative_detections), f"{score.false_positives_per_negative:.2f}"]
            for name, score in evaluation.negatives.items()
        }
        print_text(Table("no digits", ["images", "false pos.", "false pos. per image"], lines).text())
    if per_image:
        lines = {result.name: _image_cells(result) for result in evaluation.worst_first}
        print_text(Table("image", ["difficulty", *ERROR_HEADS, "rows"], lines).text())
    print_line(threshold_advice(evaluation.curve))
    print_line(f"reading an image took {evaluation.median_ms:.1f} ms (median)")


def _cells(score: "DetectionScore") -> list[str]:
    in_order = [f"{score.reading_order_f1:.4f}", f"{score.rows_exact:.4f}"] if score.ordered_frames else ["-", "-"]
    counts = [score.frames, score.digits, score.false_negatives, score.misclassified, score.false_positives]
    return [*map(str, counts), f"{score.f1:.4f}", f"{score.mean_f1:.4f}", *in_order]


def _image_cells(result: "FrameResult") -> list[str]:
    score = result.score
    false_positives = score.false_positives + score.negative_detections
    counts = [score.digits, score.false_negatives, score.misclassified, false_positives]
    rows = {True: "correct", False: "wrong", None: "-"}[result.rows_correct]
    return [result.difficulty or "-", *map(str, counts), f"{result.f1:.3f}", rows]
