"""A live page for tests: a camera that the test controls, the released model, a server on a free port."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from digitedge import CameraError, Classifier, Reader
from digitedge.camera import CropSink, Source, run
from digitedge.utils.opencv import cv2
from digitedge.web import Address, WebSink


def draw_sevens(count: int) -> NDArray[np.uint8]:
    """A light page with handwritten sevens: uint8 (240, 320, 3)."""
    page = np.full((240, 320, 3), 215, np.uint8)
    for number in range(count):
        left = 40 + 80 * number
        stroke = np.array([(left, 80), (left + 36, 80), (left + 12, 150)])
        cv2.polylines(page, [stroke], False, (40, 40, 40), 6, cv2.LINE_AA)
    return page


class FakeCamera(Source):
    """A camera that shows as many sevens as the test sets, and can be unplugged."""

    live = True

    def __init__(self, digits: int = 2, *, is_plugged_in: bool = True) -> None:
        super().__init__("desk")
        self.digits = digits
        self.is_plugged_in = is_plugged_in
        self.is_stopped = False

    def _frames(self) -> Iterator[NDArray[np.uint8]]:
        while not self.is_stopped:
            while not self.is_plugged_in and not self.time and not self.is_stopped:
                time.sleep(0.01)  # before the first frame
            if not self.is_plugged_in:
                raise CameraError("desk: unplugged")
            self._stamp()
            yield draw_sevens(self.digits)
            time.sleep(0.05)


class ServedPage:
    """A page, its camera and its reader, with helpers for requests."""

    def __init__(self, sink: WebSink, camera: FakeCamera, reader: Reader) -> None:
        self.sink = sink
        self.camera = camera
        self.reader = reader
        self.port = sink.address.port
        self.base = f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.base + path, **options)

    def connect(self, *, receive_buffer: int | None = None, address: str | None = None) -> socket.socket:
        connection = socket.socket()
        if address:
            connection.bind((address, 0))
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(15)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def send(self, request: bytes, *, address: str | None = None) -> bytes:
        """Send raw bytes, from an address; return everything until the server closes the connection."""
        received = b""
        with self.connect(address=address) as connection:
            connection.sendall(request)
            try:
                while part := connection.recv(65536):
                    received += part
            except ConnectionResetError:
                pass
        return received

    def wait_until_live(self) -> None:
        self.wait_for(lambda: self.get("/healthz").status_code == 200)

    @staticmethod
    def wait_for(condition: Callable[[], object], *, limit_s: float = 10.0) -> None:
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, f"the condition did not hold within {limit_s} s"
            time.sleep(0.02)


@cache
def _classifier() -> Classifier:
    return Reader().classifier


@contextmanager
def serve_page(
    *,
    digits: int = 2,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    is_plugged_in: bool = True,
    crops: CropSink | None = None,
) -> Iterator[ServedPage]:
    """Serve a page of a fake camera until the block ends; `crops` saves its rows, too."""
    camera = FakeCamera(digits, is_plugged_in=is_plugged_in)
    reader = Reader(_classifier())
    with crops or nullcontext(), WebSink(Address(port, host), reader, crops=crops, token=token) as sink:
        sinks = [sink] if crops is None else [sink, crops]
        loop = threading.Thread(target=run, args=(camera, reader, sinks), daemon=True)
        loop.start()
        try:
            yield ServedPage(sink, camera, reader)
        finally:
            camera.is_stopped = camera.is_plugged_in = True
            loop.join(5)
