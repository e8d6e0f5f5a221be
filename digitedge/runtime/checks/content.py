"""The bytes of a model file: read once, of a bounded size, with the hash that was expected."""

import hashlib
from pathlib import Path

from digitedge.errors import ModelError
from digitedge.utils.files import read_regular_file
from digitedge.utils.memory_limit import memory_limit


def read_model(path: Path, sha256: str | None = None) -> tuple[bytes, str]:
    """Read a model file.

    Returns:
        Its content, and the hexadecimal sha256 of that.

    Args:
        path: of the file.
        sha256: hexadecimal hash that the content must have; None for any.

    Raises:
        ModelError: missing, no regular file, larger than the limit of memory, or another content.
    """
    content = read_regular_file(path, max_bytes=memory_limit(), error=ModelError)
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise ModelError(
            f"{path}: expected sha256 {str(sha256)[:12]}... as in its manifest, got {found[:12]}...: the file was "
            "changed. Export the bundle again."
        )
    return content, found
