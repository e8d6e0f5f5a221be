"""The folder of the trusted keys, as a process without root's rights finds it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitedge.bundle.keys import public_pem
from digitedge.bundle.trusted_keys import TrustedKey, trusted_keys
from digitedge.errors import ModelError

KEY = "ab" * 32
# Modules are loaded first, because they may lie where only root can read.
PROGRAM = """
import os
from digitedge.bundle.trusted_keys import trusted_keys
if os.geteuid() == 0:
    os.setuid(65534)
try:
    print(trusted_keys())
except Exception as exc:
    print(f"{type(exc).__name__}: {exc}")
"""


@pytest.fixture
def keys() -> Iterator[Path]:
    """The folder of trusted keys, with one, which every user can read; folders of pytest are closed to others."""
    with tempfile.TemporaryDirectory() as config:
        Path(config).chmod(0o755)
        folder = Path(config) / "trusted_keys"
        folder.mkdir()
        (folder / "maker.pub").write_text(public_pem(KEY))
        yield folder


def list_keys(folder: Path) -> str:
    environment = os.environ | {"DIGITEDGE_CONFIG": str(folder.parent)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60)
    return done.stdout.rstrip()


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("closed", ["trusted_keys", "config"])
def test_a_folder_that_cannot_be_read_is_one_clear_line_and_not_an_empty_one(keys: Path, closed: str) -> None:
    assert list_keys(keys) == str([TrustedKey("maker", KEY)])
    folder = keys if closed == "trusted_keys" else keys.parent
    folder.chmod(0)
    line = list_keys(keys)
    folder.chmod(0o755)
    assert line == f"ModelError: {keys}: expected a folder of trusted keys, got: Permission denied. Make it readable."


def test_a_missing_folder_has_no_keys_and_a_file_in_its_place_is_an_error(settings: Path) -> None:
    assert trusted_keys() == []
    settings.mkdir()
    (settings / "trusted_keys").touch()
    with pytest.raises(ModelError, match="expected a folder of trusted keys, got: Not a directory"):
        trusted_keys()
