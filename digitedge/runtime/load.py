"""From a file name to the runtime that reads it."""

import importlib.util
from pathlib import Path

from digitedge.errors import InputError, ModelError
from digitedge.runtime.classifier import Classifier
from digitedge.runtime.litert import LiteRTClassifier
from digitedge.runtime.onnx import OnnxClassifier

RUNTIMES: dict[str, type[LiteRTClassifier] | type[OnnxClassifier]] = {
    ".tflite": LiteRTClassifier,
    ".onnx": OnnxClassifier,
}
"""File suffix -> the class that runs it. A new runtime is one more entry."""

_PACKAGES = {".tflite": "ai_edge_litert", ".onnx": "onnxruntime"}


def can_run(path: Path) -> bool:
    """Whether the runtime for this kind of file is installed. Nothing is imported to find out."""
    package = _PACKAGES.get(path.suffix.lower())
    return package is not None and importlib.util.find_spec(package) is not None


def load_classifier(path: str | Path, *, threads: int = 1) -> Classifier:
    """Load an exported file and check that it meets the model contract.

    Args:
        path: a `.tflite` or `.onnx` file.
        threads: of the runtime, >= 1. With a core to itself, a second one saves `cnn` 5 to 37 % of the time; when
            another program has that core, it may take 20 times as long (2 cores of an EPYC; `digitedge bench` tells).

    Raises:
        InputError: less than one thread.
        ModelError: no such file, another kind of file, or one that breaks the contract; the message says how.
        MissingExtraError: the runtime for this kind of file is not installed.
    """
    if threads < 1:
        raise InputError(f"expected threads of 1 or more, got {threads}.")
    path = Path(path)
    runtime = RUNTIMES.get(path.suffix.lower())
    if runtime is None:
        raise ModelError(f"expected a model file ({', '.join(RUNTIMES)}), got {path}. Make one with: digitedge export")
    if not path.is_file():
        raise ModelError(f"no model file at {path}. Make one with: digitedge export")
    return runtime(path, threads=threads)
