"""From what the user types to a source of frames."""

import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from functools import partial
from glob import has_magic
from pathlib import Path

from digitedge.camera.sources.base import Frame, Mode, Source
from digitedge.camera.sources.mjpeg import newest_frames, read_pipe
from digitedge.camera.sources.picamera2 import PiCamera2
from digitedge.camera.sources.rpicam import PiCamera
from digitedge.camera.sources.stream import Stream
from digitedge.camera.sources.video import VideoFile
from digitedge.camera.sources.webcam import Webcam
from digitedge.errors import CameraError, InputError
from digitedge.utils.images import SUFFIXES, find_images, read_image
from digitedge.utils.opencv import cv2

DEMO_FPS = 25.0
# Where Linux names the board that it runs on; and how long rpicam-hello may look for cameras.
BOARD = Path("/proc/device-tree/model")
LOOK_LIMIT_S = 10.0


class Images(Source):
    """Image files, one frame each. In a window each stays until a key is pressed."""

    hold_s = None

    def __init__(self, name: str, paths: Iterable[Path]) -> None:
        super().__init__(name)
        self._paths = tuple(paths)

    def _frames(self) -> Generator[Frame]:
        for path in self._paths:
            frame = read_image(path)
            self.name = str(path)
            yield frame


class FrameList(Source):
    """Frames that a program already has: a list, or the generator of a camera that digitedge does not know.

    Examples:
        >>> import numpy as np
        >>> with FrameList([np.zeros((48, 64), np.uint8)] * 3, name="blank") as source:
        ...     [frame.shape for frame in source]
        [(48, 64), (48, 64), (48, 64)]
    """

    def __init__(self, frames: Iterable[Frame], *, name: str = "frames") -> None:
        super().__init__(name)
        self._list = frames

    def _frames(self) -> Generator[Frame]:
        for frame in self._list:
            self._stamp()
            yield frame


class Demo(Source):
    """An endless clip of handwritten numbers, rendered as it runs at the pace of a webcam: a camera for everybody."""

    live = True

    def _frames(self) -> Generator[Frame]:
        from digitedge.synthetic.scenes.clip import render_clip  # here, because only the demo pays for the renderer

        due = time.monotonic()
        for scene in render_clip(seed=0, width=640, height=480, fps=DEMO_FPS):
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1 / DEMO_FPS) + 1 / DEMO_FPS
            self._stamp()
            yield scene.frame


class Pipe(Source):
    """JPEG images one after the other on standard input; its end is the end, not an error."""

    live = True

    def _frames(self) -> Generator[Frame]:
        count = 0
        for frame in newest_frames(partial(read_pipe, sys.stdin.fileno(), limit_s=None)):
            self._stamp()
            count += 1
            yield frame
        if not count:
            raise CameraError(
                "expected JPEG images on standard input, got none. Such as: "
                "ffmpeg -i CAMERA -f image2pipe -c:v mjpeg - | digitedge camera -"
            )


def open_source(text: str | None = None, mode: Mode = Mode()) -> Source:  # noqa: B008 - frozen
    """Find the source that a text names. The device itself is opened when a loop over the source starts.

    Args:
        text: the number of a camera ("0"), a device file, "rpicam" or "picamera" for the ribbon camera of a Raspberry
            Pi, the address of a stream ("rtsp://..."), a video, an image, a folder or pattern of images
            ("scans/*.png"), "-" for JPEG images on standard input, or "demo"; None for `default_source()`.
        mode: what to ask a camera for; whatever is no camera has its own.

    Raises:
        CameraError: there is no such file, no image in the folder, or no such kind of address.
        InputError: a mode is asked of what is no camera.

    Examples:
        >>> open_source("0").live
        True
        >>> open_source("holiday.mp4")
        Traceback (most recent call last):
        ...
        digitedge.errors.CameraError: there is no holiday.mp4. Expected a camera number (0), ...
    """
    if text is None:
        text = default_source()
    if text in _CAMERAS:
        return _CAMERAS[text](text, mode=mode)
    if text.isdecimal() or text.startswith("/dev/"):
        return Webcam(text, mode=mode)
    if mode != Mode():
        raise InputError(f"width, height and fps can be asked of a camera, but {text} has its own")
    if text == "demo":
        return Demo(text)
    if text == "-":
        return Pipe(text)
    if "://" in text:
        return Stream(text)
    path = Path(text)
    if path.is_dir() or (has_magic(text) and not path.exists()):
        return Images(text, find_images([text]))
    if not path.exists():
        raise CameraError(
            f"there is no {text}. Expected a camera number (0), /dev/videoN, a video, an image, a folder or pattern "
            "of images, the address of a stream (rtsp://...), rpicam, picamera, - or demo."
        )
    return Images(text, [path]) if _is_image(path) else VideoFile(path)


_CAMERAS = {"rpicam": PiCamera, "picamera": PiCamera2}


def default_source() -> str:
    """The camera that a user means who names none: on a Raspberry Pi with a ribbon camera that one, else the first.

    /dev/video0 does not tell: on a Pi the ribbon's receiver has that name, and gives no images to OpenCV.
    """
    hello = shutil.which("rpicam-hello") or shutil.which("libcamera-hello")
    if hello is None or not BOARD.exists() or "Raspberry Pi" not in BOARD.read_text(errors="replace"):
        return "0"
    try:
        found = subprocess.run([hello, "--list-cameras"], capture_output=True, text=True, timeout=LOOK_LIMIT_S).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "0"
    return "rpicam" if "Available cameras" in found else "0"


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or cv2.haveImageReader(str(path))
