"""Files and folders that appear whole or not at all.

Everything digitedge writes that something later loads (models, data, manifests, bundles) goes through here: it is
written under a temporary name in the same folder, and renamed when complete. A full disk, Ctrl-C or a power cut leaves
the old file or none.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from digitedge.errors import DigitEdgeError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; what is written there becomes `path` when the block ends without an error.

    The temporary name keeps the suffix, because libraries choose the format by it.

    Raises:
        DigitEdgeError: the folder cannot be made or written to, or the disk is full.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        draft = Path(name)
        try:
            yield draft
            draft.chmod(0o666 & ~_umask())
            _bring_to_disk(draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; it takes the place of `path` when the block ends without an error.

    A folder that stands at `path` stays as it is until then, and comes back if the exchange fails.

    Raises:
        DigitEdgeError: the folder cannot be made or written to, or the disk is full.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            yield draft
            draft.chmod(0o777 & ~_umask())
            for file in filter(Path.is_file, draft.rglob("*")):
                _bring_to_disk(file)
            _exchange(draft, path)
        except DigitEdgeError as exc:  # the user knows the folder by its own name
            raise type(exc)(str(exc).replace(str(draft), str(path))) from exc
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """Make a folder where it is missing, and see now whether files can be written there later.

    Raises:
        DigitEdgeError: they cannot.
    """
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass


def check_place(path: Path) -> None:
    """See now whether a file or folder can be put at `path` later; nothing is made on the way.

    Raises:
        DigitEdgeError: the folder that it would lie in, or that its missing folders would, cannot be written to.
    """
    with _explained(path):
        folder = next(parent for parent in path.absolute().parents if parent.exists() or parent.is_symlink())
        with tempfile.TemporaryFile(dir=folder):
            pass


def check_file_place(path: Path) -> None:
    """See now whether a file can be written at `path` later; nothing is made on the way.

    Raises:
        DigitEdgeError: its folder cannot be written to, or something stands there that is no file.
    """
    with _explained(path):
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a device or pipe"
            raise DigitEdgeError(f"cannot write {path}: expected the path of a file, got {what}. Choose another path.")
    check_place(path)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text as a whole file."""
    with atomic_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON as a whole file; NaN is refused, because other readers refuse it."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def _exchange(draft: Path, path: Path) -> None:
    """Put `draft` in the place of `path`. Between the two moves the old folder lies beside it under a hidden name."""
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
def _explained(path: Path) -> Iterator[None]:
    """Turn an OSError (read-only folder, full disk) into one line that names the target."""
    try:
        yield
    except OSError as exc:
        raise DigitEdgeError(
            f"cannot write {path}: {exc.strerror or exc}. Choose a folder that is writable and has space."
        ) from exc


def _bring_to_disk(draft: Path) -> None:
    """Wait until a file is written: else a power cut soon after can leave its name with nothing in it."""
    with draft.open("rb+") as file:
        os.fsync(file.fileno())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
