"""JPEG images that arrive one after the other: from a camera program through a pipe, or from a server (MJPEG)."""

import os
import re
import select
import time
from collections.abc import Callable, Iterator

import numpy as np

from digitedge.camera.sources.base import Frame
from digitedge.utils.opencv import cv2

BATCH_LIMIT_BYTES = 8_000_000
# What stands between images may be anything; an image that has no end within this is no image.
IMAGE_LIMIT_BYTES = 64_000_000
_END_OR_START = re.compile(rb"\xff[\xd8\xd9]")


def newest_frames(read: Callable[[], bytes], *, limit_s: float | None = None) -> Iterator[Frame]:
    """Yield the last whole image of each batch that arrives: when reading is slow, older ones are not even decoded.

    Args:
        read: waits for bytes and gives what has arrived; nothing at the end. What lies between images is skipped,
            and so are damaged ones.
        limit_s: ends when bytes come for so long without an image in them, in seconds; None for never.

    Returns:
        Frames uint8 (H, W, 3) BGR.
    """
    buffer = bytearray()
    last = time.monotonic()
    while arrived := read():
        buffer += arrived
        for jpeg in reversed(take_jpegs(buffer)):
            frame = decode(jpeg)
            if frame is not None:
                yield frame
                last = time.monotonic()
                break
        if limit_s is not None and time.monotonic() - last > limit_s:
            return
        if len(buffer) > IMAGE_LIMIT_BYTES:
            buffer.clear()


def decode(jpeg: bytes) -> Frame | None:
    """Decode an image: uint8 (H, W, 3) BGR; None where it is damaged."""
    try:
        frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # a header that promises more pixels than OpenCV takes
        return None
    return None if frame is None else np.asarray(frame, np.uint8)


def take_jpegs(buffer: bytearray) -> list[bytes]:
    r"""Take the complete JPEG images out of a stream of images, one after the other.

    Args:
        buffer: what has arrived of the stream. The images, and what lies before them, are removed from it.

    Returns:
        The images, from start (FF D8) to end (FF D9). One that breaks off, or whose header is damaged, is left out: a
        decoder would fill it up with what comes next.

    Source:
        ITU-T T.81, annex B. In the image data FF is followed by 00 or a marker, so the first FF D9 is the end, and FF
        D8 the start of another image. Header segments may contain both (in a thumbnail), but state their length, so
        they are jumped.

    Examples:
        >>> buffer = bytearray(b"junk\xff\xd8\xff\xda\x00\x02ab\xff\xd9\xff\xd8")
        >>> take_jpegs(buffer)
        [b'\xff\xd8\xff\xda\x00\x02ab\xff\xd9']
        >>> buffer
        bytearray(b'\xff\xd8')
    """
    jpegs = []
    while (start := buffer.find(b"\xff\xd8")) >= 0 and (part := _jpeg_end(buffer, start)) is not None:
        end, is_whole = part
        if is_whole:
            jpegs.append(bytes(buffer[start:end]))
        del buffer[:end]
    return jpegs


def _jpeg_end(buffer: bytearray, start: int) -> tuple[int, bool] | None:
    """Where the image that starts at `start` ends or breaks off, and whether it is whole; None: not arrived yet."""
    position = start + 2
    while len(buffer) >= position + 4:
        if buffer[position] != 0xFF:
            return position, False  # damaged: every header segment starts with FF
        is_image_data = buffer[position + 1] == 0xDA
        position += 2 + int.from_bytes(buffer[position + 2 : position + 4], "big")  # FF, kind, two bytes of length
        if is_image_data:
            found = _END_OR_START.search(buffer, position)
            if found is None:
                return None
            is_whole = found[0] == b"\xff\xd9"
            return (found.end() if is_whole else found.start()), is_whole
    return None


def read_pipe(pipe: int, *, limit_s: float | None) -> bytes:
    """Wait for the first bytes, then read on while more are there.

    Args:
        pipe: number of an open file.
        limit_s: how long silence may last, in seconds; None for ever.

    Returns:
        What has arrived; nothing at the end, and after too long a silence.
    """
    arrived = bytearray()
    while len(arrived) < BATCH_LIMIT_BYTES and select.select([pipe], [], [], limit_s)[0]:
        piece = os.read(pipe, 1 << 16)
        if not piece:
            break
        arrived += piece
        limit_s = 0
    return bytes(arrived)
