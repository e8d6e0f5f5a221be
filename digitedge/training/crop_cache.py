"""Cuttings are made once: the user's cache keeps them until the code that makes them changes."""

import hashlib
from pathlib import Path
from typing import Protocol

import numpy as np
import platformdirs
from rich.console import Console

import digitedge
from digitedge.errors import DataError, DigitEdgeError
from digitedge.synthetic.scenes.crops import Cuttings
from digitedge.utils.files import atomic_file
from digitedge.utils.loading import read_npz

# What the crops depend on: the rooms that render and search, and the file that puts them together.
SOURCES = ("synthetic", "vision", "training/training_data.py")


class Maker(Protocol):
    """Makes cuttings of a number of scenes."""

    def __call__(self, scenes: int, /, *, seed: int) -> Cuttings:
        """The same seed gives the same cuttings."""
        ...


def kept_cuttings(make: Maker, scenes: int, *, seed: int) -> Cuttings:
    """Make cuttings and say so on stderr, or take what an earlier call made.

    Args:
        make: called where nothing is kept, or what is kept was made by other code.
        scenes: how many scenes, >= 0.
        seed: the same seed gives the same cuttings.
    """
    path = cache_folder() / f"{scenes}-{seed}.npz"
    code = _code_sha256()
    kept = _read(path, code)
    if kept is not None:
        return kept
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"rendering {scenes} scenes and cutting out what is found; it is kept for the next training")
    cuttings = make(scenes, seed=seed)
    try:
        with atomic_file(path) as draft:
            np.savez_compressed(draft, crops=cuttings.crops, digits=cuttings.digits, code=np.array(code))
    except DigitEdgeError as exc:
        console.print(f"the cuttings are not kept: {exc}", markup=False)
    return cuttings


def cache_folder() -> Path:
    """Where cuttings are kept: the user's cache folder of this system."""
    return Path(platformdirs.user_cache_dir("digitedge")) / "cuttings"


def _read(path: Path, code: str) -> Cuttings | None:
    """What was kept, if the same code made it; a damaged file counts as none."""
    if not path.is_file():
        return None
    try:
        arrays = read_npz(path, error=DataError, advice="")
    except DataError:
        return None
    return Cuttings(arrays["crops"], arrays["digits"]) if str(arrays.get("code")) == code else None


def _code_sha256() -> str:
    """Hexadecimal hash of SOURCES."""
    digest = hashlib.sha256()
    package = Path(digitedge.__file__).parent
    for source in SOURCES:
        for path in sorted((package / source).rglob("*.py")) or [package / source]:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
