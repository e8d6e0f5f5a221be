"""Labelled images: a folder with images and a `labels.json` that says what is written in them.

labels.json is a list with one object for each image:

    file           its name in the folder
    kind           photo, scan, or negative: an image without any digit
    rows           the digits of each row joined, top to bottom
    digits         [{"label": 7, "box": [x, y, width, height]}, ...] in pixels of the image after EXIF rotation
    ignore         boxes of other marks, where reading something is neither right nor wrong; default: none
    layout         rows, or scattered: the rows have no sure order; default: rows
    difficulty     easy, medium or hard; default: not said
    group          who wrote it, or another name for what images have in common; default: the file alone
    negative_type  what a negative shows, such as letters; default: not said

Other keys are left to whoever wrote them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from digitedge.errors import DataError
from digitedge.synthetic.scenes.ground_truth import TrueDigit
from digitedge.utils.boxes import Box
from digitedge.utils.loading import read_json

LABELS = "labels.json"


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """One image and what is written in it.

    Attributes:
        path: the image file.
        name: of the file, as the labels have it.
        digits: in reading order; none in a negative.
        rows: the digits of each row joined, top to bottom.
        ignore: boxes of other marks.
        ordered: whether the rows have a sure order.
        difficulty: easy, medium, hard, or "" where nobody said.
        group: who wrote it.
        negative_type: what a negative shows, or "" where nobody said.
    """

    path: Path
    name: str
    digits: tuple[TrueDigit, ...]
    rows: tuple[str, ...]
    ignore: tuple[Box, ...] = ()
    ordered: bool = True
    difficulty: str = ""
    group: str = ""
    negative_type: str = ""


def load_labels(folder: str | Path) -> tuple[LabelledImage, ...]:
    """Load the labels of a folder of images and check them.

    Args:
        folder: where labels.json and the images are.

    Raises:
        DataError: labels.json is missing or not in the format above, or an image that it names is missing.
    """
    path = Path(folder) / LABELS
    items = read_json(path, error=DataError, advice=f"Give a folder of images with their {LABELS}.")
    if not isinstance(items, list) or not items:
        raise DataError(f"{path}: expected a list of labelled images, got {_shown(items)}. Add an image.")
    images = tuple(_image(item, path.parent, f"{path}: image {number}") for number, item in enumerate(items, 1))
    _check_files([image.path for image in images], path)
    return images


def check_boxes(image: LabelledImage, *, width: int, height: int) -> None:
    """Check that the digits of an image lie in it, at least by half: boxes of another rotation or size do not.

    Args:
        image: with its boxes.
        width: of the image in pixels, as it was read.
        height: likewise.

    Raises:
        DataError: a box is not in the image.
    """
    for x, y, w, h in (true.box for true in image.digits):
        inside = max(0, min(x + w, width) - max(x, 0)) * max(0, min(y + h, height) - max(y, 0))
        if 2 * inside < w * h:
            raise DataError(
                f"{image.path}: expected boxes in the image of {width}x{height} pixels, got {[x, y, w, h]}. "
                "Give boxes in pixels of this file after EXIF rotation."
            )


def _check_files(files: Sequence[Path], labels: Path) -> None:
    twice = next((file for number, file in enumerate(files) if file in files[:number]), None)
    if twice:
        raise DataError(f"{labels}: expected every image once, got {twice.name} again. Keep one of the two.")
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise DataError(
            f"{labels}: expected {len(files)} images, but {len(missing)} of them are not there, first {missing[0]}. "
            "Put the images beside their labels, or delete the labels of those that are gone."
        )


class _Field(NamedTuple):
    """What a value in labels.json must be; `default` stands for one that is left out, unless it is required."""

    expected: str
    fits: Callable[[Any], bool]
    default: Any = None
    required: bool = False


def _one_of(*choices: str) -> _Field:
    return _Field(f"one of {', '.join(choices)}", lambda value: value in choices)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, str) and row.isdecimal() for row in value)


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and [type(side) for side in value] == [int] * 4 and min(value[2:]) >= 1


_IMAGE = {
    "file": _Field("a file name", _is_text, required=True),
    "kind": _one_of("photo", "scan", "negative")._replace(required=True),
    "rows": _Field("a list of strings of digits", _are_rows, required=True),
    "digits": _Field("a list of digits", _is_list, required=True),
    "ignore": _Field("a list of boxes", _is_list, default=[]),
    "layout": _one_of("rows", "scattered", "none")._replace(default="rows"),
    "difficulty": _one_of("easy", "medium", "hard")._replace(default=""),
    "group": _Field("a name", _is_text),
    "negative_type": _Field("a word", _is_text, default=""),
}
_BOX = _Field("[x, y, width, height] in whole pixels, at least 1 wide and high", _is_box, required=True)
_DIGIT = {
    "label": _Field("a whole number from 0 to 9", lambda value: type(value) is int and 0 <= value <= 9, required=True),
    "box": _BOX,
}


def _image(item: Any, folder: Path, where: str) -> LabelledImage:
    values = _checked(item, _IMAGE, where)
    where = f"{where} ({values['file']})"
    if (values["kind"] == "negative") == bool(values["digits"]):
        raise DataError(
            f"{where}: expected digits in a photo or scan and none in a negative, got {len(values['digits'])} in a "
            f"{values['kind']}. Mend its kind or its digits."
        )
    return LabelledImage(
        path=folder / values["file"],
        name=values["file"],
        digits=tuple(_digit(digit, f"{where}: digit {number}") for number, digit in enumerate(values["digits"], 1)),
        rows=tuple(values["rows"]),
        ignore=tuple(_box(_value(box, _BOX, f"{where}: ignore")) for box in values["ignore"]),
        ordered=values["layout"] != "scattered",
        difficulty=values["difficulty"],
        group=values["group"] or values["file"],
        negative_type=values["negative_type"],
    )


def _digit(item: Any, where: str) -> TrueDigit:
    values = _checked(item, _DIGIT, where)
    return TrueDigit(values["label"], _box(values["box"]))


def _box(sides: list[int]) -> Box:
    x, y, width, height = sides
    return x, y, width, height


def _checked(item: Any, form: dict[str, _Field], where: str) -> dict[str, Any]:
    """Every value that the form asks for, checked; other keys are left out."""
    if not isinstance(item, dict):
        raise DataError(f"{where}: expected an object with {', '.join(form)}, got {_shown(item)}. Mend the labels.")
    return {key: _value(item.get(key), field, f"{where}: {key}") for key, field in form.items()}


def _value(value: Any, field: _Field, where: str) -> Any:
    if value is None and not field.required:
        return field.default
    if not field.fits(value):
        raise DataError(f"{where}: expected {field.expected}, got {_shown(value)}. Mend the labels.")
    return value


def _shown(value: Any) -> str:
    """A value from the file, short enough for one line."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
