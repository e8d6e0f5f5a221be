"""Open the source of frames that a text names."""

import re
import subprocess
from contextlib import suppress
from glob import has_magic
from pathlib import Path

from digitedge.camera.sources.base import Camera, Mode, Source
from digitedge.camera.sources.demo import Demo
from digitedge.camera.sources.images import Images
from digitedge.camera.sources.picamera2 import PiCamera2
from digitedge.camera.sources.pipe import Pipe
from digitedge.camera.sources.rpicam import Rpicam
from digitedge.camera.sources.stream import Stream
from digitedge.camera.sources.video import VideoFile
from digitedge.camera.sources.webcam import Webcam
from digitedge.errors import CameraError, InputError
from digitedge.utils.images import SUFFIXES, find_images
from digitedge.utils.opencv import cv2, is_utf8
from digitedge.utils.raspberry_pi import BOARD, find_rpicam, is_raspberry_pi, list_cameras
from digitedge.utils.secrets import hide_secret

# Source by the pattern of its name; what matches none is the path of a video or of images.
SOURCES: dict[str, type[Source]] = {
    r"\d{1,20}|/dev/.*": Webcam,
    r"rpicam": Rpicam,
    r"picamera": PiCamera2,
    r".*://.*": Stream,
    r"-": Pipe,
    r"demo": Demo,
}


def open_source(text: str | None = None, mode: Mode = Mode()) -> Source:  # noqa: B008 - frozen
    """Find the source that a text names. The device itself is opened by iterating over the source.

    Args:
        text: the number of a camera ("0"), a device file, "rpicam" or "picamera" for the ribbon camera of a Raspberry
            Pi, the address of a stream ("rtsp://..."), a video, an image, a folder or pattern of images
            ("scans/*.png"), "-" for JPEG images on standard input, or "demo"; None for `default_source()`.
        mode: requested from a camera; other sources have their own.

    Raises:
        CameraError: no such file, no image in the folder, or an unknown kind of address.
        InputError: a mode for a source that is not a camera.

    Examples:
        >>> open_source("0").live
        True
        >>> open_source("holiday.mp4")
        Traceback (most recent call last):
        ...
        digitedge.errors.CameraError: there is no holiday.mp4. Expected a camera number (0), ...
    """
    text = default_source() if text is None else text
    source_class = next((cls for pattern, cls in SOURCES.items() if re.fullmatch(pattern, text, re.DOTALL)), None)
    if source_class is not None and not is_utf8(text):
        raise _not_utf8(text)
    if source_class is not None and issubclass(source_class, Camera):
        return source_class(text, mode=mode)
    if mode != Mode():
        raise InputError(f"width, height and fps are options of cameras, got {hide_secret(text)}. Leave them out.")
    return _open_file(text) if source_class is None else source_class(text)


def default_source(*, board: Path = BOARD) -> str:
    """Return "rpicam" on a Raspberry Pi with a ribbon camera, else "0".

    /dev/video0 does not tell: on a Raspberry Pi it is the receiver of the ribbon, which gives OpenCV no images.
    """
    program = find_rpicam("hello")
    with suppress(CameraError, OSError, subprocess.TimeoutExpired):
        if program is not None and is_raspberry_pi(board) and list_cameras(program):
            return "rpicam"
    return "0"


def _open_file(text: str) -> Source:
    path = Path(text)
    if path.is_dir() or (has_magic(text) and not path.exists()):
        return Images(text, find_images([text]))
    if not path.exists():
        raise CameraError(
            f"there is no {hide_secret(text)}. Expected a camera number (0), /dev/videoN, a video, an image, a folder "
            "or pattern of images, the address of a stream (rtsp://...), rpicam, picamera, - or demo."
        )
    if path.suffix.lower() in SUFFIXES:
        return Images(text, [path])
    if not is_utf8(str(path.resolve())):
        raise _not_utf8(text)
    return Images(text, [path]) if cv2.haveImageReader(str(path)) else VideoFile(path)


def _not_utf8(name: str) -> CameraError:
    return CameraError(f"expected a name in UTF-8, got {hide_secret(name)}, which OpenCV cannot open. Rename it.")
