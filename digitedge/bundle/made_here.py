"""Which bundles were exported here: `digitedge export` leaves a mark outside of them, in the user's state folder.

A bundle vouches for itself only, so a stranger's folder under ./export must not run because it is the newest. A mark
names the absolute path of a bundle and the hash of its manifest, which has the hashes of its files: a copied, moved or
changed bundle has none. See docs/decisions/made-here.md.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

import platformdirs

from digitedge.utils.files import write_text
from digitedge.utils.text import printable


def state_folder() -> Path:
    """Return the folder of the marks."""
    return Path(platformdirs.user_state_dir("digitedge")) / "bundles"


def remember_bundle(folder: Path, manifest: bytes) -> None:
    """Mark a bundle as exported here, before it takes its place; the one that it replaces keeps its mark until then.

    Args:
        folder: of the bundle.
        manifest: content of its manifest.json.

    Raises:
        DigitEdgeError: the state folder is not writable.
    """
    place = folder.parent.resolve() / folder.name  # a link to a folder is itself replaced
    mark = _mark(place, manifest)
    write_text(mark, f"{printable(str(place))}\n")
    replaced = place / "manifest.json"
    valid = {mark, _mark(place, replaced.read_bytes()) if replaced.is_file() else mark}
    for other in mark.parent.glob(f"{mark.name.partition('-')[0]}-*"):
        if other not in valid:
            with suppress(OSError):  # another export removed it
                other.unlink()


def is_made_here(folder: Path, manifest: bytes) -> bool:
    """Whether this user exported the bundle at `folder`, with this content of manifest.json, to this place."""
    try:
        return _mark(folder.resolve(), manifest).is_file()
    except OSError:  # an unreadable home
        return False


def _mark(place: Path, manifest: bytes) -> Path:
    by_place = hashlib.sha256(os.fsencode(place)).hexdigest()[:32]
    return state_folder() / f"{by_place}-{hashlib.sha256(manifest).hexdigest()}"
