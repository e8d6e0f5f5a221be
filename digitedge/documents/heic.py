"""HEIC images of phones, with pi_heif (libheif, libde265)."""

import math
import re
import struct

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ErrorKind, PageError, first_line, require
from digitedge.utils.memory_limit import check_memory
from digitedge.utils.opencv import to_bgr

# Bytes that are held for each pixel at the peak: 5.1 measured with 12 megapixels of 8 bits in 4:2:0, more in 4:4:4.
_BYTES_PER_PIXEL = 8
# ISO/IEC 14496-12, 8.11.6: the box of an item, with its size before it; its number, two bytes, its type and names.
_ITEM_BOX = re.compile(rb"(.{4})infe([\2\3])...(.{4})", re.DOTALL)
# ISO/IEC 23008-12, 6.5.3: the box with width and height. Where it stands by chance, an image is refused at worst.
_SIZE_BOX = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)


def decode_heic(content: bytes, *, name: str) -> NDArray[np.uint8]:
    """Decode the primary image of a HEIC file; `name` is for messages.

    Returns:
        uint8 (H, W, 3) BGR, rotated as the container says. Its EXIF orientation says the same again and is ignored.

    Raises:
        PageError: it is damaged, or would take more memory than the limit.
        MissingExtraError: pi_heif is not installed.
    """
    pi_heif = require("pi_heif", extra="heic")
    _check_sizes(content, name)
    _check_item_names(content, name)
    try:
        file = pi_heif.open_heif(content, bgr_mode=True)  # decodes nothing yet
        image = file[file.primary_index]
        width = image.size[0]
        pixels = np.array(image)  # a copy: the memory of libheif goes with the image
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError) as exc:
        raise PageError(
            f"{name}: expected a HEIC image, got a damaged one ({first_line(exc).rstrip('.')}). Copy it again."
        ) from exc
    pixels = pixels[:, :width] if pixels.ndim == 2 else pixels[:, :width, :3]
    return to_bgr(np.ascontiguousarray(pixels, np.uint8))


def _check_sizes(content: bytes, name: str) -> None:
    """Check all sizes that the file states: libheif reports the size after cropping, and decodes the whole.

    It refuses an image that is larger than its stated size.
    """
    sizes = [struct.unpack(">II", found[1]) for found in _SIZE_BOX.finditer(content)]
    width, height = max(sizes, key=math.prod, default=(0, 0))
    what, too_large = f"{name}: an image of {width}x{height} pixels", PageError.of_kind(ErrorKind.TOO_LARGE)
    check_memory(width * height * _BYTES_PER_PIXEL + len(content), what=what, error=too_large)


def _check_item_names(content: bytes, name: str) -> None:
    """Refuse types and names of items that are not UTF-8: pi_heif 1.4 ends the process at one."""
    for found in _ITEM_BOX.finditer(content):
        names = found.start(3) + (4 if found[2] == b"\2" else 6)
        try:
            content[names : found.start() + int.from_bytes(found[1], "big")].decode()
        except UnicodeDecodeError as exc:
            raise PageError(
                f"{name}: expected a HEIC image, got a damaged one (names of items). Copy it again."
            ) from exc
