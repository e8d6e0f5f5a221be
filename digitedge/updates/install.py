"""Install updates on a device: fetch what the maker published, check it, switch to it in one move, or go back.

    FOLDER/state.json, versions/   see digitedge.bundle.versions
    FOLDER/root.json               the root metadata that was trusted first
    FOLDER/tuf/                    the newest metadata that was seen: older ones are refused
    FOLDER/log.jsonl               what happened

A version is downloaded into a draft, checked in a process of its own, and renamed; then state.json is replaced. At
whatever moment the program ends, the version before or the new one is current, and whole. The next update removes what
was left behind.
"""

import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tuf.api.exceptions import (
    DownloadError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.api.metadata import TargetFile
from tuf.ngclient import Updater, UpdaterConfig

from digitedge.bundle.bundle import MANIFEST, MAX_MANIFEST_BYTES, load_bundle, read_manifest
from digitedge.bundle.golden import check_bundle
from digitedge.bundle.signature import SIGNATURE
from digitedge.bundle.versions import VERSIONS, VersionState, is_version_folder, read_state, version_path, write_state
from digitedge.errors import DigitEdgeError, InputError, ModelError, ParityError, first_line
from digitedge.updates.fetcher import FolderFetcher, WebFetcher
from digitedge.updates.log import log_event
from digitedge.updates.repository import METADATA, TARGETS, offered_version
from digitedge.utils.files import read_regular_file, write_text
from digitedge.utils.subprocesses import call_in_new_process
from digitedge.utils.text import printable

ROOT = "root.json"
TUF = "tuf"
LOCK = ".lock"
DRAFT = ".draft-"
TIMEOUT_S = 600.0
# The released bundle takes 1.3 MB in ten files.
MAX_BUNDLE_BYTES = 256 * 1024 * 1024
MAX_ROOT_BYTES = 65_536
LIMITS = UpdaterConfig(
    max_root_rotations=32,
    max_delegations=1,
    root_max_length=MAX_ROOT_BYTES,
    timestamp_max_length=16_384,
    snapshot_max_length=65_536,
    targets_max_length=262_144,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Installed:
    """What an update did.

    Attributes:
        version: that is current now.
        path: its bundle.
        changed: whether it was installed, or returned to, just now.
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
    """Install the bundle that a repository offers, unless it is current already.

    Args:
        source: http(s) address or folder of the repository.
        folder: of the versions; it is made if it is missing.
        root: root metadata of the maker, which must be given the first time.
        timeout_s: for all downloads together, in seconds.
        log: gets a line for every step.

    Raises:
        InputError: a source of another kind, no root the first time, or another one than then.
        ModelError: nothing is offered, it cannot be reached, or it is refused: not signed by the maker, older than
            what was seen, expired, changed, too large, not what its manifest says, or wrong on the golden set.
        ParityError: it failed the parity check when it was exported.
    """
    address = _check_source(source)
    if (folder / MANIFEST).exists():
        raise InputError(f"{folder} is a bundle; expected a folder of versions. Choose another one with --to.")
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder), _logged(folder, source):
        _sweep(folder)
        deadline = time.monotonic() + timeout_s
        updater, manifest = _read_offer(source, address, folder, _trusted_root(folder, root), deadline)
        version = offered_version(manifest)
        state = read_state(folder) if is_version_folder(folder) else None
        if state is not None and version in (state.current, state.rejected):
            log_event(folder, "checked", version=state.current, offered=version, source=source)
            rolled_back = f"; {version} was rolled back, so it is not installed again"
            log(f"version {state.current} is current" + (rolled_back if version != state.current else ""))
            return Installed(state.current, version_path(folder, state.current), False)
        if state is not None and version < state.current:
            raise ModelError(f"{source} offers version {version}, and {state.current} is installed. Publish it again.")
        previous = None if state is None else state.current
        with _draft(folder) as draft:
            known = None if previous is None else version_path(folder, previous)
            left_s = deadline - time.monotonic()
            _within(left_s, lambda: _explain(source, lambda: _download(updater, manifest, draft, known)))
            log(f"version {version} is downloaded; checking it on this device")
            signer = call_in_new_process(check_draft, str(draft))
            path = version_path(folder, version)
            draft.replace(path)
        _flush_folder(path.parent)
        write_state(folder, VersionState(current=version, previous=previous))
        _flush_folder(folder)
        log_event(folder, "installed", version=version, previous=previous, signer=signer, source=source)
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
        raise InputError(f"{folder}: expected a folder of digitedge update, got none. Install a version first.")
    with _locked(folder), _logged(folder, None):
        state = read_state(folder)
        if state.previous is None:
            raise InputError(f"{folder}: there is no version before {state.current}.")
        path = version_path(folder, state.previous)
        load_bundle(path, log=log)
        write_state(folder, VersionState(current=state.previous, rejected=state.current))
        _flush_folder(folder)
        log_event(folder, "rolled back", version=state.previous, left=state.current)
        log(f"version {state.previous} is current; {state.current} is not installed again")
        return Installed(state.previous, path, True)


def check_draft(path: str) -> str | None:
    """Check a downloaded bundle: its hashes, signature, parity and golden set. Runs in a process of its own.

    Returns:
        The name of the trusted key that signed it, or None.

    Raises:
        ModelError: damaged, not signed as required, or a file gives other results here than where it was exported.
        ParityError: it failed the parity check.
    """
    bundle = load_bundle(path)
    if not bundle.manifest.passed:
        raise ParityError("the offered bundle failed the parity check when it was exported.")
    problems = [f"{name}: {line}" for name, lines in check_bundle(bundle, log=_ignore).items() for line in lines]
    if problems:
        raise ModelError(f"the offered bundle gives other results on this device: {'; '.join(problems)}.")
    return bundle.signer


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
    """Return the root metadata that was trusted first, or is given now."""
    known = folder / ROOT
    if not known.exists() and given is None:
        raise InputError(
            f"{folder}: expected --root FILE the first time, the root.json that the maker gives you, got none."
        )
    content = None if given is None else read_regular_file(given, max_bytes=MAX_ROOT_BYTES, error=ModelError)
    trusted = read_regular_file(known, max_bytes=MAX_ROOT_BYTES, error=ModelError) if known.exists() else content
    if content is not None and content != trusted:
        raise InputError(f"{given} is not the root that {folder} trusts. Leave out --root, or use a new folder.")
    return trusted or b""


def _read_offer(source: str, address: str, folder: Path, root: bytes, deadline: float) -> tuple[Updater, TargetFile]:
    """Fetch and check the metadata, and return what it says of the offered manifest. From then on `root` is trusted."""

    def read() -> tuple[Updater, TargetFile | None]:
        updater = Updater(
            metadata_dir=str(_made(folder / TUF)),
            metadata_base_url=f"{address}/{METADATA}/",
            target_base_url=f"{address}/{TARGETS}/",
            fetcher=WebFetcher(deadline) if "://" in address else FolderFetcher(),
            config=LIMITS,
            bootstrap=root,
        )
        updater.refresh()
        return updater, updater.get_targetinfo(MANIFEST)

    updater, manifest = _within(deadline - time.monotonic(), lambda: _explain(source, read))
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
    targets = []
    for name in (*stated.files, *stated.others, SIGNATURE):
        target = updater.get_targetinfo(name)
        if target is None and name != SIGNATURE:  # not every bundle is signed
            raise ModelError(f"the offered manifest lists {name}, which is not offered. Publish the bundle again.")
        targets += [] if target is None else [target]
    size = sum(target.length for target in targets)
    if size > MAX_BUNDLE_BYTES:
        raise ModelError(f"the offered bundle has {size:,} bytes, at most {MAX_BUNDLE_BYTES:,} are taken.")
    for target in targets:
        known = None if current is None else updater.find_cached_target(target, str(current / target.path))
        if known is None:
            updater.download_target(target, str(draft / target.path))
        else:
            shutil.copyfile(known, draft / target.path)
    for path in draft.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    _flush_folder(draft)


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
        except OSError as exc:
            raise DigitEdgeError(f"{folder} is being updated by another program. Try again later.") from exc
        yield


@contextmanager
def _logged(folder: Path, source: str | None) -> Iterator[None]:
    """Log why an update or a rollback failed."""
    try:
        yield
    except (DigitEdgeError, OSError) as exc:
        about = {} if source is None else {"source": source}
        with suppress(OSError):  # a full disk
            log_event(folder, "failed", reason=printable(str(exc)), **about)
        if isinstance(exc, OSError):
            raise DigitEdgeError(f"cannot write {folder}: {exc.strerror or exc}.") from exc
        raise


def _sweep(folder: Path) -> None:
    """Remove drafts, and versions that are neither current nor the one before."""
    state = read_state(folder) if is_version_folder(folder) else None
    kept = set() if state is None else {str(state.current), str(state.previous)}
    for path in (folder / VERSIONS).glob("*"):
        if path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)
    for path in (*folder.glob(".state-*"), *folder.glob(".root-*"), *(folder / TUF).glob("tmp*")):
        path.unlink(missing_ok=True)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """Yield a new folder for a version, which is removed unless it was given a name."""
    draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=_made(folder / VERSIONS)))
    draft.chmod(0o755)  # a service of another user may read it
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _flush_folder(folder: Path) -> None:
    """Write the names in a folder to the disk, where the system can."""
    if os.name == "nt":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _ignore(line: str) -> None:
    """Drop a line."""
