"""The cameras that OpenCV can open."""

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from digitedge.doctor.finding import Finding, Status
from digitedge.doctor.v4l2 import CameraMode, Capture, read_device

DEVICES = Path("/dev")
NAMES = Path("/sys/class/video4linux")
# Parts of the Raspberry Pi's own camera: receivers of the ribbon cable and image processors. They list formats, yet
# give OpenCV no image; `check_ribbon` looks after them.
RASPBERRY_PI = {"unicam", "bcm2835-isp", "rp1-cfe", "pispbe"}


def check_cameras(devices: Path = DEVICES, names: Path = NAMES) -> Iterator[Finding]:
    """List the cameras of a Linux machine and their modes; other systems do not tell without opening them."""
    if sys.platform != "linux":
        yield Finding("camera", Status.NOTE, "this system does not list its cameras", "try: digitedge camera 0")
        return
    denied, seen = [], False
    for path in sorted(devices.glob("video*"), key=_number):
        try:
            capture = read_device(path)
        except PermissionError:
            denied.append(_named(path, names))
        except OSError as exc:
            seen = True
            found = f"{_named(path, names)} does not answer: {exc.strerror}"
            yield Finding("camera", Status.NOTE, found, "unplug it and plug it in again")
        else:
            if capture is not None and capture.driver not in RASPBERRY_PI:
                seen = True
                yield Finding("camera", Status.OK, _described(path, capture))
    if denied:
        mend = "sudo usermod -aG video $USER, then log in again"
        yield Finding("camera", Status.PROBLEM, f"no permission for {', '.join(denied)}", mend)
    elif not seen:
        yield Finding("camera", Status.NOTE, "no camera that OpenCV can open", "plug one in, or: digitedge camera demo")


def _number(path: Path) -> tuple[int, str]:
    digits = re.search(r"\d+$", path.name)
    return int(digits[0]) if digits else 0, path.name


def _named(path: Path, names: Path) -> str:
    """A device file and the name that the system has for it, which needs no permission."""
    name = names / path.name / "name"
    return f"{path} ({name.read_text(errors='replace').strip()})" if name.is_file() else str(path)


def _described(path: Path, capture: Capture) -> str:
    """The name in one line, and a line for every pixel format."""
    lines = [f"{path}: {capture.name}"]
    for pixel_format, modes in groupby(capture.modes, key=lambda mode: mode.pixel_format):
        lines.append(f"{pixel_format}: {', '.join(map(_mode, modes))}")
    return "\n".join(lines)


def _mode(mode: CameraMode) -> str:
    rates = "/".join(f"{rate:.3g}" for rate in mode.rates)
    return f"{mode.width}x{mode.height}" + (f" at {rates}" if rates else "")
