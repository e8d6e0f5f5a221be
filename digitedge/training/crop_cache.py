"""A cache for crops of rendered scenes in the user's cache folder, valid until code or images that make them change."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import platformdirs
from rich.console import Console

from digitedge.errors import DataError, DigitEdgeError
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.scenes.crops import SceneCrops
from digitedge.utils.files import atomic_file
from digitedge.utils.loading import read_npz

SOURCES = ("synthetic", "vision", "datasets/non_digits.py", "training/training_data.py")
"""The code that the crops depend on: packages and files of digitedge."""


def cached_crops(
    make: Callable[..., SceneCrops], scenes: int, *, seed: int, written: WrittenDigits | None = None
) -> SceneCrops:
    """Return cached crops; or make and cache them, and say so on stderr, if there are none or others are cached.

    Args:
        make: takes the number of scenes, the seed and `written`.
        scenes: number of scenes.
        seed: of the scenes.
        written: images in which digits are written; other images need other crops.
    """
    path = cache_folder() / f"{scenes}-{seed}.npz"
    source = _source_sha256(written)
    if (cached := _read(path, source)) is not None:
        return cached
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"rendering {scenes} scenes and cropping what is found; the crops are cached for the next training")
    made = make(scenes, seed=seed, written=written)
    try:
        with atomic_file(path) as draft:
            np.savez_compressed(draft, crops=made.crops, labels=made.labels, source=np.array(source))
    except DigitEdgeError as exc:
        console.print(f"the crops are not cached: {exc}", markup=False)
    return made


def cache_folder() -> Path:
    """Return the folder of the cache."""
    return Path(platformdirs.user_cache_dir("digitedge")) / "crops"


def _read(path: Path, source: str) -> SceneCrops | None:
    """Read cached crops; None if they are missing, damaged or made by other code or of other images."""
    try:
        arrays = read_npz(path, error=DataError, advice="")
    except DataError:
        return None
    return SceneCrops(arrays["crops"], arrays["labels"]) if str(arrays.get("source")) == source else None


def _source_sha256(written: WrittenDigits | None) -> str:
    """Hash the content of SOURCES and the images: hexadecimal."""
    digest = hashlib.sha256()
    if written is not None:
        digest.update(written.images.tobytes() + written.labels.tobytes())
    package = Path(__file__).parents[1]
    for source in SOURCES:
        for path in sorted((package / source).rglob("*.py")) or [package / source]:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
