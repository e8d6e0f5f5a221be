"""MNIST: find it, download it, check it.

Any packing is read: four idx files, gzipped or not, or mnist.npz. The sha256 of the unpacked content is checked, so a
truncated, changed or swapped file is refused before anything is trained on it.
"""

import gzip
import hashlib
import http.client
import io
import os
import queue
import threading
import time
import urllib.request
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from digitedge.datasets.dataset import Dataset, idx_bytes, search_digits
from digitedge.errors import DataError
from digitedge.utils.files import atomic_file, read_regular_file
from digitedge.utils.loading import read_npz

# sha256 of the unpacked idx files of LeCun, Cortes and Burges, in the order of Dataset's fields.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SHAPES = dict(zip(SHA256, ((60000, 28, 28), (60000,), (10000, 28, 28), (10000,)), strict=True))
NPZ_NAME = "mnist.npz"
NPZ_KEYS = dict(zip(SHA256, Dataset._fields, strict=True))
MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist")
TIMEOUT_S = 10.0
# A mirror that is slower on average, GRACE_S after the start, is given up. So a file takes at most 80 minutes.
MIN_BYTES_PER_S = 10_000
GRACE_S = 10.0
_CHUNK_BYTES = 1 << 16

_CACHE_ADVICE = "Fetch it again: digitedge data get"
_OWN_ADVICE = (
    "`digitedge data get` fetches MNIST. Digits of your own: a folder with subfolders 0 to 9, a csv file, or an npz "
    "file of another name with images x and labels y"
)


def load_mnist(path: str | Path | None = None) -> Dataset:
    """Load MNIST; download it to the cache if it is not on this machine.

    Args:
        path: a folder with the four idx files (.gz or not) or with mnist.npz, or the path of such an npz file. None
            looks at $DIGITEDGE_DATA, then in the caches of digitedge and Keras, then downloads.

    Returns:
        `x_train, y_train, x_test, y_test`: uint8 (60000, 28, 28), (60000,), (10000, 28, 28), (10000,).

    Raises:
        DataError: nothing there, a file with other content, or no download; the message names the file.
    """
    return read_mnist(find_mnist(path) or download_mnist(cache_folder()))


def local_training_digits() -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Draw training digits of MNIST if it is on this machine, as `search_digits` does; else None. No download."""
    with suppress(DataError):
        place = find_mnist()
        return None if place is None else search_digits(read_mnist(place))
    return None


def find_mnist(path: str | Path | None = None) -> Path | None:
    """Return where MNIST is: the path or $DIGITEDGE_DATA if given, else the first cache that has it, else None.

    Raises:
        DataError: a path or $DIGITEDGE_DATA is given and has no MNIST.
    """
    given = path or os.environ.get("DIGITEDGE_DATA")
    if given:
        place = Path(given)
        if not has_mnist(place):
            raise DataError(
                f"no MNIST at {given} ({'--data' if path else '$DIGITEDGE_DATA'}): expected the four files "
                f"{', '.join(SHA256)} (.gz or not), or mnist.npz. Give a folder that has them, or leave it out to "
                "download them. Digits of your own go to --data."
            )
        return place
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    for folder in (cache_folder(), keras):
        if (folder / NPZ_NAME).is_file() or len(_idx_files(folder)) == len(SHA256):
            return folder
    return None


def has_mnist(path: Path) -> bool:
    """Whether a path is meant as MNIST: a folder with a file of MNIST, mnist.npz, or an npz file with its content.

    An npz file of another name that has other digits in the same arrays is not MNIST.
    """
    if path.is_dir():
        return (path / NPZ_NAME).is_file() or bool(_idx_files(path))
    if path.name == NPZ_NAME or not path.is_file() or not zipfile.is_zipfile(path):
        return path.name == NPZ_NAME
    with suppress(DataError, zipfile.BadZipFile):
        with zipfile.ZipFile(path) as archive:  # read the arrays only if they have the names
            if not {f"{key}.npy" for key in NPZ_KEYS.values()} <= set(archive.namelist()):
                return False
        _read_npz(path)
        return True
    return False


def read_mnist(path: Path) -> Dataset:
    """Read and check MNIST in a folder or npz file. Errors as in `load_mnist`."""
    files = _idx_files(path)
    npz = path / NPZ_NAME if path.is_dir() else path
    if npz.is_file() and len(files) < len(SHA256):
        return _read_npz(npz)
    for name in SHA256:
        if name not in files:
            raise DataError(f"{path}: no file {name} (.gz or not). Put it there, or fetch all four: digitedge data get")
    return Dataset(*(_read_idx(name, path) for name, path in files.items()))


def download_mnist(folder: Path, *, mirrors: tuple[str, ...] = MIRRORS, grace_s: float = GRACE_S) -> Path:
    """Download the missing or damaged idx files of a folder, each from the first mirror with the right content.

    A file appears whole and checked, or not at all. A mirror that sends more than the file has, or after `grace_s`
    seconds less than MIN_BYTES_PER_S on average, is given up. Returns the folder. See docs/decisions/mnist-download.md.

    Raises:
        DataError: no mirror gave a file; the message has the reason of each.
    """
    for name in SHA256:
        target = folder / f"{name}.gz"
        with suppress(DataError):  # missing or damaged
            _unpack(name, target)
            continue
        reasons = []
        for mirror in mirrors:
            try:
                _download(f"{mirror}/{name}.gz", name, target, grace_s)
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
    """Return the folder of downloads in the user's cache."""
    return Path(platformdirs.user_cache_dir("digitedge")) / "mnist"


def _download(url: str, name: str, target: Path, grace_s: float) -> None:
    """Download one file; it appears at `target` if its content is MNIST's `name`."""
    with atomic_file(target) as draft:
        try:
            _fetch(url, draft, description=target.name, max_bytes=_size(name) + _CHUNK_BYTES, grace_s=grace_s)
            _unpack(name, draft)
        except DataError as exc:
            reason = str(exc).removeprefix(f"{draft}: ").removesuffix(f". {_advice(draft)}")
            raise DataError(f"{url}: {reason}") from exc


def _fetch(url: str, draft: Path, *, description: str, max_bytes: int, grace_s: float) -> None:
    """Fetch a file in a thread, whose end is not waited for: a name server or a header may take for ever.

    Raises:
        DataError: no connection, more than `max_bytes`, or too slow.
    """
    arrived: queue.SimpleQueue[bytes | Exception | int] = queue.SimpleQueue()
    given_up = threading.Event()

    def read() -> None:
        try:
            with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
                arrived.put(response.length or 0)
                while (chunk := response.read1(_CHUNK_BYTES)) and not given_up.is_set():
                    arrived.put(chunk)
            arrived.put(b"")
        except (OSError, http.client.HTTPException, ValueError) as exc:
            arrived.put(exc)

    threading.Thread(target=read, name="download", daemon=True).start()
    started, size = time.monotonic(), 0
    try:
        with draft.open("wb") as file, Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task(description, total=None)
            while True:
                latest = started + grace_s + size / MIN_BYTES_PER_S
                try:
                    item = arrived.get(timeout=max(0.0, latest - time.monotonic()))
                except queue.Empty:
                    raise DataError(
                        f"expected at least {MIN_BYTES_PER_S:,} bytes a second, got {size:,} in "
                        f"{time.monotonic() - started:.0f} s"
                    ) from None
                if isinstance(item, Exception):
                    raise DataError(str(getattr(item, "reason", None) or item)) from item
                if isinstance(item, int):
                    progress.update(task, total=item or None)
                    continue
                if not item:
                    return
                size += len(item)
                if size > max_bytes:
                    raise DataError(f"expected at most {max_bytes:,} bytes, got more")
                file.write(item)
                progress.update(task, completed=size)
    finally:
        given_up.set()


def _advice(path: Path) -> str:
    """What to do about a file that is not MNIST: one in our cache may be replaced, one of the user never."""
    return _CACHE_ADVICE if cache_folder() in path.absolute().parents else _OWN_ADVICE


def _idx_files(folder: Path) -> dict[str, Path]:
    """Return the idx files in a folder by name, unpacked before packed; some are spelled `train-images.idx3-ubyte`."""
    files: dict[str, Path] = {}
    for name in SHA256:
        for spelling in (name, name.replace("-idx", ".idx")):
            for path in (folder / spelling, folder / f"{spelling}.gz"):
                if path.is_file():
                    files.setdefault(name, path)
    return files


def _read_idx(name: str, path: Path) -> NDArray[np.uint8]:
    shape = SHAPES[name]
    return np.frombuffer(_unpack(name, path), np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _size(name: str) -> int:
    """Bytes of an unpacked idx file."""
    return 4 + 4 * len(SHAPES[name]) + int(np.prod(SHAPES[name]))


def _unpack(name: str, path: Path) -> bytes:
    """Read an idx file, gzipped or not, and check that it is MNIST's `name`."""
    size = _size(name)
    content = read_regular_file(path, max_bytes=size + _CHUNK_BYTES, error=DataError)
    try:
        if content[:2] == b"\x1f\x8b":  # one byte more than it should have shows that it is another file
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(size + 1)
    except (OSError, EOFError, zlib.error) as exc:
        raise DataError(
            f"{path}: expected {name}, got a file that cannot be unpacked ({exc}). {_advice(path)}"
        ) from exc
    _check(name, content, path)
    return content


def _read_npz(path: Path) -> Dataset:
    """Read mnist.npz as Keras has it, and check each array as the idx file that it would be."""
    arrays = read_npz(path, error=DataError, advice=_advice(path))
    if not arrays.keys() >= set(NPZ_KEYS.values()):
        problem = f"expected arrays {', '.join(NPZ_KEYS.values())}, got {', '.join(arrays) or 'none'}"
        raise DataError(f"{path}: {problem}. {_advice(path)}")
    for name, key in NPZ_KEYS.items():
        if arrays[key].dtype != np.uint8:
            raise DataError(f"{path}: expected {key} of uint8, got {arrays[key].dtype}. {_advice(path)}")
        _check(name, idx_bytes(arrays[key]), path)
    return Dataset(*(arrays[key] for key in NPZ_KEYS.values()))


def _check(name: str, content: bytes, path: Path) -> None:
    """Refuse content that is not MNIST's `name`, and say in which way it differs."""
    actual = hashlib.sha256(content).hexdigest()
    if actual == SHA256[name]:
        return
    size = _size(name)
    other = next((n for n, digest in SHA256.items() if digest == actual), None)
    if other:
        kind = f"the content of {other}: the files are swapped"
    elif len(content) != size:
        kind = f"{len(content)} bytes instead of {size}: {'truncated' if len(content) < size else 'another data set'}"
    else:
        kind = "the right size but other content: changed, or another data set"
    raise DataError(
        f"{path}: expected MNIST's {name}, sha256 {SHA256[name][:12]}..., got {actual[:12]}... ({kind}). "
        f"{_advice(path)}"
    )
