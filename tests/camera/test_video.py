import http.server
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from digitedge.camera import open_source
from digitedge.errors import CameraError

GREY_TOLERANCE = 4  # levels; JPEG in a video is not exact


def test_all_frames_of_a_video_come_in_order(clip: Path) -> None:
    seen = []
    with open_source(str(clip)) as source:
        for frame in source:
            assert frame.shape == (48, 64, 3)
            seen.append((float(frame.mean()), source.time))
    assert [round(when, 3) for _, when in seen] == [round(n / 25, 3) for n in range(12)]
    assert all(abs(mean - (16 * n + 8)) < GREY_TOLERANCE for n, (mean, _) in enumerate(seen))
    assert source.hold_s == pytest.approx(1 / 25)


def test_a_video_can_be_read_twice(clip: Path) -> None:
    with open_source(str(clip)) as source:
        assert len(list(source)) == len(list(source)) == 12


def test_a_colon_in_a_file_name_is_no_protocol(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip.parent)
    clip.rename(clip.with_name("tcp:1.avi"))
    assert len(list(open_source("tcp:1.avi"))) == 12


def test_a_file_that_is_no_video_is_an_error_and_says_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "junk.mp4"
    path.write_bytes(b"junk" * 1000)
    with pytest.raises(CameraError, match=r"junk\.mp4: expected a video .* ffmpeg -i"):
        list(open_source(str(path)))
    assert capfd.readouterr() == ("", "")


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
        pytest.raises(CameraError, match="stopped after 8 frames"),
    ):
        for frame in source:
            seen.append((frame.shape, source.time))
    assert [shape for shape, _ in seen] == [(240, 320, 3)] * 8
    assert seen[-1][1] > seen[0][1] > 0


def test_a_network_camera_is_left_in_peace_after_a_break(jpeg: bytes, tmp_path: Path) -> None:
    with mjpeg_server(jpeg, frames=1000, folder=tmp_path) as address, open_source(f"{address}/live") as source:
        for _ in source:
            break


def test_a_video_file_behind_http_simply_ends(jpeg: bytes, clip: Path) -> None:
    with mjpeg_server(jpeg, frames=0, folder=clip.parent) as address, open_source(f"{address}/clip.avi") as source:
        assert len(list(source)) == 12


def test_pictures_over_tcp_are_a_stream(jpeg: bytes) -> None:
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


def test_an_address_of_another_kind_is_an_error_at_once() -> None:
    with pytest.raises(CameraError, match=r"starts with http, .* got ftp://x"):
        open_source("ftp://x")
