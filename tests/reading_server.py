"""A server of readings for tests: real worker processes, the released model, a free port."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx

from digitedge.bundle.bundle import load_model
from digitedge.reader.reader_spec import ReaderSpec
from digitedge.web import Address
from digitedge.web.serve import ReadingServer, ServeLimits, UploadReader

LIMIT_S = 60.0


@cache
def spec() -> ReaderSpec:
    return ReaderSpec.of(load_model(None))


class Served:
    """A server, with helpers for requests."""

    def __init__(self, server: ReadingServer) -> None:
        self.server = server
        self.port = server.address.port
        self.base = f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.base + path, timeout=LIMIT_S, **options)

    def read(self, content: Any = None, query: str = "", **options: Any) -> httpx.Response:
        return httpx.post(f"{self.base}/v1/read{query}", content=content, timeout=LIMIT_S, **options)

    def metric(self, name: str) -> float:
        line = next(line for line in self.get("/metrics").text.splitlines() if line.startswith(f"{name} "))
        return float(line.split()[-1])

    def connect(self, data: bytes) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)
        client.sendall(data)
        return client

    def wait_until_ready(self) -> None:
        end = time.monotonic() + LIMIT_S
        while self.get("/healthz").status_code != 200:
            assert time.monotonic() < end, "no worker is ready"
            time.sleep(0.05)


@contextmanager
def serve(
    *, workers: int = 1, host: str = "127.0.0.1", token: str | None = None, reader: Any = None, **limits: Any
) -> Iterator[Served]:
    """Serve until the block ends; `limits` are those of `ServeLimits`."""
    reader = reader or UploadReader(spec(), limits=ServeLimits(**limits))
    with ReadingServer(Address(0, host), reader, workers=workers, token=token) as server:
        served = Served(server)
        served.wait_until_ready()
        yield served
