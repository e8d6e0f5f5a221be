"""`digitedge eval photos` and `digitedge eval scenes`: how well images are read whose truth is known."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    ForceOption,
    JsonOption,
    ModelOption,
    ThresholdOption,
    choose_model,
    print_json,
    say,
)
from digitedge.datasets.splits import Half, half_of
from digitedge.errors import DataError, InputError
from digitedge.utils.tables import Table

if TYPE_CHECKING:
    from digitedge.evaluation.contact_sheet import ContactSheet
    from digitedge.evaluation.reader import Case, CaseResult, Evaluation
    from digitedge.metrics.detection import Score

SheetOption = Annotated[
    Path | None,
    typer.Option("--sheet", help="PNG or JPEG file for a contact sheet of the errors, worst images first."),
]
PerImageOption = Annotated[bool, typer.Option("--per-image", help="Add a line for every image, worst first.")]


@dataclass(frozen=True, slots=True)
class _Wishes:
    """The options that both commands have."""

    model: Path | None
    threshold: float
    force: bool
    sheet: Path | None
    as_json: bool
    per_image: bool


def photos(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", show_default=False, help="A folder of images with their labels.json.")
    ],
    half: Annotated[
        Half | None,
        typer.Option(help="Only one half of the writers: choose on the first, report the second."),
    ] = None,
    per_image: PerImageOption = False,
    sheet: SheetOption = None,
    as_json: JsonOption = False,
    model: ModelOption = None,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
) -> None:
    """Read labelled photographs and say how well: by difficulty, and how much is invented where no digit is.

    Examples:
      digitedge eval photos my-photos --sheet errors.png
      digitedge eval photos my-photos --half first --per-image
    """
    from digitedge.datasets.annotations import load_labels
    from digitedge.evaluation.reader import photo_cases

    labelled = load_labels(folder)
    images = [image for image in labelled if half in (None, half_of(image.group))]
    if not images:
        raise DataError(f"{folder}: expected several writers, got none in the {half} half. Leave out --half.")
    if sheet is not None and sheet.resolve() in {image.path.resolve() for image in labelled}:
        raise InputError(f"--sheet {sheet} would overwrite that image. Choose another file.")
    writers = len({image.group for image in images})
    about = {"folder": str(folder), "half": half, "images": len(images), "writers": writers}
    title = f"{folder}{f', {half} half' if half else ''}: {len(images)} images by {writers} writers"
    wishes = _Wishes(model, threshold, force, sheet, as_json, per_image)
    _examine(photo_cases(images), {"schema": "digitedge.eval-photos/1", **about}, title, wishes)


def scenes(
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the first scene; the others count on from it.")] = 0,
    per_image: PerImageOption = False,
    sheet: SheetOption = None,
    as_json: JsonOption = False,
    model: ModelOption = None,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
) -> None:
    """Read rendered scenes and say how well: the same figures as for photographs, without any photograph.

    Examples:
      digitedge eval scenes --sheet errors.png
      digitedge eval scenes --count 300 --seed 1000 --json
    """
    from digitedge.evaluation.reader import scene_cases

    seeds = range(seed, seed + count)
    about = {"seed": seed, "images": count}
    title = f"rendered scenes, seeds {seeds[0]} to {seeds[-1]}: {count} images"
    wishes = _Wishes(model, threshold, force, sheet, as_json, per_image)
    _examine(scene_cases(seeds), {"schema": "digitedge.eval-scenes/1", **about}, title, wishes)


def _examine(cases: "Iterable[Case]", about: dict[str, Any], title: str, wishes: _Wishes) -> None:
    """Read all cases and print how well, as JSON or as tables; then write the contact sheet."""
    from digitedge.evaluation.reader import evaluate
    from digitedge.reader.reader import Reader

    sheet = _open_sheet(wishes.sheet)
    model = choose_model(wishes.model)
    reader = Reader(model, threshold=wishes.threshold, force=wishes.force)
    with typer.progressbar(cases, length=about["images"], label="reading", file=sys.stderr) as watched:
        evaluation = evaluate(reader, watched, sheet=sheet)
    if wishes.as_json:
        print_json(about | {"model": str(model), "threshold": reader.threshold} | evaluation.to_json())
    else:
        typer.echo(f"{title}\n")
        _print_tables(evaluation, per_image=wishes.per_image)
    if wishes.sheet and sheet:
        _write_sheet(sheet, wishes.sheet, title)
    elif evaluation.total.errors:
        say("next: --sheet errors.png shows the errors")


def _open_sheet(path: Path | None) -> "ContactSheet | None":
    """An empty contact sheet, if one is wanted and its file can be written: better known now than in the end."""
    from digitedge.evaluation.contact_sheet import ContactSheet
    from digitedge.utils.files import check_file_place
    from digitedge.utils.opencv import cv2

    if path is None:
        return None
    if not cv2.haveImageWriter(path.name):
        raise InputError(f"--sheet {path}: expected a suffix such as .png or .jpg, got {path.suffix!r}.")
    check_file_place(path)
    return ContactSheet()


def _write_sheet(sheet: "ContactSheet", path: Path, title: str) -> None:
    from digitedge.utils.images import write_image

    if not sheet.errors:
        say("no errors, so there is no contact sheet")
        return
    write_image(path, sheet.draw(title))
    say(f"contact sheet: {path} ({sheet.shown} of {sheet.errors} errors)")


def _print_tables(evaluation: "Evaluation", *, per_image: bool) -> None:
    """Print the figures by difficulty, by kind where there are kinds, those of negatives, and of every image."""
    heads = ["images", "digits", "missed", "wrong", "invented", "F1", "mean F1", "F1 in order", "rows exact"]
    if evaluation.total.frames:
        lines = {name: _cells(score) for name, score in evaluation.by_difficulty.items()}
        typer.echo(Table("difficulty", heads, lines).text())
    if evaluation.by_kind:
        lines = {name: _cells(score) for name, score in evaluation.by_kind.items()}
        typer.echo(Table("kind", heads, lines).text())
    if evaluation.negatives:
        lines = {
            name: [str(score.negatives), str(score.false), f"{score.false_per_negative:.2f}"]
            for name, score in evaluation.negatives.items()
        }
        typer.echo(Table("no digits", ["images", "false digits", "false digits an image"], lines).text())
    if per_image:
        heads = ["difficulty", "digits", "missed", "wrong", "invented", "F1", "rows"]
        lines = {case.name: _image_cells(case) for case in evaluation.worst_first}
        typer.echo(Table("image", heads, lines).text())
    typer.echo(f"reading an image took {evaluation.median_ms:.1f} ms (median)")


def _cells(score: "Score") -> list[str]:
    in_order = [f"{score.f1_in_order:.4f}", f"{score.rows_exact:.4f}"] if score.ordered else ["-", "-"]
    counts = [score.frames, score.true, score.missed, score.wrong, score.invented]
    return [*map(str, counts), f"{score.f1:.4f}", f"{score.mean_f1:.4f}", *in_order]


def _image_cells(case: "CaseResult") -> list[str]:
    score = case.score
    counts = [score.true, score.missed, score.wrong, score.invented + score.false]
    rows = {True: "right", False: "wrong", None: "-"}[case.rows_right]
    return [case.difficulty or "-", *map(str, counts), f"{case.f1:.3f}", rows]
