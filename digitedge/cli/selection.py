"""Options of `predict`, `bulk`, `serve` and `camera`: which part of an image is read, and which rows count."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from digitedge.cli.common import usage_error

if TYPE_CHECKING:
    from digitedge.reader.read_options import ReadOptions
    from digitedge.reader.row_filter import RowFilter
    from digitedge.utils.transform import Transform

PART_PANEL = "Which part is read"
ROW_PANEL = "Which rows count"

Rotation = Literal["auto", "0", "90", "180", "270"]
RotateOption = Annotated[
    Rotation,
    typer.Option(
        "--rotate",
        rich_help_panel=PART_PANEL,
        help="Degrees clockwise. auto turns a page that clearly lies on its side or head, after --flip and --roi.",
    ),
]
FlipOption = Annotated[
    Literal["horizontal", "vertical"] | None,
    typer.Option("--flip", rich_help_panel=PART_PANEL, help="Mirror the rotated image."),
]
RoiOption = Annotated[
    str | None,
    typer.Option(
        "--roi",
        rich_help_panel=PART_PANEL,
        metavar="X,Y,W,H",
        help="Read only this region of the rotated and flipped image, in pixels.",
    ),
]
LengthOption = Annotated[
    int | None,
    typer.Option("--expect-length", rich_help_panel=ROW_PANEL, min=1, help="Only rows with this number of digits."),
]
PatternOption = Annotated[
    str | None,
    typer.Option(
        "--pattern", rich_help_panel=ROW_PANEL, help="Only rows that match this regular expression as a whole."
    ),
]


def build_transform(rotate: int, flip: str | None, roi: str | None) -> "Transform":
    """Build the transform from its options; a wrong one is wrong usage."""
    from digitedge.utils.transform import Flip, Transform, parse_roi

    with usage_error("--roi"):
        region = None if roi is None else parse_roi(roi)
        Transform(roi=region)
    with usage_error("--rotate"):
        return Transform(rotate, None if flip is None else Flip(flip), region)


def build_row_filter(length: int | None, pattern: str | None) -> "RowFilter":
    """Build the row filter from its options; a wrong one is wrong usage."""
    from digitedge.reader.row_filter import RowFilter

    with usage_error("--pattern"):
        return RowFilter(length, pattern)


def build_read_options(
    rotate: Rotation, flip: str | None, roi: str | None, length: int | None, pattern: str | None
) -> "ReadOptions":
    """Build how images are read from the options; a wrong one is wrong usage."""
    from digitedge.reader.read_options import ReadOptions

    is_auto = rotate == "auto"
    transform = build_transform(0 if is_auto else int(rotate), flip, roi)
    return ReadOptions(transform, is_auto, build_row_filter(length, pattern))
