"""OpenCV, imported in one place: without log output, and with an error that says what to install.

OpenCV and its FFmpeg read their log levels from the environment while they load; without them a missing camera prints
ten lines of C++ warnings (OpenCV 5.0). opencv-python needs libxcb, libGL and libgthread, which a bare Debian, Raspberry
Pi OS Lite or container lacks, and its ImportError names only the first. The wrappers give OpenCV's results their type.
"""

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import MissingExtraError
from digitedge.utils.opencv_install import INSTALL_LIBRARIES, WITHOUT_ROOT

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET: our errors say the same as "[rtsp @ 0x55d] ..."

try:
    import cv2
except ImportError as exc:
    if ".so" not in str(exc):
        raise  # another problem: show the original error
    raise MissingExtraError(f"OpenCV cannot start: {exc}. Run: {INSTALL_LIBRARIES}; {WITHOUT_ROOT}") from exc

__all__ = [
    "as_uint8",
    "can_encode",
    "cv2",
    "decode_image",
    "encode_image",
    "is_utf8",
    "resize",
    "to_bgr",
    "to_grey",
    "to_uint8",
]


def as_uint8(image: Any) -> NDArray[np.uint8]:
    """Give a uint8 result of OpenCV its type; OpenCV's stubs know only "integer or float". Nothing is copied."""
    return np.asarray(image, np.uint8)


def to_uint8(values: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Round to integers; what is outside 0 to 255 saturates."""
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


def resize(image: NDArray[np.uint8], size: tuple[int, int], interpolation: int) -> NDArray[np.uint8]:
    """Scale an image to a width and height in pixels, with one of OpenCV's INTER_ methods."""
    return as_uint8(cv2.resize(image, size, interpolation=interpolation))


def to_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert uint8 (H, W, 3) BGR to (H, W); a grey image is returned as it is."""
    return image if image.ndim == 2 else as_uint8(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def to_bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert uint8 (H, W) to (H, W, 3) BGR; a colour image is returned as it is."""
    return image if image.ndim == 3 else as_uint8(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))


def can_encode(suffix: str) -> bool:
    """Tell whether OpenCV writes images with a suffix such as ".jpg"."""
    return is_utf8(suffix) and bool(cv2.haveImageWriter(f"image{suffix}"))


def is_utf8(text: str) -> bool:
    """Tell whether OpenCV can take a text: at a surrogate, as of a file name that is not UTF-8, it ends the process."""
    return text.isascii() or not re.search(r"[\ud800-\udfff]", text)


def encode_image(image: NDArray[np.uint8], suffix: str, *parameters: int) -> bytes:
    """Encode an image as the format of a suffix such as ".jpg", with OpenCV's IMWRITE_ parameters."""
    return bytes(cv2.imencode(suffix, image, parameters)[1])


def decode_image(content: bytes, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8] | None:
    """Decode an encoded image with OpenCV's IMREAD_ flags; None if it is damaged."""
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:  # no content, or too many pixels
        return None
    return None if image is None else as_uint8(image)
