"""Ed25519 keys that sign bundles and updates, as PEM files, which openssl reads too.

The private key is NAME.key, which only its owner can read; the public key is NAME.pub, which may be given to anybody.
The id of a key is its public key in hexadecimal, 64 digits: whoever knows the id can check its signatures.
"""

import base64
import binascii
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from digitedge.errors import DigitEdgeError, InputError, ModelError, require
from digitedge.utils.files import read_regular_file, write_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

EXTRA = "trust"
PRIVATE_SUFFIX = ".key"
PUBLIC_SUFFIX = ".pub"
PASSPHRASE_VARIABLE = "DIGITEDGE_KEY_PASSPHRASE"
# A key takes about 200 bytes; a file may have a comment before it.
MAX_KEY_BYTES = 16_384
MAX_NAME = 64
# What DER has before the 32 bytes of an Ed25519 public key: RFC 8410, section 10.1.
_PUBLIC_PREFIX = bytes.fromhex("302a300506032b6570032100")


def check_key_name(name: str) -> str:
    """Check the name of a key, which is also that of its file, and return it.

    Raises:
        InputError: it is empty or too long, or has other characters than letters, digits, dots, dashes and underscores.
    """
    if not (re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) and len(name) <= MAX_NAME):
        raise InputError(f"expected a name of letters, digits, dots and dashes, at most {MAX_NAME}, got {name!r}.")
    return name


def make_key_pair(name: str, folder: Path, *, passphrase: bytes | None = None) -> tuple[Path, Path]:
    """Write a new private key NAME.key and its public key NAME.pub into a folder.

    Args:
        name: of both files.
        folder: is made if it is missing.
        passphrase: encrypts the private key; None for none.

    Returns:
        The paths of the private and the public key.

    Raises:
        InputError: a name that is no plain name, or one of the files exists.
        DigitEdgeError: the folder cannot be written to, or the disk is full; neither file is there then.
        MissingExtraError: cryptography is not installed.
    """
    require("cryptography", extra=EXTRA)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

    private, public = (folder / f"{check_key_name(name)}{suffix}" for suffix in (PRIVATE_SUFFIX, PUBLIC_SUFFIX))
    for path in (private, public):
        if path.exists():
            raise InputError(f"{path} exists, and a key is never overwritten. Choose another name.")
    key = Ed25519PrivateKey.generate()
    encryption: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode("ascii")
    write_text(public, public_pem(key_id(key)))
    try:
        write_text(private, pem, is_private=True)
    except DigitEdgeError:
        public.unlink()
        raise
    return private, public


def read_private_key(path: Path, *, passphrase: bytes | None = None) -> "Ed25519PrivateKey":
    """Read a private key.

    Args:
        path: PEM file.
        passphrase: of an encrypted key; others ignore it.

    Raises:
        ModelError: no such file, or something else than an Ed25519 private key in PEM.
        InputError: the key is encrypted, and the passphrase is wrong or missing.
        MissingExtraError: cryptography is not installed.
    """
    require("cryptography", extra=EXTRA)
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = read_regular_file(path, max_bytes=MAX_KEY_BYTES, error=ModelError)
    is_encrypted = b"ENCRYPTED" in content
    if is_encrypted and not passphrase:
        raise InputError(f"{path} is encrypted. Give its passphrase in {PASSPHRASE_VARIABLE} or --passphrase-file.")
    try:
        key = load_pem_private_key(content, passphrase if is_encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:  # TypeError: encrypted in a way that needs no text
        if is_encrypted:
            raise InputError(f"{path}: the passphrase is wrong, or the key is damaged.") from exc
        raise ModelError(_not_a_key(path, "private")) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise ModelError(_not_a_key(path, "private"))
    return key


def read_public_key(path: Path) -> str:
    """Read a public key and return its id. This needs no cryptography, whose parser takes 20 ms to import.

    Raises:
        ModelError: no such file, or something else than an Ed25519 public key in PEM.
    """
    content = read_regular_file(path, max_bytes=MAX_KEY_BYTES, error=ModelError)
    if b"PRIVATE KEY" in content:
        raise ModelError(f"{path} is a private key, which stays with its owner. Give its {PUBLIC_SUFFIX}.")
    found = re.search(rb"-----BEGIN PUBLIC KEY-----([\w+/=\s]+)-----END PUBLIC KEY-----", content)
    try:
        key = base64.b64decode(b"".join(found[1].split()), validate=True) if found else b""
    except binascii.Error:
        key = b""
    if len(key) != len(_PUBLIC_PREFIX) + 32 or not key.startswith(_PUBLIC_PREFIX):
        raise ModelError(_not_a_key(path, "public"))
    return key[len(_PUBLIC_PREFIX) :].hex()


def public_pem(wanted: str) -> str:
    """The PEM text of the public key with an id.

    Examples:
        >>> print(public_pem("00" * 32), end="")
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
        -----END PUBLIC KEY-----
    """
    text = base64.b64encode(_PUBLIC_PREFIX + bytes.fromhex(wanted)).decode("ascii")
    return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"


def key_id(key: "Ed25519PrivateKey") -> str:
    """The id of a key: its public key, 32 bytes, in hexadecimal."""
    return key.public_key().public_bytes_raw().hex()


def short_id(key: str) -> str:
    """The first digits of an id, for messages."""
    return f"{key[:16]}..."


def read_passphrase(path: Path | None) -> bytes | None:
    """The passphrase of a key: the first line of a file, else the environment variable, else None.

    Raises:
        InputError: the file cannot be read, or its first line is empty.
    """
    if path is None:
        return os.fsencode(os.environ.get(PASSPHRASE_VARIABLE, "")) or None  # any bytes, as the shell gave them
    lines = read_regular_file(path, max_bytes=MAX_KEY_BYTES, error=InputError).splitlines()
    if not lines or not lines[0]:
        raise InputError(f"{path}: expected a passphrase in the first line, got an empty one.")
    return lines[0]


def _not_a_key(path: Path, kind: str) -> str:
    return (
        f"{path}: expected an Ed25519 {kind} key in PEM, got something else. Make a pair: digitedge trust new-key NAME"
    )
