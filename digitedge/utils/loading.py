"""JSON and npz files from outside: read, or refused with the caller's own error. Nothing in them is run."""

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from digitedge.errors import DigitEdgeError


def read_json(path: Path, *, error: type[DigitEdgeError], advice: str) -> Any:
    """Read a JSON file.

    Args:
        path: the file.
        error: what to raise where it cannot be read.
        advice: what the user should do then.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:  # ValueError: neither UTF-8 nor JSON
        raise error(f"{path}: expected JSON, got a file that cannot be read ({_short(exc)}). {advice}") from exc


def read_npz(path: Path, *, error: type[DigitEdgeError], advice: str) -> dict[str, NDArray[Any]]:
    """Read all arrays of an npz file by name; pickled objects are refused. Arguments as in `read_json`."""
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):  # of a file that is none, NumPy says that pickles may be loaded unsafely
                raise ValueError("not an archive, or cut short")
            file.seek(0)
            with NpzFile(file, allow_pickle=False) as archive:
                return {name: archive[name] for name in archive.files}
    except (
        *(OSError, ValueError, TypeError, KeyError, EOFError, MemoryError, RuntimeError),  # as damaged headers have it
        *(zlib.error, zipfile.BadZipFile),
    ) as exc:
        raise error(
            f"{path}: expected an npz file of arrays, got one that cannot be read ({_short(exc)}). {advice}"
        ) from exc


def _short(exc: Exception) -> str:
    return exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc) or type(exc).__name__
