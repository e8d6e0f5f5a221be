"""Motion JPEG: images one after the other, from the pipe of a camera program or from a server."""

import os
import re
import select
import time
from collections.abc import Iterable, Iterator

from digitedge.camera.sources.base import Frame
from digitedge.utils.image_header import read_image_header
from digitedge.utils.memory_limit import memory_limit
from digitedge.utils.opencv import decode_image

BATCH_LIMIT_BYTES = 8_000_000
# An image without an end within this is dropped; one of 33 megapixels (8K) has about 10 MB.
IMAGE_LIMIT_BYTES = 32_000_000
_END_OR_START = re.compile(rb"\xff[\xd8\xd9]")


def newest_frames(batches: Iterable[bytes], *, limit_s: float | None = None) -> Iterator[Frame]:
    """Decode the last complete image of each batch of bytes, so that a slow reader skips the older ones.

    Damaged images, those that would take too much memory, and what lies between images, are skipped. Ends when bytes
    arrive for `limit_s` without an image.

    Yields:
        uint8 (H, W, 3) BGR.
    """
    buffer = bytearray()
    last = time.monotonic()
    for batch in batches:
        unsearched = max(0, len(buffer) - 1)
        buffer += batch
        # A large image that arrives in small batches is searched once, not with each of them.
        jpegs = extract_jpegs(buffer) if _END_OR_START.search(buffer, unsearched) else []
        for jpeg in reversed(jpegs):
            header = read_image_header(jpeg)
            is_small_enough = header is not None and header.decoding_bytes <= memory_limit()
            frame = decode_image(jpeg) if is_small_enough else None
            if frame is not None:
                yield frame
                last = time.monotonic()
                break
        if limit_s is not None and time.monotonic() - last > limit_s:
            return
        if len(buffer) > IMAGE_LIMIT_BYTES:
            buffer.clear()


def extract_jpegs(buffer: bytearray) -> list[bytes]:
    r"""Remove the complete JPEG images from a buffer, with what lies before them, and return them.

    One that is cut short, or whose header is damaged, is left out: a decoder would fill it up with the next image.

    Source:
        ITU-T T.81, annex B. In image data FF is followed by 00 or a marker, so the first FF D9 is the end and FF D8 the
        start of another image. Header segments may contain both (in a thumbnail), but state their length.

    Examples:
        >>> buffer = bytearray(b"junk\xff\xd8\xff\xda\x00\x02ab\xff\xd9\xff\xd8")
        >>> extract_jpegs(buffer)
        [b'\xff\xd8\xff\xda\x00\x02ab\xff\xd9']
        >>> buffer
        bytearray(b'\xff\xd8')
    """
    jpegs = []
    while (start := buffer.find(b"\xff\xd8")) >= 0 and (found := _find_jpeg_end(buffer, start)) is not None:
        end, is_complete = found
        if is_complete:
            jpegs.append(bytes(buffer[start:end]))
        del buffer[:end]
    return jpegs


def _find_jpeg_end(buffer: bytearray, start: int) -> tuple[int, bool] | None:
    """Find where the image at `start` ends, and whether it is complete; None if its end has not arrived yet."""
    position = start + 2
    while len(buffer) >= position + 4:
        if buffer[position] != 0xFF:
            return position, False  # damaged: every header segment starts with FF
        is_image_data = buffer[position + 1] == 0xDA
        position += 2 + int.from_bytes(buffer[position + 2 : position + 4], "big")  # FF, type, two bytes of length
        if is_image_data:
            found = _END_OR_START.search(buffer, position)
            if found is None:
                return None
            is_complete = found[0] == b"\xff\xd9"
            return (found.end() if is_complete else found.start()), is_complete
    return None


def read_pipe(pipe: int, *, limit_s: float | None) -> Iterator[bytes]:
    """Yield what arrives through a pipe, until its end or until nothing arrives for `limit_s`; None for no limit."""
    while True:
        batch = bytearray()
        while len(batch) < BATCH_LIMIT_BYTES and select.select([pipe], [], [], 0 if batch else limit_s)[0]:
            chunk = os.read(pipe, 1 << 16)
            if not chunk:
                break
            batch += chunk
        if not batch:
            return
        yield bytes(batch)
