"""Draft folders: what is being written stands beside its target, out of sight, until it is complete.

    .digitedge-XXXXXXXX/
        lock        locked by the process that writes, as long as it lives
        new/NAME    what is being written
        keep/NAME   the same, where an unfinished file is of use: a recording
        old/NAME    the folder that is replaced, where the file system cannot exchange two folders in one step

A process that is killed leaves its draft folder without a lock. The next one that writes or looks in the same folder
sweeps it. A lock ends with its process, whatever happens to the process id, and a network file system shows it to other
machines. See docs/decisions/drafts.md.
"""

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import chain, count
from pathlib import Path

from digitedge.errors import DigitEdgeError

if sys.platform != "win32":  # Windows has no flock: nothing is locked, and nothing is swept
    import fcntl

PREFIX = ".digitedge-"
LOCK = "lock"
NEW = "new"
KEEP = "keep"
OLD = "old"


@contextmanager
def draft_folder(parent: Path) -> Iterator[Path]:
    """Make a locked draft folder in `parent` and remove it when the block ends; drafts of dead processes are swept.

    Raises:
        OSError: `parent` cannot be made or written to.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _sweep_once(os.path.abspath(parent))
    folder, lock = _make(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make an empty folder among the temporary files, to be removed when the block ends, or swept after a kill."""
    with draft_folder(Path(tempfile.gettempdir())) as folder:
        (folder / NEW).mkdir()
        yield folder / NEW


def place_folder(draft: Path, path: Path) -> None:
    """Move a folder from its draft folder to `path`; a folder there takes the draft's place, to be removed with it.

    On Linux both are exchanged in one step, where the file system can, such as ext4, tmpfs and overlayfs. Elsewhere a
    kill between two renames leaves nothing at `path`, until `sweep_drafts` puts the old folder back.

    Raises:
        OSError: it cannot be moved; the old folder stays.
        DigitEdgeError: the old folder is of the image of a container.
    """
    if not os.path.lexists(path):
        draft.rename(path)
        return
    if _exchange(draft, path):
        return
    old = draft.parents[1] / OLD / path.name
    old.parent.mkdir()
    try:
        path.rename(old)
    except OSError as exc:
        if exc.errno == errno.EXDEV:  # overlayfs does not rename a folder of a lower layer
            raise DigitEdgeError(f"cannot replace {path}: it is of the image of a container. Delete it first.") from exc
        raise
    try:
        draft.rename(path)
    except BaseException:
        old.rename(path)
        raise


def sweep_drafts(parent: Path) -> None:
    """Remove the draft folders in `parent` whose process is gone, and put back what they have of a replaced folder.

    An unfinished recording takes its place too, under another name if its own is taken. What belongs to another user,
    or is on a file system without locks, stays.
    """
    if sys.platform == "win32":
        return
    with suppress(OSError):  # there is no such folder, or it cannot be read
        for name in os.listdir(parent):
            if name.startswith(PREFIX):
                with suppress(OSError):  # its process lives, or another one sweeps it
                    _sweep(parent / name)


_sweep_once = lru_cache(maxsize=256)(lambda parent: sweep_drafts(Path(parent)))
"""A process that writes thousands of crops into a folder lists it only once."""


def _sweep(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(handle).st_uid != os.geteuid():
            return
        # A process that was killed at once has made no lock. One that is about to make it finds it locked.
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=handle)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _put_back(folder)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
    finally:
        os.close(handle)


def _put_back(folder: Path) -> None:
    """Move what a draft folder must not lose into the folder that it stands in."""
    for old in (folder / OLD).glob("*"):
        target = folder.parent / old.name
        if not os.path.lexists(target):  # else the new one took its place before the kill
            old.rename(target)
    for kept in (folder / KEEP).glob("*"):
        names = chain([kept.name], (f"{kept.stem}-{number}{kept.suffix}" for number in count(2)))
        target = next(path for name in names if not os.path.lexists(path := folder.parent / name))
        if kept.stat().st_size:
            kept.rename(target)


def _make(parent: Path) -> tuple[Path, int | None]:
    """Make a draft folder and lock it; again, if another process sweeps it before it is locked."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        if sys.platform == "win32":
            return folder, None
        with suppress(FileNotFoundError, BlockingIOError):
            return folder, _lock(folder)


def _lock(folder: Path) -> int:
    """Lock a draft folder that was made a moment ago.

    Raises:
        FileNotFoundError: it was swept.
        BlockingIOError: it is being swept.
        OSError: the disk is full.
    """
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        raise
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), os.stat(folder / LOCK)):
            return lock
        raise FileNotFoundError
    except (BlockingIOError, FileNotFoundError):
        os.close(lock)
        raise
    except OSError:  # a file system without locks: nobody can sweep it either
        return lock


def _exchange(first: Path, second: Path) -> bool:
    """Exchange the names of two folders in one step; False where the platform or the file system cannot."""
    if sys.platform != "linux":
        return False
    import ctypes  # only needed here

    try:
        rename = ctypes.CDLL(None).renameat2
    except AttributeError:  # a C library without it
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(rename(here, os.fsencode(first), here, os.fsencode(second), exchange) == 0)
