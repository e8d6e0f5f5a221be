"""The golden set: a few rendered crops with the answers that the exported files gave where they were made.

Any device can check its own runtime against it, without data and without TensorFlow. It proves the device, not the
accuracy: the crops are rendered, and the answers are the model's own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.bundle.bundle import Bundle
from digitedge.bundle.recipe import RECIPES, Numbers
from digitedge.errors import ModelError
from digitedge.runtime import Classifier, can_run, load_classifier
from digitedge.utils.files import atomic_file
from digitedge.utils.loading import read_npz

REFERENCE_KEY = "reference"

# How far another processor may answer from the one that exported. Float sums differ in their order only. One step of an
# int8 softmax is 1/256 and a rounding inside may cost a few (LiteRT int8: bit-equal on AVX2, within 1/64 on an emulated
# Cortex-A72).
FLOAT_DIFFERENCE = 1e-3
QUANTIZED_DIFFERENCE = 1 / 16


@dataclass(frozen=True, slots=True, eq=False)
class Golden:
    """Crops uint8 (N, 28, 28), and the answers float32 (N, 10) by file name; `reference` is the Keras original."""

    crops: NDArray[np.uint8]
    answers: dict[str, NDArray[np.float32]]


def save_golden(golden: Golden, path: Path) -> None:
    """Write a golden set as a whole .npz file."""
    with atomic_file(path) as draft, draft.open("wb") as file:
        arrays: dict[str, Any] = {"crops": golden.crops, **golden.answers}
        np.savez_compressed(file, **arrays)


def load_golden(path: Path) -> Golden:
    """Read a golden set.

    Raises:
        ModelError: missing or damaged.
    """
    arrays = read_npz(path, error=ModelError, advice="Export the bundle again.")
    crops = arrays.pop("crops", np.empty(0))
    shapes_fit = crops.shape[1:] == (28, 28) and all(answers.shape == (len(crops), 10) for answers in arrays.values())
    types_fit = crops.dtype == np.uint8 and all(answers.dtype == np.float32 for answers in arrays.values())
    if not (crops.size and shapes_fit and types_fit):
        raise ModelError(
            f"{path}: expected crops uint8 (N, 28, 28) with answers float32 (N, 10). Export the bundle again."
        )
    return Golden(crops, arrays)


def check_bundle(bundle: Bundle, *, log: Callable[[str], None] = print) -> dict[str, list[str]]:
    """Check every file of a bundle that can run here against its golden answers.

    Args:
        bundle: from `load_bundle`.
        log: gets a line for each file whose runtime is not installed.

    Returns:
        File name -> what differs; empty lists mean that this device computes as the exporting one did.

    Raises:
        ModelError: a damaged golden set, or no file that can run here.
    """
    golden = load_golden(bundle.golden)
    checked = {}
    for name, entry in bundle.manifest.files.items():
        path = bundle.path / name
        if not can_run(path):
            log(f"{name}: not checked, because its runtime is not installed")
            continue
        quantized = RECIPES[entry.recipe].weights is Numbers.INT8
        checked[name] = check_golden(golden, name, load_classifier(path), quantized=quantized)
    if not checked:
        raise ModelError(f"{bundle.path}: no runtime here for any of its files. Run: pip install ai-edge-litert")
    return checked


def check_golden(golden: Golden, name: str, classifier: Classifier, *, quantized: bool) -> list[str]:
    """Say how this device's answers differ from those of the export; an empty list means that they do not.

    Args:
        golden: the bundle's set.
        name: the file's name in the bundle.
        classifier: that file, loaded here.
        quantized: whether the file computes with int8.

    Raises:
        ModelError: the set has no answers for this file.
    """
    expected = golden.answers.get(name)
    if expected is None:
        raise ModelError(f"the golden set has no answers for {name}. Export the bundle again.")
    actual = classifier.probabilities(golden.crops)
    limit = QUANTIZED_DIFFERENCE if quantized else FLOAT_DIFFERENCE
    difference = float(np.abs(actual - expected).max())
    # An answer may only flip where two digits were within the allowed difference of each other.
    ranked = np.sort(expected, axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > 2 * limit
    flips = int(np.sum((actual.argmax(axis=1) != expected.argmax(axis=1)) & clear))
    checks = {
        f"{flips} of {len(expected)} golden answers are other digits": flips == 0,
        f"largest difference {difference:.2g}, limit {limit:.2g}": difference <= limit,
    }
    return [message for message, holds in checks.items() if not holds]
