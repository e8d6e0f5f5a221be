"""`digitedge predict`: read pictures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitedge.cli.common import ForceOption, JsonOption, ModelOption, choose_model, print_json, say

if TYPE_CHECKING:
    from digitedge.reader import Reading


def predict(
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="PICTURES...",
            show_default=False,
            help="Pictures, folders of pictures, or patterns such as 'scans/*.png'.",
        ),
    ],
    as_json: JsonOption = False,
    annotate: Annotated[
        Path | None, typer.Option("--annotate", help="Folder for copies of the pictures with the readings drawn in.")
    ] = None,
    model: ModelOption = None,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0, max=1, help="Least confidence of a digit. Default: what the bundle says."),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Read the digits in pictures: a line per picture with its rows, or one JSON reading per line.

    Examples:
      digitedge predict desk.jpg
      digitedge predict scans/ 'photos/*.png' --annotate marked
      digitedge predict --json desk.jpg
    """
    from digitedge.camera.overlay import draw_reading
    from digitedge.data.pictures import find_pictures, read_picture, write_picture
    from digitedge.errors import CameraError
    from digitedge.reader import Reader

    paths = find_pictures(pictures)
    reader = Reader(choose_model(model), threshold=threshold, force=force)
    unread = 0
    for number, path in enumerate(paths, 1):
        try:
            frame = read_picture(path)
        except CameraError as exc:
            say(f"error: {exc}")
            unread += 1
            continue
        reading = reader.read(frame, source=str(path))
        _print(reading, as_json=as_json)
        if annotate is not None:
            write_picture(annotate / _annotated_name(path, number, paths), draw_reading(frame, reading))
    if unread:
        raise typer.Exit(1)


def _print(reading: "Reading", *, as_json: bool) -> None:
    if as_json:
        print_json(reading.to_dict())
    else:
        print(f"{reading.source}: {' '.join(reading.rows) or 'no digits'}", flush=True)


def _annotated_name(path: Path, number: int, paths: list[Path]) -> str:
    """Name of the copy; numbered if pictures of different folders (or formats) share a name."""
    alone = sum(other.stem.casefold() == path.stem.casefold() for other in paths) == 1
    suffix = path.suffix if path.suffix.lower() in {".jpg", ".jpeg"} else ".png"
    return f"{path.stem}{suffix}" if alone else f"{path.stem}-{number}{suffix}"
