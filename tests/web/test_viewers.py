"""Many viewers, slow ones, and the end."""

import re
import socket
import threading
import time

import pytest

MOST_SECONDS_TO_END = 1.0


class Viewer(threading.Thread):
    """Reads a stream and counts its images."""

    def __init__(self, served, path: str = "/stream.mjpg") -> None:
        super().__init__(daemon=True)
        self.images = 0
        self.bytes = 0
        self.is_over = False
        self._bare = served.connect()
        self._bare.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def run(self) -> None:
        with self._bare:
            while not self.is_over:
                try:
                    piece = self._bare.recv(1 << 18)
                except OSError:
                    break
                if not piece:
                    break
                self.bytes += len(piece)
                self.images += piece.count(b"Content-Length:")
        self.is_over = True


def test_twenty_viewers_cost_one_encoding_a_frame_and_a_slow_one_slows_nobody(serve) -> None:
    with serve() as served:
        served.wait_for(lambda: served.get("/healthz").status_code == 200)
        slow = served.connect(receive_buffer=4096)
        slow.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        viewers = [Viewer(served) for _ in range(20)]
        for viewer in viewers:
            viewer.start()
        time.sleep(0.5)
        before, frames = served.page.encoded, served.get("/api/reading").json()["frame"]
        counts = [viewer.images for viewer in viewers]
        for _ in range(2):
            assert slow.recv(1)
            time.sleep(1)
        encoded, read = served.page.encoded - before, served.get("/api/reading").json()["frame"] - frames
        seen = [viewer.images - count for viewer, count in zip(viewers, counts, strict=True)]
        assert 2 * 5 < encoded <= read  # 15 a second of 20, on a machine with nothing else to do
        assert min(seen) >= 0.8 * encoded
        assert max(seen) <= encoded + 2
        slow.close()
        for viewer in viewers:
            viewer.is_over = True
        for viewer in viewers:
            viewer.join(5)


def test_nothing_is_encoded_when_nobody_looks(serve) -> None:
    with serve() as served:
        served.wait_for(lambda: served.get("/healthz").status_code == 200)
        time.sleep(0.5)
        assert served.page.encoded == 0


def test_a_viewer_that_reads_nothing_costs_a_bounded_memory_and_no_encoding(serve) -> None:
    with serve() as served:
        served.wait_for(lambda: served.get("/healthz").status_code == 200)
        bare = served.connect(receive_buffer=4096)
        bare.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        encoded = -1

        def stands_still() -> bool:  # what nobody takes is not made
            nonlocal encoded
            before, encoded = encoded, served.page.encoded
            time.sleep(0.5)
            return before == encoded == served.page.encoded

        served.wait_for(stands_still)
        bare.settimeout(0.3)
        held = b""
        with pytest.raises(TimeoutError):  # drained faster than it is filled: only what waited comes without a pause
            while len(held) < 2_000_000:
                held += bare.recv(1000)
                bare.settimeout(0.01)
        assert len(held) < 400_000
        bare.close()


def test_a_stream_stays_open_while_the_camera_is_lost(serve) -> None:
    with serve() as served:
        viewer = Viewer(served)
        viewer.start()
        served.wait_for(lambda: viewer.images > 3)
        served.desk.is_plugged_in = False
        served.wait_for(lambda: served.get("/healthz").json()["state"] == "reconnecting")
        time.sleep(0.3)
        count = viewer.images
        served.desk.is_plugged_in = True
        served.wait_for(lambda: viewer.images > count)
        assert not viewer.is_over


def test_parts_of_the_stream_say_how_long_they_are(served) -> None:
    with served.connect() as bare:
        bare.sendall(b"GET /stream.mjpg HTTP/1.0\r\nHost: localhost\r\n\r\n")  # 1.0: without chunks
        stream = b""
        while stream.count(b"--digitedge-frame") < 3:
            stream += bare.recv(65536)
    head, _, body = stream.partition(b"\r\n\r\n")
    assert b"multipart/x-mixed-replace; boundary=digitedge-frame" in head
    part = re.match(rb"--digitedge-frame\r\nContent-Type: image/jpeg\r\nContent-Length: (\d+)\r\n\r\n", body)
    assert part is not None
    jpeg = body[part.end() : part.end() + int(part[1])]
    assert (jpeg[:2], jpeg[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert body[part.end() + int(part[1]) :].startswith(b"\r\n--digitedge-frame\r\n")


def test_the_end_comes_within_a_second_whatever_viewers_do(serve) -> None:
    with serve() as served:
        viewers = [Viewer(served, path) for path in ("/stream.mjpg", "/api/events") * 5]
        for viewer in viewers:
            viewer.start()
        stuck = [served.connect(receive_buffer=4096) for _ in range(3)]
        for bare in stuck:
            bare.sendall(b"GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        half = served.connect()
        half.sendall(b"POST /api/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
        served.wait_for(lambda: all(viewer.bytes > 500 for viewer in viewers))
        time.sleep(1.5)
        started = time.monotonic()
        served.page.__exit__(None, None, None)
        assert time.monotonic() - started < MOST_SECONDS_TO_END
        for viewer in viewers:
            viewer.join(2)
            assert viewer.is_over
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", served.port))
        for bare in (*stuck, half):
            bare.close()


def test_the_same_port_can_be_served_again_at_once(serve) -> None:
    with serve() as served:
        viewer = Viewer(served)
        viewer.start()
        served.wait_for(lambda: viewer.images > 1)
    with serve(port=served.port) as again:
        again.wait_for(lambda: again.get("/healthz").status_code == 200)
