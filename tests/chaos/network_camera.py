"""A network camera that misbehaves on demand: an MJPEG server in a process of its own.

Started as a program, it serves on a port and takes a mode a line on stdin, each answered on stdout. A connection that
was treated badly stays so; those made in a later mode are not. What it shows when it is live is a number that changes
every NUMBER_S.
"""

import contextlib
import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from processes import start

NUMBERS = ("2026", "51", "907", "43", "816")
NUMBER_S = 2.0
FRAME_S = 1 / 15
LIVE, DROP, CRASH = "live", "closes after an image", "is killed"


def draw_number(text: str) -> bytes:
    """Draw a page with a number, as a JPEG file."""
    from drawn_page import DrawnPage

    from digitedge.utils.opencv import cv2

    page = DrawnPage(320, 240).write(text, (40, 140), 50)
    return cv2.imencode(".jpg", page.grey)[1].tobytes()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers each request in the mode of its time."""

    server: "Server"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):
            mode = self.server.mode
            if mode in (LIVE, DROP, *IN_STREAM):
                self._stream()
            else:
                BEFORE_STREAM[mode](self)
        self.close_connection = True

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        while True:
            mode = self.server.mode
            if mode in BEFORE_STREAM:
                return
            if mode == DROP:
                self.send_image(self.server.image())
                return
            if mode in IN_STREAM:
                IN_STREAM[mode](self)
            else:
                self.send_image(self.server.image())
            time.sleep(FRAME_S)

    def send_image(self, jpeg: bytes, share: float = 1.0) -> None:
        """Send an image or only its beginning."""
        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
        self.wfile.write(jpeg[: round(share * len(jpeg))] + b"\r\n")

    def repeat(self, data: Callable[[], bytes], pause_s: float) -> None:
        """Send without end, whatever the mode is by then."""
        while True:
            self.wfile.write(data())
            time.sleep(pause_s)

    def wait(self) -> None:
        """Send nothing, whatever the mode is by then."""
        self.connection.settimeout(300)
        self.connection.recv(1)

    def pause(self) -> None:
        """Send nothing until the mode has changed, then go on."""
        while self.server.mode == "pause":
            time.sleep(FRAME_S)

    def send_halves(self) -> None:
        self.send_image(self.server.image(), 0.5)

    def stop_in_image(self) -> None:
        self.send_image(self.server.image(), 0.5)
        self.wait()

    def send_giant(self) -> None:
        """Send an image whose header states 60,000 pixels a side."""
        jpeg = self.server.image()
        size = jpeg.index(b"\xff\xc0") + 5
        self.send_image(jpeg[:size] + b"\xea\x60\xea\x60" + jpeg[size + 4 :])

    def send_endless_image(self) -> None:
        jpeg = self.server.image()
        self.wfile.write(jpeg[: len(jpeg) // 2])
        self.repeat(lambda: bytes(1 << 16), 0.01)

    def answer(self, status: int, content_type: str, body: bytes = b"<p>Log in", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        """Send a header line without end, byte by byte."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        self.repeat(lambda: b"x", 0.05)


# What happens to connections that exist, and to new ones after their header.
IN_STREAM: dict[str, Callable[[Handler], Any]] = {
    "stalls": Handler.wait,
    "pause": Handler.pause,
    "stops within an image": Handler.stop_in_image,
    "halves of images": Handler.send_halves,
    "garbage": lambda handler: handler.repeat(lambda: os.urandom(1 << 16), 0.05),
    "drips": lambda handler: handler.repeat(lambda: b"-", 0.05),
    "image without end": Handler.send_endless_image,
    "image of 60,000 pixels a side": Handler.send_giant,
}
# What new connections get; those that exist are closed.
BEFORE_STREAM: dict[str, Callable[[Handler], Any]] = {
    "closes": lambda handler: None,
    "answers nothing": Handler.wait,
    "answers garbage": lambda handler: handler.wfile.write(os.urandom(4000)),
    "header drips": Handler.drip,
    "500": lambda handler: handler.answer(500, "text/plain"),
    "login page": lambda handler: handler.answer(200, "text/html"),
    "redirects without end": lambda handler: handler.answer(302, "text/plain", Location="/again"),
    "no image in it": lambda handler: handler.answer(200, "image/jpeg", b"\xff\xd8" + bytes(500)),
}
FAULTS = (CRASH, DROP, *IN_STREAM, *BEFORE_STREAM)


class Server(http.server.ThreadingHTTPServer):
    """The server and its mode."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.mode = LIVE
        self._images = [draw_number(number) for number in NUMBERS]

    def image(self) -> bytes:
        """The image of now."""
        return self._images[int(time.monotonic() / NUMBER_S) % len(self._images)]


class NetworkCamera:
    """Its process, as seen from a test."""

    def __init__(self) -> None:
        self._running = contextlib.ExitStack()
        self.port = 0
        self._start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def set(self, mode: str) -> None:
        """Change the mode; CRASH kills the process, and the next mode starts it again."""
        if mode == CRASH:
            self._running.close()
        elif self._process.poll() is not None:
            self._start()
        if mode not in (CRASH, LIVE) or self._process.poll() is None:
            self._ask(mode)

    def _start(self) -> None:
        command = [sys.executable, "-m", "chaos.network_camera", str(self.port)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = self._running.enter_context(start(command, **pipes))
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def _ask(self, mode: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{mode}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def close(self) -> None:
        """Kill it."""
        self._running.close()


@contextmanager
def network_camera() -> Iterator[NetworkCamera]:
    """Run a network camera while the block runs."""
    camera = NetworkCamera()
    try:
        yield camera
    finally:
        camera.close()


def main() -> None:
    server = Server(int(sys.argv[1]))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    print(server.server_port, flush=True)
    for line in sys.stdin:
        server.mode = line.strip()
        print("done", flush=True)


if __name__ == "__main__":
    main()
