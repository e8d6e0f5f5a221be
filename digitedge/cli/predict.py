"""`digitedge predict`: read images and documents."""

import csv
import os
import sys
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import (
    LEAST_CONFIDENCE,
    MAX_NAME_BYTES,
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
from digitedge.utils.files import check_writable
from digitedge.utils.text import printable

if TYPE_CHECKING:
    from digitedge.documents import Page
    from digitedge.reader import Reading


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGES",
            show_default=False,
            help="Images, PDF, TIFF or HEIC files, zip or tar archives; folders of them, patterns such as "
            "'scans/*.png', addresses such as s3://bucket/a.pdf; - for a list on standard input.",
        ),
    ],
    as_json: JsonOption = False,
    as_csv: Annotated[
        bool,
        typer.Option(
            "--csv",
            help="Print CSV: a line per row, with the cells of a table, else with its numbers; with several images or "
            "pages, the path first.",
        ),
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Also print the rejected candidates, and why they were rejected.")
    ] = False,
    annotate: Annotated[
        Path | None, typer.Option("--annotate", help="Folder for copies of the pages with the readings drawn on them.")
    ] = None,
    stages: Annotated[
        Path | None,
        typer.Option("--stages", help="Folder for a slide per page that shows every stage of the pipeline."),
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
    """Read the digits in images and documents: a line per page with its rows, or one JSON reading per line, or CSV.

    After three spaces and in brackets, a line says what else is to be known: how many candidates look like writing and
    were rejected, how many rows were left out, how the page was turned. Boxes always count in the page as it was
    given. A page that cannot be read is an error on standard error, and the others are read.

    Examples:
      digitedge predict desk.jpg
      digitedge predict scans/ 'photos/*.png' --annotate marked
      digitedge predict minutes.pdf archive.zip --json
      find . -name '*.tif' -print0 | digitedge predict -
      digitedge predict desk.jpg --stages slides
      digitedge predict --verbose desk.jpg
      digitedge predict --csv marks.jpg > marks.csv
      digitedge predict meters/ --roi 200,100,640,200 --expect-length 6
    """
    from digitedge.documents.listing import find_documents
    from digitedge.reader import Reader
    from digitedge.reader.stage_images import draw_stages
    from digitedge.utils.images import write_image
    from digitedge.utils.quiet import quiet_libraries

    if as_csv and (as_json or verbose):
        raise typer.BadParameter("leave out --json and --verbose", param_hint="--csv")
    options = build_read_options(rotate, flip, roi, expect_length, pattern)
    with usage_error("IMAGES"):
        documents = find_documents(images)
    loaded = load_adapted(choose_model(model), adapted=adaptation, force=force, preprocess=preprocess)
    reader = Reader(loaded, threshold=threshold)
    taken: set[str] = set()
    copies = annotate and _PageFiles("--annotate", annotate, documents, None, taken)
    slides = stages and _PageFiles("--stages", stages, documents, "-stages.png", taken)
    with_name = as_csv and _are_many(documents)
    unread = 0
    for page in _read_all(documents):
        copy, slide = copies and copies.path_of(page), slides and slides.path_of(page)
        try:
            with quiet_libraries():  # libjpeg prints "Corrupt JPEG data"
                image = page.load()
            reading = options.read(reader, image, source=page.source, page=page.number)
        except ModelError:  # it fails for every page
            raise
        except Exception as exc:  # the other pages are read, whatever is wrong with this one
            report_error(exc, about=page.name)
            unread += 1
            continue
        if as_csv:
            _print_csv(reading, page.name, with_name=with_name)
        else:
            _print(reading, page.name, as_json=as_json, verbose=verbose)
        if copy:
            write_image(copy, reading.draw(image))
        if slide and reading.trace is not None:
            write_image(slide, draw_stages(reading.trace, name=PurePath(page.name).name))
    if unread:
        raise typer.Exit(1)


def _read_all(documents: list[str]) -> "Iterator[Page]":
    from digitedge.documents import read_pages

    for document in documents:
        yield from read_pages(document)


def _are_many(documents: list[str]) -> bool:
    """Whether there may be several pages. A pipe can be read once, so it is not counted."""
    from digitedge.documents import read_pages
    from digitedge.utils.images import is_shell_pipe

    if len(documents) > 1:
        return True
    return any(len(list(read_pages(one, stop=2))) > 1 for one in documents if not is_shell_pipe(one))


def _print(reading: "Reading", name: str, *, as_json: bool, verbose: bool) -> None:
    if as_json:
        print_json(reading.to_dict(verbose=verbose))
        return
    print_line(f"{name}: {reading.summary}")
    if verbose:
        _print_rejected(reading)


def _print_csv(reading: "Reading", name: str, *, with_name: bool) -> None:
    """Print the cells of the tables and the numbers of the other rows; what was not read is told on stderr."""
    from digitedge.reader.tables import csv_lines

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([printable(name)] * with_name + line for line in csv_lines(reading))
    sys.stdout.flush()
    if reading.summary != reading.text or not reading.rows:
        echo(f"{name}: {reading.summary}")


def _print_rejected(reading: "Reading") -> None:
    from digitedge.reader.reading import format_confidence

    for decision in reading.trace.decisions if reading.trace else ():
        if not decision.kept:
            x, y, width, height = reading.given_box(decision.box)
            prediction, digit = decision.prediction, ""
            if prediction.crop is not None:  # it was classified
                digit = f", prediction {prediction.digit} ({format_confidence(prediction.confidence)})"
            print_line(f"  {width}x{height} at {x},{y}: {decision.reject_reason}{digit}")


class _PageFiles:
    """Names of the files of --annotate or --stages: each page has one of its own, and no document is overwritten.

    Args:
        option: its name.
        folder: where the files go; it is made.
        documents: what is read.
        ending: of the files; None for .png, or .jpg as that of the document.
        taken: names that are taken, in lower case; it is extended, because both options may share a folder.

    Raises:
        InputError: the file of an image would overwrite it or another one.
        DigitEdgeError: the folder cannot be written to.
    """

    def __init__(self, option: str, folder: Path, documents: list[str], ending: str | None, taken: set[str]) -> None:
        self._folder, self._ending, self._taken = folder, ending, taken
        self._originals = {os.path.realpath(document) for document in documents}
        for document in documents:
            path = folder / self._name(document, "")
            if os.path.realpath(path) in self._originals:
                raise InputError(f"{option} {folder} would overwrite the image {path}. Choose another folder.")
        check_writable(folder)

    def path_of(self, page: "Page") -> Path:
        """A path for a page: the name of its document, with its number, and another number if that path is taken."""
        number = "" if page.number is None else f"-{page.number}"
        names = (self._name(page.source, number + more) for more in chain([""], map("-{}".format, count(2))))
        path = next(path for name in names if self._is_free(path := self._folder / name))
        self._taken.add(os.path.realpath(path).casefold())
        return path

    def _is_free(self, path: Path) -> bool:
        target = os.path.realpath(path)
        return target.casefold() not in self._taken and target not in self._originals

    def _name(self, source: str, number: str) -> str:
        plain = PurePath(source)
        ending = self._ending or (plain.suffix if plain.suffix.lower() in {".jpg", ".jpeg"} else ".png")
        stem = os.fsdecode(os.fsencode(plain.stem)[:MAX_NAME_BYTES])  # a member of an archive may have any name
        return f"{stem}{number}{ending}"
