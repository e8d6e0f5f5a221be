"""Video files and network streams, decoded by the FFmpeg inside OpenCV."""

import re
from collections.abc import Generator
from pathlib import Path

import numpy as np

from digitedge.camera.frames import Frame, Source
from digitedge.errors import CameraError
from digitedge.opencv import cv2

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "tcp", "udp", "rtp")
OPEN_LIMIT_MS = 10_000
READ_LIMIT_MS = 5_000


class VideoFile(Source):
    """Every frame of a video file, in order. In a window it plays at its own speed."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path

    def _frames(self) -> Generator[Frame]:
        # The full path, because FFmpeg takes "clip:1.mp4" for the protocol "clip".
        capture = cv2.VideoCapture(str(self._path.resolve()), cv2.CAP_FFMPEG)
        count = 0
        try:
            fps = capture.get(cv2.CAP_PROP_FPS) if capture.isOpened() else 0.0
            self.hold_s = 1 / fps if fps > 0 else 0.0
            while (read := capture.read())[0]:
                self.time = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                count += 1
                yield np.asarray(read[1], np.uint8)
        finally:
            capture.release()
        if not count:
            raise CameraError(
                f"{self._path}: expected a video that FFmpeg can read, got no frame. Is the file complete? "
                "Convert it with: ffmpeg -i FILE out.mp4. Without a video: digitedge camera demo"
            )


class Stream(Source):
    """A stream by its address: MJPEG or a video over HTTP, RTSP, TCP, UDP. One that ends by itself is a file."""

    live = True

    def __init__(self, url: str) -> None:
        """Name a stream; it is opened when a loop over it starts.

        Raises:
            CameraError: a scheme that is none of SCHEMES.
        """
        super().__init__(re.sub(r"//[^/]+@", "//***@", url))  # names are printed: no password in them
        if url.partition("://")[0].lower() not in SCHEMES:
            raise CameraError(f"expected a stream address that starts with {', '.join(SCHEMES)}, got {self.name}")
        self._url = url

    def _frames(self) -> Generator[Frame]:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_LIMIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_LIMIT_MS]
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        count = 0
        try:
            has_end = capture.isOpened() and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0  # negative for a live stream
            while (read := capture.read())[0]:
                self._stamp()
                count += 1
                yield np.asarray(read[1], np.uint8)
        finally:
            capture.release()
        if not count:
            raise CameraError(
                f"cannot read the stream {self.name}: FFmpeg got no frame within {OPEN_LIMIT_MS // 1000} s. Are the "
                "address, the password and the network right? Try it with: ffplay ADDRESS"
            )
        if not has_end:
            raise CameraError(f"the stream {self.name} stopped after {count} frames. Start again when it is back.")
