"""What a Linux camera says of itself: its name and its modes, asked from the kernel without opening the stream.

OpenCV sets a mode and hopes; Video4Linux lists them. Asking needs no package and disturbs no program that uses the
camera at that moment.

Source:
    linux/videodev2.h: the layout of four structs, and the request numbers that encode their sizes.
"""

import errno
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

Ask = Callable[[int, bytes], bytes | None]
"""Sends a request with a struct, and returns the struct as the driver filled it in; None: the driver has no such."""

QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
# driver, card and bus name; version, capabilities of the driver, of this device file; reserved
CAPABILITY = struct.Struct("=16s32s32s3I12x")
# index, type, flags, description, pixel format; media bus code, reserved
FORMAT = struct.Struct("=3I32s4s16x")
# index, pixel format, kind, then width and height, or the least and most of each with steps; reserved
FRAME_SIZE = struct.Struct("=I4sI6I8x")
# index, pixel format, width, height, kind, then a fraction of a second, or the least, most and step; reserved
INTERVAL = struct.Struct("=I4s3I6I8x")
DISCRETE = 1  # the other kinds are ranges
CAPTURE = 0x1
# Set where `capabilities` is of the driver as a whole, and the word after it of this device file.
HAS_DEVICE_CAPABILITIES = 0x80000000
# Bound into a chain of devices, such as the receiver of a ribbon cable: alone it gives no images.
PART_OF_A_CHAIN = 0x20000000
STREAM_OF_IMAGES = struct.pack("=I", 1)
LIMIT = 1000  # entries of one list; a driver that never ends its list must not hold us


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One image size in one pixel format.

    Attributes:
        pixel_format: four letters, such as "MJPG".
        width: pixels.
        height: pixels.
        rates: frames a second, as the driver lists them; empty if it does not say.
    """

    pixel_format: str
    width: int
    height: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """A device that captures images."""

    name: str
    driver: str
    modes: tuple[CameraMode, ...]


def read_device(path: Path) -> Capture | None:
    """Ask a device file what it is.

    Returns:
        Its name and modes; None if it is no device that captures images by itself.

    Raises:
        OSError: it cannot be opened or asked: no permission, unplugged.
    """
    import fcntl  # here, because Windows lacks it

    def ask(descriptor: int, request: int, filled: bytes) -> bytes | None:
        try:
            return fcntl.ioctl(descriptor, request, filled)
        except OSError as exc:
            if exc.errno in (errno.EINVAL, errno.ENOTTY):  # the end of a list; no such request
                return None
            raise

    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        return describe(partial(ask, descriptor))
    finally:
        os.close(descriptor)


def describe(ask: Ask) -> Capture | None:
    """Ask whatever answers requests as a device does. Returns as `read_device`."""
    answer = ask(QUERYCAP, bytes(CAPABILITY.size))
    if answer is None:
        return None
    driver, card, _, _, of_driver, of_device = CAPABILITY.unpack(answer)
    capabilities = of_device if of_driver & HAS_DEVICE_CAPABILITIES else of_driver
    if not capabilities & CAPTURE or capabilities & PART_OF_A_CHAIN:
        return None
    return Capture(_text(card), _text(driver), tuple(_modes(ask)))


def _modes(ask: Ask) -> Iterator[CameraMode]:
    for start in _entries(ask, ENUM_FMT, STREAM_OF_IMAGES, FORMAT):
        pixel_format: bytes = FORMAT.unpack(start)[4]
        for entry in _entries(ask, ENUM_FRAMESIZES, pixel_format, FRAME_SIZE):
            for width, height in _sizes(entry):
                wanted = struct.pack("=4s2I", pixel_format, width, height)
                intervals = map(_rates, _entries(ask, ENUM_FRAMEINTERVALS, wanted, INTERVAL))
                rates = tuple(rate for rates in intervals for rate in rates)
                yield CameraMode(_text(pixel_format), width, height, rates)


def _entries(ask: Ask, request: int, wanted: bytes, layout: struct.Struct) -> Iterator[bytes]:
    """Walk a list of the driver: every struct begins with the index of the entry, and then what it is about."""
    for index in range(LIMIT):
        entry = ask(request, (struct.pack("=I", index) + wanted).ljust(layout.size, b"\0"))
        if entry is None:
            return
        yield entry


def _sizes(entry: bytes) -> list[tuple[int, int]]:
    """The size of an entry; of a range the smallest and the largest."""
    _, _, kind, *numbers = FRAME_SIZE.unpack(entry)
    if kind == DISCRETE:
        return [(numbers[0], numbers[1])]
    least_width, most_width, _, least_height, most_height, _ = numbers
    return [(least_width, least_height), (most_width, most_height)]


def _rates(entry: bytes) -> list[float]:
    """Frames a second of an entry; of a range the fastest and the slowest."""
    _, _, _, _, kind, *numbers = INTERVAL.unpack(entry)
    fractions = [numbers[:2]] if kind == DISCRETE else [numbers[:2], numbers[2:4]]
    return [denominator / numerator for numerator, denominator in fractions if numerator]


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace").strip()
