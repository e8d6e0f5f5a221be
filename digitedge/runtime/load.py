"""From a file name to the runtime that reads it."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from digitedge.errors import ModelError
from digitedge.runtime.classifier import Classifier
from digitedge.runtime.litert import LiteRTClassifier
from digitedge.runtime.onnx import OnnxClassifier

RUNTIMES: dict[str, Callable[[Path], Classifier]] = {".tflite": LiteRTClassifier, ".onnx": OnnxClassifier}
"""File suffix -> the class that runs it. A new runtime is one more entry."""

_PACKAGES = {".tflite": "ai_edge_litert", ".onnx": "onnxruntime"}


def can_run(path: Path) -> bool:
    """Whether the runtime for this kind of file is installed. Nothing is imported to find out."""
    package = _PACKAGES.get(path.suffix.lower())
    return package is not None and importlib.util.find_spec(package) is not None


def load_classifier(path: str | Path) -> Classifier:
    """Load an exported file and check that it meets the model contract.

    Args:
        path: a `.tflite` or `.onnx` file.

    Raises:
        ModelError: no such file, another kind of file, or one that breaks the contract; the message says how.
        MissingExtraError: the runtime for this kind of file is not installed.
    """
    path = Path(path)
    runtime = RUNTIMES.get(path.suffix.lower())
    if runtime is None:
        raise ModelError(f"expected a model file ({', '.join(RUNTIMES)}), got {path}. Make one with: digitedge export")
    if not path.is_file():
        raise ModelError(f"no model file at {path}. Make one with: digitedge export")
    return runtime(path)
