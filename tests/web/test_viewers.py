"""Many viewers, slow viewers, and the shutdown."""

import os
import re
import select
import socket
import threading
import time

import pytest
from served_page import ServedPage, serve_page

from digitedge.web import connection, stream_limit, streams

SHUTDOWN_LIMIT_S = 1.0


class Viewer(threading.Thread):
    """Reads a stream and counts the images."""

    def __init__(self, served: ServedPage, path: str = "/stream.mjpg") -> None:
        super().__init__(daemon=True)
        self.images = 0
        self.bytes = 0
        self.is_stopped = False
        self._connection = served.connect()
        self._connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def run(self) -> None:
        with self._connection:
            while not self.is_stopped:
                try:
                    part = self._connection.recv(1 << 18)
                except OSError:
                    break
                if not part:
                    break
                self.bytes += len(part)
                self.images += part.count(b"Content-Length:")
        self.is_stopped = True


def test_twenty_viewers_share_one_encoding_a_frame_and_a_slow_one_delays_no_other() -> None:
    with serve_page() as served:
        served.wait_until_live()
        slow = served.connect(receive_buffer=4096)
        slow.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        viewers = [Viewer(served) for _ in range(20)]
        for viewer in viewers:
            viewer.start()
        time.sleep(0.5)
        before, frames = served.sink.encoded_frames, served.get("/api/reading").json()["frame"]
        counts = [viewer.images for viewer in viewers]
        for _ in range(2):
            assert slow.recv(1)
            time.sleep(1)
        encoded, read = served.sink.encoded_frames - before, served.get("/api/reading").json()["frame"] - frames
        seen = [viewer.images - count for viewer, count in zip(viewers, counts, strict=True)]
        assert 2 * 5 < encoded <= read  # 15 of 20 a second on an idle machine
        assert min(seen) >= 0.8 * encoded
        assert max(seen) <= encoded + 2
        slow.close()
        for viewer in viewers:
            viewer.is_stopped = True
        for viewer in viewers:
            viewer.join(5)


def test_without_viewers_no_frame_is_encoded() -> None:
    with serve_page() as served:
        served.wait_until_live()
        time.sleep(0.5)
        assert served.sink.encoded_frames == 0


def test_a_viewer_that_does_not_read_costs_bounded_memory_and_no_encoding() -> None:
    with serve_page() as served:
        served.wait_until_live()
        client = served.connect(receive_buffer=4096)
        client.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        encoded = -1

        def is_steady() -> bool:  # frames that no viewer can take are not encoded
            nonlocal encoded
            before, encoded = encoded, served.sink.encoded_frames
            time.sleep(0.5)
            return before == encoded == served.sink.encoded_frames

        served.wait_for(is_steady)
        client.settimeout(0.3)
        held = b""
        with pytest.raises(TimeoutError):  # read faster than it is filled: only buffered data arrives without a pause
            while len(held) < 2_000_000:
                held += client.recv(1000)
                client.settimeout(0.01)
        assert len(held) < 400_000
        client.close()


@pytest.mark.parametrize(("path", "digits"), [("/stream.mjpg", 2), ("/api/events", 3)])
@pytest.mark.parametrize("reads", [0, 5], ids=["unread", "half-read"])
def test_a_stream_that_does_not_read_is_cut_after_the_limit(
    monkeypatch: pytest.MonkeyPatch, path: str, digits: int, reads: int
) -> None:
    monkeypatch.setattr(connection, "STALL_LIMIT_S", 0.5)
    monkeypatch.setattr(connection, "SEND_BUFFER_BYTES", 4096)
    monkeypatch.setattr(connection, "UNSENT_BYTES", 1)
    monkeypatch.setattr(streams, "BATCH_S", 0.001)
    with serve_page(digits=digits) as served:
        served.wait_until_live()
        files = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
        clients = [served.connect(receive_buffer=2048) for _ in range(3)]
        for client in clients:
            client.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
            for _ in range(reads):
                assert client.recv(200)
        watching = Viewer(served, path)
        watching.start()
        # What was sent can still be read from an open stream. One that was cut is reset: nothing more comes.
        served.wait_for(lambda: all(has_error(client) for client in clients))
        assert not watching.is_stopped
        watching.is_stopped = True
        watching.join(5)
        for client in clients:
            client.close()
        served.wait_for(lambda: not files or len(os.listdir("/proc/self/fd")) <= files)


def has_error(client: socket.socket) -> bool:
    """Whether the connection was aborted."""
    poll = select.poll()
    poll.register(client, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def test_too_many_streams_are_503_and_the_page_is_still_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_limit, "MAX_STREAMS_PER_ADDRESS", 3)
    with serve_page() as served:
        viewers = [Viewer(served, path) for path in ("/stream.mjpg", "/api/events", "/api/events")]
        for viewer in viewers:
            viewer.start()
        served.wait_for(lambda: all(viewer.bytes for viewer in viewers))
        assert served.get("/stream.mjpg").status_code == 503
        assert "too many viewers" in served.get("/api/events").json()["error"]
        assert served.get("/").status_code == 200
        viewers[0].is_stopped = True
        viewers[0].join(5)
        time.sleep(0.3)  # the server notices at the next image that the viewer has left
        late = Viewer(served, "/stream.mjpg")
        late.start()
        served.wait_for(lambda: late.images > 1)
        for viewer in (*viewers, late):
            viewer.is_stopped = True


def test_errors_and_aborted_uploads_leave_no_thread() -> None:
    with serve_page() as served:
        served.wait_until_live()
        before = threading.active_count()
        for _ in range(20):
            assert served.get("/nowhere").status_code == 404
            with served.connect() as client:
                client.sendall(b"POST /api/threshold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc")
        served.wait_for(lambda: threading.active_count() <= before)


def test_a_stream_stays_open_while_the_camera_is_lost() -> None:
    with serve_page() as served:
        viewer = Viewer(served)
        viewer.start()
        served.wait_for(lambda: viewer.images > 3)
        served.camera.is_plugged_in = False
        served.wait_for(lambda: served.get("/healthz").json()["state"] == "reconnecting")
        time.sleep(0.3)
        count = viewer.images
        served.camera.is_plugged_in = True
        served.wait_for(lambda: viewer.images > count)
        assert not viewer.is_stopped


def test_parts_of_the_mjpeg_stream_have_a_content_length(served: ServedPage) -> None:
    with served.connect() as client:
        client.sendall(b"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\n\r\n")  # HTTP/1.0: not chunked
        stream = b""
        while stream.count(b"--digitedge-frame") < 3:
            stream += client.recv(65536)
    head, _, body = stream.partition(b"\r\n\r\n")
    assert b"multipart/x-mixed-replace; boundary=digitedge-frame" in head
    part = re.match(rb"--digitedge-frame\r\nContent-Type: image/jpeg\r\nContent-Length: (\d+)\r\n\r\n", body)
    assert part is not None
    jpeg = body[part.end() : part.end() + int(part[1])]
    assert (jpeg[:2], jpeg[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert body[part.end() + int(part[1]) :].startswith(b"\r\n--digitedge-frame\r\n")


def test_the_server_stops_within_a_second_with_busy_and_stuck_viewers() -> None:
    with serve_page() as served:
        viewers = [Viewer(served, path) for path in ("/stream.mjpg", "/api/events") * 5]
        for viewer in viewers:
            viewer.start()
        stuck = [served.connect(receive_buffer=4096) for _ in range(3)]
        for client in stuck:
            client.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        half = served.connect()
        half.sendall(b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
        served.wait_for(lambda: all(viewer.bytes > 500 for viewer in viewers))
        time.sleep(1.5)
        started = time.monotonic()
        served.sink.__exit__(None, None, None)
        assert time.monotonic() - started < SHUTDOWN_LIMIT_S
        for viewer in viewers:
            viewer.join(2)
            assert viewer.is_stopped
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", served.port))
        for client in (*stuck, half):
            client.close()


def test_the_port_can_be_used_again_at_once() -> None:
    with serve_page() as served:
        viewer = Viewer(served)
        viewer.start()
        served.wait_for(lambda: viewer.images > 1)
    with serve_page(port=served.port) as again:
        again.wait_until_live()
