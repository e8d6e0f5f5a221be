"""Annotated images: a folder with images and a `labels.json` that says which digits are in them.

labels.json is a list with one object per image:

    file           file name of the image, or of a document such as a PDF, in the folder
    page           which page of the document, from 1; default: it has one
    kind           photo, scan, or negative: an image without digits
    rows           the digits of each row joined, top to bottom
    digits         [{"label": 7, "box": [x, y, width, height]}, ...] in pixels of the image after EXIF rotation
    ignore         boxes in which readings count neither as correct nor as wrong; default: none
    layout         rows; scattered: the order of the rows is not defined; none: no digits; default: rows
    difficulty     easy, medium or hard; default: unknown
    group          the writer, or another name for what images have in common; default: the file name
    negative_type  what a negative shows, such as letters; default: unknown

Other keys are ignored.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from digitedge.documents import read_pages
from digitedge.errors import DataError
from digitedge.synthetic.scenes import TrueDigit
from digitedge.utils.boxes import Box, share_within
from digitedge.utils.loading import build_dataclass, read_json

LABELS_FILE = "labels.json"


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """One image and the digits in it, as in labels.json; what is unknown is "".

    Attributes:
        path: the image file, or a document.
        name: of the file, as in labels.json, and of the page.
        digits: in reading order; none in a negative.
        ordered: whether the order of the rows is defined.
        page: of the document, from 1; None if it has one.
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
    page: int | None = None

    def load(self) -> NDArray[np.uint8]:
        """Load the image or page: uint8 (H, W, 3) BGR.

        Raises:
            CameraError: it cannot be read.
            DataError: the document has no such page, or several and none is named.
        """
        start = 0 if self.page is None else self.page - 1
        pages = list(islice(read_pages(str(self.path), start=start), 2))
        if not pages:
            raise DataError(f"{self.path}: expected a page {self.page}, got a document with fewer. Correct the labels.")
        if self.page is None and len(pages) > 1:
            raise DataError(f'{self.path}: expected one page, got several. Name one with "page" in the labels.')
        return pages[0].load()


def load_annotations(folder: str | Path) -> tuple[AnnotatedImage, ...]:
    """Load and check the annotations of a folder with images and their labels.json.

    Raises:
        DataError: labels.json is missing or not in the format above, or an image that it names is missing.
    """
    path = Path(folder) / LABELS_FILE
    items = read_json(path, error=DataError, advice=f"Give a folder of images with their {LABELS_FILE}.")
    entries = build_dataclass(
        _Labels, items, where=str(path), error=DataError, advice="Correct the labels.", unknown_keys=True
    )
    images = tuple(_build_image(entry, path.parent, f"{path}: [{index}]") for index, entry in enumerate(entries))
    _check_files(images, path)
    return images


def check_boxes(image: AnnotatedImage, *, width: int, height: int) -> None:
    """Check that at least half of each digit's box lies in the image as it was read; another rotation or size fails.

    Raises:
        DataError: a box is outside the image.
    """
    for digit in image.digits:
        if share_within(digit.box, (0, 0, width, height)) < 0.5:
            raise DataError(
                f"{image.path}: expected boxes in the image of {width}x{height} pixels, got {list(digit.box)}. "
                "Give boxes in pixels of this file after EXIF rotation."
            )


def _check_files(images: Sequence[AnnotatedImage], labels: Path) -> None:
    twice = next((name for name, count in Counter(image.name for image in images).items() if count > 1), None)
    if twice:
        raise DataError(f"{labels}: expected every image once, got {twice} again. Keep one of the two.")
    files = [image.path for image in images]
    missing = [file for file in files if not os.path.isfile(file)]  # also of a name that is too long
    if missing:
        raise DataError(
            f"{labels}: expected {len(files)} images, but {len(missing)} are missing, first {missing[0]}. "
            "Put the images beside their labels, or delete the labels of missing images."
        )


_Name = Annotated[str, Meta(min_length=1)]
_Pixels = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
_Side = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_Box = tuple[_Pixels, _Pixels, _Side, _Side]


@dataclass(frozen=True, slots=True)
class _DigitEntry:
    label: Annotated[int, Meta(ge=0, le=9)]
    box: _Box


@dataclass(frozen=True, slots=True, kw_only=True)
class _ImageEntry:
    """An object of labels.json; null is the same as a missing key."""

    file: _Name
    kind: Literal["photo", "scan", "negative"]
    rows: tuple[Annotated[str, Meta(pattern="^[0-9]+$")], ...]
    digits: tuple[_DigitEntry, ...]
    ignore: tuple[_Box, ...] | None = None
    layout: Literal["rows", "scattered", "none"] | None = None
    difficulty: Literal["easy", "medium", "hard"] | None = None
    group: _Name | None = None
    negative_type: _Name | None = None
    page: Annotated[int, Meta(ge=1)] | None = None


_Labels = Annotated[tuple[_ImageEntry, ...], Meta(min_length=1)]


def _build_image(entry: _ImageEntry, folder: Path, where: str) -> AnnotatedImage:
    if (entry.kind == "negative") == bool(entry.digits):
        raise DataError(
            f"{where}: expected digits in a photo or scan and none in a negative, got {len(entry.digits)} in a "
            f"{entry.kind}. Correct its kind or its digits."
        )
    return AnnotatedImage(
        path=folder / entry.file,
        name=entry.file if entry.page is None else f"{entry.file} page {entry.page}",
        digits=tuple(TrueDigit(digit.label, digit.box) for digit in entry.digits),
        rows=entry.rows,
        ignore=entry.ignore or (),
        ordered=entry.layout != "scattered",
        difficulty=entry.difficulty or "",
        group=entry.group or entry.file,
        negative_type=entry.negative_type or "",
        page=entry.page,
    )
