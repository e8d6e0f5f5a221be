"""Which bundles were exported here: `digitedge export` leaves a mark outside of them, in the user's state folder.

A bundle vouches for itself only, so a stranger's folder under ./export must not run because it is the newest. A mark
names the absolute path of a bundle and the hash of its manifest, which has the hashes of its files: a copied, moved or
changed bundle has none. See docs/decisions/made-here.md. `digitedge adapt` marks its files so, by their own hash.
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
    _remember(folder, manifest, replaced=folder / "manifest.json")


def remember_file(path: Path, content: bytes) -> None:
    """Mark a file as made here, as `remember_bundle` does.

    Raises:
        DigitEdgeError: the state folder is not writable.
    """
    _remember(path, content, replaced=path)


def _remember(path: Path, content: bytes, *, replaced: Path) -> None:
    place = path.parent.resolve() / path.name  # a link to a folder is itself replaced
    mark = _mark(place, content)
    write_text(mark, f"{printable(str(place))}\n")
    valid = {mark, _mark(place, replaced.read_bytes()) if replaced.is_file() else mark}
    for other in mark.parent.glob(f"{mark.name.partition('-')[0]}-*"):
        if other not in valid:
            with suppress(OSError):  # another export removed it
                other.unlink()


def is_made_here(path: Path, content: bytes) -> bool:
    """Whether this user made the bundle at `path`, with this content of manifest.json, or the file, at this place."""
    try:
        return _mark(path.resolve(), content).is_file()
    except OSError:  # an unreadable home
        return False


def _mark(place: Path, content: bytes) -> Path:
    by_place = hashlib.sha256(os.fsencode(place)).hexdigest()[:32]
    return state_folder() / f"{by_place}-{hashlib.sha256(content).hexdigest()}"
