"""What was trained on the digits of a writer: runs and bundles name the writers of their digits by their ids."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from digitedge.errors import DataError, DigitEdgeError
from digitedge.utils.loading import read_json

RUN_FILE = "args.json"
BUNDLE_FILE = "manifest.json"


def models_of_writer(writer: str, *, runs: Path, bundles: Path) -> list[Path]:
    """Find the runs and bundles that were trained on the digits of a writer.

    Args:
        writer: id of the writer.
        runs: folder of run folders, whose args.json names the writers under "own".
        bundles: folder of bundles, whose manifest.json names them under "own_writers".

    Returns:
        Their folders, runs first. What cannot be read names nobody.
    """
    found = [
        path.parent for path, value in _values(runs, RUN_FILE) if writer in _listed(_part(value, "own"), "writers")
    ]
    return found + [
        path.parent for path, value in _values(bundles, BUNDLE_FILE) if writer in _listed(value, "own_writers")
    ]


def _values(folder: Path, name: str) -> Iterator[tuple[Path, Any]]:
    for path in sorted(folder.glob(f"*/{name}")):
        try:
            yield path, read_json(path, error=DataError, advice="")
        except DigitEdgeError:  # damaged: no model to load either
            continue


def _part(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _listed(value: Any, key: str) -> list[Any]:
    listed = _part(value, key)
    return listed if isinstance(listed, list) else []
