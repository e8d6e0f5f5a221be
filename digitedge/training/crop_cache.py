"""A cache for crops of rendered scenes in the user's cache folder, valid until the code that makes them changes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs
from rich.console import Console

from digitedge.errors import DataError, DigitEdgeError
from digitedge.synthetic.scenes.crops import SceneCrops
from digitedge.utils.files import atomic_file
from digitedge.utils.loading import read_npz

SOURCES = ("synthetic", "vision", "datasets/non_digits.py", "training/training_data.py")
"""The code that the crops depend on: packages and files of digitedge."""


def cached_crops(make: Callable[..., SceneCrops], scenes: int, *, seed: int) -> SceneCrops:
    """Return cached crops; or make and cache them, and say so on stderr, if there are none or other code made them."""
    path = cache_folder() / f"{scenes}-{seed}.npz"
    code = _code_sha256()
    if (cached := _read(path, code)) is not None:
        return cached
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"rendering {scenes} scenes and cropping what is found; the crops are cached for the next training")
    made = make(scenes, seed=seed)
    try:
        with atomic_file(path) as draft:
            np.savez_compressed(draft, crops=made.crops, labels=made.labels, code=np.array(code))
    except DigitEdgeError as exc:
        console.print(f"the crops are not cached: {exc}", markup=False)
    return made


def cache_folder() -> Path:
    """Return the folder of the cache."""
    return Path(platformdirs.user_cache_dir("digitedge")) / "crops"


def _read(path: Path, code: str) -> SceneCrops | None:
    """Read cached crops; None if they are missing, damaged or made by other code."""
    try:
        arrays = read_npz(path, error=DataError, advice="")
    except DataError:
        return None
    return SceneCrops(arrays["crops"], arrays["labels"]) if str(arrays.get("code")) == code else None


def _code_sha256() -> str:
    """Hash the content of SOURCES: hexadecimal."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for source in SOURCES:
        for path in sorted((package / source).rglob("*.py")) or [package / source]:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
