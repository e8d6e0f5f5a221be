"""MNIST: find it, fetch it, check it.

Looks at the path given, then at $DIGITEDGE_DATA, digitedge's cache, Keras's cache; else downloads. Whatever the packing
(four idx files, gzipped or not, or mnist.npz), the unpacked content is checked against its sha256, so a truncated,
tampered, swapped or foreign file is refused before anything is trained on it. A path that the user names must hold;
only the caches may be empty.
"""

import gzip
import hashlib
import os
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from digitedge.datasets.dataset import Dataset, idx_bytes
from digitedge.datasets.download import download
from digitedge.errors import DataError
from digitedge.utils.loading import read_npz

# sha256 of the unpacked idx files, in the order of Dataset's fields. Source: LeCun, Cortes and Burges, as every mirror
# has them.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SHAPES = {
    "train-images-idx3-ubyte": (60000, 28, 28),
    "train-labels-idx1-ubyte": (60000,),
    "t10k-images-idx3-ubyte": (10000, 28, 28),
    "t10k-labels-idx1-ubyte": (10000,),
}
NPZ_KEYS = dict(zip(SHA256, ("x_train", "y_train", "x_test", "y_test"), strict=True))
_FETCH = "fetch it again: digitedge data get"
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist")


def load_mnist(path: str | Path | None = None) -> Dataset:
    """Load MNIST, downloading it to the cache if it is nowhere on this machine.

    Args:
        path: a folder with the four idx files (.gz or not) or with mnist.npz, or the path of such an npz file. None
            looks at $DIGITEDGE_DATA, then at the caches of digitedge and Keras, then downloads.

    Returns:
        `x_train, y_train, x_test, y_test`: uint8 (60000, 28, 28), (60000,), (10000, 28, 28), (10000,).

    Raises:
        DataError: nothing there, a file that is not MNIST's, or no download; the message says which file and what to
            do.
    """
    return read_mnist(find_mnist(path) or fetch_mnist(cache_folder()))


def find_mnist(path: str | Path | None = None) -> Path | None:
    """Say where MNIST is: the path or $DIGITEDGE_DATA if given, else the first cache that has it, else None.

    Raises:
        DataError: a path or $DIGITEDGE_DATA was given and has no MNIST.
    """
    named = path or os.environ.get("DIGITEDGE_DATA")
    if named:
        if not _is_there(Path(named)):
            origin = "--data" if path else "$DIGITEDGE_DATA"
            raise DataError(
                f"no MNIST at {named} ({origin}): expected the four files {', '.join(SHA256)} (.gz or not), "
                "or mnist.npz. Give a folder that has them, or leave it out to download them."
            )
        return Path(named)
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    return next((folder for folder in (cache_folder(), keras) if _is_complete(folder)), None)


def read_mnist(path: Path) -> Dataset:
    """Read and check MNIST in a folder or npz file. Errors as in `load_mnist`."""
    files = _idx_files(path)
    npz = path / "mnist.npz" if path.is_dir() else path
    if npz.is_file() and len(files) < len(SHA256):
        return _read_npz(npz)
    missing = [name for name in SHA256 if name not in files]
    if missing:
        raise DataError(
            f"{path}: no file {missing[0]} (.gz or not). Put it there, or fetch all four: digitedge data get"
        )
    return Dataset(*(_read_idx(name, files[name]) for name in SHA256))


def fetch_mnist(folder: Path, *, mirrors: tuple[str, ...] = MIRRORS) -> Path:
    """Download the four idx files into `folder`, each from the first mirror that gives the right content.

    Returns:
        `folder`; a file appears there whole and checked, or not at all.

    Raises:
        DataError: no mirror gave a file; the message says what each one answered.
    """
    for name in SHA256:
        target = folder / f"{name}.gz"
        if _is_right(name, target):
            continue  # fetched by an earlier call that was interrupted
        reasons = []
        for mirror in mirrors:
            try:
                download(f"{mirror}/{name}.gz", target, check=partial(_check_download, name))
                break
            except DataError as exc:
                reasons.append(str(exc))
        else:
            raise DataError(
                f"cannot download MNIST ({'; '.join(reasons)}). Give a folder that has it with --data FOLDER, "
                "or train on rendered digits with --data synthetic"
            )
    return folder


def cache_folder() -> Path:
    """Where downloads are kept: the user's cache folder of this system."""
    return Path(platformdirs.user_cache_dir("digitedge")) / "mnist"


def _is_there(path: Path) -> bool:
    """Whether a path looks like MNIST: an npz file, or a folder with one or with any of the idx files."""
    return path.is_file() or (path.is_dir() and ((path / "mnist.npz").is_file() or bool(_idx_files(path))))


def _is_complete(folder: Path) -> bool:
    """Whether a cache has all of MNIST; an interrupted download leaves only some of its files."""
    return (folder / "mnist.npz").is_file() or len(_idx_files(folder)) == len(SHA256)


def _is_right(name: str, path: Path) -> bool:
    """Whether a file is there and holds MNIST's `name`."""
    try:
        return path.is_file() and _problem(name, _unpack(name, path)) is None
    except DataError:
        return False


def _idx_files(folder: Path) -> dict[str, Path]:
    """The idx files in a folder by official name, unpacked before packed; also spelled `train-images.idx3-ubyte`."""
    files: dict[str, Path] = {}
    for name in SHA256:
        for spelling in (name, name.replace("-idx", ".idx")):
            for path in (folder / spelling, folder / f"{spelling}.gz"):
                if path.is_file():
                    files.setdefault(name, path)
    return files


def _read_idx(name: str, path: Path) -> NDArray[np.uint8]:
    """Unpack one idx file, check that it holds exactly MNIST's `name`, and give its array."""
    content = _unpack(name, path)
    _check(name, content, path)
    shape = SHAPES[name]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _check_download(name: str, draft: Path) -> None:
    problem = _problem(name, _unpack(name, draft))
    if problem:
        raise DataError(problem)


def _unpack(name: str, path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as exc:
        raise DataError(
            f"{path}: expected {name}, got a file that cannot be unpacked ({exc}). Delete it; {_FETCH}"
        ) from exc


def _read_npz(path: Path) -> Dataset:
    """Read mnist.npz as Keras has it, and check each array as if it were the idx file."""
    arrays = read_npz(path, error=DataError, advice=f"Delete it; {_FETCH}")
    absent = [key for key in NPZ_KEYS.values() if key not in arrays]
    if absent:
        problem = f"expected arrays {', '.join(NPZ_KEYS.values())}, got {', '.join(arrays) or 'none'}"
        raise DataError(f"{path}: {problem}. Delete it; {_FETCH}")
    for name, key in NPZ_KEYS.items():
        if arrays[key].dtype != np.uint8:
            raise DataError(f"{path}: expected {key} of uint8, got {arrays[key].dtype}. Delete it; {_FETCH}")
        _check(name, idx_bytes(arrays[key]), path)
    return Dataset(*(arrays[key] for key in NPZ_KEYS.values()))


def _check(name: str, content: bytes, path: Path) -> None:
    """Refuse content that is not MNIST's."""
    problem = _problem(name, content)
    if problem:
        raise DataError(f"{path}: {problem}. Delete it; {_FETCH}")


def _problem(name: str, content: bytes) -> str | None:
    """Say in which way content is not MNIST's `name`, or None if it is."""
    actual = hashlib.sha256(content).hexdigest()
    if actual == SHA256[name]:
        return None
    size = 4 + 4 * len(SHAPES[name]) + int(np.prod(SHAPES[name]))
    other = next((n for n, digest in SHA256.items() if digest == actual), None)
    if other:
        kind = f"the content of {other}: the files are swapped"
    elif len(content) != size:
        kind = f"{len(content)} bytes instead of {size}: {'truncated' if len(content) < size else 'another data set'}"
    else:
        kind = "the right size but other content: changed, or another data set"
    return f"expected MNIST's {name}, sha256 {SHA256[name][:12]}..., got {actual[:12]}... ({kind})"
