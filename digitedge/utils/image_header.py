"""What the header of an image says: its size, and how much memory OpenCV takes to decode it.

OpenCV allocates what a header asks for, so a file of a hundred bytes could take gigabytes. Only kinds of images whose
size can be known from the header are read. AVIF is not one of them: its header may say 80x40 and its video stream
8000x4000, which is decoded then. Segments, chunks and tags are walked from one to the next: what is searched for may
also stand in a comment. See docs/decisions/image-limits.md.
"""

import re
import struct
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass

PNG_START = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"
TIFF_STARTS = {b"II*\0": "<", b"MM\0*": ">"}
"""Starts of TIFF and EXIF data, and the byte order that they stand for."""
BIG_TIFF_STARTS = (b"II+\0", b"MM\0+")
MAX_JPEG_SCANS = 100
"""A progressive JPEG has about ten scans. OpenCV takes 20 ms for each at 64 megapixels, however small the file is."""
MAX_CHUNKS = 100_000
"""Of a PNG or WebP, and segments of a JPEG. Encoders make them of 8 kB or more; walking 450 MB of empty ones takes a
minute."""

# Bytes that OpenCV 5.0 holds for each pixel at the peak, measured: decoded, with a copy for NumPy.
_BGR, _BGRA = 2 * 3, 2 * 4
_GIF, _ANIMATED_WEBP = 10, 12
_JPEG_END = 0xD9
_JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # start of frame: all but tables and an unused one
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # those inside image data have no meaning for its length
# A comment ends with its line: there is one way only to match it, so a mismatch takes no exponential time.
_PNM_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"
_PNM_START = re.compile(rb"P([1-6])%b(\d{1,9})%b(\d{1,9})(?:%b(\d{1,9}))?" % ((_PNM_SPACE,) * 3))
_PNM_HEADER_BYTES = 10_000
_TIFF_FORMATS = {1: "B", 3: "H", 4: "I"}
_TIFF_DEFAULTS = {"bits": 1, "samples": 1}
_TIFF_TAGS = {
    **{256: "width", 257: "height", 258: "bits", 277: "samples", 278: "strip_rows"},
    **{322: "tile_width", 323: "tile_height"},
    **{259: "compression", 273: "strips", 279: "strip_bytes", 284: "planes", 324: "tiles", 325: "tile_bytes"},
}


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The size of an image.

    Attributes:
        width: in pixels, before EXIF rotation.
        height: in pixels.
        decoding_bytes: most memory that is taken while it is decoded, without that of the file.
    """

    width: int
    height: int
    decoding_bytes: int


def read_image_header(content: bytes) -> ImageHeader | None:
    """Read the header of an encoded image.

    Args:
        content: JPEG, PNG, WebP, BMP, TIFF, GIF, PBM, PGM or PPM.

    Returns:
        None for another kind, or a header that is damaged or can be understood in two ways.

    Examples:
        >>> read_image_header(b"P5 8000 4000 255 ...")
        ImageHeader(width=8000, height=4000, decoding_bytes=192000000)
    """
    readers = {JPEG_START: _read_jpeg, PNG_START: _read_png, b"RIFF": _read_webp, b"BM": _read_bmp, b"GIF8": _read_gif}
    readers |= {b"P": _read_pnm} | dict.fromkeys(TIFF_STARTS, _read_tiff)
    read = next((read for start, read in readers.items() if content.startswith(start)), None)
    try:
        header = read(content) if read else None
    except (struct.error, KeyError, IndexError, ValueError):  # cut short, or a value that is missing or ambiguous
        return None
    return header if header and header.width > 0 and header.height > 0 else None


def jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the type of each segment of a JPEG and where its length stands, up to its end or `MAX_CHUNKS`.

    The last is the marker of the end, 0xD9; a file that is cut short has none.

    Source:
        ITU-T T.81, annex B. Any number of FF may precede a marker, and in image data FF is followed by 00.
    """
    at = 2
    for _ in range(MAX_CHUNKS):
        found = _JPEG_MARKER.search(content, at)
        if not found:
            return
        at = found.end()
        yield found[0][1], at
        if found[0][1] == _JPEG_END or at + 2 > len(content):
            return
        at += struct.unpack_from(">H", content, at)[0]


def is_complete_jpeg(content: bytes) -> bool:
    """Whether a JPEG has its end. What stands before its start is passed over, as PDFium does."""
    start = content.find(JPEG_START)
    return start >= 0 and any(kind == _JPEG_END for kind, _ in jpeg_segments(content[start:] if start else content))


def png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk of a PNG and where its data starts and ends, up to IEND or `MAX_CHUNKS`.

    The data of the last may end after the file; one that is cut short has no IEND.
    """
    at = len(PNG_START)
    for _ in range(MAX_CHUNKS):
        if at + 12 > len(content):
            return
        length, name = struct.unpack_from(">I4s", content, at)
        yield name, at + 8, at + 8 + length
        if name == b"IEND":
            return
        at += 12 + length  # a checksum follows


def webp_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk of a WebP and where its data starts and ends, as in `png_chunks`."""
    at = 12
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(content):
            return
        name, length = struct.unpack_from("<4sI", content, at)
        yield name, at + 8, at + 8 + length
        at += 8 + length + length % 2  # at an even place


def read_tiff_directory(content: bytes, start: int, tags: Container[int]) -> dict[int, int]:
    """Read the largest of the first four numbers of some tags, where TIFF or EXIF data begins at `start`.

    Only the first directory is read, which is the one that OpenCV decodes.

    Raises:
        struct.error: the data is cut short.
        KeyError: it is not TIFF.
        ValueError: one of the tags stands twice, is empty or is not an unsigned number of 8, 16 or 32 bits. libtiff
            takes the first of two, and signed numbers too.
    """
    order = TIFF_STARTS[bytes(content[start : start + 4])]
    first = start + struct.unpack_from(order + "I", content, start + 4)[0]
    (count,) = struct.unpack_from(order + "H", content, first)
    found: dict[int, int] = {}
    for at in range(first + 2, first + 2 + 12 * count, 12):
        tag, kind, values = struct.unpack_from(order + "HHI", content, at)
        if tag not in tags:
            continue
        if tag in found or kind not in _TIFF_FORMATS or not values:
            raise ValueError(f"tag {tag} stands twice, or has {values} numbers of kind {kind}")
        size = struct.calcsize(_TIFF_FORMATS[kind])
        place = at + 8 if values * size <= 4 else start + struct.unpack_from(order + "I", content, at + 8)[0]
        found[tag] = max(struct.unpack_from(f"{order}{min(values, 4)}{_TIFF_FORMATS[kind]}", content, place))
    return found


def _read_jpeg(content: bytes) -> ImageHeader | None:
    height = width = components = scans = 0
    holds_all = False
    for kind, at in jpeg_segments(content):
        if kind in _JPEG_FRAMES:
            if components:  # a second frame: OpenCV has allocated the first when it meets this one
                return None
            _, height, width, components = struct.unpack_from(">BHHB", content, at + 2)
            holds_all = kind in _PROGRESSIVE
        elif kind == 0xDA:
            scans += 1
            holds_all |= content[at + 2] < components  # of several scans, the coefficients of all are held
            if scans > MAX_JPEG_SCANS:
                return None
    per_pixel = max(_BGR, 3 + 2 * components) if holds_all else _BGR
    return ImageHeader(width, height, width * height * per_pixel)


def _read_png(content: bytes) -> ImageHeader | None:
    chunks = Counter(name for name, _, _ in png_chunks(content) if name in (b"IHDR", b"tRNS", b"acTL"))
    if content[8:16] != b"\0\0\0\x0dIHDR" or chunks[b"IHDR"] > 1:
        return None
    width, height, depth, colour = struct.unpack_from(">IIBB", content, 16)
    per_pixel = _BGRA if colour in (4, 6) or chunks[b"tRNS"] else _BGR
    if chunks[b"acTL"]:  # animated: a second image of four channels is composed
        per_pixel += 8
    return ImageHeader(width, height, width * height * per_pixel * (2 if depth == 16 else 1))


def _read_webp(content: bytes) -> ImageHeader | None:
    kind = content[8:16]
    if kind == b"WEBPVP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    elif kind == b"WEBPVP8L" and content[20:21] == b"\x2f":
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"WEBPVP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
    else:
        return None
    is_animated = kind == b"WEBPVP8X" and content[20] & 2
    return ImageHeader(width, height, width * height * (_ANIMATED_WEBP if is_animated else _BGRA))


def _read_bmp(content: bytes) -> ImageHeader:
    (size,) = struct.unpack_from("<I", content, 14)
    width, height, bits = (
        (*struct.unpack_from("<HH", content, 18), struct.unpack_from("<H", content, 24)[0])
        if size == 12
        else (*struct.unpack_from("<ii", content, 18), struct.unpack_from("<H", content, 28)[0])
    )
    height = abs(height)  # negative from top to bottom
    return ImageHeader(width, height, width * height * (_BGRA if bits == 32 else _BGR))


def _read_gif(content: bytes) -> ImageHeader:
    width, height = struct.unpack_from("<HH", content, 6)
    return ImageHeader(width, height, width * height * _GIF)


def _read_pnm(content: bytes) -> ImageHeader | None:
    found = _PNM_START.match(content[:_PNM_HEADER_BYTES])
    if not found:
        return None
    width, height = int(found[2]), int(found[3])
    is_deep = found[1] not in b"14" and int(found[4] or 0) > 255
    return ImageHeader(width, height, width * height * _BGR * (2 if is_deep else 1))


def _read_tiff(content: bytes) -> ImageHeader:
    given = _TIFF_DEFAULTS | {
        _TIFF_TAGS[tag]: number for tag, number in read_tiff_directory(content, 0, _TIFF_TAGS).items()
    }
    pixels = given["width"] * given["height"]
    sample_bytes = 1 << ((given["bits"] - 1) // 8).bit_length()  # 12 bits are 2 bytes, too
    decoded = pixels * (4 if given["samples"] > 3 else 3) * sample_bytes
    # A strip or tile is held as a whole: packed, and unpacked with four channels and one more.
    rows = min(given.get("strip_rows", given["height"]), given["height"])
    held = max(given["width"] * rows, given.get("tile_width", 0) * given.get("tile_height", 0))
    buffers = held * (5 + given["samples"]) * sample_bytes
    return ImageHeader(given["width"], given["height"], max(2 * decoded, decoded + buffers))
