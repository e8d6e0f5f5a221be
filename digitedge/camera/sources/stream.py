"""Network streams: MJPEG over HTTP by ourselves, everything else by the FFmpeg inside OpenCV.

FFmpeg reads MJPEG as well, but OpenCV takes its first damaged image for the end of the stream, and goes on to scale
images to the size of the first one when a camera changes its own. Cameras on a network do both.
"""

import base64
import http.client
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator
from pathlib import PurePosixPath

import numpy as np

from digitedge.camera.sources.base import Frame, Source
from digitedge.camera.sources.mjpeg import newest_frames
from digitedge.errors import CameraError
from digitedge.utils.opencv import cv2

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "tcp", "udp", "rtp")
OPEN_LIMIT_S, READ_LIMIT_S = 10.0, 3.0
# OpenCV hands these to FFmpeg. Nothing is gained by looking at seconds of a stream before its first frame is shown, nor
# by UDP, where every lost packet is a damaged frame. Rejected: fflags nobuffer, which drops the frames looked at.
FFMPEG_OPTIONS = "rtsp_transport;tcp|analyzeduration;500000"
# Over HTTP these are no MJPEG, so they are not asked: some servers answer only once.
VIDEOS = {".avi", ".flv", ".m3u8", ".mkv", ".mov", ".mp4", ".mpd", ".mpg", ".ts", ".webm"}
# How much of an answer shows what it is, and how much is read at once: some images, so that old ones can be left out.
START_BYTES, BATCH_BYTES = 256, 1 << 20


class Stream(Source):
    """A stream by its address: MJPEG or a video over HTTP, RTSP, TCP, UDP. One that ends by itself is a file."""

    live = True

    def __init__(self, url: str) -> None:
        """Name a stream; it is opened when a loop over it starts.

        Raises:
            CameraError: a scheme that is none of SCHEMES, or no address at all.
        """
        # Names are printed: no password in them.
        super().__init__(re.sub(r"(?<==)[^&]+", "***", re.sub(r"//[^?]+@", "//***@", url)))
        if url.partition("://")[0].lower() not in SCHEMES:
            raise CameraError(f"expected a stream address that starts with {', '.join(SCHEMES)}, got {self.name}")
        try:
            _ = urllib.parse.urlsplit(url).port
        except ValueError as exc:
            raise CameraError(
                f"expected the address of a stream, got {self.name}. In a password write / as %2F."
            ) from exc
        self._url = url
        self._is_mjpeg = self._has_worked = False

    def _frames(self) -> Generator[Frame]:
        count, has_end = 0, False
        answer = ask_for_mjpeg(self._url, self.name)
        self._is_mjpeg |= answer is not None
        # What was MJPEG once, FFmpeg need not try for seconds.
        capture = cv2.VideoCapture() if self._is_mjpeg else self._open()
        try:
            has_end = capture.isOpened() and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0  # negative for a live stream
            for frame in newest_frames(answer.read, limit_s=READ_LIMIT_S) if answer else _decoded(capture):
                self._stamp()
                self._has_worked = True
                count += 1
                yield frame
        finally:
            capture.release()
            if answer:
                answer.close()
        if not count:
            raise CameraError(
                f"cannot read the stream {self.name}: no frame came. Are the address, the password and the "
                "network right? Try it with: ffplay ADDRESS"
            )
        if not has_end:
            raise CameraError(f"the stream {self.name} stopped after {count} frames.")

    def _open(self) -> cv2.VideoCapture:
        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", FFMPEG_OPTIONS)
        open_limit_s = READ_LIMIT_S if self._has_worked else OPEN_LIMIT_S  # one that was lost is tried again soon
        limits = {cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: open_limit_s, cv2.CAP_PROP_READ_TIMEOUT_MSEC: READ_LIMIT_S}
        flat = [value for limit, seconds in limits.items() for value in (limit, round(1000 * seconds))]
        return cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, flat)


class Mjpeg:
    """The answer of a server that sends JPEG images one after the other."""

    def __init__(self, answer: http.client.HTTPResponse, start: bytes) -> None:
        self._answer = answer
        self._start = start

    def read(self) -> bytes:
        """Wait for bytes; nothing at the end, or after READ_LIMIT_S of silence."""
        if self._start:
            start, self._start = self._start, b""
            return start
        try:
            return self._answer.read1(BATCH_BYTES)
        except (OSError, http.client.HTTPException):
            return b""

    def close(self) -> None:
        """Hang up."""
        self._answer.close()


def ask_for_mjpeg(url: str, name: str) -> Mjpeg | None:
    """Open an address over HTTP, if it is one.

    Args:
        url: of the stream.
        name: for messages.

    Returns:
        The images; None where FFmpeg should have a look: no answer, another kind of video, another kind of login.

    Raises:
        CameraError: the server says that there is no stream.
    """
    address = urllib.parse.urlsplit(url)
    if address.scheme.lower() not in ("http", "https") or PurePosixPath(address.path).suffix.lower() in VIDEOS:
        return None
    host = address.netloc.rpartition("@")[2]
    request = urllib.request.Request(urllib.parse.urlunsplit(address._replace(netloc=host)))
    if address.username is not None:
        login = f"{urllib.parse.unquote(address.username)}:{urllib.parse.unquote(address.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        # No proxy: a camera is in the same network.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        answer = opener.open(request, timeout=READ_LIMIT_S)
        start = _start_of(answer)
        kind = answer.headers.get_content_type()
        if kind == "multipart/x-mixed-replace" or is_mjpeg(start):
            return Mjpeg(answer, start)
        answer.close()
    except urllib.error.HTTPError as exc:
        if exc.code == http.HTTPStatus.UNAUTHORIZED:
            return None
        raise CameraError(f"cannot read the stream {name}: the server answered {exc.code} {exc.reason}") from exc
    except (OSError, http.client.HTTPException, ValueError):
        return None
    if kind.startswith("text/"):
        raise CameraError(f"cannot read the stream {name}: the server sent {kind}, in which there is no frame")
    return None


def _start_of(answer: http.client.HTTPResponse) -> bytes:
    """The first bytes of an answer, as far as they come in time."""
    start = b""
    latest = time.monotonic() + READ_LIMIT_S
    while len(start) < START_BYTES and time.monotonic() < latest and (piece := answer.read1(START_BYTES)):
        start += piece
    return start


def is_mjpeg(start: bytes) -> bool:
    r"""Whether bytes are the first ones of MJPEG: a JPEG image, or the line that stands before one.

    Examples:
        >>> is_mjpeg(b"\xff\xd8\xff\xe0"), is_mjpeg(b"\r\n--frame\r\nContent-Type: image/jpeg"), is_mjpeg(b"GIF89a")
        (True, True, False)
    """
    return start.startswith(b"\xff\xd8") or (start.lstrip().startswith(b"--") and b"image/jpeg" in start.lower())


def _decoded(capture: cv2.VideoCapture) -> Generator[Frame]:
    """Every frame that FFmpeg decodes."""
    while (read := capture.read())[0]:
        yield np.asarray(read[1], np.uint8)
