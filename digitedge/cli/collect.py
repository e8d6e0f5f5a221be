"""`digitedge collect`: a sheet of paper becomes labelled digits."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from digitedge.cli.common import (
    EXPORT_FOLDER,
    RUNS_FOLDER,
    ForceOption,
    ModelOption,
    PreprocessOption,
    SignatureOption,
    choose_model,
    echo,
    load_chosen,
    print_line,
    usage_error,
)
from digitedge.cli.report_error import report_error

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from digitedge.bundle.bundle import Model
    from digitedge.collecting import SheetReading

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def collect() -> None:
    """Collect digits of your own hand: print a sheet, fill it in, photograph it.

    Everything stays in the folder that you name; nothing is sent anywhere.

    Examples:
      digitedge collect sheet
      digitedge collect read photo.jpg --into digits --writer Ada
      digitedge collect forget Ada --from digits
    """


@app.command()
def sheet(
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="File to write, .pdf or .png. Default: digit-sheet-PAPER.pdf."),
    ] = None,
    paper: Annotated[Literal["a4", "letter"], typer.Option(help="Paper of the printer.")] = "a4",
    writer: Annotated[str, typer.Option(metavar="NAME", help="Name to print on it.", show_default=False)] = "",
) -> None:
    """Write a sheet to print: ten rows of cells, one row for each digit.

    Print it in any size, fill in as many cells as you like, and cross out with a large X what went wrong.

    Examples:
      digitedge collect sheet
      digitedge collect sheet --paper letter --output sheet.png
    """
    from digitedge.collecting import CELLS, Paper, write_sheet

    path = output or Path(f"digit-sheet-{paper}.pdf")
    with usage_error("--output or --writer"):
        write_sheet(path, paper=Paper(paper), writer=writer)
    print_line(f"sheet: {path} ({len(CELLS)} cells, {'A4' if paper == 'a4' else 'Letter'})")


@app.command()
def read(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTOS", show_default=False, help="Photographs or scans of filled sheets, or folders."),
    ],
    into: Annotated[
        Path, typer.Option("--into", metavar="FOLDER", help="Folder of the collection; it is made if it is missing.")
    ],
    writer: Annotated[
        str, typer.Option(metavar="NAME", help="Who filled in these sheets, so that the digits can be told apart.")
    ] = "",
    review: Annotated[
        bool, typer.Option("--review", help="Then open a page in the browser to see and correct the labels.")
    ] = False,
    model: ModelOption = None,
    preprocess: PreprocessOption = None,
    force: ForceOption = False,
    _require_signature: SignatureOption = None,
) -> None:
    """Read filled sheets: every digit is saved with its label, which is the row that it stands in.

    A line per photograph says how many cells are filled, and how many digits were saved. A photograph that was read
    before adds nothing. Doubtful cells, in which the model is sure of another digit, are listed and drawn on
    FOLDER/_doubtful.png.

    Examples:
      digitedge collect read photo.jpg --into digits
      digitedge collect read scans/ --into digits --writer Ada --review
    """
    from digitedge.collecting.doubtful import DOUBTFUL_FILE, arrange_tiles, describe, draw_tile
    from digitedge.datasets.collection import open_collection
    from digitedge.utils.files import check_writable
    from digitedge.utils.images import find_images, write_image

    with usage_error("PHOTOS"):
        paths = find_images(photos)
    check_writable(into)
    open_collection(into)  # a damaged one is said before all photographs are read
    loaded = load_chosen(choose_model(model), force=force, preprocess=preprocess)
    writer = writer.strip()
    if not writer:
        echo("note: --writer NAME says whose digits these are; the splits of training and `collect forget` use it.")
    tiles: list[NDArray[np.uint8]] = []
    count = 0
    for path, sheet in _read_photos(paths, loaded, into, writer):
        count += 1
        for one in sheet.doubtful:
            print_line(f"{path}: {describe(one)}")
            tiles.append(draw_tile(sheet, one, name=path.name))
    if tiles:
        write_image(into / DOUBTFUL_FILE, arrange_tiles(tiles))
        echo(f"doubtful cells: {into / DOUBTFUL_FILE}")
    if review and count:
        _review(into, loaded)
    if count < len(paths):
        raise typer.Exit(1)


@app.command()
def forget(
    writer: Annotated[str, typer.Argument(metavar="WRITER", help="Name, as it was given to --writer.")],
    folder: Annotated[Path, typer.Option("--from", metavar="FOLDER", help="Folder of the collection.")],
) -> None:
    """Remove the digits of a writer from a collection, and name the models that were trained on them.

    Examples:
      digitedge collect forget Ada --from digits
    """
    from digitedge.collecting.doubtful import DOUBTFUL_FILE
    from digitedge.collecting.forget import models_of_writer
    from digitedge.datasets.collection import forget_writer

    writer_id, count = forget_writer(folder, writer.strip())
    (folder / DOUBTFUL_FILE).unlink(missing_ok=True)  # it may show their digits
    print_line(f"{folder}: {count} images of {writer} removed")
    models = models_of_writer(writer_id, runs=RUNS_FOLDER, bundles=EXPORT_FOLDER)
    for path in models:
        print_line(f"trained on them: {path}")
    if models:
        echo("A network cannot forget: delete what is listed, and every copy of it, and train again without them.")
    else:
        echo(f"nothing in {RUNS_FOLDER} and {EXPORT_FOLDER} was trained on them. Copies elsewhere are not searched.")


def _read_photos(paths: list[Path], model: "Model", into: Path, writer: str) -> Iterator[tuple[Path, "SheetReading"]]:
    """Read and save sheets; what is wrong with one photograph is a line, and the others are read."""
    from digitedge.collecting import KnownSheets, read_sheet, save_digits
    from digitedge.datasets.collection import add_writer, name_writer, open_collection
    from digitedge.errors import ModelError
    from digitedge.utils.images import read_image

    known = KnownSheets(into)
    for path in paths:
        try:
            sheet = read_sheet(read_image(path), model.classifier)
        except ModelError:  # it fails for every photograph
            raise
        except Exception as exc:
            report_error(exc, about=path)
            continue
        author = known.writer(sheet.sheet)  # of the same photograph
        if author and writer and author != open_collection(into).writer_id(writer):
            name = open_collection(into).writers.get(author, author)
            echo(f"{path}: it was read before, as {name}'s, and stays so. Another name: digitedge collect forget")
        writer_id = author or (add_writer(into, writer) if writer and sheet.digits else "")
        twin = known.find(sheet, writer=writer_id)
        added = save_digits(into, sheet, writer=writer_id, source=path.name, known=known)
        print_line(f"{path}: {_summary(sheet, len(added), twin and known.source(twin))}")
        if twin and writer_id and (count := name_writer(into, twin, writer_id)):
            print_line(f"{path}: {count} digits that had no writer are {writer}'s now")
        yield path, sheet


def _summary(sheet: "SheetReading", saved: int, twin: str | None) -> str:
    """Say what became of the cells of one sheet; `twin` is the photograph that the same sheet was read from before."""
    from digitedge.collecting import CELLS

    parts = [f"{sheet.filled} of {len(CELLS)} cells filled", f"{saved} saved"]
    if known := len(sheet.digits) - saved:
        parts.append(f"{known} were there already" + (f" from {twin}" if twin else ""))
    parts.append(f"{len(sheet.crossed_out)} crossed out")
    parts.append(f"{len(sheet.doubtful)} doubtful")
    if sheet.unseen:
        parts.append(f"{len(sheet.unseen)} not in the photograph")
    return ", ".join(parts)


def _review(folder: Path, model: "Model") -> None:
    """Open the page on which labels are corrected, until the user is done."""
    from digitedge.web.labelling import serve_labelling

    serve_labelling(folder, model.classifier, log=echo)
