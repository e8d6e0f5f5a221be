"""`digitedge predict`: read images."""

import csv
import sys
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    AdaptationOption,
    ForceOption,
    JsonOption,
    ModelOption,
    PreprocessOption,
    SignatureOption,
    ThresholdOption,
    choose_model,
    echo,
    load_adapted,
    print_json,
    print_line,
    usage_error,
)
from digitedge.cli.report_error import report_error
from digitedge.cli.selection import (
    FlipOption,
    LengthOption,
    PatternOption,
    RoiOption,
    RotateOption,
    build_read_options,
)
from digitedge.errors import InputError, ModelError
from digitedge.utils.text import printable

if TYPE_CHECKING:
    from digitedge.reader import Reading


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES",
            show_default=False,
            help="Images, folders of images, or patterns such as 'scans/*.png'.",
        ),
    ],
    as_json: JsonOption = False,
    as_csv: Annotated[
        bool,
        typer.Option(
            "--csv",
            help="Print CSV: a line per row, with the cells of a table, else with its numbers; with several images, "
            "the path first.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also print the rejected candidates, and why they were rejected.")
    ] = False,
    annotate: Annotated[
        Path | None, typer.Option("--annotate", help="Folder for copies of the images with the readings drawn on them.")
    ] = None,
    stages: Annotated[
        Path | None,
        typer.Option("--stages", help="Folder for a slide per image that shows every stage of the pipeline."),
    ] = None,
    rotate: RotateOption = "auto",
    flip: FlipOption = None,
    roi: RoiOption = None,
    expect_length: LengthOption = None,
    pattern: PatternOption = None,
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    adaptation: AdaptationOption = True,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Read the digits in images: a line per image with its rows, or one JSON reading per line, or CSV.

    After three spaces and in brackets, a line says what else is to be known: how many candidates look like writing and
    were rejected, how many rows were left out, how the image was turned. Boxes always count in the image as it was
    given.

    Examples:
      digitedge predict desk.jpg
      digitedge predict scans/ 'photos/*.png' --annotate marked
      digitedge predict desk.jpg --stages slides
      digitedge predict --json desk.jpg
      digitedge predict --verbose desk.jpg
      digitedge predict --csv marks.jpg > marks.csv
      digitedge predict meters/ --roi 200,100,640,200 --expect-length 6
    """
    from digitedge.reader import Reader
    from digitedge.reader.stage_images import draw_stages
    from digitedge.utils.files import check_writable
    from digitedge.utils.images import find_images, read_image, write_image

    if as_csv and (as_json or verbose):
        raise typer.BadParameter("leave out --json and --verbose", param_hint="--csv")
    options = build_read_options(rotate, flip, roi, expect_length, pattern)
    with usage_error("IMAGES"):
        paths = find_images(images)
    loaded = load_adapted(choose_model(model), adapted=adaptation, force=force, preprocess=preprocess)
    reader = Reader(loaded, threshold=threshold)
    unread = 0
    taken: set[str] = set()
    if annotate is not None:
        endings = [path.suffix if path.suffix.lower() in {".jpg", ".jpeg"} else ".png" for path in paths]
        copies = _free_paths("--annotate", annotate, paths, endings, taken)
    if stages is not None:
        slides = _free_paths("--stages", stages, paths, ["-stages.png"] * len(paths), taken)
    for folder in filter(None, (annotate, stages)):
        check_writable(folder)
    for number, path in enumerate(paths):
        try:
            image = read_image(path)
            reading = options.read(reader, image, source=str(path))
        except ModelError:  # it fails for every image
            raise
        except Exception as exc:  # the other images are read, whatever is wrong with this one
            report_error(exc, about=path)
            unread += 1
            continue
        if as_csv:
            _print_csv(reading, with_path=len(paths) > 1)
        else:
            _print(reading, as_json=as_json, verbose=verbose)
        if annotate is not None:
            write_image(copies[number], reading.draw(image))
        if stages is not None and reading.trace is not None:
            write_image(slides[number], draw_stages(reading.trace, name=path.name))
    if unread:
        raise typer.Exit(1)


def _print(reading: "Reading", *, as_json: bool, verbose: bool) -> None:
    if as_json:
        print_json(reading.to_dict(verbose=verbose))
        return
    print_line(f"{reading.source}: {reading.summary}")
    if verbose:
        _print_rejected(reading)


def _print_csv(reading: "Reading", *, with_path: bool) -> None:
    """Print the cells of the tables and the numbers of the other rows; what was not read is told on stderr."""
    from digitedge.reader.tables import csv_lines

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([printable(reading.source)] * with_path + line for line in csv_lines(reading))
    sys.stdout.flush()
    if reading.summary != reading.text or not reading.rows:
        echo(f"{reading.source}: {reading.summary}")


def _print_rejected(reading: "Reading") -> None:
    from digitedge.reader.reading import format_confidence

    for decision in reading.trace.decisions if reading.trace else ():
        if not decision.kept:
            x, y, width, height = reading.given_box(decision.box)
            prediction, digit = decision.prediction, ""
            if prediction.crop is not None:  # it was classified
                digit = f", prediction {prediction.digit} ({format_confidence(prediction.confidence)})"
            print_line(f"  {width}x{height} at {x},{y}: {decision.reject_reason}{digit}")


def _free_paths(option: str, folder: Path, images: list[Path], endings: list[str], taken: set[str]) -> list[Path]:
    """Return a path in `folder` for each image: its name with an ending, numbered if that path is taken.

    `taken` holds casefolded paths and is extended: --annotate and --stages may share a folder.
    """
    target = str(folder.resolve())
    paths = []
    for image, ending in zip(images, endings, strict=True):
        names = (f"{image.stem}{number}{ending}" for number in chain([""], map("-{}".format, count(2))))
        name = next(name for name in names if f"{target}/{name}".casefold() not in taken)
        taken.add(f"{target}/{name}".casefold())
        paths.append(folder / name)
    originals = {image.resolve() for image in images}
    for path in paths:
        if path.resolve() in originals:
            raise InputError(f"{option} {folder} would overwrite the image {path}. Choose another folder.")
    return paths
