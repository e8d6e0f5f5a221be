"""Handwritten digits at the edge: train, export, verify, and read them from a camera without TensorFlow.

    import digitedge

    reading = digitedge.Reader().read("desk.jpg")
    reading.rows  # ("2026", "51")

The names in `__all__` are the public ones. Each is imported when it is first used, so that `import digitedge` is quick
and the edge never imports the packages of the train extra.
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
    from digitedge.reader import Digit, Reader, Reading, Trace
    from digitedge.runtime import Classifier, load_classifier
    from digitedge.utils.version import __version__
    from digitedge.vision import normalize_digit

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
    "Trace",
    "__version__",
    "load_bundle",
    "load_classifier",
    "load_mnist",
    "normalize_digit",
]

_MODULES = {
    "Bundle": "digitedge.bundle.bundle",
    "Classifier": "digitedge.runtime",
    "Digit": "digitedge.reader",
    "Reader": "digitedge.reader",
    "Reading": "digitedge.reader",
    "Trace": "digitedge.reader",
    "__version__": "digitedge.utils.version",
    "load_bundle": "digitedge.bundle.bundle",
    "load_classifier": "digitedge.runtime",
    "load_mnist": "digitedge.datasets.mnist",
    "normalize_digit": "digitedge.vision",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'digitedge' has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES.get(name, "digitedge.errors")), name)


def __dir__() -> list[str]:
    return __all__
