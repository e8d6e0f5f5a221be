"""One tree of errors, and the commands that install optional packages.

    DigitEdgeError
    ├── InputError         the caller's array or argument (also a ValueError)
    ├── ModelError         a model or bundle: missing, damaged, or not what its manifest says
    ├── DataError          a data set: missing, damaged, or not downloadable
    ├── CameraError        a device, image or video that cannot be opened or read
    │   └── PageError      a page or image file, with the kind of the error
    ├── EngineError        processes or a cluster that cannot start, or are gone
    ├── ParityError        a converted model outside its tolerance
    └── MissingExtraError  an optional package (also an ImportError)

Every message says what was expected, what came, and what to do. The command line prints it as one line and exits with
1.
"""

import importlib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any


class DigitEdgeError(Exception):
    """Base of every error that digitedge raises on purpose."""


class InputError(DigitEdgeError, ValueError):
    """An array or argument that a function cannot take."""


class ModelError(DigitEdgeError):
    """A model file or bundle that is missing, damaged, or not what its manifest says."""


class DataError(DigitEdgeError):
    """A data set that is missing, damaged, or cannot be downloaded."""


class CameraError(DigitEdgeError):
    """A camera, image, video or stream that cannot be opened or read."""


class ErrorKind(StrEnum):
    """Why a page cannot be read; a long job counts its errors by these."""

    MISSING = "missing"
    UNREACHABLE = "unreachable"  # a disk, a server or a permission is to blame: it may work later
    DAMAGED = "damaged"
    UNKNOWN_FORMAT = "unknown format"
    TOO_LARGE = "too large"
    ENCRYPTED = "encrypted"
    EXTRA_MISSING = "package missing"
    TOO_SLOW = "too slow"
    CRASHED = "crashed"  # it ended the process that read it
    OTHER = "other"


class PageError(CameraError):
    """A page or image file that cannot be read.

    Attributes:
        kind: why.
    """

    def __init__(self, message: str, kind: ErrorKind = ErrorKind.DAMAGED) -> None:
        super().__init__(message)
        self.kind = kind

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the kind where the error goes to another process."""
        return type(self), (str(self), self.kind)

    @classmethod
    def of_kind(cls, kind: ErrorKind) -> Callable[[str], "PageError"]:
        """A function that makes an error of this kind from its message."""
        return lambda message: cls(message, kind)


class EngineError(DigitEdgeError):
    """Processes, or a cluster, that cannot be started or are gone."""


class ParityError(DigitEdgeError):
    """A converted model that does not answer like the original."""


class MissingExtraError(DigitEdgeError, ImportError):
    """An optional package that is not installed."""


def install_command(extra: str) -> str:
    """Return the command that installs an extra of digitedge.

    In a checkout it is run in its folder. An installed wheel is found by its name, without an index, and only the
    packages of the extra are downloaded.
    """
    is_checkout = (Path(__file__).parents[1] / "pyproject.toml").is_file()
    return f"pip install '{'.' if is_checkout else 'digitedge'}[{extra}]'"


def first_line(error: Exception) -> str:
    """The first line of what another library raised, or the name of the error, for a message of one line.

    Examples:
        >>> first_line(KeyError()), first_line(ValueError("bad file."))
        ('KeyError', 'bad file.')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional dependency, or say how to install it.

    Args:
        module: dotted name, such as "onnxruntime".
        extra: the extra of digitedge that brings it, such as "onnx".

    Raises:
        MissingExtraError: the package is not installed. One that is installed but broken inside raises its own error.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name != module.partition(".")[0]:
            raise
        raise MissingExtraError(f"{module} is not installed. Run: {install_command(extra)}") from exc
