"""Keep native libraries from talking over our own lines.

LiteRT and TensorFlow print from C++ straight to the process's file descriptors ("INFO: Created TensorFlow Lite XNNPACK
delegate"), and no option of theirs stops all of it. What goes wrong reaches us as an exception; the rest is noise
between results.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from digitedge.errors import require


@contextmanager
def quiet(*descriptors: int) -> Iterator[None]:
    """Discard what is written to these file descriptors (1 stdout, 2 stderr) while the block runs."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in descriptors}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for number in kept:
            os.dup2(nowhere, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.close(nowhere)
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Discard what libraries write to file descriptor 2 past Python, while Python's own stderr goes on.

    For programs with threads: `quiet` would swallow what another thread says meanwhile. libjpeg prints "Corrupt JPEG
    data" for every other frame of many webcams, FFmpeg its own opinion of a stream that was lost.
    """
    said = sys.stderr
    said.flush()
    if said is not sys.__stderr__:  # somebody has it elsewhere already
        with quiet(2):
            yield
        return
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere, os.fdopen(kept, "w", buffering=1, errors="backslashreplace") as stderr:
        os.dup2(nowhere.fileno(), 2)
        sys.stderr = stderr
        try:
            yield
        finally:
            sys.stderr = said
            os.dup2(kept, 2)


def require_tensorflow() -> ModuleType:
    """Import TensorFlow without its start-up lines, or say how to install it.

    Raises:
        MissingExtraError: TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # nets this small train faster on the CPU than a GPU starts
    with quiet(2):
        return require("tensorflow", extra="train")
