"""Network streams: MJPEG over HTTP by our own reader, everything else by the FFmpeg in OpenCV.

See docs/decisions/camera-sources.md.
"""

import base64
import http.client
import os
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

from digitedge.camera.sources.base import Frame, Source
from digitedge.camera.sources.mjpeg import newest_frames
from digitedge.errors import CameraError
from digitedge.utils.opencv import as_uint8, cv2
from digitedge.utils.secrets import hide_secret

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "tcp", "udp", "rtp")
OPEN_LIMIT_S = 10.0
READ_LIMIT_S = 3.0
# Passed to FFmpeg by OpenCV: TCP, and half a second of analysis instead of several before the first frame.
FFMPEG_OPTIONS = "rtsp_transport;tcp|analyzeduration;500000"
# Suffixes that are not MJPEG: no request is made to find out, because some servers answer only once.
VIDEO_SUFFIXES = {".avi", ".flv", ".m3u8", ".mkv", ".mov", ".mp4", ".mpd", ".mpg", ".ts", ".webm"}
# How much of a response shows its format; how much is read at once (several images, so that old ones can be skipped).
START_BYTES = 256
BATCH_BYTES = 1 << 20


class Stream(Source):
    """A stream by its address: MJPEG or a video over HTTP, RTSP, RTMP, TCP, UDP. One of known length is a file."""

    live = True

    def __init__(self, url: str) -> None:
        """Raise a CameraError for a scheme not in SCHEMES or an invalid address."""
        # The name is printed, so it has no password.
        super().__init__(hide_secret(url))
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
        # A short wait before the next retry.
        limit_s = READ_LIMIT_S if self._has_worked else OPEN_LIMIT_S
        batches = open_mjpeg(self._url, self.name, limit_s=limit_s)
        self._is_mjpeg |= batches is not None
        # FFmpeg would need seconds to fail on a stream that was MJPEG before.
        capture = cv2.VideoCapture() if self._is_mjpeg else self._open(limit_s)
        try:
            has_end = capture.isOpened() and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0  # negative for a live stream
            for frame in newest_frames(batches, limit_s=READ_LIMIT_S) if batches else _decode(capture):
                self._stamp()
                self._has_worked = True
                count += 1
                yield frame
        finally:
            capture.release()
            if batches:
                batches.close()
        if not count:
            raise CameraError(
                f"cannot read the stream {self.name}: no frame came. Check the address, the password and the "
                "network with: ffplay ADDRESS"
            )
        if not has_end:
            raise CameraError(f"the stream {self.name} stopped after {count} frames.")

    def _open(self, limit_s: float) -> cv2.VideoCapture:
        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", FFMPEG_OPTIONS)
        limits = {cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: limit_s, cv2.CAP_PROP_READ_TIMEOUT_MSEC: READ_LIMIT_S}
        flat = [value for limit, seconds in limits.items() for value in (limit, round(1000 * seconds))]
        return cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, flat)


def open_mjpeg(url: str, name: str, *, limit_s: float) -> Generator[bytes] | None:
    """Request an HTTP address, and return the bytes of an MJPEG stream as they arrive; `name` is for messages.

    None where FFmpeg should try: another scheme, format or kind of login, or no whole header after `limit_s`.

    Raises:
        CameraError: the server reports an error, or sends text.
    """
    address = urllib.parse.urlsplit(url)
    suffix = PurePosixPath(address.path).suffix.lower()
    if address.scheme.lower() not in ("http", "https") or suffix in VIDEO_SUFFIXES:
        return None
    host = address.netloc.rpartition("@")[2]
    request = urllib.request.Request(urllib.parse.urlunsplit(address._replace(netloc=host)))
    if address.username is not None:
        login = f"{urllib.parse.unquote(address.username)}:{urllib.parse.unquote(address.password or '')}"
        request.add_unredirected_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        response = _request(request, limit_s)
        start = _read_start(response)
        content_type = response.headers.get_content_type()
        if content_type == "multipart/x-mixed-replace" or is_mjpeg(start):
            return _read_on(response, start)
        response.close()
    except urllib.error.HTTPError as exc:
        if exc.code == http.HTTPStatus.UNAUTHORIZED:
            return None
        raise CameraError(f"cannot read the stream {name}: the server answered {exc.code} {exc.reason}") from exc
    except (OSError, http.client.HTTPException, ValueError):
        return None
    if content_type.startswith("text/"):
        raise CameraError(f"cannot read the stream {name}: expected a video, the server sent {content_type}")
    return None


def _request(request: urllib.request.Request, limit_s: float) -> http.client.HTTPResponse:
    """Make a request, without a proxy: a camera is in the same network.

    Raises:
        TimeoutError: no whole header after `limit_s`. A server that sends a byte now and then passes the limit of the
            socket, so the connection is shut down.
        OSError, http.client.HTTPException: as of urllib.
    """
    connections: list[http.client.HTTPConnection] = []
    has_timed_out = threading.Event()

    def shut_down() -> None:
        has_timed_out.set()
        for connection in connections:
            with suppress(OSError, AttributeError):  # closed; not connected yet
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)  # the TCP connection under TLS, too

    class Handler(urllib.request.AbstractHTTPHandler):
        def do_open(self, http_class: Any, req: urllib.request.Request, **http_conn_args: Any) -> Any:
            def connect(host: str, **more: Any) -> http.client.HTTPConnection:
                connections.append(http_class(host, **more))
                return connections[-1]

            return super().do_open(connect, req, **http_conn_args)

    class Http(Handler, urllib.request.HTTPHandler): ...

    class Https(Handler, urllib.request.HTTPSHandler): ...

    timer = threading.Timer(limit_s, shut_down)
    timer.daemon = True
    timer.start()
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Http, Https)
        response: http.client.HTTPResponse = opener.open(request, timeout=READ_LIMIT_S)
    finally:
        timer.cancel()
    if has_timed_out.is_set():  # what came of the header counts as one
        response.close()
        raise TimeoutError
    return response


def _read_start(response: http.client.HTTPResponse) -> bytes:
    """Read the first START_BYTES, or as many as arrive in time."""
    start = b""
    latest = time.monotonic() + READ_LIMIT_S
    while len(start) < START_BYTES and time.monotonic() < latest and (chunk := response.read1(START_BYTES)):
        start += chunk
    return start


def _read_on(response: http.client.HTTPResponse, start: bytes) -> Generator[bytes]:
    """Yield the start and what follows, until the end or READ_LIMIT_S of silence."""
    with response, suppress(OSError, http.client.HTTPException):
        yield start
        while batch := response.read1(BATCH_BYTES):
            yield batch


def is_mjpeg(start: bytes) -> bool:
    r"""Tell whether a response starts as MJPEG: with a JPEG image, or with the boundary before one.

    Examples:
        >>> is_mjpeg(b"\xff\xd8\xff\xe0"), is_mjpeg(b"\r\n--frame\r\nContent-Type: image/jpeg"), is_mjpeg(b"GIF89a")
        (True, True, False)
    """
    return start.startswith(b"\xff\xd8") or (start.lstrip().startswith(b"--") and b"image/jpeg" in start.lower())


def _decode(capture: cv2.VideoCapture) -> Generator[Frame]:
    while (read := capture.read())[0]:
        yield as_uint8(read[1])
