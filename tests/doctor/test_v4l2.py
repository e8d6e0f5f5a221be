"""Structs of the kernel, written byte by byte after linux/videodev2.h."""

import os
import struct
import sys
from pathlib import Path

import pytest

from digitedge.doctor import v4l2
from digitedge.doctor.v4l2 import CameraMode, CaptureDevice, describe_device, query_device

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Video4Linux is Linux's")

# Capabilities of the two device files of a USB webcam, and of its driver.
CAPTURE = 0x04200001
METADATA = 0x04A00000
BOTH = 0x84A00001


def capability(driver: int, device: int = 0) -> bytes:
    """struct v4l2_capability."""
    names = b"uvcvideo".ljust(16, b"\0") + b"HD Webcam".ljust(32, b"\0") + b"usb-0000:00:14.0-1".ljust(32, b"\0")
    return names + struct.pack("<6I", 0x060100, driver, device, 0, 0, 0)


def pixel_format(index: int, name: bytes) -> bytes:
    """struct v4l2_fmtdesc."""
    return struct.pack("<3I", index, 1, 0) + b"any".ljust(32, b"\0") + name + struct.pack("<4I", 0, 0, 0, 0)


def size(index: int, name: bytes, kind: int, *numbers: int) -> bytes:
    """struct v4l2_frmsizeenum."""
    return (struct.pack("<I", index) + name + struct.pack(f"<I{len(numbers)}I", kind, *numbers)).ljust(44, b"\0")


def interval(index: int, name: bytes, width: int, height: int, kind: int, *numbers: int) -> bytes:
    """struct v4l2_frmivalenum."""
    start = struct.pack("<I", index) + name
    return (start + struct.pack(f"<3I{len(numbers)}I", width, height, kind, *numbers)).ljust(52, b"\0")


class Driver:
    """Answers like a driver: finds an entry by the first bytes of the requested struct."""

    def __init__(self, capability: bytes, *entries: tuple[int, int, bytes]) -> None:
        self.capability = capability
        self.entries = {(request, entry[:asked]): entry for request, asked, entry in entries}

    def __call__(self, request: int, filled: bytes) -> bytes | None:
        assert len(filled) == request >> 16 & 0x3FFF  # the size that the request number states
        if request == v4l2.QUERYCAP:
            return self.capability
        found = [
            entry
            for (wanted, start), entry in self.entries.items()
            if wanted == request and filled[: len(start)] == start
        ]
        return found[0] if found else None


WEBCAM = Driver(
    capability(BOTH, CAPTURE),
    (v4l2.ENUM_FMT, 8, pixel_format(0, b"MJPG")),
    (v4l2.ENUM_FMT, 8, pixel_format(1, b"YUYV")),
    (v4l2.ENUM_FRAMESIZES, 8, size(0, b"MJPG", 1, 1280, 720)),
    (v4l2.ENUM_FRAMESIZES, 8, size(1, b"MJPG", 1, 640, 480)),
    (v4l2.ENUM_FRAMESIZES, 8, size(0, b"YUYV", 1, 640, 480)),
    (v4l2.ENUM_FRAMEINTERVALS, 16, interval(0, b"MJPG", 1280, 720, 1, 1, 30)),
    (v4l2.ENUM_FRAMEINTERVALS, 16, interval(1, b"MJPG", 1280, 720, 1, 2, 15)),
    (v4l2.ENUM_FRAMEINTERVALS, 16, interval(0, b"YUYV", 640, 480, 1, 1001, 30000)),
)


def test_a_webcam_lists_its_name_and_modes() -> None:
    assert describe_device(WEBCAM) == CaptureDevice(
        "HD Webcam",
        "uvcvideo",
        (
            CameraMode("MJPG", 1280, 720, (30.0, 7.5)),
            CameraMode("MJPG", 640, 480, ()),
            CameraMode("YUYV", 640, 480, (pytest.approx(29.97, abs=0.001),)),
        ),
    )


def test_ranges_return_both_ends() -> None:
    driver = Driver(
        capability(BOTH, CAPTURE),
        (v4l2.ENUM_FMT, 8, pixel_format(0, b"GREY")),
        (v4l2.ENUM_FRAMESIZES, 8, size(0, b"GREY", 3, 32, 2592, 2, 24, 1944, 2)),
        (v4l2.ENUM_FRAMEINTERVALS, 16, interval(0, b"GREY", 32, 24, 2, 1, 90, 1, 1, 1, 1)),
        (v4l2.ENUM_FRAMEINTERVALS, 16, interval(0, b"GREY", 2592, 1944, 3, 0, 0, 1, 5, 1, 1)),
    )
    capture = describe_device(driver)
    assert capture is not None
    assert capture.modes == (CameraMode("GREY", 32, 24, (90.0, 1.0)), CameraMode("GREY", 2592, 1944, (5.0,)))


@pytest.mark.parametrize(
    "device",
    [
        capability(BOTH, METADATA),  # the second device file of a webcam
        capability(0x84204000, 0x04204000),  # a codec
        capability(BOTH, CAPTURE | 0x20000000),  # the receiver of a ribbon cable
    ],
    ids=["metadata", "codec", "part of a chain"],
)
def test_a_device_without_frames_of_its_own_is_none(device: bytes) -> None:
    assert describe_device(Driver(device)) is None


def test_without_device_capabilities_those_of_the_driver_count() -> None:
    assert describe_device(Driver(capability(CAPTURE))) == CaptureDevice("HD Webcam", "uvcvideo", ())


def test_an_endless_list_is_cut() -> None:
    endless = lambda request, filled: capability(CAPTURE) if request == v4l2.QUERYCAP else filled  # noqa: E731
    capture = describe_device(lambda r, f: None if r == v4l2.ENUM_FRAMESIZES else endless(r, f))
    assert capture == CaptureDevice("HD Webcam", "uvcvideo", ())


def test_a_file_that_is_not_a_device_is_none(tmp_path: Path) -> None:
    (tmp_path / "video0").write_bytes(b"no device")
    assert query_device(tmp_path / "video0") is None
    assert query_device(Path(os.devnull)) is None


def test_a_missing_device_raises_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        query_device(tmp_path / "video0")
