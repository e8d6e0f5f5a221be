"""Atomic files and folders: they appear complete or not at all.

Every file that is loaded again later (models, data, manifests, bundles) is written into a draft folder beside it, see
`digitedge.utils.drafts`, and takes its place when it is complete. After a full disk, Ctrl-C, a kill or a power cut
there is the old file or none.
"""

import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digitedge.errors import DigitEdgeError
from digitedge.utils.drafts import KEEP, NEW, draft_folder, place_folder


def read_regular_file(
    path: Path, *, max_bytes: int, error: Callable[[str], DigitEdgeError], follow_links: bool = True
) -> bytes:
    """Read a file at once, if it is a regular one and not too large.

    What is opened is what is checked: the file cannot be exchanged for a pipe, a device or a larger one in between.

    Args:
        path: of the file.
        max_bytes: the size up to which it is read.
        error: makes the error that is raised where it cannot be read.
        follow_links: whether it may be a symbolic link to a file.

    Raises:
        DigitEdgeError: as `error`: it is missing, no regular file, a link that is not followed, or too large.

    Examples:
        >>> read_regular_file(Path("/dev/null"), max_bytes=10, error=DigitEdgeError)
        Traceback (most recent call last):
        digitedge.errors.DigitEdgeError: cannot read /dev/null: expected a regular file, got a device or pipe.
    """
    return b"".join(read_pieces(path, max_bytes=max_bytes, error=error, follow_links=follow_links))


def hash_regular_file(
    path: Path, *, max_bytes: int, error: Callable[[str], DigitEdgeError], follow_links: bool = True
) -> tuple[str, int]:
    """Hexadecimal sha256 and size of a file that need not fit into memory. Arguments and errors as above."""
    digest, size = hashlib.sha256(), 0
    pieces = read_pieces(path, max_bytes=max_bytes, error=error, follow_links=follow_links, piece_bytes=1 << 20)
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def read_pieces(
    path: Path,
    *,
    max_bytes: int,
    error: Callable[[str], DigitEdgeError],
    follow_links: bool = True,
    piece_bytes: int | None = None,
) -> Iterator[bytes]:
    """Yield the content of a regular file in pieces; by default in one, if it does not grow meanwhile.

    Arguments and errors as in `read_regular_file`; `piece_bytes` is the size of a piece.
    """
    handle, size = open_regular_file(path, error=error, follow_links=follow_links)
    try:
        read = 0
        while size <= max_bytes and (piece := os.read(handle, piece_bytes or size + 1)):
            yield piece
            read += len(piece)
            size = max(size, read)  # it may grow while it is read
    except OSError as exc:
        raise error(f"cannot read {path}: {exc.strerror or exc}.") from exc
    finally:
        os.close(handle)
    if size > max_bytes:
        raise error(f"cannot read {path}: expected at most {max_bytes:,} bytes, got {size:,}.")


def open_regular_file(
    path: Path, *, error: Callable[[str], DigitEdgeError], follow_links: bool = True
) -> tuple[int, int]:
    """Open a regular file for reading: its descriptor, which the caller closes, and its size in bytes.

    What is opened is what is checked. Arguments and errors as in `read_regular_file`.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe would block
    if not follow_links:
        if os.path.islink(path):
            raise error(f"cannot read {path}: expected a regular file, got a symbolic link.")
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags)
    except (OSError, ValueError) as exc:  # a name with a null byte is a ValueError
        raise error(f"cannot read {path}: {getattr(exc, 'strerror', None) or exc}.") from exc
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode):
        return handle, found.st_size
    os.close(handle)
    expected, got = ("file", "folder") if stat.S_ISDIR(found.st_mode) else ("regular file", "device or pipe")
    raise error(f"cannot read {path}: expected a {expected}, got a {got}.")


@contextmanager
def atomic_file(path: Path, *, keep: bool = False, is_private: bool = False) -> Iterator[Path]:
    """Yield the path of an empty draft that is renamed to `path` when the block ends without an error.

    The draft has the name of the file, so libraries choose the format by its suffix.

    Args:
        path: of the file.
        keep: what a killed process has written is of use, such as a part of a recording; see `sweep_drafts`.
        is_private: nobody else may read the file, at any moment.

    Raises:
        DigitEdgeError: the folder cannot be created or written to, or the disk is full.
    """
    with _explain_errors(path), draft_folder(path.parent) as folder:
        draft = folder / (KEEP if keep else NEW) / path.name
        draft.parent.mkdir()
        draft.touch(mode=0o600 if is_private else 0o666)
        yield draft
        flush_to_disk(draft)
        draft.replace(path)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a draft folder that replaces `path` when the block ends without an error.

    An existing folder stays as it is until then; see `place_folder`.

    Raises:
        DigitEdgeError: the folder cannot be created or written to, or the disk is full.
    """
    with _explain_errors(path), draft_folder(path.parent) as folder:
        draft = folder / NEW / path.name
        draft.mkdir(parents=True)
        try:
            yield draft
            for one in draft.rglob("*"):
                flush_to_disk(one)
            flush_to_disk(draft)
            place_folder(draft, path)
        except DigitEdgeError as exc:  # the user knows only the final path
            raise type(exc)(str(exc).replace(str(draft), str(path))) from exc


def check_writable(folder: Path) -> None:
    """Create a folder if it is missing, and check that files can be written to it.

    Raises:
        DigitEdgeError: they cannot.
    """
    with _explain_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def check_creatable(path: Path) -> None:
    """Check that a file or folder can be created at `path`, without creating anything.

    Raises:
        DigitEdgeError: the nearest existing parent folder cannot be written to.
    """
    with _explain_errors(path):
        folder = next(parent for parent in path.absolute().parents if parent.exists() or parent.is_symlink())
        with tempfile.TemporaryFile(dir=folder):
            pass


def check_file_creatable(path: Path) -> None:
    """Check that a file can be written at `path`, without creating anything.

    Raises:
        DigitEdgeError: its folder cannot be written to, or `path` is not a regular file.
    """
    with _explain_errors(path):
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a device or pipe"
            raise DigitEdgeError(f"cannot write {path}: expected the path of a file, got {what}. Choose another path.")
    check_creatable(path)


def write_text(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write UTF-8 text to a file, atomically; see `atomic_file`."""
    with atomic_file(path, is_private=is_private) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON to a file, atomically; NaN is refused because it is not valid JSON."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    """Turn an OSError (read-only folder, full disk) into one line that names the target."""
    try:
        yield
    except OSError as exc:
        raise DigitEdgeError(
            f"cannot write {path}: {exc.strerror or exc}. Choose a folder that is writable and has space."
        ) from exc


def flush_to_disk(path: Path) -> None:
    """Write a file or folder to the disk now: after a power cut, its name could otherwise exist without content."""
    if os.name == "nt" and path.is_dir():
        return  # cannot be opened there
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
