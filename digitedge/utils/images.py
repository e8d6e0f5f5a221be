"""Image files: find them, and read any of them as BGR.

A truncated file is refused before it is decoded: some versions of OpenCV return a truncated JPEG as an image with a
grey lower half, and libpng prints its errors on stderr at every log level. So is one that would take too much memory.
"""

import glob
import os
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import CameraError, ErrorKind, InputError, PageError
from digitedge.utils.files import atomic_file, read_regular_file
from digitedge.utils.image_header import (
    BIG_TIFF_STARTS,
    JPEG_START,
    PNG_START,
    TIFF_STARTS,
    is_complete_jpeg,
    png_chunks,
    read_image_header,
    read_tiff_directory,
    webp_chunks,
)
from digitedge.utils.memory_limit import check_memory, memory_limit
from digitedge.utils.opencv import as_uint8, can_encode, cv2, encode_image, to_uint8
from digitedge.utils.secrets import hide_secret
from digitedge.utils.tiff_errors import watch_tiff_errors

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pbm", ".pgm", ".ppm"}
"""Suffixes of images in a folder, in lower case. A file that is given by name may have any suffix."""

_EXIF_NAMES = (b"eXIf", b"EXIF")  # of the chunk in a PNG, and in a WebP
_EXIF_PREFIX = b"Exif\0\0"  # some programs begin the chunk with that of a JPEG
_ORIENTATION_TAG = 0x0112
_BITS_TAG, _COMPRESSION_TAG = 258, 259
# What OpenCV 5.0 decodes. With some others, such as JPEG 2000, it returns a black image.
_TIFF_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32946, 32773}
_TIFF_BITS = {1, 8, 10, 12, 14, 16}
_CCITT_GROUP_3 = 3  # of faxes: after an error in transmission, libtiff goes on with the next row
# What is visible of a transparent image is ink if it is less than this share of the image, or has one lightness: from 0
# to 255, with a standard deviation below this. Else it is a page with ink on it.
_MAX_INK_SHARE = 0.5
_MAX_INK_DEVIATION = 20
# At most this many pixels are looked at.
_SAMPLED_PIXELS = 1 << 20


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read a JPEG, PNG, WebP, BMP, TIFF, GIF, PBM, PGM or PPM file, of any colour and depth; of many images the first.

    Returns:
        uint8 (H, W, 3) BGR: rotated by its EXIF orientation, 16 bits scaled to 8, grey and CMYK converted. What is
        transparent becomes white behind dark ink and black behind light ink.

    Raises:
        PageError: the file is missing, empty, damaged, not an image or not a regular file, or would take more memory
            than `digitedge.utils.memory_limit` allows.
    """
    return decode_image(read_image_file(path), name=str(path))


def decode_image(content: bytes, *, name: str) -> NDArray[np.uint8]:
    """Decode the content of an image file; `name` is for messages. Formats, result and errors as in `read_image`."""
    if not content:
        raise PageError(f"{name}: expected an image, got an empty file. Copy or take it again.")
    if _is_truncated(content):
        raise PageError(f"{name}: expected a complete image, got a truncated or damaged one. Copy it again.")
    header = read_image_header(content)
    if header:  # a large file and its image are in memory at the same time
        what = f"{name}: an image of {header.width}x{header.height} pixels"
        check_memory(header.decoding_bytes + len(content), what=what, error=PageError.of_kind(ErrorKind.TOO_LARGE))
    if content.startswith(BIG_TIFF_STARTS):
        raise _unreadable_tiff(name, "BigTIFF")
    is_tiff = content.startswith(tuple(TIFF_STARTS))
    image = (_decode_tiff(content, name) if is_tiff else _decode(content)) if header else None
    if image is None and header:
        raise PageError(
            f"{name}: expected a complete image, got a truncated or damaged one, or a rare variant of its format. "
            "Copy it again, or convert it to JPEG or PNG."
        )
    if image is None:
        raise PageError(
            f"{name}: expected an image (JPEG, PNG, WebP, BMP, TIFF), got something else or a damaged one. "
            "Copy it again, or convert it to JPEG or PNG.",
            ErrorKind.UNKNOWN_FORMAT,
        )
    return image


def check_image(image: Any) -> None:
    """Refuse everything but an image in memory: uint8 (H, W, 3) BGR or (H, W), with pixels.

    Raises:
        InputError: another type or shape.
    """
    is_uint8 = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size > 0
    if not is_uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InputError(
            f"expected an image, uint8 (H, W, 3) BGR or (H, W), got {got}. "
            "digitedge.utils.images.read_image() converts files of every depth and colour."
        )


def write_image(path: str | Path, image: NDArray[np.uint8]) -> None:
    """Write uint8 (H, W, 3) BGR or (H, W) grey to an image file, atomically; the suffix determines the format.

    Raises:
        CameraError: OpenCV cannot write that format.
        DigitEdgeError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    if not can_encode(path.suffix):
        raise CameraError(f"cannot write {path}: expected a suffix such as .png or .jpg, got {path.suffix!r}.")
    with atomic_file(path) as draft:
        draft.write_bytes(encode_image(image, path.suffix))


def find_images(arguments: Sequence[str], *, suffixes: Iterable[str] = SUFFIXES) -> list[Path]:
    """Find images by file, folder (without subfolders) or pattern such as "scans/*.png" or "scans/**/*.png".

    An existing file is never treated as a pattern.

    Args:
        arguments: paths and patterns.
        suffixes: of what is found in a folder, in lower case.

    Returns:
        Paths in the order of the arguments, each once; those of a folder or pattern in natural order, 2.png before
        10.png.

    Raises:
        CameraError: a path does not exist, a pattern has no match, or a folder has no image.
        InputError: an empty path, as from an unset shell variable.
    """
    return list(dict.fromkeys(path for argument in arguments for path in _expand(argument, tuple(suffixes))))


def natural_key(path: str | Path) -> list[tuple[int, str]]:
    """Return a sort key that orders 2.png before 10.png and ignores case.

    Examples:
        >>> sorted(["a10.png", "A2.png", "a1.png"], key=natural_key)
        ['a1.png', 'A2.png', 'a10.png']
    """
    pieces = re.split(r"(\d+)", str(path).casefold())
    numbers = [piece.lstrip("0") if piece.isdecimal() else None for piece in pieces]  # of any length: no int
    return [
        (-1, piece) if number is None else (len(number), number) for piece, number in zip(pieces, numbers, strict=True)
    ]


def _expand(argument: str, suffixes: tuple[str, ...]) -> list[Path]:
    if not argument:  # as a path it would be the current folder
        raise InputError(
            "expected the path of an image or folder, got an empty one. Give a path; '.' is the current folder."
        )
    path = Path(argument)
    if path.is_dir():
        images = [p for p in path.iterdir() if p.name.lower().endswith(suffixes) and p.is_file() and p.name[0] != "."]
        if not images:
            raise CameraError(f"no images in {path} ({', '.join(sorted(suffixes))}). Give a folder that has some.")
        return sorted(images, key=natural_key)
    if path.exists():
        return [path]
    if not glob.has_magic(argument):
        raise CameraError(
            f"no file or folder at {hide_secret(argument)}. Give images, folders or patterns such as 'scans/*.png'."
        )
    images = [p for p in map(Path, glob.glob(argument, recursive=True)) if p.is_file()]
    if not images:
        raise CameraError(
            f"no file matches {hide_secret(argument)}. Give images, folders or patterns such as 'scans/*.png'."
        )
    return sorted(images, key=natural_key)


def read_image_file(path: str | Path) -> bytes:
    """Read the content of an image file.

    A pipe, socket or device may never end. A pipe of a shell, such as /dev/fd/63, does end.

    Raises:
        PageError: it is missing or not a regular file, or would take more memory than allowed.
    """
    path = Path(path)
    limit, too_large = memory_limit(), PageError.of_kind(ErrorKind.TOO_LARGE)
    missing = PageError.of_kind(ErrorKind.MISSING)
    if not is_shell_pipe(path):
        if path.is_file():
            check_memory(path.stat().st_size, what=f"{path}: the file", error=too_large)
        return read_regular_file(path, max_bytes=limit, error=missing)
    try:
        with path.open("rb") as pipe:
            content = pipe.read(limit + 1)
    except OSError as exc:
        raise missing(f"cannot read {path}: {exc.strerror or exc}. Give the path of an image.") from exc
    check_memory(len(content), what=f"{path}: the file", error=too_large)
    return content


def is_shell_pipe(path: str | Path) -> bool:
    """Whether a path is a pipe of a shell, such as /dev/fd/63: it exists, and its target is no path."""
    return os.path.exists(path) and not os.path.exists(os.path.realpath(path))


def _decode(content: bytes) -> NDArray[np.uint8] | None:
    """Decode to uint8 (H, W, 3) BGR; None if OpenCV cannot."""
    encoded = np.frombuffer(content, np.uint8)
    try:
        # IMREAD_UNCHANGED keeps transparency but ignores EXIF rotation.
        if _may_be_transparent(content):
            raw = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
            if raw is not None and raw.ndim == 3 and raw.shape[2] == 4:
                return _rotate_by_exif(_flatten(raw, is_tiff=content.startswith(tuple(TIFF_STARTS))), content)
            del raw  # free its memory before the image is decoded again
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error:  # too many pixels, or a decoder that raises
        return None
    if image is None:
        return None
    return as_uint8(image) if image.dtype == np.uint8 else _by_bands(image, _to_8_bits)


def _decode_tiff(content: bytes, name: str) -> NDArray[np.uint8]:
    """Decode a TIFF; one with a strip that cannot be decoded is an error."""
    tags = read_tiff_directory(content, 0, {_BITS_TAG, _COMPRESSION_TAG})
    compression, bits = tags.get(_COMPRESSION_TAG, 1), tags.get(_BITS_TAG, 1)
    if compression not in _TIFF_COMPRESSIONS:
        raise _unreadable_tiff(name, f"compression {compression}")
    with watch_tiff_errors() as errors:
        image = _decode(content)
    if image is not None and (not errors.found or compression == _CCITT_GROUP_3):
        return image
    if image is None and bits not in _TIFF_BITS:
        raise _unreadable_tiff(name, f"{bits} bits per sample")
    raise PageError(f"{name}: expected a complete image, got a TIFF with a damaged part. Copy it again.")


def _unreadable_tiff(name: str, kind: str) -> PageError:
    message = (
        f"{name}: expected an image, got a TIFF of a kind that cannot be read ({kind}). Convert it to JPEG or PNG."
    )
    return PageError(message, ErrorKind.UNKNOWN_FORMAT)


def _may_be_transparent(content: bytes) -> bool:
    """Tell whether an image may be transparent: a JPEG and most PNGs are not."""
    if content.startswith(PNG_START):
        has_alpha = content[25:26] in (b"\x04", b"\x06")  # the colour type
        return has_alpha or any(name == b"tRNS" for name, _, _ in png_chunks(content))
    return not content.startswith(JPEG_START)


def _by_bands(image: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Convert an image in bands of rows: 100 megapixels as floats would take gigabytes."""
    height, width = image.shape[:2]
    converted = np.empty((height, width, 3), np.uint8)
    rows = max(1, (1 << 20) // width)  # a megapixel at once
    for top in range(0, height, rows):
        converted[top : top + rows] = convert(image[top : top + rows])
    return converted


def _to_8_bits(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale integers by the range of their type, floats from 0 to 1."""
    if image.dtype == np.uint8:
        return as_uint8(image)
    whole = np.iinfo(image.dtype).max if image.dtype.kind in "iu" else 1.0
    return to_uint8(image.astype(np.float32) * (255 / whole))


def _flatten(image: NDArray[Any], *, is_tiff: bool) -> NDArray[np.uint8]:
    """Blend BGRA of any depth with a background on which its ink shows."""
    step = max(1, int((image.shape[0] * image.shape[1] / _SAMPLED_PIXELS) ** 0.5))
    sample = _to_8_bits(image[::step, ::step]).astype(np.float32)
    alpha = sample[:, :, 3:]
    # TIFF may store colours that are multiplied by alpha, and OpenCV returns those of 8 bits so (libtiff does it).
    is_premultiplied = is_tiff and bool((sample[:, :, :3] <= alpha + 1).all())
    if is_premultiplied:
        sample[:, :, :3] *= 255 / np.maximum(alpha, 1)
    background = _background(sample)

    def blend(band: NDArray[Any]) -> NDArray[np.uint8]:
        eight = _to_8_bits(band)
        alpha = eight[:, :, 3:].astype(np.float32) / 255  # (H, W, 1)
        colours = eight[:, :, :3] * (1 if is_premultiplied else alpha)
        return to_uint8(colours + background * (1 - alpha))

    return _by_bands(image, blend)


def _background(image: NDArray[np.float32]) -> int:
    """Choose white or black, 255 or 0, for what is transparent: the opposite of ink, but the like of a page.

    The image is float32 (H, W, 4) BGRA, 0 to 255, not multiplied by alpha.
    """
    weights = image[:, :, 3]
    if not weights.any():
        return 255
    lightness = image[:, :, :3].mean(axis=2)
    mean = float(np.average(lightness, weights=weights))
    deviation = float(np.average((lightness - mean) ** 2, weights=weights)) ** 0.5
    is_ink = weights.mean() < 255 * _MAX_INK_SHARE or deviation < _MAX_INK_DEVIATION
    return 255 if (mean >= 128) != is_ink else 0


def _rotate_by_exif(image: NDArray[np.uint8], content: bytes) -> NDArray[np.uint8]:
    """Rotate and mirror an image with transparency by the EXIF orientation of its PNG or WebP; OpenCV does not."""
    orientation = _exif_orientation(content)
    if orientation >= 5:  # rows are columns
        image = image.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)


def _exif_orientation(content: bytes) -> int:
    """Return the EXIF orientation of a PNG or WebP, 1 to 8; 1 if it has none."""
    is_png, is_webp = content.startswith(PNG_START), content.startswith(b"RIFF")
    chunks = png_chunks(content) if is_png else webp_chunks(content) if is_webp else ()
    start = next((start for name, start, _ in chunks if name in _EXIF_NAMES), None)
    if start is None:
        return 1
    if content.startswith(_EXIF_PREFIX, start):
        start += len(_EXIF_PREFIX)
    try:
        found = read_tiff_directory(content, start, {_ORIENTATION_TAG}).get(_ORIENTATION_TAG, 1)
    except (struct.error, KeyError, ValueError):  # damaged
        return 1
    return found if 1 <= found <= 8 else 1


def _is_truncated(content: bytes) -> bool:
    """Tell whether a PNG or JPEG has no end, or a PNG has a wrong checksum."""
    if content.startswith(PNG_START):
        return not _is_complete_png(content)
    if content.startswith(JPEG_START):
        return not is_complete_jpeg(content)
    return False


def _is_complete_png(content: bytes) -> bool:
    """Check all chunks (length, name, data, checksum) up to IEND."""
    is_complete = False
    for name, start, end in png_chunks(content):
        checksum = zlib.crc32(memoryview(content)[start - 4 : end])
        if content[end : end + 4] != struct.pack(">I", checksum):  # also if it is cut off
            return False
        is_complete = name == b"IEND"
    return is_complete
