"""Peak memory of this process."""

import re
import sys
from contextlib import suppress
from pathlib import Path


def reset_peak() -> None:
    """Reset the peak to the memory that is in use now. Linux only; nothing happens elsewhere."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes(status: Path = Path("/proc/self/status")) -> int | None:
    """Return the peak resident memory of this process in bytes; None if the system does not report it (Windows).

    On Linux it is read from /proc, because the peak of getrusage is inherited from the parent process.
    """
    if status.is_file():
        found = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.MULTILINE)
        return 1024 * int(found[1]) if found else None
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # only macOS counts bytes
