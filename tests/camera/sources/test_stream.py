import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import Frame, Mode, open_source
from digitedge.camera.sources import stream
from digitedge.errors import CameraError, InputError
from digitedge.utils.opencv import cv2


@contextmanager
def mjpeg_server(jpeg: bytes, *, frames: int, folder: Path) -> Iterator[str]:
    """Serve a network camera: /live sends frames and closes; everything else is a file of `folder`."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            with suppress(ConnectionError):
                if self.path == "/live":
                    self.send_live()
                else:
                    super().do_GET()

        def send_live(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for _ in range(frames):
                header = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(header.encode() + jpeg + b"\r\n")
                time.sleep(0.01)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_server_that_closes_the_connection_is_an_error_after_its_frames(jpeg: bytes, tmp_path: Path) -> None:
    shapes, times = [], []
    with (
        mjpeg_server(jpeg, frames=8, folder=tmp_path) as address,
        open_source(f"{address}/live") as source,
        pytest.raises(CameraError, match=r"stopped after \d frames"),
    ):
        for frame in source:
            shapes.append(frame.shape)
            times.append(source.time or 0)
    assert set(shapes) == {(240, 320, 3)}
    assert 4 <= len(shapes) <= 8  # of images that arrive together, the last one
    assert times[-1] > times[0] > 0


def test_unusual_and_damaged_mjpeg_is_read(page: Callable[[int], Frame], jpeg: bytes) -> None:
    larger = cv2.imencode(".jpg", np.repeat(np.repeat(page(2), 2, 0), 2, 1))[1].tobytes()
    parts = [
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n",  # no length
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg[:700] + b"\0\xff\xd9" + jpeg[900:] + b"\r\n",  # damaged
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\nno image at all\r\n",
        larger,  # nothing but the image, of another size
    ]
    shapes = []
    with (
        serve_once(parts, content_type="application/octet-stream") as address,
        open_source(address) as source,
        pytest.raises(CameraError, match="stopped after"),
    ):
        shapes.extend(frame.shape for frame in source)
    assert (shapes[0], shapes[-1]) == ((240, 320, 3), (480, 640, 3))


def test_server_that_falls_silent_is_an_error(jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "READ_LIMIT_S", 0.5)
    started = time.monotonic()
    with serve_once([jpeg], content_type="image/jpeg", silence_s=3) as address, open_source(address) as source:
        with pytest.raises(CameraError, match="stopped after 1 frames"):
            list(source)
        assert time.monotonic() - started < 2.5


def test_server_that_drips_its_header_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "OPEN_LIMIT_S", 0.5)
    drops = [b"X"] * 100  # each before the limit of the socket
    with serve_once(drops, content_type="image/jpeg\r\nY: ", ends_header=False) as address:
        started = time.monotonic()
        with pytest.raises(CameraError, match="no frame came"):
            list(open_source(address))
        assert time.monotonic() - started < 4


def test_login_is_sent_and_not_shown(jpeg: bytes) -> None:
    requests: list[bytes] = []
    with serve_once([jpeg], content_type="image/jpeg", requests=requests) as address:
        source = open_source(address.replace("://", "://anna:s%40secret@") + "video")
        with pytest.raises(CameraError) as caught:
            list(source)
    assert b"Authorization: Basic YW5uYTpzQHNlY3JldA==" in requests[0]  # anna:s@secret
    assert b"GET /video HTTP" in requests[0]
    assert "secret" not in str(caught.value) + source.name


def test_login_is_not_sent_to_another_server(jpeg: bytes) -> None:
    requests: list[bytes] = []
    with (
        serve_once([jpeg], content_type="image/jpeg", requests=requests) as other,
        serve_once([], content_type=f"text/plain\r\nLocation: {other}", status="302 Found") as address,
        pytest.raises(CameraError, match="stopped after 1 frames"),
    ):
        list(open_source(address.replace("://", "://anna:secret@")))
    assert b"Authorization" not in requests[0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("404 Not Found", "the server answered 404"), ("200 OK", "expected a video, the server sent text/html")],
)
def test_error_says_what_the_server_sent_instead(status: str, reason: str) -> None:
    with (
        serve_once([b"<p>Log in"], content_type="text/html", status=status) as address,
        pytest.raises(CameraError, match=reason),
    ):
        list(open_source(address))


def test_stream_that_was_mjpeg_is_not_tried_with_ffmpeg(jpeg: bytes) -> None:
    with serve_once([jpeg], content_type="image/jpeg") as address, open_source(address) as source:
        with pytest.raises(CameraError):
            list(source)
        started = time.monotonic()
        with pytest.raises(CameraError, match="no frame came"):
            list(source)  # it answers only once
        assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://cam/x?user=admin&pwd=secret", "http://cam/x?***"),
        ("http://cam/x?pwd=sec&ret", "http://cam/x?***"),
        ("http://cam/user=admin_password=secret", "http://cam/user=***"),
        ("rtsp://u:secret@cam/live", "rtsp://***@cam/live"),
        ("RTSP://u:sec@ret@cam/live", "RTSP://***@cam/live"),
        ("rtsp://u:secret@[::1]:554/live", "rtsp://***@[::1]:554/live"),
        ("rtsp://cam/live|password;secret", "rtsp://cam/live|***"),
        ("rtsp://cam/live -password secret", "rtsp://cam/live ***"),
        ("rtsp://u%3Asecret%40cam/live", "rtsp://***@cam/live"),
        ("rtsp://cam:554/live", "rtsp://cam:554/live"),
        ("udp://@:5000", "udp://@:5000"),
    ],
)
def test_name_has_no_password(address: str, name: str) -> None:
    assert stream.Stream(address).name == name


@contextmanager
def serve_once(
    parts: list[bytes],
    *,
    content_type: str,
    silence_s: float = 0,
    requests: list[bytes] | None = None,
    status: str = "200 OK",
    ends_header: bool = True,
) -> Iterator[str]:
    """Serve one response over a bare socket, then close."""

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection, suppress(ConnectionError):
            request = connection.recv(65536)
            if requests is not None:
                requests.append(request)
            end = "\r\n\r\n" if ends_header else ""
            connection.sendall(f"HTTP/1.0 {status}\r\nContent-Type: {content_type}{end}".encode())
            for part in parts:
                connection.sendall(part)
                time.sleep(0.05)
            time.sleep(silence_s)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            thread.join()


def test_connection_is_closed_when_the_loop_is_left(jpeg: bytes, tmp_path: Path) -> None:
    with mjpeg_server(jpeg, frames=1000, folder=tmp_path) as address, open_source(f"{address}/live") as source:
        for _ in source:
            break


def test_video_file_over_http_ends_without_an_error(jpeg: bytes, clip: Path) -> None:
    with mjpeg_server(jpeg, frames=0, folder=clip.parent) as address, open_source(f"{address}/clip.avi") as source:
        assert len(list(source)) == 12


def test_images_over_tcp_are_read(jpeg: bytes) -> None:
    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection, suppress(ConnectionError):
            for _ in range(60):
                connection.sendall(jpeg)
                time.sleep(0.005)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        with open_source(f"tcp://127.0.0.1:{listener.getsockname()[1]}") as source:
            frames = [frame for frame, _ in zip(source, range(20), strict=False)]
        thread.join()
    assert [frame.shape for frame in frames] == [(240, 320, 3)] * 20


def test_missing_stream_is_an_error_without_its_password(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    source = open_source(f"rtsp://anna:s@secret@127.0.0.1:{port}/live")
    with pytest.raises(CameraError, match="cannot read the stream") as caught:
        list(source)
    assert "secret" not in str(caught.value) + source.name
    assert capfd.readouterr() == ("", "")


def test_invalid_address_is_an_error_at_once() -> None:
    with pytest.raises(CameraError, match="expected the address of a stream"):
        open_source("http://[::1/x")


def test_unknown_scheme_is_an_error_at_once() -> None:
    with pytest.raises(CameraError, match=r"starts with http, .* got ftp://x"):
        open_source("ftp://x")


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://u:se?cret@cam/live",
        "rtsp://u:se/cret@cam/live",
        "xyz://u:secret@cam",
        "rtsp:/u:secret@cam/live",
        "rtsp:u:secret@cam/live",
        "u:secret@cam/live",
        "rtsp:/cam/live?password=secret",
    ],
)
def test_the_error_of_a_misspelt_address_has_no_password(text: str) -> None:
    with pytest.raises(CameraError) as caught:
        open_source(text)
    assert "cret" not in str(caught.value)


def test_the_error_of_a_stream_with_a_mode_has_no_password() -> None:
    with pytest.raises(InputError) as caught:
        open_source("rtsp://u:secret@cam/live", Mode(width=640))
    assert "secret" not in str(caught.value)
