"""How much memory one image, data set or model from outside may take: known before it is unpacked."""

import os
import re
from collections.abc import Callable
from contextlib import suppress

from digitedge.errors import DigitEdgeError, InputError

MEMORY_MB = 450
"""The default in megabytes. With the 100 MB of digitedge itself, a process stays under 600 MB."""
MEMORY_VARIABLE = "DIGITEDGE_MEMORY_MB"
"""The environment variable that changes it."""
MAX_DIGITS = 9  # a million gigabytes


def memory_limit() -> int:
    """Return the limit in bytes.

    Raises:
        InputError: the environment variable is no positive whole number, or has more than nine digits.
    """
    value = os.environ.get(MEMORY_VARIABLE) or str(MEMORY_MB)
    if not (value.isascii() and value.isdecimal() and len(value) <= MAX_DIGITS and int(value) > 0):
        raise InputError(f"{MEMORY_VARIABLE}: expected megabytes such as {MEMORY_MB}, got {value!r}. Correct it.")
    return int(value) * 1_000_000


def check_memory(needed: int, *, what: str, error: Callable[[str], DigitEdgeError]) -> None:
    """Refuse what takes more memory than the limit.

    Args:
        needed: bytes that it takes.
        what: the file and what is in it, for the message.
        error: makes the error that is raised where it is more than the limit.

    Examples:
        >>> check_memory(486_000_000, what="a.png: 9000x9000 pixels", error=DigitEdgeError)
        Traceback (most recent call last):
        digitedge.errors.DigitEdgeError: a.png: 9000x9000 pixels would take 486 MB of memory, more than the limit of \
450 MB. Make it smaller, or set DIGITEDGE_MEMORY_MB=486 if you trust it.
    """
    limit = memory_limit()
    if needed > limit:
        megabytes = -(-needed // 1_000_000)
        raise error(
            f"{what} would take {megabytes:,} MB of memory, more than the limit of {limit // 1_000_000:,} MB. Make it "
            f"smaller, or set {MEMORY_VARIABLE}={megabytes} if you trust it."
        )


def without_variable(message: str) -> str:
    """A message of `check_memory` for someone who cannot set variables here, such as the client of a server.

    Examples:
        >>> without_variable("more than 450 MB. Make it smaller, or set DIGITEDGE_MEMORY_MB=486 if you trust it.")
        'more than 450 MB. Make it smaller.'
    """
    return re.sub(rf", or set {MEMORY_VARIABLE}=\d+ if you trust it", "", message)


def limit_process(max_bytes: int) -> None:
    """Let this process take no more memory than so many bytes, and leave no core file when it crashes.

    One that wants more gets a MemoryError, or ends. Where it is limited already, or on Windows, nothing is changed.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (max_bytes, max_bytes))
