"""The cameras that OpenCV can open."""

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from digitedge.doctor.finding import Finding, Status
from digitedge.doctor.v4l2 import CameraMode, CaptureDevice, query_device

DEVICE_FOLDER = Path("/dev")
NAME_FOLDER = Path("/sys/class/video4linux")
# Drivers of the Raspberry Pi's ribbon camera and image processors. They list formats, but OpenCV gets no frames from
# them; `check_pi_camera` covers that camera.
PI_DRIVERS = {"unicam", "bcm2835-isp", "rp1-cfe", "pispbe"}


def check_cameras(devices: Path = DEVICE_FOLDER, names: Path = NAME_FOLDER) -> Iterator[Finding]:
    """List the cameras of a Linux machine and their modes. Other systems list them only by opening each."""
    if sys.platform != "linux":
        yield Finding("camera", Status.NOTE, "this system does not list its cameras", "try: digitedge camera 0")
        return
    denied, is_any_listed = [], False
    for path in sorted(devices.glob("video*"), key=_number):
        try:
            device = query_device(path)
        except PermissionError:
            denied.append(_device_label(path, names))
        except OSError as exc:
            is_any_listed = True
            found = f"{_device_label(path, names)} does not answer: {exc.strerror}"
            yield Finding("camera", Status.NOTE, found, "unplug it and plug it in again")
        else:
            if device is not None and device.driver not in PI_DRIVERS:
                is_any_listed = True
                yield Finding("camera", Status.OK, format_device(path, device))
    if denied:
        fix = "sudo usermod -aG video $USER, then log in again"
        yield Finding("camera", Status.PROBLEM, f"no permission for {', '.join(denied)}", fix)
    elif not is_any_listed:
        yield Finding("camera", Status.NOTE, "no camera that OpenCV can open", "plug one in, or: digitedge camera demo")


def format_device(path: Path, device: CaptureDevice) -> str:
    """Format the name in one line, and the modes of each pixel format in another."""
    formats = groupby(device.modes, key=lambda mode: mode.pixel_format)
    lines = (f"{pixel_format}: {', '.join(map(_format_mode, modes))}" for pixel_format, modes in formats)
    return "\n".join([f"{path}: {device.name}", *lines])


def _format_mode(mode: CameraMode) -> str:
    rates = "/".join(f"{rate:.3g}" for rate in mode.rates)
    return f"{mode.width}x{mode.height}" + (f" at {rates}" if rates else "")


def _number(path: Path) -> tuple[int, str]:
    digits = re.search(r"\d+$", path.name)
    return int(digits[0]) if digits else 0, path.name


def _device_label(path: Path, names: Path) -> str:
    """The device file and the name from sysfs, which needs no permission for the device."""
    name = names / path.name / "name"
    return f"{path} ({name.read_text(errors='replace').strip()})" if name.is_file() else str(path)
