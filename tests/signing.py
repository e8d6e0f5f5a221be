"""Keys and signed bundles for the tests of signatures and updates."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitedge.bundle.bundle import load_bundle, sign_bundle
from digitedge.bundle.keys import make_key_pair, read_private_key
from digitedge.bundle.trusted_keys import add_trusted

if TYPE_CHECKING:
    from digitedge.updates.repository import Published

ROOT = Path(__file__).parent.parent
# The smallest released bundle: 0.4 MB.
SMALL = ROOT / "export" / "small"
FILES = ("manifest.json", "golden.npz", "labels.txt", "model.keras")


def copy_bundle(target: Path, source: Path = SMALL) -> Path:
    """Copy a bundle, without its images and figures."""
    target.mkdir(parents=True)
    for path in [*(source / name for name in FILES), *source.glob("model_*")]:
        shutil.copyfile(path, target / path.name)
    return target


def make_key(folder: Path, name: str, *, trusted: bool = False) -> Path:
    """Make a key pair, and return the private key's path."""
    private, public = make_key_pair(name, folder)
    if trusted:
        add_trusted(public)
    return private


def sign(bundle: Path, key: Path) -> Path:
    """Sign a bundle, and return its path."""
    sign_bundle(bundle, read_private_key(key))
    return bundle


def flip_byte(path: Path, position: int = -100) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


@dataclass
class Maker:
    """Who publishes bundles: a trusted key, a bundle of it, and a repository."""

    key: Path
    bundle: Path
    repository: Path

    @property
    def root(self) -> Path:
        return self.repository / "metadata" / "1.root.json"

    def publish(self, bundle: Path | None = None, **options: Any) -> "Published":
        """Publish a bundle, else the maker's own."""
        from digitedge.updates.repository import publish

        return publish(load_bundle(bundle or self.bundle), self.repository, key=read_private_key(self.key), **options)
