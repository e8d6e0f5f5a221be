"""A model file is read once, and checked before native code sees its bytes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from digitedge.errors import ModelError
from digitedge.utils.files import read_regular_file
from digitedge.utils.memory_limit import memory_limit

# By hash of what passed the check in this process: whether all of it is known. A bundle is often loaded again.
_passed: dict[str, bool] = {}


def read_model(path: Path, sha256: str | None = None) -> tuple[bytes, str]:
    """Read a model file.

    Args:
        path: of the file.
        sha256: hexadecimal hash that the content must have; None for any.

    Returns:
        Its content, and the hexadecimal sha256 of that.

    Raises:
        ModelError: missing, no regular file, larger than the limit of memory, or another content.
    """
    content = read_regular_file(path, max_bytes=memory_limit(), error=ModelError)
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and sha256 != found:
        raise ModelError(
            f"{path}: expected sha256 {sha256[:12]}... as in its manifest, got {found[:12]}...: the file was "
            "changed. Export the bundle again."
        )
    return content, found


def read_checked_model(
    path: Path, sha256: str | None, *, check: Callable[[bytes, Path], tuple[bytes, str | None]], module: str
) -> tuple[bytes, bool]:
    """Read a model file and check it.

    Args:
        path: of the file.
        sha256: as in `read_model`.
        check: returns the model as one piece, and what it does not know of it; ModelError if it is refused.
        module: its `try_content` loads and runs the content in a child process, if there is something unknown.

    Returns:
        The model as one piece, with weights that are in a file beside it; and whether all of it is known.

    Raises:
        ModelError: as in `read_model`; or it fails the check, or the trial.
    """
    content, found = read_model(path, sha256)
    if found in _passed:
        return content, _passed[found]
    whole, unknown = check(content, path)
    if unknown:
        from digitedge.runtime.checks.trial import try_in_child  # takes time to import, and is rarely needed

        try_in_child(whole, path, module, unknown=unknown)
    if whole == content:  # else its weights are in another file, which may change
        _passed[found] = not unknown
    return whole, not unknown
