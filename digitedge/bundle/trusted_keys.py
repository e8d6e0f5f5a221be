"""The keys whose signatures this user trusts: public keys in a folder, NAME.pub each.

The folder is `trusted_keys` in `$DIGITEDGE_CONFIG`, else in the user's folder for settings. Adding a key is copying a
file there; there is no list that could disagree with the folder.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from digitedge.bundle.keys import PUBLIC_SUFFIX, check_key_name, public_pem, read_public_key
from digitedge.errors import InputError, ModelError
from digitedge.utils.files import write_text

CONFIG_VARIABLE = "DIGITEDGE_CONFIG"
# More would be a mistake: each is read when a signed bundle is loaded.
MAX_KEYS = 100


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key of the folder: its name, and its id, see `digitedge.bundle.keys`."""

    name: str
    id: str


def trusted_folder() -> Path:
    """The folder of the trusted keys, which need not exist."""
    config = os.environ.get(CONFIG_VARIABLE)
    return (Path(config) if config else platformdirs.user_config_path("digitedge")) / "trusted_keys"


def trusted_keys() -> list[TrustedKey]:
    """All trusted keys, by name.

    Raises:
        ModelError: the folder cannot be read, a file of it is no public key, or there are more than 100.
    """
    folder = trusted_folder()
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == PUBLIC_SUFFIX)
    except FileNotFoundError:
        return []
    except OSError as exc:  # `glob` would hide it, and every signature would be a stranger's
        raise ModelError(
            f"{folder}: expected a folder of trusted keys, got: {exc.strerror}. Make it readable."
        ) from exc
    if len(paths) > MAX_KEYS:
        raise ModelError(f"{folder}: expected at most {MAX_KEYS} keys, got {len(paths)}. Remove some.")
    return [TrustedKey(path.stem, read_public_key(path)) for path in paths]


def find_trusted(wanted: str) -> TrustedKey | None:
    """The trusted key with an id, or None. Errors as in `trusted_keys`."""
    return next((key for key in trusted_keys() if key.id == wanted), None)


def add_trusted(path: Path, name: str | None = None) -> TrustedKey:
    """Trust the key of a file.

    Args:
        path: a public key, PEM.
        name: what it is called; None for the name of the file.

    Raises:
        InputError: the name is no plain one, or belongs to another key, or the key is there under another name.
        ModelError: no such file, or no public key.
    """
    added = TrustedKey(check_key_name(path.stem if name is None else name), read_public_key(path))
    for known in trusted_keys():
        if known == added:
            return known
        if known.name == added.name:
            raise InputError(f"the name {known.name} belongs to another trusted key. Choose another one with --name.")
        if known.id == added.id:
            raise InputError(f"this key is trusted already, as {known.name}.")
    write_text(trusted_folder() / f"{added.name}{PUBLIC_SUFFIX}", public_pem(added.id))
    return added


def remove_trusted(name: str) -> Path:
    """Trust a key no longer, and return the path of the file that was removed.

    Raises:
        InputError: there is no such key.
    """
    path = trusted_folder() / f"{check_key_name(name)}{PUBLIC_SUFFIX}"
    try:
        path.unlink()
    except FileNotFoundError as exc:
        raise InputError(f"there is no trusted key {name}. See: digitedge trust list") from exc
    return path
