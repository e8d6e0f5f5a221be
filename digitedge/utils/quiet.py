"""Suppress the output of native libraries.

LiteRT and TensorFlow print from C++ to the file descriptors of the process ("INFO: Created TensorFlow Lite XNNPACK
delegate"), and none of their options stops all of it. Their errors still arrive as exceptions.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from digitedge.errors import require


@contextmanager
def quiet(*descriptors: int) -> Iterator[None]:
    """Discard what is written to these file descriptors (1 stdout, 2 stderr) while the block runs."""
    sys.stdout.flush()
    sys.stderr.flush()
    copies = {number: os.dup(number) for number in descriptors}
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in copies:
            os.dup2(null, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.close(null)
        for number, copy in copies.items():
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Discard what libraries write to file descriptor 2, but keep Python's own stderr.

    For programs with threads: `quiet` would also discard the output of other threads. libjpeg prints "Corrupt JPEG
    data" for every other frame of many webcams, FFmpeg prints when a stream is lost.
    """
    original = sys.stderr
    original.flush()
    if original is not sys.__stderr__:  # it is redirected already
        with quiet(2):
            yield
        return
    copy = os.dup(2)
    with open(os.devnull, "wb") as null, os.fdopen(copy, "w", buffering=1, errors="backslashreplace") as stderr:
        os.dup2(null.fileno(), 2)
        sys.stderr = stderr
        try:
            yield
        finally:
            sys.stderr = original
            os.dup2(copy, 2)


def require_tensorflow() -> ModuleType:
    """Import TensorFlow without its start-up messages, or say how to install it.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else it takes all memory of a GPU
    if find_spec("matplotlib"):  # Keras imports it
        require_matplotlib()
    with quiet(2):
        return require("tensorflow", extra="train")


def require_matplotlib() -> ModuleType:
    """Import matplotlib without the settings of the current folder, or say how to install it.

    A `matplotlibrc` there is read before all others. It may be somebody else's: a damaged one ends the import, others
    change the plots or start programs, such as LaTeX.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    with chdir(Path(__file__).parent) if os.path.exists("matplotlibrc") else nullcontext():
        return require("matplotlib", extra="train")
