"""A collection: a folder of labelled crops that `collect read`, `camera --save-crops` and `label` fill and correct.

    0/ ... 9/        images; the label of an image is the folder in which it lies
    x/               images that are no digit: crossed out, noise
    collection.json  what is known of each image, by the sha256 of its file

So a label changes by moving one file, which is atomic, and collection.json stays as it is. Models name the writers of
their digits by a random id; the names stand in collection.json alone.

Other folders of digits (`digitedge.datasets.custom`) can be listed and relabelled too: those whose images begin with
their digit, "7_0001.png", and "x_0001.png".
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from digitedge.errors import DataError
from digitedge.utils.files import check_writable, hash_regular_file, write_json
from digitedge.utils.folder_lock import lock_folder
from digitedge.utils.images import SUFFIXES, natural_key, write_image
from digitedge.utils.loading import build_dataclass, read_json
from digitedge.utils.opencv import encode_image

COLLECTION_FILE = "collection.json"
NON_DIGIT_FOLDER = "x"
SCHEMA: Literal["digitedge.collection/1"] = "digitedge.collection/1"
LABEL_FOLDERS = (*"0123456789", NON_DIGIT_FOLDER)
MAX_IMAGE_BYTES = 1 << 28
"""Of an image file whose hash is taken."""

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
WriterId = Annotated[str, Meta(pattern="^[0-9a-f]{8}$")]
Digit = Annotated[int, Meta(ge=0, le=9)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CropRecord:
    """What is known of an image besides its label; "" and None for what is not.

    Attributes:
        writer: id of the writer.
        sheet: what the images of one sheet, photograph or run of the camera have in common; not empty for a crop.
        cell: place on the sheet: "r7c03".
        source: name of the photograph or camera.
        asked: digit that the sheet asked for.
        predicted: what the model read when the image was saved.
        confidence: of `predicted`, 0 to 1.
        checked: whether a person has confirmed or set the label.
    """

    writer: WriterId | Literal[""] = ""
    sheet: str = ""
    cell: str = ""
    source: str = ""
    asked: Digit | None = None
    predicted: Digit | None = None
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    checked: bool = False

    @property
    def is_crop(self) -> bool:
        """Whether the image is a crop that digitedge has made; every such record names a sheet."""
        return bool(self.sheet)

    @property
    def group(self) -> str:
        """Writer and sheet, "WRITER/SHEET"; "" if neither is known."""
        return f"{self.writer}/{self.sheet}" if self.writer or self.sheet else ""


_DEFAULTS = [(one.name, one.default) for one in fields(CropRecord)]


@dataclass(frozen=True, slots=True)
class Collection:
    """The content of collection.json.

    Attributes:
        writers: name of each writer by id.
        records: by sha256 of the image file.
    """

    writers: dict[WriterId, str] = field(default_factory=dict)
    records: dict[Sha256, CropRecord] = field(default_factory=dict)
    schema: Literal["digitedge.collection/1"] = SCHEMA

    def writer_id(self, name: str) -> str | None:
        """The id of a writer, or None."""
        return next((one for one, known in self.writers.items() if known == name), None)


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image file of a folder of digits.

    Attributes:
        path: of the file.
        label: 0 to 9, or None for what is no digit.
        sha256: of the file.
        record: what collection.json says of it.
    """

    path: Path
    label: int | None
    sha256: str
    record: CropRecord


def open_collection(folder: str | Path) -> Collection:
    """Read collection.json; an empty one if there is none.

    Raises:
        DataError: it is damaged.
    """
    path = Path(folder) / COLLECTION_FILE
    if not path.exists():
        return Collection()
    advice = f"Restore it, or move it away: the labels are the folders, {COLLECTION_FILE} only adds to them."
    value = read_json(path, error=DataError, advice=advice)
    return build_dataclass(Collection, value, where=str(path), error=DataError, advice=advice)


def add_writer(folder: str | Path, name: str) -> str:
    """Return the id of a writer by name, a new one if the collection does not know the name.

    Raises:
        DataError: collection.json is damaged.
        DigitEdgeError: the folder cannot be written to.
    """
    with _locked(Path(folder)) as collection:
        known = collection.writer_id(name)
        if known is None:
            known = secrets.token_hex(4)
            collection.writers[known] = name
            _save(Path(folder), collection)
        return known


def add_crops(
    folder: str | Path,
    crops: Sequence[NDArray[np.uint8]],
    labels: Sequence[int | None],
    records: Sequence[CropRecord],
    names: Sequence[str],
) -> list[Path]:
    """Save crops with their labels, and what is known of them.

    An image of the same name and content that is there already, under any label, is not added again: a corrected label
    stays.

    Args:
        folder: of the collection; it is made if it is missing.
        crops: uint8 (28, 28), ink bright on 0, as `normalize_digit` makes them.
        labels: 0 to 9, None for what is no digit.
        records: one for each crop; each names a sheet.
        names: of the files, such as "0a1b-r7c03.png"; a name that another image has gets "-2", "-3" ...

    Returns:
        The files that were added.

    Raises:
        DataError: collection.json is damaged.
        DigitEdgeError: the folder cannot be written to.
    """
    folder = Path(folder)
    for label in set(labels):
        _check_no_link(folder, label)
    new: list[tuple[NDArray[np.uint8], Path]] = []
    with _locked(folder) as collection:
        for crop, label, record, name in zip(crops, labels, records, names, strict=True):
            sha256 = hashlib.sha256(encode_image(crop, Path(name).suffix)).hexdigest()
            there = [folder / one / name for one in LABEL_FOLDERS]
            if not any(path.is_file() and _hash(path) == sha256 for path in there):
                new.append((crop, folder / _label_folder(label) / name))
                collection.records[sha256] = record
        if new:
            _save(folder, collection)  # first, so that a kill leaves no image whose writer is not known
        return [_write(crop, path) for crop, path in new]


def name_writer(folder: str | Path, sheet: str, writer: str) -> int:
    """Note who wrote the images of a sheet, where that is not known yet.

    Args:
        folder: of the collection.
        sheet: as in the records.
        writer: id of the writer.

    Returns:
        The number of images that had no writer.

    Raises:
        DataError: collection.json is damaged.
        DigitEdgeError: the folder cannot be written to.
    """
    with _locked(Path(folder)) as collection:
        nameless = [one for one, record in collection.records.items() if record.sheet == sheet and not record.writer]
        for sha256 in nameless:
            collection.records[sha256] = replace(collection.records[sha256], writer=writer)
        if nameless:
            _save(Path(folder), collection)
    return len(nameless)


def mark_checked(folder: str | Path, sha256s: Iterable[str], *, checked: bool = True) -> None:
    """Note that a person has seen images and their labels are right.

    Raises:
        DataError: collection.json is damaged.
        DigitEdgeError: the folder cannot be written to.
    """
    with _locked(Path(folder)) as collection:
        for sha256 in sha256s:
            collection.records[sha256] = replace(collection.records.get(sha256, CropRecord()), checked=checked)
        _save(Path(folder), collection)


def list_images(folder: str | Path) -> list[LabelledImage]:
    """List the images of a collection, or of another folder of digits, by label and name.

    Raises:
        DataError: no such folder, an image whose name does not begin with its label, or collection.json is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"expected a folder of digits, got nothing at {folder}.")
    records = open_collection(folder).records
    images = []
    for path, label in sorted(_find_images(folder), key=lambda found: (str(found[1]), natural_key(found[0]))):
        sha256 = _hash(path)
        images.append(LabelledImage(path, label, sha256, records.get(sha256, CropRecord())))
    return images


def relabel(folder: str | Path, path: Path, label: int | None) -> Path:
    """Move an image of a folder to its right label, None for what is no digit; return its new path.

    Raises:
        DataError: the image is not there any more.
        DigitEdgeError: the folder cannot be written to.
    """
    folder = Path(folder)
    _check_no_link(folder, label)
    if path.parent == folder:  # its name begins with its label
        target = folder / (_label_folder(label) + path.name[1:])
    else:
        target = folder / _label_folder(label) / path.name
    check_writable(target.parent)
    with lock_folder(folder, wait=True):  # or another program could take the free name
        if not path.is_file():
            raise DataError(f"{path} is not there any more. It was moved or deleted by another program.")
        if target != path:
            target = _free_path(target)
            path.rename(target)
    return target


def forget_writer(folder: str | Path, name: str) -> tuple[str, int]:
    """Remove the images of a writer, what is known of them, and the name.

    Returns:
        The id by which models name the writer, and the number of images that were removed.

    Raises:
        DataError: the collection does not know the writer, or collection.json is damaged.
        DigitEdgeError: the folder cannot be written to.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"expected a folder of digits, got nothing at {folder}.")
    with _locked(folder) as collection:
        writer = collection.writer_id(name)
        if writer is None:
            known = ", ".join(repr(one) for one in sorted(collection.writers.values())) or "none"
            raise DataError(f"{folder}: expected the name of a writer, {known}, got {name!r}.")
        theirs = {sha256: record for sha256, record in collection.records.items() if record.writer == writer}
        cells = {f"{record.sheet}-{record.cell}" for record in theirs.values() if record.cell}
        count = 0
        for path, _ in list(_find_images(folder)):
            if path.stem in cells or _hash(path) in theirs:  # a file that was edited has another hash
                path.unlink()
                count += 1
        for sha256 in theirs:
            del collection.records[sha256]
        del collection.writers[writer]
        _save(folder, collection)  # last, so that the same command goes on after a kill
    return writer, count


@contextmanager
def _locked(folder: Path) -> Iterator[Collection]:
    """Yield what collection.json holds; no other program can change the collection meanwhile."""
    check_writable(folder)
    with lock_folder(folder, wait=True):
        yield open_collection(folder)


def _save(folder: Path, collection: Collection) -> None:
    records = {sha256: _without_defaults(record) for sha256, record in collection.records.items()}
    write_json(folder / COLLECTION_FILE, {"schema": SCHEMA, "writers": collection.writers, "records": records})


def _write(crop: NDArray[np.uint8], path: Path) -> Path:
    """Write an image at a path, or beside it if another one has the name; return where."""
    free = _free_path(path)
    write_image(free, crop)
    return free


def _without_defaults(record: CropRecord) -> dict[str, Any]:
    """A record as plain JSON. `asdict` would take five times as long, which shows at 10,000 records."""
    return {name: value for name, default in _DEFAULTS if (value := getattr(record, name)) != default}


def _find_images(folder: Path) -> Iterator[tuple[Path, int | None]]:
    """Yield the images in the folders of labels; without any, those whose names begin with their label."""
    subfolders = [one for one in LABEL_FOLDERS if (folder / one).is_dir() and not (folder / one).is_symlink()]
    for one in subfolders:
        for path in _image_files(folder / one):
            yield path, None if one == NON_DIGIT_FOLDER else int(one)
    for path in [] if subfolders else _image_files(folder):
        match = re.match(r"([0-9]|x)(?![0-9])", path.stem)
        if match is None:
            raise DataError(
                f"{folder}: expected subfolders 0 to 9, or images whose names begin with their digit, such as "
                f"7_0001.png, got {path.name}. Let its name begin with its digit."
            )
        yield path, None if match[1] == NON_DIGIT_FOLDER else int(match[1])


def _image_files(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [
            Path(entry.path)
            for entry in entries
            if entry.name[0] not in "._" and os.path.splitext(entry.name)[1].lower() in SUFFIXES and entry.is_file()
        ]


def _check_no_link(folder: Path, label: int | None) -> None:
    """Refuse the folder of a label that is a link: what is moved there would leave the collection."""
    path = folder / _label_folder(label)
    if path.is_symlink():
        raise DataError(f"{path}: expected a folder, got a link. Images would leave {folder}. Put a folder there.")


def _label_folder(label: int | None) -> str:
    return NON_DIGIT_FOLDER if label is None else str(label)


def _free_path(path: Path) -> Path:
    """The path itself, or with "-2", "-3" ... at the end of its stem if that is taken."""
    number, free = 1, path
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _hash(path: Path) -> str:
    return hash_regular_file(path, max_bytes=MAX_IMAGE_BYTES, error=DataError)[0]
