"""Documents in zip and tar archives, read in place: nothing is unpacked to the disk, and no name of a member is a path.

A zip is read in natural order, member by member. A tar is read from its start to its end, in its own order. Sizes are
checked before memory is taken, and again by what comes: archives lie. See docs/decisions/documents.md.
"""

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from digitedge.documents.kinds import Kind, has_known_suffix
from digitedge.errors import ErrorKind, PageError, first_line
from digitedge.utils.images import natural_key
from digitedge.utils.memory_limit import check_memory, memory_limit

MAX_ZIP_MEMBERS = 100_000
"""zipfile keeps all of them in memory. With their order they take 1 kB each, and up to 90 us."""
MAX_UNPACKED_BYTES, MAX_RATIO = 4_000_000_000, 200
"""A tar that unpacks to more than both is not read on. Scans that are packed well are a twentieth of their pixels."""
_MAX_HEADER_BYTES = 1 << 20  # of a member of a tar, with its extended headers; tarfile reads them at once
_XZ_BYTES = 256 << 20  # memory that unpacking may take; `xz -9` takes 65 MB
_READ_BYTES = 1 << 20
_END_BYTES = 22  # of the end record of a zip, before its comment of 64 kB at most
_MACOS_FOLDER = "__MACOSX"
_too_large = PageError.of_kind(ErrorKind.TOO_LARGE)
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, tarfile.TarError, lzma.LZMAError, struct.error, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError, IndexError, OverflowError),
)
"""What zipfile and tarfile raise on a damaged archive."""


@dataclass(frozen=True, slots=True)
class Member:
    """A document in an archive.

    Attributes:
        name: with folders, as the archive has it.
        stamp: differs if its content does: checksum or time, and size.
        read: its content; raises PageError. Of a tar only until the next member is asked for, or it starts again.
    """

    name: str
    stamp: tuple[float, int]
    read: Callable[[], bytes]


def read_archive(file: BinaryIO, kind: Kind, *, name: str) -> Iterator[Member]:
    """Yield the documents in an archive, by suffix; hidden ones, links and devices are left out.

    Raises:
        PageError: it is damaged or too large; of a tar, after the members before the damage.
    """
    try:
        yield from _read_zip(file, name) if kind is Kind.ZIP else _read_tar(file, kind, name)
    except _DAMAGE as exc:
        raise _damaged(f"{name}: expected a complete {kind} archive, got a damaged one", exc) from exc


def _is_document(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return has_known_suffix(name) and not any(part[0] == "." or part == _MACOS_FOLDER for part in parts)


def _damaged(what: str, exc: Exception) -> PageError:
    return PageError(f"{what} ({first_line(exc).rstrip('.')}). Copy it again.")


def _read_zip(file: BinaryIO, name: str) -> Iterator[Member]:
    _check_zip_directory(file, name)
    archive = zipfile.ZipFile(file)
    members = [info for info in archive.infolist() if not info.is_dir() and _is_document(info.filename)]
    for info in sorted(members, key=lambda info: natural_key(info.filename)):
        yield Member(
            info.filename,
            (info.CRC, info.file_size),
            partial(_read_zip_member, archive, info, f"{name}/{info.filename}"),
        )


def _read_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    if info.flag_bits & 1:
        message = f"{name}: expected a member without a password, got an encrypted one. Unpack it with its password."
        raise PageError(message, ErrorKind.ENCRYPTED)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others are unpacked without a limit
        message = f"{name}: expected a stored or deflated member, got compression {info.compress_type}. Pack it again."
        raise PageError(message, ErrorKind.UNKNOWN_FORMAT)
    check_memory(2 * info.file_size, what=f"{name}: the file", error=_too_large)  # zipfile holds it twice
    try:
        with archive.open(info) as member:
            content = member.read(info.file_size)  # no more than it says, whatever there is
            member.read(1)  # checks its checksum
    except _DAMAGE as exc:
        raise _damaged(f"{name}: expected a complete member, got a damaged one", exc) from exc
    if len(content) != info.file_size:
        raise PageError(f"{name}: expected {info.file_size:,} bytes, got {len(content):,}. Copy the archive again.")
    return content


def _check_zip_directory(file: BinaryIO, name: str) -> None:
    """Count the members of a zip before zipfile reads their names.

    Each entry of the directory begins with a signature, so there are no more of them than signatures.

    Source:
        APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
    """
    size = file.seek(0, 2)
    tail_start = max(0, size - _END_BYTES - (1 << 16))
    file.seek(tail_start)
    tail = file.read()
    end = tail.rfind(b"PK\5\6", 0, len(tail) - _END_BYTES + 4)
    if end < 0:
        raise zipfile.BadZipFile("there is no end record")
    (directory_bytes,) = struct.unpack_from("<I", tail, end + 12)
    end64 = tail.rfind(b"PK\6\6", 0, end)
    if end64 >= 0:
        (directory_bytes,) = struct.unpack_from("<Q", tail, end64 + 40)
        end = end64
    start = max(0, tail_start + end - directory_bytes)
    file.seek(start)
    count, last = 0, b""
    while (left := tail_start + end - file.tell()) > 0:
        piece = last + file.read(min(left, _READ_BYTES))
        count += piece.count(b"PK\1\2")
        last = piece[-3:]
        if count > MAX_ZIP_MEMBERS:
            expected = f"expected at most {MAX_ZIP_MEMBERS:,} members in a zip, got more"
            raise PageError(f"{name}: {expected}. Split it, or make it a tar.", ErrorKind.TOO_LARGE)
    file.seek(0)


def _read_tar(file: BinaryIO, kind: Kind, name: str) -> Iterator[Member]:
    unpacked = _Unpacked(file, kind, name)
    archive = tarfile.TarFile(fileobj=unpacked)  # type: ignore[arg-type]
    while (info := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined]  # else all names are kept
        if info.isreg() and _is_document(info.name):
            read = partial(_read_tar_member, archive, info, unpacked, f"{name}/{info.name}")
            yield Member(info.name, (info.mtime, info.size), read)
        unpacked.max_read = _MAX_HEADER_BYTES
    if unpacked.last_read.strip(b"\0") or not unpacked.last_read:  # tarfile takes any rest for the end
        raise tarfile.ReadError("it does not end with a block of zeros")


def _read_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo, unpacked: "_Unpacked", name: str) -> bytes:
    check_memory(info.size, what=f"{name}: the file", error=_too_large)
    unpacked.max_read = memory_limit()
    try:
        member = archive.extractfile(info)
        content = member.read() if member else b""
    except _DAMAGE as exc:
        raise _damaged(f"{name}: expected a complete member, got a damaged one", exc) from exc
    if len(content) != info.size:
        raise PageError(f"{name}: expected {info.size:,} bytes, got {len(content):,}. Copy the archive again.")
    return content


class _Unpacked:
    """A tar file, unpacked while it is read, which takes only a bounded amount of memory and work.

    Attributes:
        max_read: bytes that may be read at once.
        last_read: what was read last.
    """

    def __init__(self, file: BinaryIO, kind: Kind, name: str) -> None:
        self._name = name
        self._size = file.seek(0, 2)
        file.seek(0)
        self._is_packed = kind is not Kind.TAR
        if kind is Kind.TAR_XZ:  # the first block says how much memory unpacking takes
            lzma.LZMADecompressor(memlimit=_XZ_BYTES).decompress(file.read(1024), max_length=1)
            file.seek(0)
        self._file = _unpack(file, kind)
        self.max_read = _MAX_HEADER_BYTES
        self.last_read = b""

    def read(self, size: int) -> bytes:
        """Read bytes; raises PageError if that are too many."""
        if size > self.max_read:
            raise PageError(f"{self._name}: expected a header of at most {self.max_read:,} bytes, got {size:,}.")
        self.last_read = self._file.read(size)
        self._check()
        return self.last_read

    def tell(self) -> int:
        """Where it is, in the unpacked tar."""
        return self._file.tell()

    def seek(self, position: int) -> int:
        """Go to a position. What is packed is unpacked until there, piece by piece."""
        if not self._is_packed or position < self._file.tell():
            return self._file.seek(position)
        while (left := position - self._file.tell()) > 0 and self._file.read(min(left, _READ_BYTES)):
            self._check()
        return self._file.tell()

    def _check(self) -> None:
        if self._is_packed and self._file.tell() > max(MAX_UNPACKED_BYTES, MAX_RATIO * self._size):
            expected = f"expected at most {MAX_UNPACKED_BYTES // 10**9} GB, or {MAX_RATIO} times its size, unpacked"
            raise PageError(f"{self._name}: {expected}, got more. Unpack it if you trust it.", ErrorKind.TOO_LARGE)


def _unpack(file: BinaryIO, kind: Kind) -> BinaryIO:
    if kind is Kind.TAR_GZ:
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if kind is Kind.TAR_BZ2:
        return cast(BinaryIO, bz2.BZ2File(file))
    return cast(BinaryIO, lzma.LZMAFile(file)) if kind is Kind.TAR_XZ else file
