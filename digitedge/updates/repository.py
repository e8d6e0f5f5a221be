"""The repository of updates: static files that any web server serves, made by `digitedge publish`.

    FOLDER/metadata/1.root.json  2.targets.json  2.snapshot.json  timestamp.json  (TUF, consistent snapshots)
    FOLDER/targets/SHA256.NAME                                                    (the files of the bundle)

The root key names the keys of the other roles, and may be kept offline; one key signs targets, snapshot and timestamp.
The targets are written first, then the metadata, the timestamp last, each file in one move: a publication that is
interrupted offers what was offered before. Only where a key is replaced, devices find nothing valid from the moment
that the new root is there until the timestamp is, some milliseconds later; after a kill in between, until the same
command is run again.
"""

import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import CryptoSigner
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from digitedge.bundle.bundle import MANIFEST, Bundle
from digitedge.bundle.signature import SIGNATURE
from digitedge.errors import InputError, ModelError, ParityError, first_line
from digitedge.utils.files import atomic_file, read_regular_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

METADATA = "metadata"
TARGETS = "targets"
ONLINE_ROLES = (Targets.type, Snapshot.type, Timestamp.type)
# A server that is taken over can hold an update back for so long. A maker who signs by hand renews once a month.
DAYS = 30
MAX_DAYS = 3650
# A root lives longer: its key may be in a drawer. It is made anew when less than half is left, and the key is there.
ROOT_DAYS = 730
ROOT_WARNING_DAYS = 60
MAX_VERSION = 1_000_000
RESTORE = "Restore it from a copy."
MAX_METADATA_BYTES = 1024 * 1024
# All files of an offered bundle together. The released one takes 1.3 MB in ten files.
MAX_UPDATE_BYTES = 256 * 1024 * 1024

Role = TypeVar("Role", Root, Targets, Snapshot, Timestamp)


@dataclass(frozen=True, slots=True)
class Published:
    """What a repository offers now.

    Attributes:
        version: of the bundle, counted from 1.
        root: the newest root file, which a new device gets by hand.
        expires: when devices refuse the repository unless it is renewed; never after `root_expires`.
        root_expires: when they refuse its root.
    """

    version: int
    root: Path
    expires: datetime
    root_expires: datetime


def publish(
    bundle: Bundle | None,
    folder: Path,
    *,
    key: "Ed25519PrivateKey",
    root_key: "Ed25519PrivateKey | None" = None,
    days: int = DAYS,
    log: Callable[[str], object] = lambda line: None,
) -> Published:
    """Offer a bundle to devices, as the next version; the repository is made if it is missing.

    Args:
        bundle: what devices install; None to offer the same bundle, with new expiry dates.
        folder: of the repository.
        key: signs the bundle's files, and the dates. A key that the root does not name yet replaces the one before, if
            the root key is there.
        root_key: signs the root; None where it is the same key, or is not needed this time.
        days: until the metadata expires, unless the root does before.
        log: gets a line if the root expires soon.

    Raises:
        InputError: `days` is outside 1 to 3650; no repository is there to renew; or the key is not that of the
            repository.
        ParityError: the bundle failed the parity check.
        ModelError: the bundle is larger than devices take, or the metadata of the repository is damaged: missing, or
            not signed by these keys.
    """
    if not 1 <= days <= MAX_DAYS:
        raise InputError(f"expected from 1 to {MAX_DAYS} days, got {days}.")
    if bundle is not None and not bundle.manifest.passed:
        raise ParityError(f"{bundle.path} failed {bundle.manifest.failed_check()}, so it is not published.")
    repository = _Repository(folder)
    if bundle is None and not repository.exists:
        raise InputError(f"{folder}: expected a repository to renew, got none. Publish a bundle first.")
    expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
    signer, is_new = CryptoSigner(key), not repository.exists
    root_signer = None if root_key is None else CryptoSigner(root_key)
    roots = repository.read_roots()
    root = repository.renew_root(roots, signer, root_signer)
    targets, snapshot, timestamp = repository.load_online(roots, signer, root_signer)
    if bundle is not None:
        before = targets.signed.targets.get(MANIFEST)
        version = 1 if before is None else 1 + offered_version(before)
        targets.signed.targets = repository.write_targets(bundle, version)
    roles: list[Metadata[Any]] = [targets, snapshot, timestamp]
    for one in roles:
        one.signed.version += 0 if is_new else 1
        one.signed.expires = expires
    snapshot.signed.meta[f"{Targets.type}.json"] = MetaFile(targets.signed.version)
    timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
    for one in roles:
        one.sign(signer)
    for one in [*([] if root in roots else [root]), *roles]:  # the timestamp last: devices ask for it first
        repository.write(one)
    if root.signed.expires < datetime.now(UTC) + timedelta(days=ROOT_WARNING_DAYS):
        log(f"the root expires on {root.signed.expires:%Y-%m-%d}. Renew it: digitedge publish --renew --root-key FILE")
    version = offered_version(targets.signed.targets[MANIFEST])
    return Published(version, repository.path(root), min(expires, root.signed.expires), root.signed.expires)


def offered_version(manifest: TargetFile) -> int:
    """The version of the bundle whose manifest is offered.

    Raises:
        ModelError: the maker stated none.
    """
    version = (manifest.custom or {}).get("version")
    if type(version) is not int or not 1 <= version <= MAX_VERSION:
        raise ModelError(
            f"expected a version from 1 to {MAX_VERSION} with the bundle, got {version!r}. Publish it again."
        )
    return version


class _Repository:
    """The files of a repository."""

    def __init__(self, folder: Path) -> None:
        self._metadata = folder / METADATA
        self._targets = folder / TARGETS

    @property
    def exists(self) -> bool:
        return (self._metadata / f"{Timestamp.type}.json").exists()

    def path(self, metadata: Metadata[Role]) -> Path:
        role = metadata.signed.type
        name = f"{role}.json" if role == Timestamp.type else f"{metadata.signed.version}.{role}.json"
        return self._metadata / name

    def read_roots(self) -> list[Metadata[Root]]:
        """The root files, the newest first; each is signed by its own root keys and by those of the one before.

        Raises:
            ModelError: one is damaged or signed by others, or there is other metadata and no root.
        """
        names = (re.fullmatch(r"([0-9]{1,9})\.root\.json", path.name) for path in self._metadata.glob("*.root.json"))
        roots: list[Metadata[Root]] = []
        for version in sorted(int(name[1]) for name in names if name):
            path = self._metadata / f"{version}.{Root.type}.json"
            root = self._read(Root, path.name)
            if root.signed.version != version:
                raise ModelError(f"{path}: expected version {version}, got {root.signed.version}. {RESTORE}")
            if not all(_names_signer(one, root) for one in (root, *roots[-1:])):
                raise ModelError(f"{path}: expected a signature of the root key, got none. {RESTORE}")
            roots.append(root)
        if not roots and any(self._metadata.glob("*.json")):
            raise ModelError(f"{self._metadata}: expected a root file, such as 1.root.json, got none. {RESTORE}")
        return roots[::-1]

    def renew_root(
        self, roots: Sequence[Metadata[Root]], signer: CryptoSigner, root_signer: CryptoSigner | None
    ) -> Metadata[Root]:
        """Return the newest root, or make one if there is none, its keys change, or half of its time is over."""
        now = datetime.now(UTC).replace(microsecond=0)
        if roots:
            root = deepcopy(roots[0])
        else:
            root = Metadata(Root(consistent_snapshot=True, expires=now))
            root.signed.add_key((root_signer or signer).public_key, Root.type)
        root_keys = root.signed.roles[Root.type].keyids
        is_known = all(signer.public_key.keyid in root.signed.roles[role].keyids for role in ONLINE_ROLES)
        if root_signer is None and signer.public_key.keyid in root_keys:
            root_signer = signer
        if root_signer is None and is_known:
            return root
        if root_signer is None or root_signer.public_key.keyid not in root_keys:
            raise InputError(
                f"the key is not that of the repository, {self.path(root)}. Give its own with --key, or also the "
                "root key, which replaces it, with --root-key."
            )
        if roots and not _is_signed_by(root_signer, root):
            raise ModelError(f"{self.path(root)}: expected a signature of the root key, got another one. {RESTORE}")
        if is_known and root.signed.expires - now > timedelta(days=ROOT_DAYS / 2):
            return root
        if not is_known:
            for role in ONLINE_ROLES:
                for keyid in list(root.signed.roles[role].keyids):
                    root.signed.revoke_key(keyid, role)
                root.signed.add_key(signer.public_key, role)
        root.signed.version += 1 if roots else 0
        root.signed.expires = now + timedelta(days=ROOT_DAYS)
        root.sign(root_signer)
        return root

    def load_online(
        self, roots: Sequence[Metadata[Root]], signer: CryptoSigner, root_signer: CryptoSigner | None
    ) -> tuple[Metadata[Targets], Metadata[Snapshot], Metadata[Timestamp]]:
        """Read the newest metadata of the other roles, which `signer` has signed; new ones if there are none.

        With the root key, the key that `signer` replaces counts too: the one that the newest root names, or the one
        before, if the replacement was interrupted.
        """
        if not self.exists:
            return Metadata(Targets()), Metadata(Snapshot()), Metadata(Timestamp())
        root_signer = root_signer or signer
        trusted = [root for root in roots[:2] if _is_signed_by(root_signer, root)]

        def read(kind: type[Role], name: str) -> Metadata[Role]:
            metadata = self._read(kind, name)
            if _is_signed_by(signer, metadata) or any(_names_signer(root, metadata) for root in trusted):
                return metadata
            raise ModelError(
                f"{self._metadata / name}: expected a signature of the repository's key, got none. If --key replaces "
                f"another one, give --root-key too. {RESTORE}"
            )

        timestamp = read(Timestamp, f"{Timestamp.type}.json")
        snapshot = read(Snapshot, f"{timestamp.signed.snapshot_meta.version}.{Snapshot.type}.json")
        version = snapshot.signed.meta[f"{Targets.type}.json"].version
        return read(Targets, f"{version}.{Targets.type}.json"), snapshot, timestamp

    def write_targets(self, bundle: Bundle, version: int) -> dict[str, TargetFile]:
        """Copy the files of a bundle into the repository; the manifest carries the version."""
        names = [MANIFEST, *bundle.manifest.files, *bundle.manifest.others]
        if (bundle.path / SIGNATURE).exists():
            names.append(SIGNATURE)
        size = sum((bundle.path / name).stat().st_size for name in names)
        if size > MAX_UPDATE_BYTES:
            raise ModelError(
                f"{bundle.path} has {size:,} bytes, and devices take at most {MAX_UPDATE_BYTES:,}. Export it with a "
                "smaller model."
            )
        targets = {}
        for name in names:
            content = read_regular_file(bundle.path / name, max_bytes=MAX_UPDATE_BYTES, error=ModelError)
            target = TargetFile.from_data(name, content, ["sha256"])
            with atomic_file(self._targets / f"{target.hashes['sha256']}.{name}") as draft:
                draft.write_bytes(content)
            targets[name] = target
        targets[MANIFEST].unrecognized_fields["custom"] = {"version": version}
        return targets

    def write(self, metadata: Metadata[Role]) -> None:
        with atomic_file(self.path(metadata)) as draft:
            draft.write_bytes(metadata.to_bytes(JSONSerializer(compact=False)))

    def _read(self, kind: type[Role], name: str) -> Metadata[Role]:
        path = self._metadata / name
        content = read_regular_file(path, max_bytes=MAX_METADATA_BYTES, error=ModelError)
        try:
            metadata: Metadata[Role] = Metadata.from_bytes(content)
        except (DeserializationError, RecursionError) as exc:
            raise ModelError(f"{path} is damaged: {first_line(exc)}. {RESTORE}") from exc
        if not isinstance(metadata.signed, kind):
            raise ModelError(f"{path}: expected {kind.type} metadata, got {metadata.signed.type}. {RESTORE}")
        return metadata


def _names_signer(root: Metadata[Root], metadata: Metadata[Any]) -> bool:
    """Whether the keys that a root names for a role have signed its metadata."""
    try:
        root.verify_delegate(metadata.signed.type, metadata)
    except (RepositoryError, ValueError):
        return False
    return True


def _is_signed_by(signer: CryptoSigner, metadata: Metadata[Any]) -> bool:
    """Whether this key has signed the metadata."""
    signature = metadata.signatures.get(signer.public_key.keyid)
    if signature is None:
        return False
    try:
        signer.public_key.verify_signature(signature, metadata.signed_bytes)
    except UnverifiedSignatureError:
        return False
    return True
