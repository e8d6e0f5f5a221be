"""What was trained on the digits of a writer: runs and bundles name the writers of their digits by their ids."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from digitedge.bundle.adaptation import SUFFIX, load_adaptation
from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.utils.loading import read_json

FILES = ("args.json", "manifest.json")
"""Files of a run and of a bundle. Both have the writers and the hash of the own digits under "own"; a run also has the
hash of its parent's own digits under "parent"."""


def models_of_writer(writer: str, *, runs: Path, bundles: Path) -> list[Path]:
    """Find the models that were trained on the digits of a writer, themselves or through their parents.

    Args:
        writer: id of the writer.
        runs: folder of run folders.
        bundles: folder of bundles and adaptations.

    Returns:
        Run folders, bundles, and files of adaptations. What cannot be read names nobody.
    """
    models = [*_read_all(runs), *_read_all(bundles)]
    found = {path for path, model in models if writer in _listed(_part(model, "own"), "writers")}
    count = -1
    while count < len(found):
        count = len(found)
        hashes = {_part(_part(model, "own"), "sha256") for path, model in models if path in found} - {None}
        found |= {path for path, model in models if _part(_part(model, "parent"), "own_sha256") in hashes}
        found |= {path for path, model in models if _part(_part(model, "own"), "sha256") in hashes}
    return [*(path for path, _ in models if path in found), *_find_adaptations(writer, bundles)]


def _find_adaptations(writer: str, folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with suppress(ModelError):
            if writer in load_adaptation(path).info.writers:
                yield path


def _read_all(folder: Path) -> Iterator[tuple[Path, Any]]:
    for path in sorted(path for name in FILES for path in folder.glob(f"*/{name}")):
        try:
            yield path.parent, read_json(path, error=DataError, advice="")
        except DigitEdgeError:  # damaged: no model to load either
            continue


def _part(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _listed(value: Any, key: str) -> list[Any]:
    listed = _part(value, key)
    return listed if isinstance(listed, list) else []
