import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from digitedge.camera import open_source
from digitedge.camera.sources import stream
from digitedge.errors import CameraError
from digitedge.utils.opencv import cv2


@contextmanager
def mjpeg_server(jpeg: bytes, *, frames: int, folder: Path) -> Iterator[str]:
    """A network camera on this machine: /live sends frames and hangs up; everything else is a file of `folder`."""

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


def test_a_network_camera_that_hangs_up_is_an_error_after_its_frames(jpeg: bytes, tmp_path: Path) -> None:
    seen = []
    with (
        mjpeg_server(jpeg, frames=8, folder=tmp_path) as address,
        open_source(f"{address}/live") as source,
        pytest.raises(CameraError, match=r"stopped after \d frames"),
    ):
        for frame in source:
            seen.append((frame.shape, source.time))
    assert {shape for shape, _ in seen} == {(240, 320, 3)}
    assert 4 <= len(seen) <= 8  # of images that arrive together the last one
    assert seen[-1][1] > seen[0][1] > 0


def test_other_ways_to_send_mjpeg(page, jpeg: bytes) -> None:
    larger = cv2.imencode(".jpg", np.repeat(np.repeat(page(2), 2, 0), 2, 1))[1].tobytes()
    parts = [
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + b"\r\n",  # no length
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg[:700] + b"\0\xff\xd9" + jpeg[900:] + b"\r\n",  # damaged
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\nno image at all\r\n",
        larger,  # nothing but the image, of another size
    ]
    seen = []
    with (
        one_answer(parts, kind="application/octet-stream") as address,
        open_source(address) as source,
        pytest.raises(CameraError, match="stopped after"),
    ):
        seen.extend(frame.shape for frame in source)
    assert (seen[0], seen[-1]) == ((240, 320, 3), (480, 640, 3))


def test_a_server_that_falls_silent_is_an_error(jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "READ_LIMIT_S", 0.5)
    started = time.monotonic()
    with one_answer([jpeg], kind="image/jpeg", hang_s=3) as address, open_source(address) as source:
        with pytest.raises(CameraError, match="stopped after 1 frames"):
            list(source)
        assert time.monotonic() - started < 2.5


def test_a_login_is_sent_and_never_shown(jpeg: bytes) -> None:
    heard: list[bytes] = []
    with one_answer([jpeg], kind="image/jpeg", heard=heard) as address:
        source = open_source(address.replace("://", "://anna:s%40secret@") + "video")
        with pytest.raises(CameraError) as caught:
            list(source)
    assert b"Authorization: Basic YW5uYTpzQHNlY3JldA==" in heard[0]  # anna:s@secret
    assert b"GET /video HTTP" in heard[0]
    assert "secret" not in str(caught.value) + source.name


def test_a_login_is_not_sent_on_to_another_server(jpeg: bytes) -> None:
    heard: list[bytes] = []
    with (
        one_answer([jpeg], kind="image/jpeg", heard=heard) as other,
        one_answer([], kind=f"text/plain\r\nLocation: {other}", status="302 Found") as address,
        pytest.raises(CameraError, match="stopped after 1 frames"),
    ):
        list(open_source(address.replace("://", "://anna:secret@")))
    assert b"Authorization" not in heard[0]


@pytest.mark.parametrize(
    ("status", "reason"),
    [("404 Not Found", "the server answered 404"), ("200 OK", "the server sent text/html, in which there is no frame")],
)
def test_what_a_server_said_instead_is_told(status: str, reason: str) -> None:
    with (
        one_answer([b"<p>Log in"], kind="text/html", status=status) as address,
        pytest.raises(CameraError, match=reason),
    ):
        list(open_source(address))


def test_what_was_mjpeg_once_is_not_tried_with_ffmpeg(jpeg: bytes) -> None:
    with one_answer([jpeg], kind="image/jpeg") as address, open_source(address) as source:
        with pytest.raises(CameraError):
            list(source)
        started = time.monotonic()
        with pytest.raises(CameraError, match="no frame came"):
            list(source)  # it answers only once
        assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://cam/x?user=admin&pwd=secret", "http://cam/x?user=***&pwd=***"),
        ("rtsp://u:secret@cam/live", "rtsp://***@cam/live"),
        ("rtsp://cam:554/live", "rtsp://cam:554/live"),
    ],
)
def test_no_secret_is_in_the_name(address: str, name: str) -> None:
    assert stream.Stream(address).name == name


@contextmanager
def one_answer(
    parts: list[bytes], *, kind: str, hang_s: float = 0, heard: list[bytes] | None = None, status: str = "200 OK"
) -> Iterator[str]:
    """A server that answers once, by hand, and hangs up."""

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection, suppress(ConnectionError):
            request = connection.recv(65536)
            if heard is not None:
                heard.append(request)
            connection.sendall(f"HTTP/1.0 {status}\r\nContent-Type: {kind}\r\n\r\n".encode())
            for part in parts:
                connection.sendall(part)
                time.sleep(0.05)
            time.sleep(hang_s)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


def test_a_network_camera_is_left_in_peace_after_a_break(jpeg: bytes, tmp_path: Path) -> None:
    with mjpeg_server(jpeg, frames=1000, folder=tmp_path) as address, open_source(f"{address}/live") as source:
        for _ in source:
            break


def test_a_video_file_behind_http_simply_ends(jpeg: bytes, clip: Path) -> None:
    with mjpeg_server(jpeg, frames=0, folder=clip.parent) as address, open_source(f"{address}/clip.avi") as source:
        assert len(list(source)) == 12


def test_images_over_tcp_are_a_stream(jpeg: bytes) -> None:
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


def test_a_stream_that_is_not_there_is_an_error_without_its_password(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    source = open_source(f"rtsp://anna:s@secret@127.0.0.1:{port}/live")
    with pytest.raises(CameraError, match="cannot read the stream") as caught:
        list(source)
    assert "secret" not in str(caught.value) + source.name
    assert capfd.readouterr() == ("", "")


def test_what_is_no_address_is_an_error_at_once() -> None:
    with pytest.raises(CameraError, match="expected the address of a stream"):
        open_source("http://[::1/x")


def test_an_address_of_another_kind_is_an_error_at_once() -> None:
    with pytest.raises(CameraError, match=r"starts with http, .* got ftp://x"):
        open_source("ftp://x")
