"""The original: the user's file behind an adapter, the reference of every comparison.

`export` scores the file as its own framework loads it. The copy that the bundle keeps, with which `verify` compares,
must have given the same answers.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import Bundle
from digitedge.bundle.manifest import build_adapter
from digitedge.datasets.dataset import Dataset, search_digits
from digitedge.errors import ModelError, first_line
from digitedge.exporting.converters import Convertible, load_convertible
from digitedge.runtime import load_network
from digitedge.runtime.adapter import CONTRACT, AdaptedClassifier, Adapter, Network, Preprocessing
from digitedge.runtime.adapter_search import MIN_ACCURACY, PreprocessingTrial, check_accuracy, find_adapter
from digitedge.runtime.checks.read_model import read_model
from digitedge.utils.drafts import temporary_folder

# A digit classifier is far smaller; what claims more is no honest bundle.
MAX_UNPACKED_BYTES = 2_000_000_000
ADVICE = "Name its own preprocessing with --preprocess, train it longer, or lower --min-accuracy."


@dataclass(frozen=True, slots=True)
class Original:
    """The user's file and how it is used.

    Attributes:
        path: of the file or SavedModel folder.
        network: the file, loaded.
        trials: the preprocessings that were tried, the best one first.
    """

    path: Path
    network: Network
    trials: tuple[PreprocessingTrial, ...]

    @property
    def adapter(self) -> Adapter:
        """How the file is used."""
        return self.trials[0].adapter

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score crops: uint8 (N, 28, 28) -> float32 (N, 10). See `digitedge.runtime.Classifier`."""
        return AdaptedClassifier(self.network, self.adapter).probabilities(crops)


def load_original(
    path: Path,
    data: Dataset,
    *,
    preprocess: str | None = None,
    min_accuracy: float = MIN_ACCURACY,
    log: Callable[[str], object] = print,
) -> Original:
    """Load a model file of any kind, and find on training digits how it is used.

    Args:
        path: a Keras, `.onnx` or `.tflite` file, or a SavedModel folder.
        data: whose training digits are used.
        preprocess: the user's choice, see `Preprocessing.parse`; None to find the best.
        min_accuracy: smallest share of the training digits that must be read right, 0 to 1.
        log: gets a line that says what was found, unless it is the model contract.

    Raises:
        InputError: a wrong text for `preprocess`.
        ModelError: it cannot be loaded, is not a digit classifier, or reads too few digits right.
    """
    network = load_network(path)
    asked = None if preprocess is None else Preprocessing.parse(preprocess)
    trials = find_adapter(network, *search_digits(data), asked=asked, path=path)
    check_accuracy(trials, min_accuracy, path, advice=ADVICE)
    if trials[0].adapter != CONTRACT:
        log(f"{path.name}: {trials[0]}" + (f"; next: {trials[1]}" if len(trials) > 1 else ""))
    return Original(path, network, tuple(trials))


def load_reference(bundle: Bundle) -> AdaptedClassifier:
    """Load the original that a bundle keeps. Errors as in `load_original`."""
    adapter = build_adapter(bundle.manifest.reference_adapter) or CONTRACT
    sha256 = bundle.manifest.others[bundle.manifest.reference].sha256
    with unpacked(bundle.reference, sha256) as path:
        return AdaptedClassifier(load_network(path, sha256=sha256), adapter)


def load_convertible_reference(bundle: Bundle) -> Convertible:
    """Load the original that a bundle keeps, as it is converted. Errors as in `load_convertible`."""
    with unpacked(bundle.reference, bundle.manifest.others[bundle.manifest.reference].sha256) as path:
        return load_convertible(path, build_adapter(bundle.manifest.reference_adapter))


@contextmanager
def unpacked(reference: Path, sha256: str | None = None) -> Iterator[Path]:
    """The original of a bundle: the file, or the folder of a packed SavedModel while the block runs.

    Raises:
        ModelError: a packed SavedModel has another hash than `sha256`, or cannot be unpacked.
    """
    if reference.suffix != ".zip":
        yield reference
        return
    content, _ = read_model(reference, sha256)
    with temporary_folder() as folder:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                size = sum(one.file_size for one in archive.infolist())
                if size > MAX_UNPACKED_BYTES:
                    raise ModelError(
                        f"{reference}: expected at most {MAX_UNPACKED_BYTES:,} bytes inside, got {size:,}."
                    )
                archive.extractall(folder)
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as exc:
            raise ModelError(f"{reference}: cannot be unpacked ({first_line(exc)}). Export the bundle again.") from exc
        yield folder


def pack_saved_model(folder: Path, target: Path) -> None:
    """Write what belongs to a SavedModel folder into a zip file."""
    with zipfile.ZipFile(target, "w", strict_timestamps=False) as archive:
        for pattern in ("saved_model.pb", "fingerprint.pb", "variables/*", "assets/*"):
            for path in sorted(folder.glob(pattern)):
                archive.write(path, path.relative_to(folder))
