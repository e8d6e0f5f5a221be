"""The golden set: rendered crops with the probabilities that every exported file gave on the machine that exported it.

Any device can check its runtime against them, without data and without TensorFlow. It proves the device, not the
accuracy: the probabilities are the model's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import Bundle, read_golden
from digitedge.bundle.manifest import GOLDEN, build_adapter
from digitedge.bundle.recipe import RECIPES, NumberFormat
from digitedge.errors import ModelError
from digitedge.runtime import RUNTIMES, Classifier, can_run, find_runtime, load_classifier
from digitedge.runtime.contract import CLASSES
from digitedge.utils.crop_format import CROP_SIZE
from digitedge.utils.files import atomic_file

# Largest difference of a probability from that of the exporting machine. Float sums differ in their order only. A step
# of an int8 softmax is 1/256, and a rounding inside may cost a few: LiteRT int8 is bit-equal on AVX2 and within 1/64 on
# an emulated Cortex-A72.
FLOAT_DIFFERENCE = 1e-3
QUANTIZED_DIFFERENCE = 1 / 16


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Crops uint8 (N, 28, 28), and probabilities float32 (N, 10) by file name; `reference` is the Keras original."""

    crops: NDArray[np.uint8]
    probabilities: dict[str, NDArray[np.float32]]


def save_golden(golden: Golden, path: Path) -> None:
    """Write a golden set as a whole .npz file."""
    arrays: dict[str, Any] = {"crops": golden.crops, **golden.probabilities}
    with atomic_file(path) as draft:
        np.savez_compressed(draft, **arrays)


def load_golden(path: Path, *, sha256: str | None = None) -> Golden:
    """Read a golden set; with the hash of its content, if it must have one.

    Raises:
        ModelError: missing, damaged or changed.
    """
    arrays = read_golden(path, sha256=sha256, advice="Export the bundle again.")
    crops = arrays.pop("crops", np.empty(0))
    crops_hold = crops.size > 0 and crops.dtype == np.uint8 and crops.shape[1:] == (CROP_SIZE, CROP_SIZE)
    if not crops_hold or any(a.shape != (len(crops), CLASSES) or a.dtype != np.float32 for a in arrays.values()):
        raise ModelError(
            f"{path}: expected crops uint8 (N, 28, 28) with probabilities float32 (N, 10). Export the bundle again."
        )
    return Golden(crops, arrays)


def check_bundle(bundle: Bundle, *, log: Callable[[str], None] = print) -> dict[str, list[str]]:
    """Check every file of a bundle that can run here against the golden set; log those whose runtime is missing.

    Returns:
        File name -> what differs; empty lists mean that this device gives the same results as the one that exported it.

    Raises:
        ModelError: a damaged golden set, or no file that can run here.
    """
    golden = load_golden(bundle.golden, sha256=bundle.manifest.others[GOLDEN].sha256)
    checked = {}
    for name, entry in bundle.manifest.files.items():
        path = bundle.path / name
        if not can_run(path):
            log(f"{name}: not checked, because {find_runtime(path).missing}")
            continue
        adapter = build_adapter(entry.adapter)
        quantized = RECIPES[entry.recipe].weights is NumberFormat.INT8
        checked[name] = check_golden(
            golden, name, load_classifier(path, adapter=adapter, sha256=entry.sha256), quantized=quantized
        )
    if not checked:
        raise ModelError(f"{bundle.path}: no runtime here for any of its files. {RUNTIMES[0].missing}")
    return checked


def check_golden(golden: Golden, name: str, classifier: Classifier, *, quantized: bool) -> list[str]:
    """Compare the probabilities of a file, loaded here, with those of the exporting machine. `quantized` means int8.

    Returns:
        What differs, one line each; empty if nothing does.

    Raises:
        ModelError: the set has no probabilities for this file.
    """
    expected = golden.probabilities.get(name)
    if expected is None:
        raise ModelError(f"the golden set has no probabilities for {name}. Export the bundle again.")
    actual = classifier.probabilities(golden.crops)
    limit = QUANTIZED_DIFFERENCE if quantized else FLOAT_DIFFERENCE
    difference = float(np.abs(actual - expected).max())
    # A prediction may change only where two digits were within the allowed difference of each other.
    ranked = np.sort(expected, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 2 * limit
    flips = int(np.sum((actual.argmax(axis=1) != expected.argmax(axis=1)) & clear))
    checks = {
        f"{flips} of {len(expected)} golden predictions differ": flips == 0,
        f"largest difference {difference:.2g}, limit {limit:.2g}": difference <= limit,
    }
    return [message for message, holds in checks.items() if not holds]
