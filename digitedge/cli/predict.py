"""`digitedge predict`: read images."""

from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    ForceOption,
    JsonOption,
    ModelOption,
    ThresholdOption,
    choose_model,
    echo,
    print_json,
)
from digitedge.errors import CameraError, InputError

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
    model: ModelOption = None,
    threshold: ThresholdOption = LEAST_CONFIDENCE,
    force: ForceOption = False,
) -> None:
    """Read the digits in images: a line per image with its rows, or one JSON reading per line.

    Examples:
      digitedge predict desk.jpg
      digitedge predict scans/ 'photos/*.png' --annotate marked
      digitedge predict desk.jpg --stages slides
      digitedge predict --json desk.jpg
      digitedge predict --verbose desk.jpg
    """
    from digitedge.reader import Reader
    from digitedge.reader.stage_images import draw_stages
    from digitedge.utils.files import check_writable
    from digitedge.utils.images import find_images, read_image, write_image

    try:
        paths = find_images(images)
    except InputError as exc:
        raise typer.BadParameter(str(exc), param_hint="IMAGES") from exc
    reader = Reader(choose_model(model), threshold=threshold, force=force)
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
        except CameraError as exc:
            echo(f"error: {exc}")
            unread += 1
            continue
        reading = reader.read(image, source=str(path))
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
    print(f"{reading.source}: {reading.text}", flush=True)
    if verbose:
        _print_rejected(reading)


def _print_rejected(reading: "Reading") -> None:
    from digitedge.reader.reading import format_confidence

    for decision in reading.trace.decisions if reading.trace else ():
        if not decision.kept:
            x, y, width, height = decision.box
            prediction, digit = decision.prediction, ""
            if prediction.crop is not None:  # it was classified
                digit = f", prediction {prediction.digit} ({format_confidence(prediction.confidence)})"
            print(f"  {width}x{height} at {x},{y}: {decision.reject_reason}{digit}", flush=True)


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
