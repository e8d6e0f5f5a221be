"""Handwritten digits at the edge: train, shrink, verify, and read them from a camera without TensorFlow.

The names below are the public ones. Each is imported when it is first used, so that `import digitedge` costs nothing
and the workshop's packages are never touched on the edge.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from digitedge.bundle.bundle import Bundle, load_bundle
    from digitedge.datasets.mnist import load_mnist
    from digitedge.errors import (
        CameraError,
        DataError,
        DigitEdgeError,
        InputError,
        MissingExtraError,
        ModelError,
        ParityError,
    )
    from digitedge.reader.reader import Digit, Reader, Reading
    from digitedge.runtime import Classifier, load_classifier
    from digitedge.vision import normalize_digit

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "CameraError",
    "Classifier",
    "DataError",
    "Digit",
    "DigitEdgeError",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "ParityError",
    "Reader",
    "Reading",
    "load_bundle",
    "load_classifier",
    "load_mnist",
    "normalize_digit",
]

_HOME = {
    "Bundle": "digitedge.bundle.bundle",
    "Classifier": "digitedge.runtime",
    "Digit": "digitedge.reader.reader",
    "Reader": "digitedge.reader.reader",
    "Reading": "digitedge.reader.reader",
    "load_bundle": "digitedge.bundle.bundle",
    "load_classifier": "digitedge.runtime",
    "load_mnist": "digitedge.datasets.mnist",
    "normalize_digit": "digitedge.vision",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'digitedge' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME.get(name, "digitedge.errors")), name)
