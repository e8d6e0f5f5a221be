"""What a document is: by the start of its content, and by the suffix of its name where it is not opened."""

import tarfile
from enum import StrEnum
from typing import BinaryIO

from digitedge.documents.storage import is_address
from digitedge.utils.image_header import TIFF_STARTS
from digitedge.utils.images import SUFFIXES as IMAGE_SUFFIXES

HEIC_SUFFIXES = (".heic", ".heif")
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
SUFFIXES = (*sorted(IMAGE_SUFFIXES), ".pdf", *HEIC_SUFFIXES, *ARCHIVE_SUFFIXES)
"""Suffixes of documents in a folder or archive, in lower case. A file that is given by name may have any suffix."""

_HEAD_BYTES = 1024  # a PDF may have this much before its header, as PDFium takes it
# ISO/IEC 23008-12: brands of still images and sequences of HEVC. An AVIF has other ones.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


class Kind(StrEnum):
    """How a document is read."""

    IMAGE = "image"  # and everything unknown: the decoder refuses it
    TIFF = "TIFF"
    PDF = "PDF"
    HEIC = "HEIC"
    ZIP = "zip"
    TAR = "tar"
    TAR_GZ = "tar.gz"
    TAR_BZ2 = "tar.bz2"
    TAR_XZ = "tar.xz"

    @property
    def is_archive(self) -> bool:
        """Whether it holds other documents."""
        return self is Kind.ZIP or self.startswith("tar")


_STARTS = {
    **{start: Kind.TIFF for start in TIFF_STARTS},
    **{b"%PDF-": Kind.PDF, b"PK\3\4": Kind.ZIP, b"PK\5\6": Kind.ZIP},
    **{b"\x1f\x8b\x08": Kind.TAR_GZ, b"BZh": Kind.TAR_BZ2, b"\xfd7zXZ\0": Kind.TAR_XZ},
    **{b"\xff\xd8\xff": Kind.IMAGE, b"\x89PNG": Kind.IMAGE, b"RIFF": Kind.IMAGE, b"GIF8": Kind.IMAGE},
}


def find_kind(file: BinaryIO) -> Kind:
    """Find the kind of a document from its first kilobyte. The file is at its start afterwards."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    known = next((kind for start, kind in _STARTS.items() if head.startswith(start)), None)
    if known:
        return known
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return Kind.HEIC
    if b"%PDF-" in head:
        return Kind.PDF
    return Kind.TAR if _is_tar(head[: tarfile.BLOCKSIZE]) else Kind.IMAGE


def has_known_suffix(name: str) -> bool:
    """Whether a file of this name is taken for a document where it is not given by name."""
    return _plain(name).endswith(SUFFIXES)


def may_hold_many(name: str) -> bool:
    """Whether a file of this name may hold more than one page, so that it is worth to be counted.

    Examples:
        >>> may_hold_many("scans/2026.TAR.GZ"), may_hold_many("s3://archive/a.pdf"), may_hold_many("desk.jpg")
        (True, True, False)
    """
    return _plain(name).endswith((".pdf", ".tif", ".tiff", *ARCHIVE_SUFFIXES))


def is_sequential(name: str) -> bool:
    """Whether a file of this name is an archive that can only be unpacked from its beginning.

    Examples:
        >>> is_sequential("scans.tgz"), is_sequential("scans.tar"), is_sequential("scans.zip")
        (True, False, False)
    """
    return _plain(name).endswith(ARCHIVE_SUFFIXES[2:])


def is_archive_name(name: str) -> bool:
    """Whether a file of this name is an archive."""
    return _plain(name).endswith(ARCHIVE_SUFFIXES)


def _plain(name: str) -> str:
    return (name.partition("?")[0] if is_address(name) else name).lower()


def _is_tar(block: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):  # no checksum of a header
        return False
    return True
