"""The signature of a bundle, in the file signature.json: who vouches for its files. See docs/guide/signing.md.

It is a DSSE envelope around an in-toto statement with the sha256 of the manifest and of every file that the manifest
lists. Loading compares these with what it has read, so that each file is hashed once, with or without a signature.

Source:
    https://github.com/secure-systems-lab/dsse (envelope), https://github.com/in-toto/attestation (statement v1).
"""

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from digitedge.bundle.keys import EXTRA, key_id, short_id
from digitedge.bundle.trusted_keys import find_trusted
from digitedge.errors import InputError, MissingExtraError, ModelError, require
from digitedge.utils.files import read_regular_file, write_json
from digitedge.utils.loading import build_dataclass, parse_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE = "signature.json"
POLICY_VARIABLE = "DIGITEDGE_REQUIRE_SIGNATURE"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:digitedge:bundle-signature:1"
# A signature of ten files takes 2 kB.
MAX_SIGNATURE_BYTES = 262_144
ADVICE = "Sign it again: digitedge sign BUNDLE --key FILE"
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}

Base64 = Annotated[str, Meta(max_length=MAX_SIGNATURE_BYTES)]


class SignatureState(StrEnum):
    """Whether a bundle is signed, and by whom; unchecked: cryptography is not installed."""

    NONE = "none"
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class CheckedSignature:
    """What is known of the signature of a bundle.

    Attributes:
        state: whether it is signed, and by whom.
        key: id of the key that signed it, see `digitedge.bundle.keys`; None if it is not signed.
        signer: name of this key where it is trusted, else None.
    """

    state: SignatureState = SignatureState.NONE
    key: str | None = None
    signer: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        key = "" if self.key is None else short_id(self.key)
        return {
            SignatureState.NONE: "not signed",
            SignatureState.TRUSTED: f"signed by {self.signer}, whose key is trusted here",
            SignatureState.UNTRUSTED: f"signed by a key that is not trusted here ({key})",
            SignatureState.UNCHECKED: f"signed, but not checked: cryptography is not installed ({key})",
        }[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """A signature of the envelope: the id of the key, and the 64 bytes in base64."""

    keyid: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    sig: Base64


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """signature.json: the statement in base64, its type, and exactly one signature."""

    payload: Base64
    payloadType: str
    signatures: Annotated[list[EnvelopeSignature], Meta(min_length=1, max_length=1)]


def is_signature_required(asked: bool | None = None) -> bool:
    """Whether only bundles that a trusted key has signed are loaded: as asked, else as the environment says, else not.

    Raises:
        InputError: the environment variable says neither yes nor no.
    """
    if asked is not None:
        return asked
    text = os.environ.get(POLICY_VARIABLE, "").strip().lower()
    if text not in _TRUE | _FALSE:
        raise InputError(f"expected {POLICY_VARIABLE} to be 1 or 0, got {text!r}.")
    return text in _TRUE


def write_signature(folder: Path, digests: Mapping[str, str], *, name: str, key: "Ed25519PrivateKey") -> None:
    """Sign a bundle.

    Args:
        folder: of the bundle.
        digests: sha256 in hexadecimal of the manifest and of each file that it lists.
        name: of the bundle, for people and other tools.
        key: signs.
    """
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": file, "digest": {"sha256": digest}} for file, digest in digests.items()],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"name": name, "signed": datetime.now(UTC).isoformat(timespec="seconds")},
    }
    payload = json.dumps(statement).encode()
    signature = {"keyid": key_id(key), "sig": _encode(key.sign(_signed_bytes(payload)))}
    write_json(
        folder / SIGNATURE, {"payload": _encode(payload), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}
    )


def check_signature(
    folder: Path,
    digests: Mapping[str, str],
    *,
    required: bool,
    log: Callable[[str], object] = lambda line: None,
) -> CheckedSignature:
    """Check the signature of a bundle, if there is one.

    Args:
        folder: of the bundle.
        digests: as in `write_signature`, of what was read.
        required: whether it must be signed by a trusted key.
        log: gets a line if it is signed, but not by a key that is known to be trusted.

    Raises:
        ModelError: the signature is damaged, wrong or of other files; or `required`, and it is missing or a stranger's.
        MissingExtraError: `required`, and cryptography is not installed.
    """
    path = folder / SIGNATURE
    if not os.path.lexists(path):
        if required:
            raise ModelError(
                f"{folder} is not signed, and only signed bundles are loaded here. Sign it: digitedge sign BUNDLE "
                "--key FILE"
            )
        return CheckedSignature()
    envelope = _read_envelope(path)
    payload = _decode(envelope.payload, path)
    if _subjects(payload, path) != dict(digests):
        raise ModelError(f"{folder} was changed after it was signed. Get it again, or, if it is yours, sign it again.")
    signature = envelope.signatures[0]
    try:
        require("cryptography", extra=EXTRA)
    except MissingExtraError as exc:
        if required:
            raise
        log(f"{folder}: its signature is not checked: {exc}")
        return CheckedSignature(SignatureState.UNCHECKED, signature.keyid)
    _verify(payload, signature, path)
    signer = find_trusted(signature.keyid)
    if signer is not None:
        return CheckedSignature(SignatureState.TRUSTED, signature.keyid, signer.name)
    checked = CheckedSignature(SignatureState.UNTRUSTED, signature.keyid)
    if required:
        raise ModelError(f"{folder} is {checked}. If you know its owner: digitedge trust add FILE.pub")
    log(f"{folder} is {checked}")
    return checked


def _read_envelope(path: Path) -> Envelope:
    content = read_regular_file(path, max_bytes=MAX_SIGNATURE_BYTES, error=ModelError)
    value = parse_json(content, where=str(path), error=ModelError, advice=ADVICE)
    envelope = build_dataclass(Envelope, value, where=str(path), error=ModelError, advice=ADVICE)
    if envelope.payloadType != PAYLOAD_TYPE:
        raise ModelError(f"{path}: expected payloadType {PAYLOAD_TYPE}, got {envelope.payloadType!r}. {ADVICE}")
    return envelope


def _subjects(payload: bytes, path: Path) -> dict[str, str]:
    """The files of a statement and their sha256."""
    statement: Any = parse_json(payload, where=f"{path}: payload", error=ModelError, advice=ADVICE)
    try:
        types = statement["_type"], statement["predicateType"]
        files = [(one["name"], one["digest"]["sha256"]) for one in statement["subject"]]
        subjects = dict(files)
    except (TypeError, KeyError, IndexError) as exc:
        raise ModelError(f"{path}: expected an in-toto statement, got something else. {ADVICE}") from exc
    if types != (STATEMENT_TYPE, PREDICATE_TYPE) or len(subjects) != len(files):
        raise ModelError(f"{path}: expected a statement {PREDICATE_TYPE}, got {types[1]!r}. {ADVICE}")
    return subjects


def _verify(payload: bytes, signature: EnvelopeSignature, path: Path) -> None:
    """Check the signature with the key that its id is.

    Raises:
        ModelError: it is not that key's signature of the payload.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.keyid))
        key.verify(_decode(signature.sig, path), _signed_bytes(payload))
    except (InvalidSignature, ValueError) as exc:  # ValueError: of another size
        raise ModelError(f"{path}: the signature is wrong: it was changed. {ADVICE}") from exc


def _signed_bytes(payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE, which ties the payload to its type."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _decode(text: str, path: Path) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ModelError(f"{path}: expected base64, got something else. {ADVICE}") from exc
