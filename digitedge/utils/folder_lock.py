"""A lock on a folder: one program at a time changes what is in it; the lock ends with the process, however it ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":  # Windows has no flock: nobody else is kept out there
    import fcntl


@contextmanager
def lock_folder(folder: Path, *, wait: bool) -> Iterator[None]:
    """Lock an existing folder for the block.

    On a file system without locks nobody is kept out.

    Args:
        folder: to lock.
        wait: for the end of another program's lock.

    Raises:
        BlockingIOError: another program holds the lock, and `wait` is false.
        OSError: the folder cannot be opened.
    """
    if sys.platform == "win32":
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)
