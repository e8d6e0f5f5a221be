"""From what the user types to a source of frames."""

import time
from collections.abc import Generator, Iterable
from glob import has_magic
from pathlib import Path

from digitedge.camera.frames import Frame, Source
from digitedge.camera.rpicam import PiCamera
from digitedge.camera.video import Stream, VideoFile
from digitedge.camera.webcam import Webcam
from digitedge.data.pictures import SUFFIXES, find_pictures, read_picture
from digitedge.errors import CameraError
from digitedge.opencv import cv2

DEMO_FPS = 25.0


class Pictures(Source):
    """Picture files, one frame each. In a window each stays until a key is pressed."""

    hold_s = None

    def __init__(self, name: str, paths: Iterable[Path]) -> None:
        super().__init__(name)
        self._paths = tuple(paths)

    def _frames(self) -> Generator[Frame]:
        for path in self._paths:
            frame = read_picture(path)
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
        from digitedge.rendering.scenes.clip import render_clip  # here, because only the demo pays for the renderer

        due = time.monotonic()
        for scene in render_clip(seed=0, width=640, height=480, fps=DEMO_FPS):
            time.sleep(max(0.0, due - time.monotonic()))
            due = max(due, time.monotonic() - 1 / DEMO_FPS) + 1 / DEMO_FPS
            self._stamp()
            yield scene.frame


def open_source(text: str = "0") -> Source:
    """Find the source that a text names. The device itself is opened when a loop over the source starts.

    Args:
        text: the number of a camera ("0"), a device file, a video, a picture, a folder or pattern of pictures
            ("scans/*.png"), the address of a stream ("rtsp://..."), "rpicam", or "demo".

    Raises:
        CameraError: there is no such file, no picture in the folder, or no such kind of address.

    Examples:
        >>> open_source("0").live
        True
        >>> open_source("holiday.mp4")
        Traceback (most recent call last):
        ...
        digitedge.errors.CameraError: there is no holiday.mp4. Expected a camera number (0), ...
    """
    if text in _NAMED:
        return _NAMED[text](text)
    if text.isdecimal() or text.startswith("/dev/"):
        return Webcam(text)
    if "://" in text:
        return Stream(text)
    path = Path(text)
    if path.is_dir() or (has_magic(text) and not path.exists()):
        return Pictures(text, find_pictures([text]))
    if not path.exists():
        raise CameraError(
            f"there is no {text}. Expected a camera number (0), /dev/videoN, a video, a picture, a folder or pattern "
            "of pictures, the address of a stream (rtsp://...), rpicam, or demo."
        )
    return Pictures(text, [path]) if _is_picture(path) else VideoFile(path)


_NAMED = {"rpicam": PiCamera, "demo": Demo}


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES or cv2.haveImageReader(str(path))
