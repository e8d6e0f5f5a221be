"""Install updates on a device: fetch what the maker published, check it, switch to it in one move, or go back.

    FOLDER/state.json, versions/   see digitedge.bundle.versions
    FOLDER/root.json               the root file that was trusted first
    FOLDER/tuf/                    the newest metadata that was seen: older ones are refused
    FOLDER/log.jsonl               what happened

A version is downloaded into a draft (see `digitedge.utils.drafts`), checked in a process of its own, and renamed; then
state.json is replaced. At whatever moment the program ends, the version before or the new one is current, and whole.
The next update removes what was left behind, and repairs the current version if it was damaged.
"""

import errno
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tuf.api.exceptions import (
    DownloadError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.metadata import Metadata, Root, TargetFile
from tuf.api.serialization import DeserializationError
from tuf.ngclient import Updater, UpdaterConfig

from digitedge.bundle.adaptation import SUFFIX
from digitedge.bundle.bundle import MANIFEST, MAX_MANIFEST_BYTES, load_bundle, read_manifest
from digitedge.bundle.golden import check_bundle
from digitedge.bundle.signature import SIGNATURE
from digitedge.bundle.versions import VERSIONS, VersionState, is_version_folder, read_state, version_path, write_state
from digitedge.errors import DigitEdgeError, InputError, ModelError, ParityError, first_line
from digitedge.updates.fetcher import FolderFetcher, WebFetcher
from digitedge.updates.log import log_event
from digitedge.updates.repository import MAX_UPDATE_BYTES, METADATA, TARGETS, offered_version
from digitedge.utils.drafts import PREFIX, sweep_drafts
from digitedge.utils.files import atomic_folder, flush_to_disk, read_regular_file, write_text
from digitedge.utils.subprocesses import call_in_new_process
from digitedge.utils.text import printable

ROOT = "root.json"
TUF = "tuf"
LOCK = ".lock"
OFFERED = "the offered bundle"
TIMEOUT_S = 600.0
MAX_ROOT_BYTES = 65_536
LIMITS = UpdaterConfig(
    max_root_rotations=32,
    max_delegations=1,
    root_max_length=MAX_ROOT_BYTES,
    timestamp_max_length=16_384,
    snapshot_max_length=65_536,
    targets_max_length=262_144,
)

# What flock() says on a file system without locks: nobody else is kept out there.
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
# What symlink() says on a file system without links, such as FAT.
NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Installed:
    """What an update did.

    Attributes:
        version: that is current now.
        path: its bundle.
        changed: whether it was installed, repaired or returned to just now.
    """

    version: int
    path: Path
    changed: bool


def install_update(
    source: str,
    folder: Path,
    *,
    root: Path | None = None,
    timeout_s: float = TIMEOUT_S,
    log: Callable[[str], object] = lambda line: None,
) -> Installed:
    """Install the bundle that a repository offers, unless it is current and whole already.

    Args:
        source: http(s) address or folder of the repository.
        folder: the version folder; it is made if it is missing.
        root: root file of the maker, which must be given the first time.
        timeout_s: for all downloads together, in seconds.
        log: gets a line for every step.

    Raises:
        InputError: a source of another kind, no root the first time, or another one than then.
        ModelError: nothing is offered, it cannot be reached, or it is refused: not signed by the maker, older than
            what was seen, expired, changed, too large, not what its manifest says, or wrong on the golden set. Or the
            current version is damaged, and only the one that was rolled back is offered.
        ParityError: it failed the parity check when it was exported.
    """
    address = _check_source(source)
    if (folder / MANIFEST).exists():
        raise InputError(f"{folder} is a bundle; expected a version folder. Choose another one with --to.")
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder), _logged(folder, source, log):
        _sweep(folder)
        deadline = time.monotonic() + timeout_s
        updater, manifest = _read_offer(source, address, folder, _trusted_root(folder, root), deadline)
        version = offered_version(manifest)
        state = read_state(folder) if is_version_folder(folder) else None
        if state is not None and version < state.current:
            raise ModelError(f"{source} offers version {version}, and {state.current} is installed. Publish it again.")
        is_repair = state is not None and version in (state.current, state.rolled_back)
        if state is not None and is_repair:
            damage = _find_damage(folder, state)
            if damage is None:
                log_event(folder, "unchanged", log, version=state.current, offered=version, source=source)
                rolled_back = f"; {version} was rolled back, so it is not installed again"
                log(f"version {state.current} is current" + (rolled_back if version != state.current else ""))
                return Installed(state.current, version_path(folder, state.current), False)
            if version != state.current:
                raise ModelError(
                    f"version {state.current} cannot be loaded, and {source} offers {version}, which was rolled back. "
                    "Publish again, or install into a new folder."
                )
            log(f"version {version} cannot be loaded, so it is installed again")
            log_event(folder, "damaged", log, version=version, reason=printable(damage))
        path = version_path(folder, version)
        known = None if state is None else version_path(folder, state.current)
        signer = _place_version(path, updater, manifest, known, source=source, deadline=deadline, log=log)
        if is_repair:
            log_event(folder, "repaired", log, version=version, signer=signer, source=source)
        else:
            previous = None if state is None else state.current
            write_state(folder, VersionState(current=version, previous=previous))
            flush_to_disk(folder)
            log_event(folder, "installed", log, version=version, previous=previous, signer=signer, source=source)
        _sweep(folder)
        log(f"version {version} is current" + ("" if signer is None else f", signed by {signer}"))
        return Installed(version, path, True)


def roll_back(folder: Path, *, log: Callable[[str], object] = lambda line: None) -> Installed:
    """Return to the version before, and do not install the one that was left again.

    Raises:
        InputError: no version is installed, or none before it.
        ModelError: the version before is damaged.
    """
    if not is_version_folder(folder):
        raise InputError(f"{folder}: expected a version folder, got none. Install a version first.")
    with _locked(folder), _logged(folder, None, log):
        state = read_state(folder)
        if state.previous is None:
            raise InputError(f"{folder}: there is no version before {state.current}.")
        path = version_path(folder, state.previous)
        load_bundle(path, log=log)
        write_state(folder, VersionState(current=state.previous, rolled_back=state.current))
        flush_to_disk(folder)
        log_event(folder, "rolled back", log, version=state.previous, left=state.current)
        log(f"version {state.previous} is current; {state.current} is not installed again")
        return Installed(state.previous, path, True)


def check_draft(path: str) -> str | None:
    """Check a downloaded bundle: its hashes, signature and golden set. Runs in a process of its own.

    Returns:
        The name of the trusted key that signed it, or None.

    Raises:
        ModelError: damaged, not signed as required, or a file gives other results here than where it was exported.
    """
    bundle = load_bundle(path)
    problems = [f"{name}: {line}" for name, lines in check_bundle(bundle, log=_ignore).items() for line in lines]
    if problems:
        raise ModelError(f"{OFFERED} gives other results on this device: {'; '.join(problems)}.")
    return bundle.signature.signer


def _check_source(source: str) -> str:
    """Return the base address of a repository: a URL, or the path of a folder."""
    if printable(source) != source:
        raise InputError(f"expected an address without control characters, got {printable(source)}.")
    if re.match(r"https?://", source, re.IGNORECASE):
        if "@" in source.split("/")[2]:
            raise InputError("expected an address without a user and password, got one with them.")
        return source.rstrip("/")
    if "://" in source or not Path(source).is_dir():
        raise InputError(f"expected an http(s) address or the folder of a repository, got {source!r}.")
    return str(Path(source).absolute())


def _trusted_root(folder: Path, given: Path | None) -> bytes:
    """Return the root file that was trusted first, or is given now."""
    known = folder / ROOT
    if not known.exists() and given is None:
        raise InputError(
            f"{folder}: expected --root FILE the first time, the root file that the maker gives you, got none."
        )
    content = None if given is None else _read_root(given)
    trusted = _read_root(known) if known.exists() else content
    if content is not None and content != trusted:
        raise InputError(f"{given} is not the root file that {folder} trusts. Leave out --root, or use a new folder.")
    return trusted or b""


def _read_root(path: Path) -> bytes:
    content = read_regular_file(path, max_bytes=MAX_ROOT_BYTES, error=ModelError)
    try:
        is_root = isinstance(Metadata.from_bytes(content).signed, Root)
    except (DeserializationError, RecursionError):
        is_root = False
    if not is_root:
        raise ModelError(f"{path}: expected a root file, whose path `digitedge publish` prints, got something else.")
    return content


def _find_damage(folder: Path, state: VersionState) -> str | None:
    """What is wrong with the files of the current version, if anything."""
    try:
        load_bundle(version_path(folder, state.current))
    except ModelError as exc:
        return str(exc)
    return None


def _place_version(
    path: Path,
    updater: Updater,
    manifest: TargetFile,
    known: Path | None,
    *,
    source: str,
    deadline: float,
    log: Callable[[str], object],
) -> str | None:
    """Download a version, check it and move it to its path; return who signed it. What `known` has too is copied."""
    with atomic_folder(path) as draft:
        try:
            left_s = deadline - time.monotonic()
            _within(left_s, lambda: _explain(source, lambda: _download(updater, manifest, draft, known)))
            log(f"version {path.name} is downloaded; checking it on this device")
            signer: str | None = call_in_new_process(check_draft, str(draft))
        except DigitEdgeError as exc:  # the user does not know the draft
            raise type(exc)(str(exc).replace(str(draft), OFFERED)) from exc
    flush_to_disk(path.parent)
    return signer


def _read_offer(source: str, address: str, folder: Path, root: bytes, deadline: float) -> tuple[Updater, TargetFile]:
    """Fetch and check the metadata, and return what it says of the offered manifest. From then on `root` is trusted."""

    def read() -> tuple[Updater, TargetFile | None]:
        (folder / TUF).mkdir(exist_ok=True)
        updater = Updater(
            metadata_dir=str(folder / TUF),
            metadata_base_url=f"{address}/{METADATA}/",
            target_base_url=f"{address}/{TARGETS}/",
            fetcher=WebFetcher(deadline) if "://" in address else FolderFetcher(),
            config=LIMITS,
            bootstrap=root,
        )
        updater.refresh()
        return updater, updater.get_targetinfo(MANIFEST)

    try:
        updater, manifest = _within(deadline - time.monotonic(), lambda: _explain(source, read))
    except OSError as exc:
        if exc.errno in NO_LINKS:
            raise DigitEdgeError(
                f"{folder}: expected a file system with symbolic links, which TUF needs, got one without, such as FAT. "
                "Choose a folder on another one with --to."
            ) from exc
        raise
    if not (folder / ROOT).exists():
        write_text(folder / ROOT, root.decode("utf-8"))
    if manifest is None:
        raise ModelError(f"{source} offers no bundle. Publish one: digitedge publish")
    return updater, manifest


def _download(updater: Updater, manifest: TargetFile, draft: Path, current: Path | None) -> None:
    """Download the bundle of a manifest; files that the current version has too are copied."""
    if manifest.length > MAX_MANIFEST_BYTES:
        raise ModelError(
            f"the offered manifest has {manifest.length:,} bytes, at most {MAX_MANIFEST_BYTES:,} are taken."
        )
    updater.download_target(manifest, str(draft / MANIFEST))
    stated = read_manifest(draft)
    if not stated.passed:
        raise ParityError(f"{OFFERED} failed {stated.failed_check()} when it was exported.")
    targets = []
    for name in (*stated.files, *stated.others, SIGNATURE):
        target = updater.get_targetinfo(name)
        if target is None and name != SIGNATURE:  # not every bundle is signed
            raise ModelError(f"the offered manifest lists {name}, which is not offered. Publish the bundle again.")
        targets += [] if target is None else [target]
    size = sum(target.length for target in (manifest, *targets))
    if size > MAX_UPDATE_BYTES:
        raise ModelError(f"{OFFERED} has {size:,} bytes, at most {MAX_UPDATE_BYTES:,} are taken.")
    for target in targets:
        known = None if current is None else updater.find_cached_target(target, str(current / target.path))
        if known is None:
            updater.download_target(target, str(draft / target.path))
        else:
            shutil.copyfile(known, draft / target.path)


def _explain(source: str, work: Callable[[], T]) -> T:
    """Do a step of TUF; its errors become a line that says what was refused, and why."""
    try:
        return work()
    except ExpiredMetadataError as exc:
        raise ModelError(
            f"{source} has expired ({first_line(exc)}): it is refused until its maker renews it. Is the clock right?"
        ) from exc
    except DownloadError as exc:
        raise ModelError(f"{source} cannot be read: {printable(first_line(exc))}. Try again.") from exc
    except (RepositoryError, RecursionError) as exc:
        raise ModelError(f"{source} is refused: {printable(first_line(exc))}.") from exc


def _within(seconds: float, work: Callable[[], T]) -> T:
    """Do work in a thread, and wait so long for it: a server may send a byte now and then for ever."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as exc:
            errors.append(exc)

    thread = threading.Thread(target=run, name="update", daemon=True)
    thread.start()
    thread.join(max(seconds, 0.0))
    if errors:
        raise errors[0]
    if not results:
        raise ModelError("the update took too long, so it was given up. Try again, or raise --timeout.")
    return results[0]


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one program at a time change a folder. The system drops the lock when the program ends, however it ends."""
    with (folder / LOCK).open("w") as file:
        try:
            import fcntl
        except ModuleNotFoundError:  # Windows: nobody else is kept out
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise DigitEdgeError(f"{folder} is being updated by another program. Try again later.") from exc
        except OSError as exc:
            if exc.errno not in NO_LOCKS:
                raise
        yield


@contextmanager
def _logged(folder: Path, source: str | None, log: Callable[[str], object]) -> Iterator[None]:
    """Log why an update or a rollback failed."""
    try:
        yield
    except (DigitEdgeError, OSError) as exc:
        about = {} if source is None else {"source": source}
        log_event(folder, "failed", log, reason=printable(str(exc)), **about)
        if isinstance(exc, OSError):
            raise DigitEdgeError(f"cannot write {folder}: {exc.strerror or exc}.") from exc
        raise


def _sweep(folder: Path) -> None:
    """Remove drafts, and versions that are neither current nor the one before."""
    for parent in (folder, folder / VERSIONS):
        sweep_drafts(parent)
    state = read_state(folder) if is_version_folder(folder) else None
    kept = set() if state is None else {str(state.current), str(state.previous)}
    for path in (folder / VERSIONS).glob("*"):
        version = path.name.removesuffix(SUFFIX)
        if version != path.name and version not in kept:  # what was learned for a version
            path.unlink(missing_ok=True)
        elif version not in kept and not path.name.startswith(PREFIX):
            shutil.rmtree(path, ignore_errors=True)
    for path in (folder / TUF).glob("tmp*"):
        path.unlink(missing_ok=True)


def _ignore(line: str) -> None:
    """Drop a line."""
