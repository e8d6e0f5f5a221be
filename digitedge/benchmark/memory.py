"""Peak memory of this process."""

import re
import sys
from contextlib import suppress
from pathlib import Path


def forget_peak() -> None:
    """Let the peak start anew from what is in use now, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes(status: Path = Path("/proc/self/status")) -> int | None:
    """The most memory that this process ever had in use; None where the system does not tell (Windows).

    On Linux it is not asked of getrusage, whose peak a new process inherits from the one that started it.
    """
    if status.is_file():
        found = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.MULTILINE)
        return 1024 * int(found[1]) if found else None
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # macOS alone counts bytes
