"""Name and modes of a Linux camera, queried from Video4Linux without starting a stream.

OpenCV cannot list modes. The queries need no package and do not disturb a program that uses the camera.

Source:
    linux/videodev2.h: the layout of four structs, and the request numbers that encode their sizes.
"""

import errno
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Ioctl = Callable[[int, bytes], bytes | None]
"""Sends a request with a struct and returns the struct that the driver filled in; None if it does not support it."""

QUERYCAP = 0x80685600
ENUM_FMT = 0xC0405602
ENUM_FRAMESIZES = 0xC02C564A
ENUM_FRAMEINTERVALS = 0xC034564B
# driver, card and bus name; version, capabilities of the driver, of this device file; reserved
CAPABILITY = struct.Struct("=16s32s32s3I12x")
# index, type, flags, description, pixel format; media bus code, reserved
FORMAT = struct.Struct("=3I32s4s16x")
# index, pixel format, type, then width and height, or minimum, maximum and step of each; reserved
FRAME_SIZE = struct.Struct("=I4sI6I8x")
# index, pixel format, width, height, type, then a fraction of a second, or minimum, maximum and step; reserved
FRAME_INTERVAL = struct.Struct("=I4s3I6I8x")
DISCRETE = 1  # the other types are ranges
VIDEO_CAPTURE = 0x1
HAS_DEVICE_CAPABILITIES = 0x80000000  # the capabilities of this device file are valid
IS_MEDIA_CONTROLLER = 0x20000000  # part of a chain of devices, as the receiver of a ribbon camera: no frames by itself
BUFFER_TYPE_CAPTURE = struct.pack("=I", 1)
MAX_ENTRIES = 1000  # of one list, for drivers that never end a list


@dataclass(frozen=True, slots=True)
class CameraMode:
    """One frame size in one pixel format, such as "MJPG", with its frame rates; empty if the driver lists none."""

    pixel_format: str
    width: int
    height: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CaptureDevice:
    """A device that captures frames."""

    name: str
    driver: str
    modes: tuple[CameraMode, ...]


def query_device(path: Path) -> CaptureDevice | None:
    """Query a device file.

    Returns:
        Its name and modes; None if it does not capture frames by itself.

    Raises:
        OSError: it cannot be opened or queried: no permission, or unplugged.
    """
    import fcntl  # here, because Windows lacks it

    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def ioctl(request: int, content: bytes) -> bytes | None:
        try:
            return fcntl.ioctl(descriptor, request, content)
        except OSError as exc:
            if exc.errno in (errno.EINVAL, errno.ENOTTY):  # end of a list; unknown request
                return None
            raise

    try:
        return describe_device(ioctl)
    finally:
        os.close(descriptor)


def describe_device(ioctl: Ioctl) -> CaptureDevice | None:
    """Query a device by its ioctl function. Returns as `query_device`."""
    answer = ioctl(QUERYCAP, bytes(CAPABILITY.size))
    if answer is None:
        return None
    driver, card, _, _, driver_capabilities, device_capabilities = CAPABILITY.unpack(answer)
    capabilities = device_capabilities if driver_capabilities & HAS_DEVICE_CAPABILITIES else driver_capabilities
    if not capabilities & VIDEO_CAPTURE or capabilities & IS_MEDIA_CONTROLLER:
        return None
    return CaptureDevice(_decode(card), _decode(driver), tuple(_list_modes(ioctl)))


def _list_modes(ioctl: Ioctl) -> Iterator[CameraMode]:
    for format_entry in _list_entries(ioctl, ENUM_FMT, BUFFER_TYPE_CAPTURE, FORMAT):
        pixel_format: bytes = FORMAT.unpack(format_entry)[4]
        for size_entry in _list_entries(ioctl, ENUM_FRAMESIZES, pixel_format, FRAME_SIZE):
            for width, height in _sizes(size_entry):
                key = struct.pack("=4s2I", pixel_format, width, height)
                intervals = _list_entries(ioctl, ENUM_FRAMEINTERVALS, key, FRAME_INTERVAL)
                rates = tuple(rate for interval in intervals for rate in _rates(interval))
                yield CameraMode(_decode(pixel_format), width, height, rates)


def _list_entries(ioctl: Ioctl, request: int, key: bytes, layout: struct.Struct) -> Iterator[bytes]:
    """List the entries of a driver's list. Each struct starts with the index of the entry, followed by the key."""
    for index in range(MAX_ENTRIES):
        entry = ioctl(request, (struct.pack("=I", index) + key).ljust(layout.size, b"\0"))
        if entry is None:
            return
        yield entry


def _sizes(entry: bytes) -> list[tuple[int, int]]:
    """The size of an entry, or the smallest and the largest of a range."""
    _, _, kind, *numbers = FRAME_SIZE.unpack(entry)
    if kind == DISCRETE:
        return [(numbers[0], numbers[1])]
    min_width, max_width, _, min_height, max_height, _ = numbers
    return [(min_width, min_height), (max_width, max_height)]


def _rates(entry: bytes) -> list[float]:
    """The frame rate of an entry, or the highest and the lowest of a range."""
    _, _, _, _, kind, *numbers = FRAME_INTERVAL.unpack(entry)
    fractions = [numbers[:2]] if kind == DISCRETE else [numbers[:2], numbers[2:4]]
    return [denominator / numerator for numerator, denominator in fractions if numerator]


def _decode(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace").strip()
