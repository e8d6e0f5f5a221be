"""What was trained on the digits of a writer: runs, bundles and adaptations name the writers by their ids."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from digitedge.bundle.adaptation import SUFFIX, load_adaptation
from digitedge.errors import DataError, DigitEdgeError, ModelError
from digitedge.utils.loading import read_json

FILES = ("args.json", "manifest.json")
"""Files of a run and of a bundle. Both list the writers whose digits the model learned from, also through the models
that it came from."""


def models_of_writer(writer: str, *, runs: Path, bundles: Path) -> list[Path]:
    """Find the models that learned from the digits of a writer.

    Args:
        writer: id of the writer.
        runs: folder of run folders.
        bundles: folder of bundles and adaptations.

    Returns:
        Run folders, bundles, and files of adaptations. What cannot be read names nobody.
    """
    folders = [path for folder in (runs, bundles) for path, value in _read_all(folder) if writer in _writers(value)]
    return [*folders, *_find_adaptations(writer, bundles)]


def _read_all(folder: Path) -> Iterator[tuple[Path, Any]]:
    for path in sorted(path for name in FILES for path in folder.glob(f"*/{name}")):
        try:
            yield path.parent, read_json(path, error=DataError, advice="")
        except DigitEdgeError:  # damaged: no model to load either
            continue


def _writers(value: Any) -> list[Any]:
    listed = value.get("writers") if isinstance(value, dict) else None
    return listed if isinstance(listed, list) else []


def _find_adaptations(writer: str, folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with suppress(ModelError):
            if writer in load_adaptation(path).info.writers:
                yield path
