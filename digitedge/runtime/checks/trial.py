"""The trial of a model file in a child process, for files with parts that the checks do not know.

The child loads the bytes and runs them on images of several kinds. If it crashes, takes too long or needs too much
memory, the file is refused with one line, and this process goes on.
"""

import contextlib
import platform
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError
from digitedge.utils.memory_limit import memory_limit
from digitedge.utils.subprocesses import run_python

TRIAL_LIMIT_S = 8.0
"""Time of a trial at most; a Raspberry Pi 4 needs 2 s to start one."""
MAX_RUN_S = 1.0
"""Time of one run in a trial at most; a digit classifier takes a thousandth of it."""
# With glibc, the child stops at the first write behind the end of an allocation, which would crash it later or never.
_STRICT_MALLOC = {
    "LD_PRELOAD": "libc_malloc_debug.so.0",
    "GLIBC_TUNABLES": "glibc.malloc.check=3:glibc.malloc.perturb=165",
}


def try_in_child(content: bytes, path: Path, module: str, *, unknown: str) -> None:
    """Try a model in a child process.

    Args:
        content: of the file.
        path: of the file, for messages.
        module: dotted name of the module whose function `try_content(content)` loads and runs it.
        unknown: what the check does not know of it.

    Raises:
        ModelError: it cannot be used; the message says why.
    """
    code = f"from digitedge.runtime.checks import trial; import {module} as tried; trial.run_trial(tried.try_content)"
    variables = _STRICT_MALLOC if platform.libc_ver()[0] == "glibc" else {}
    result = run_python(code, limit_s=TRIAL_LIMIT_S, content=content, variables=variables)
    if not result.succeeded:
        raise ModelError(
            f"{path}: tried in a process of its own, because it has {unknown}, it failed: {result.text}. "
            "Export it again, or use another model."
        )


def run_trial(try_content: Callable[[bytes], object]) -> None:
    """In the child: try the content from standard input, with limited memory, and exit with the reason if it fails."""
    with contextlib.suppress(ImportError, ValueError):  # Windows has no such limit, and some systems refuse it
        import resource

        limit = memory_limit() * 2 // 3  # this process and its parent together stay below what one may take
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        try_content(sys.stdin.buffer.read())
    except MemoryError:
        sys.exit("it needs too much memory")
    except Exception as exc:
        sys.exit(str(exc) or type(exc).__name__)


@contextlib.contextmanager
def limit_time() -> Iterator[None]:
    """Refuse a model of which one run takes longer than `MAX_RUN_S`: a page has dozens.

    Raises:
        ModelError: it does.
    """
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    if seconds > MAX_RUN_S:
        raise ModelError(f"it takes {seconds:.1f} s for one run, more than {MAX_RUN_S:g} s")


def trial_images(shape: tuple[int, ...], dtype: np.dtype[Any]) -> list[NDArray[Any]]:
    """Four inputs: the smallest values, the largest of an image, noise of both, and all grey levels."""
    high = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 255
    low = np.iinfo(dtype).min if np.issubdtype(dtype, np.integer) else 0
    noise = np.random.default_rng(0).choice([low, high], shape)
    levels = np.resize(np.arange(low, min(high, low + 255) + 1), shape)
    return [np.full(shape, low, dtype), np.full(shape, high, dtype), noise.astype(dtype), levels.astype(dtype)]
