"""A page that is really served: a camera that the test moves, the released net, a server on a free port."""

import importlib.util
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import httpx
import numpy as np
import pytest

from digitedge import CameraError, Classifier, Reader
from digitedge.camera import Source, run
from digitedge.utils.opencv import cv2
from digitedge.web import Address, WebPage

# The page's tests want digitedge[web]; an edge install runs the rest.
collect_ignore_glob = [] if all(map(importlib.util.find_spec, ("starlette", "uvicorn"))) else ["test_*.py"]


def draw_page(digits: int) -> np.ndarray:
    """A light page with so many handwritten sevens: uint8 (240, 320, 3)."""
    page = np.full((240, 320, 3), 215, np.uint8)
    for number in range(digits):
        left = 40 + 80 * number
        stroke = np.array([(left, 80), (left + 36, 80), (left + 12, 150)])
        cv2.polylines(page, [stroke], False, (40, 40, 40), 6, cv2.LINE_AA)
    return page


class Desk(Source):
    """A camera over a desk, on which the test puts digits, and of which it pulls the plug."""

    live = True

    def __init__(self, digits: int = 2, *, is_plugged_in: bool = True) -> None:
        super().__init__("desk")
        self.digits = digits
        self.is_plugged_in = is_plugged_in
        self.is_over = False

    def _frames(self):
        while not self.is_over:
            while not self.is_plugged_in and not self.time and not self.is_over:
                time.sleep(0.01)  # it has not begun
            if not self.is_plugged_in:
                raise CameraError("desk: unplugged")
            self._stamp()
            yield draw_page(self.digits)
            time.sleep(0.05)


class Served:
    """A page in front of a desk."""

    def __init__(self, page: WebPage, desk: Desk, reader: Reader) -> None:
        self.page = page
        self.desk = desk
        self.reader = reader
        self.port = page.address.port
        self.base = f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options) -> httpx.Response:
        return httpx.get(self.base + path, **options)

    def connect(self, *, receive_buffer: int | None = None) -> socket.socket:
        bare = socket.socket()
        if receive_buffer:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        bare.settimeout(15)
        bare.connect(("127.0.0.1", self.port))
        return bare

    def send(self, request: bytes) -> bytes:
        """Send bytes as they are; everything that comes back until the end."""
        with self.connect() as bare:
            bare.sendall(request)
            return self.read_all(bare)

    @staticmethod
    def read_all(bare: socket.socket) -> bytes:
        pieces = []
        try:
            while piece := bare.recv(65536):
                pieces.append(piece)
        except ConnectionResetError:
            pass
        return b"".join(pieces)

    @staticmethod
    def wait_for(holds: Callable[[], bool], *, limit_s: float = 10.0) -> None:
        end = time.monotonic() + limit_s
        while not holds():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)


@cache
def _classifier() -> Classifier:
    return Reader().classifier


@contextmanager
def serve_desk(
    *, digits: int = 2, host: str = "127.0.0.1", port: int = 0, token: str | None = None, is_plugged_in: bool = True
) -> Iterator[Served]:
    desk = Desk(digits, is_plugged_in=is_plugged_in)
    reader = Reader.of(_classifier())
    with WebPage(Address(port, host), reader, token=token) as page:
        loop = threading.Thread(target=run, args=(desk, reader, [page]), daemon=True)
        loop.start()
        try:
            yield Served(page, desk, reader)
        finally:
            desk.is_over = desk.is_plugged_in = True
            loop.join(5)


@pytest.fixture(scope="session")
def serve():
    """Serve a page of its own: a context manager."""
    return serve_desk


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One page for the tests of a file that leave it as it is."""
    with serve_desk() as served:
        served.wait_for(lambda: served.get("/healthz").status_code == 200)
        yield served
