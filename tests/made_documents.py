"""Documents for tests, well made and hostile: PDF, TIFF."""

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2

CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"


def page_image(number: int, *, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A light image, uint8 (H, W, 3), with a number in large digits, so that images can be told apart."""
    image = np.full((height, width, 3), 225, np.uint8)
    cv2.putText(image, str(number), (30, height // 2 + 40), cv2.FONT_HERSHEY_SIMPLEX, 3, (40, 40, 40), 7, cv2.LINE_AA)
    return image


def write_tiff(path: Path, images: Sequence[NDArray[np.uint8]]) -> None:
    """Write images as the pages of a TIFF."""
    assert cv2.imwritemulti(str(path), list(images))


def tiff_directories(content: bytes) -> list[int]:
    """Where the directories of a little-endian TIFF start."""
    starts, at = [], struct.unpack_from("<I", content, 4)[0]
    while at:
        starts.append(at)
        at = struct.unpack_from("<I", content, next_pointer(content, at))[0]
    return starts


def next_pointer(content: bytes, directory: int) -> int:
    """Where a directory says where the next one starts."""
    return directory + 2 + 12 * struct.unpack_from("<H", content, directory)[0]


def build_pdf(objects: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF of objects, of which the first is the catalog."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object, compressed."""
    packed = zlib.compress(content)
    return b"<</Filter/FlateDecode/Length %d%b>>\nstream\n%b\nendstream" % (len(packed), entries, packed)


def image_object(width: int, height: int, content: bytes, *, colour: bytes = b"/DeviceRGB", more: bytes = b"") -> bytes:
    """An image of 8 bits a sample."""
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace%b%b"
    return stream(content, entries % (width, height, colour, more))


def scan_pdf(images: Sequence[NDArray[np.uint8]], *, dpi: float, over: bytes = b"") -> bytes:
    """A PDF with an image on each page, which it fills; `over` is drawn over it.

    /F is a font, and /G0 makes what is painted invisible.
    """
    first = 4
    kids = b" ".join(b"%d 0 R" % (first + 3 * index) for index in range(len(images)))
    objects = [CATALOG, b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, len(images))]
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for index, image in enumerate(images):
        at = first + 3 * index
        height, width = image.shape[:2]
        box = b"%f %f" % (width * 72 / dpi, height * 72 / dpi)
        content = b"q %b 0 0 %b 0 0 cm /I Do Q " % tuple(box.split()) + over
        resources = b"/Resources<</XObject<</I %d 0 R>>/Font<</F 3 0 R>>>>" % (at + 2)
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %b]/Contents %d 0 R%b>>" % (box, at + 1, resources)
        objects += [page, stream(content), image_object(width, height, image[:, :, ::-1].tobytes())]
    return build_pdf(objects)


def vector_pdf(content: bytes, *, width: float = 595, height: float = 842, more: bytes = b"") -> bytes:
    """A PDF with one page of text and lines; `more` are entries of the page."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %f %f]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>%b>>"
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return build_pdf([CATALOG, pages, page % (width, height, more), stream(content), font])
