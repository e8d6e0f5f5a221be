"""Where documents lie: regular files, and addresses such as s3://bucket/a.pdf, which fsspec opens.

fsspec and the package behind an address are not part of any extra of digitedge: the error names what to install.
"""

import importlib
import io
import os
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, cast

from digitedge.errors import DigitEdgeError, ErrorKind, MissingExtraError, PageError, first_line
from digitedge.utils.files import open_regular_file
from digitedge.utils.images import is_shell_pipe, read_image_file
from digitedge.utils.memory_limit import check_memory, memory_limit
from digitedge.utils.secrets import has_secret, hide_secret

_ADDRESS = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # C:/ is a path
# The directory of a zip and the objects of a PDF lie anywhere in it: blocks of this size are downloaded and kept.
_BLOCK_BYTES = 1 << 20


def is_address(source: str) -> bool:
    """Whether a source is an address and no path.

    Examples:
        >>> is_address("s3://archive/a.pdf"), is_address("C:/scans/a.pdf")
        (True, False)
    """
    return _ADDRESS.match(source) is not None


def shown_name(source: str) -> str:
    """A source as it is shown: an address without its login and query. Part of a hash distinguishes queries.

    Examples:
        >>> shown_name("https://anna:secret@host/scan?page=7")
        'https://***@host/scan?***#051749eb'
    """
    if not is_address(source):
        return source
    shown = hide_secret(source)
    return f"{shown}#{sha256(os.fsencode(source)).hexdigest()[:8]}" if shown.endswith("***") else shown


def open_document(source: str) -> BinaryIO:
    """Open a regular file, a pipe of a shell or an address as a seekable file, which closes itself when unused.

    Raises:
        PageError: it is missing, not a regular file, or its storage does not answer.
        MissingExtraError: a package that reads such addresses is not installed.
    """
    if is_address(source):
        return _open_address(source)
    if is_shell_pipe(source):  # it ends, and is no larger than the limit of memory
        return io.BytesIO(read_image_file(source))
    handle, _ = open_regular_file(Path(source), error=PageError.of_kind(ErrorKind.MISSING))
    return _File(_LocalFile(handle))


def read_document(file: BinaryIO, *, name: str) -> bytes:
    """Read a whole document, if it takes no more memory than the limit.

    Raises:
        PageError: it is too large.
    """
    check_size(file, name=name)
    return file.read()


def read_changeable(file: BinaryIO, *, name: str) -> bytearray:
    """Read a whole document as `read_document` does, for who changes it: a copy would take its memory twice."""
    content = bytearray(check_size(file, name=name))
    del content[cast(io.BufferedIOBase, file).readinto(content) :]  # it may be shorter now
    return content


def check_size(file: BinaryIO, *, name: str) -> int:
    """Return the size of a document in bytes; it is at its start afterwards.

    Raises:
        PageError: it takes more memory than the limit.
    """
    size = file.seek(0, os.SEEK_END)
    check_memory(size, what=f"{name}: the file", error=PageError.of_kind(ErrorKind.TOO_LARGE))
    file.seek(0)
    return size


def find_storage(address: str) -> tuple[Any, str]:
    """The file system of fsspec that an address belongs to, and the path in it.

    Raises:
        PageError: there is none for such addresses.
        MissingExtraError: a package is not installed.
    """
    try:
        fsspec = importlib.import_module("fsspec")
        found: tuple[Any, str] = fsspec.core.url_to_fs(address)
    except Exception as exc:  # each storage has errors of its own
        raise _explain(exc, address) from exc
    return found


def ask_storage(ask: Callable[[], Any], address: str) -> Any:
    """Call a function of a storage; what it raises becomes an error that names the address.

    Raises:
        PageError: the storage has no such document, or does not answer.
        MissingExtraError: a package is not installed.
    """
    try:
        return ask()
    except Exception as exc:  # each storage has errors of its own
        raise _explain(exc, address) from exc


class _File(io.BufferedReader):
    """A file that is closed, without a warning, when the last page that needs it is gone."""

    def __del__(self) -> None:
        self.close()


class _LocalFile(io.FileIO):
    """As above: the garbage collector may begin with it."""

    def __del__(self) -> None:
        self.close()


class _RemoteFile(io.RawIOBase):
    """An object of a storage; a read that fails says which."""

    def __init__(self, storage: Any, path: str, address: str) -> None:
        self._storage, self._path, self._address = storage, path, address
        options = {"block_size": _BLOCK_BYTES, "cache_type": "blockcache"}
        self._file = ask_storage(lambda: storage.open(path, "rb", **options), address)
        self.size: int | None = getattr(self._file, "size", None)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(ask_storage(lambda: self._file.seek(offset, whence), self._address))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        content = (
            self._request(size) if size > _BLOCK_BYTES else ask_storage(lambda: self._file.read(size), self._address)
        )
        buffer[: len(content)] = content
        return len(content)

    def readall(self) -> bytes:
        return self._request(None)

    def _request(self, size: int | None) -> bytes:
        """Read the next bytes, or all that are left, with one request, not block by block."""
        start = self.tell()
        span = {"start": start or None, "end": None if size is None else start + size}
        content = bytes(ask_storage(lambda: self._storage.cat_file(self._path, **span), self._address))
        self.seek(start + len(content))
        return content

    def read_stream(self) -> bytes:
        """Read an object of unknown size, which cannot be sought in, up to the limit of memory."""
        content = bytes(ask_storage(lambda: self._file.read(memory_limit() + 1), self._address))
        what = f"{shown_name(self._address)}: the file"
        check_memory(len(content), what=what, error=PageError.of_kind(ErrorKind.TOO_LARGE))
        return content

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()


def _open_address(address: str) -> BinaryIO:
    storage, path = find_storage(address)
    remote = _RemoteFile(storage, path, address)
    if remote.size is None:  # a web server that sends no size
        with remote:
            return io.BytesIO(remote.read_stream())
    return _File(remote)


def _explain(exc: Exception, address: str) -> DigitEdgeError:
    """The error of a storage as one line. Its own words may quote the address, so they are left out with a secret."""
    shown, scheme = shown_name(address), address.partition(":")[0]
    if isinstance(exc, DigitEdgeError):
        return exc
    if isinstance(exc, ImportError):
        missing = getattr(exc.__cause__, "name", None) or exc.name or "fsspec"
        package = missing.partition(".")[0]
        return MissingExtraError(f"cannot read {shown}: {scheme} addresses need {package}. Run: pip install {package}")
    if isinstance(exc, FileNotFoundError | PermissionError | IsADirectoryError):
        what = {FileNotFoundError: "there is none", PermissionError: "permission denied"}.get(type(exc), "a folder")
        return PageError(f"cannot read {shown}: expected a file, got none ({what}).", ErrorKind.MISSING)
    words = type(exc).__name__ if has_secret(address) else first_line(exc)
    message = f"cannot read {shown}: {words}. Is the address right, and does its server answer?"
    return PageError(message, ErrorKind.UNREACHABLE)
