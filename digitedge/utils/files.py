"""Atomic files and folders: they appear complete or not at all.

Every file that is loaded again later (models, data, manifests, bundles) is written under a temporary name in the same
folder and renamed when it is complete. After a full disk, Ctrl-C or a power cut there is the old file or none.
"""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digitedge.errors import DigitEdgeError


def read_regular_file(path: Path, *, max_bytes: int, error: type[DigitEdgeError], follow_links: bool = True) -> bytes:
    """Read a file at once, if it is a regular one and not too large.

    What is opened is what is checked: the file cannot be exchanged for a pipe, a device or a larger one in between.

    Args:
        path: of the file.
        max_bytes: the size up to which it is read.
        error: raised where it cannot be read.
        follow_links: whether it may be a symbolic link to a file.

    Raises:
        DigitEdgeError: as `error`: it is missing, no regular file, a link that is not followed, or too large.

    Examples:
        >>> read_regular_file(Path("/dev/null"), max_bytes=10, error=DigitEdgeError)
        Traceback (most recent call last):
        digitedge.errors.DigitEdgeError: cannot read /dev/null: expected a regular file, got a device or pipe.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # a pipe would block
    if not follow_links:
        if path.is_symlink():
            raise error(f"cannot read {path}: expected a regular file, got a symbolic link.")
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            found = os.fstat(file.fileno())
            if stat.S_ISDIR(found.st_mode):
                raise error(f"cannot read {path}: expected a file, got a folder.")
            if not stat.S_ISREG(found.st_mode):
                raise error(f"cannot read {path}: expected a regular file, got a device or pipe.")
            content = file.read(max_bytes + 1) if found.st_size <= max_bytes else b""
    except OSError as exc:
        raise error(f"cannot read {path}: {exc.strerror or exc}.") from exc
    if found.st_size > max_bytes or len(content) > max_bytes:
        size = max(found.st_size, len(content))
        raise error(f"cannot read {path}: expected at most {max_bytes:,} bytes, got {size:,}.")
    return content


@contextmanager
def atomic_file(path: Path, *, is_private: bool = False) -> Iterator[Path]:
    """Yield a temporary path that is renamed to `path` when the block ends without an error.

    The temporary name keeps the suffix, from which libraries choose the format. A private file is readable by nobody
    else at any moment.

    Raises:
        DigitEdgeError: the folder cannot be created or written to, or the disk is full.
    """
    with _explain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        draft = Path(name)
        try:
            yield draft
            if not is_private:
                draft.chmod(0o666 & ~_umask())  # mkstemp creates it with 0600
            _flush_to_disk(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces `path` when the block ends without an error.

    An existing folder stays as it is until then, and is restored if the exchange fails.

    Raises:
        DigitEdgeError: the folder cannot be created or written to, or the disk is full.
    """
    with _explain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            yield draft
            draft.chmod(0o777 & ~_umask())
            for file in filter(Path.is_file, draft.rglob("*")):
                _flush_to_disk(file)
            _exchange(draft, path)
        except DigitEdgeError as exc:  # the user knows only the final path
            raise type(exc)(str(exc).replace(str(draft), str(path))) from exc
        finally:
            shutil.rmtree(draft, ignore_errors=True)


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


def _exchange(draft: Path, path: Path) -> None:
    """Replace `path` by `draft`. Between the two renames the old folder has a hidden name beside it."""
    if not path.exists():
        draft.replace(path)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{path.name}-old-", dir=path.parent)) / path.name
    path.replace(old)
    try:
        draft.replace(path)
    except BaseException:
        old.replace(path)
        old.parent.rmdir()
        raise
    shutil.rmtree(old.parent, ignore_errors=True)


@contextmanager
def _explain_errors(path: Path) -> Iterator[None]:
    """Turn an OSError (read-only folder, full disk) into one line that names the target."""
    try:
        yield
    except OSError as exc:
        raise DigitEdgeError(
            f"cannot write {path}: {exc.strerror or exc}. Choose a folder that is writable and has space."
        ) from exc


def _flush_to_disk(draft: Path) -> None:
    """Write a file to the disk now: after a power cut, its name could otherwise exist without content."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
