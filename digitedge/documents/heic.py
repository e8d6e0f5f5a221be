"""HEIC images of phones, with pi_heif (libheif, libde265)."""

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ErrorKind, PageError, first_line, require
from digitedge.utils.memory_limit import check_memory
from digitedge.utils.opencv import to_bgr

# Bytes that are held for each pixel at the peak: 5.1 measured with 12 megapixels of 8 bits in 4:2:0, more in 4:4:4.
_BYTES_PER_PIXEL = 8


def decode_heic(content: bytes, *, name: str) -> NDArray[np.uint8]:
    """Decode the primary image of a HEIC file; `name` is for messages.

    Returns:
        uint8 (H, W, 3) BGR, rotated as the container says. Its EXIF orientation says the same again and is ignored.

    Raises:
        PageError: it is damaged, or would take more memory than the limit.
        MissingExtraError: pi_heif is not installed.
    """
    pi_heif = require("pi_heif", extra="heic")
    try:
        file = pi_heif.open_heif(content, bgr_mode=True)  # reads the sizes only
        image = file[file.primary_index]
        width, height = image.size
        what = f"{name}: an image of {width}x{height} pixels"
        too_large = PageError.of_kind(ErrorKind.TOO_LARGE)
        check_memory(width * height * _BYTES_PER_PIXEL + len(content), what=what, error=too_large)
        pixels = np.asarray(image)
    except PageError:
        raise
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError, IndexError) as exc:
        raise PageError(
            f"{name}: expected a HEIC image, got a damaged one ({first_line(exc).rstrip('.')}). Copy it again."
        ) from exc
    pixels = pixels[:, :width] if pixels.ndim == 2 else pixels[:, :width, :3]
    return to_bgr(np.ascontiguousarray(pixels, np.uint8))
