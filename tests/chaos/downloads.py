"""Let servers fail in every manner while `digitedge update` and the download of MNIST read from them.

A web server in this process treats one request of each run badly, or all from one on. An update must install the new
version or leave the old one, whole; a download must give the file, from the next mirror if need be, or leave none. Each
is refused with one line, in time, and leaves nothing behind. After each fault the same command must work.

    python -m chaos.downloads --updates 60 --files 40 --seed 3

Prints one JSON object; exits with 1 outside the mark. MNIST is needed: $DIGITEDGE_DATA, else `digitedge data get`.
"""

import argparse
import gzip
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

from chaos.trial import DIGITEDGE, Tally, hash_files, run_command, shuffled
from signing import ROOT, Maker, copy_bundle, make_key, sign

from digitedge.bundle.bundle import load_bundle
from digitedge.bundle.versions import read_state
from digitedge.datasets.dataset import idx_bytes
from digitedge.datasets.mnist import SHA256, load_mnist

CNN = ROOT / "export" / "cnn"
# For all downloads of an update, in seconds; and what it does before and after them, beside other work.
TIMEOUT_S = 4.0
GRACE_S = 2.0
WORK_S = 20.0
# Calls the download of `digitedge data get` with mirrors of our own.
GET = """
import sys
from pathlib import Path
from digitedge.cli.report_error import report_error
from digitedge.datasets.mnist import download_mnist
try:
    download_mnist(Path(sys.argv[1]), mirrors=tuple(sys.argv[3:]), grace_s=float(sys.argv[2]))
except Exception as exc:
    report_error(exc)
    sys.exit(1)
"""


class Handler(SimpleHTTPRequestHandler):
    """Serves files, until it is to fail."""

    server: "Server"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        number = self.server.count()
        self.close_connection = True
        with suppress(OSError):
            if self.server.fails(number):
                FAULTS[self.server.fault](self)
            else:
                super().do_GET()

    def content(self) -> bytes:
        """The file that is asked for."""
        path = Path(self.translate_path(self.path))
        return path.read_bytes() if path.is_file() else b""

    def send(self, body: bytes, *, status: str = "200 OK", length: int | None = None) -> None:
        """Send an answer that may state another length than it has."""
        stated = len(body) if length is None else length
        self.wfile.write(f"HTTP/1.1 {status}\r\nContent-Length: {stated}\r\n\r\n".encode() + body)

    def send_part(self, *, then_waits: bool) -> None:
        content = self.content()
        self.send(content[: len(content) // 2], length=len(content))
        if then_waits:
            self.wait()

    def wait(self) -> None:
        self.connection.settimeout(60)
        self.connection.recv(1)

    def drip(self, head: bytes) -> None:
        """Send a byte now and then, without end."""
        self.wfile.write(head)
        while True:
            self.wfile.write(b"x")
            time.sleep(0.05)

    def flood(self) -> None:
        """Send without end."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            self.wfile.write(bytes(1 << 16))

    def change(self) -> None:
        content = bytearray(self.content() or b"x")
        content[len(content) // 2] ^= 1
        self.send(bytes(content))


FAULTS: dict[str, Callable[[Handler], Any]] = {
    "closes": lambda handler: None,
    "says nothing": Handler.wait,
    "header drips": lambda handler: handler.drip(b"HTTP/1.1 200 OK\r\nX: "),
    "body drips": lambda handler: handler.drip(b"HTTP/1.1 200 OK\r\n\r\n"),
    "drops in the middle": lambda handler: handler.send_part(then_waits=False),
    "stalls in the middle": lambda handler: handler.send_part(then_waits=True),
    "sends without end": Handler.flood,
    "states 1 TB": lambda handler: handler.send(handler.content(), length=10**12),
    "states -1 bytes": lambda handler: handler.send(handler.content(), length=-1),
    "sends more than the file": lambda handler: handler.send(handler.content() + b"x" * 100_000),
    "one bit changed": Handler.change,
    "garbage": lambda handler: handler.wfile.write(os.urandom(10_000)),
    "garbage as the file": lambda handler: handler.send(os.urandom(10_000)),
    "nothing as the file": lambda handler: handler.send(b""),
    "404": lambda handler: handler.send(b"", status="404 Not Found"),
    "500": lambda handler: handler.send(b"\x1b[31m", status="500 \x1b[31m"),
    "login page": lambda handler: handler.send(b"<html>Log in", status="200 OK"),
    "redirects without end": lambda handler: handler.send(b"", status="302 Found\r\nLocation: /again"),
    "redirects to a file": lambda handler: handler.send(b"", status="302 Found\r\nLocation: file:///etc/passwd"),
}


class Server(ThreadingHTTPServer):
    """A web server that fails from a request on, or at this one only."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self._lock = threading.Lock()
        self.set(None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def set(self, fault: str | None, *, at: int = 0, once: bool = True) -> None:
        """Choose a fault, and count requests from 0 again; None: serve."""
        self.fault, self.at, self.once, self.requests = fault or "", at, once, 0

    def count(self) -> int:
        """The number of a request."""
        with self._lock:
            self.requests += 1
            return self.requests - 1

    def fails(self, number: int) -> bool:
        """Whether a request is treated badly."""
        return bool(self.fault) and (number == self.at if self.once else number >= self.at)

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no error."""


@contextmanager
def serve(folder: Path) -> Iterator[Server]:
    """Serve a folder while a block runs."""
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def try_updates(folder: Path, count: int, rng: random.Random, tally: Tally) -> None:
    """Let updates of a device fail."""
    os.environ["DIGITEDGE_CONFIG"] = str(folder / "config")
    key = make_key(folder, "maker", trusted=True)
    maker = Maker(key, sign(copy_bundle(folder / "small"), key), folder / "repository")
    # In turn, because files that the current version has too are not downloaded.
    bundles = cycle([maker.bundle, sign(copy_bundle(folder / "cnn", CNN), key)])
    maker.publish(next(bundles))
    device = folder / "device"
    with serve(maker.repository) as server:
        update = [*DIGITEDGE, "update", server.url, "--to", device, "--timeout", str(TIMEOUT_S)]
        first = run_command([*update, "--root", maker.root])
        if first.code:
            raise SystemExit(f"the first update failed: {first.errors}")
        requests = server.requests
        maker.publish(next(bundles))
        before = read_state(device).current
        for fault in shuffled(list(FAULTS), count, rng):
            server.set(fault, at=rng.randrange(requests), once=rng.random() < 0.5)
            ended = run_command(update, limit_s=TIMEOUT_S + WORK_S)
            tally.maximum("update_s", ended.seconds)
            trial = f"update: {fault} at request {server.at}"
            after = read_state(device).current
            problems = ended.problems
            expected = {0: before + 1, 1: before}.get(1 if ended.code is None else ended.code)
            if after != expected:
                problems.append(f"version {after} with exit code {ended.code}, before {before}")
            problems += look_at(device)
            if ended.code != 0:
                server.set(None)
                again = run_command(update)
                problems += again.problems + look_at(device)
                if (again.code, read_state(device).current) != (0, before + 1):
                    problems.append(f"the next update failed: {again.errors[-300:]}")
            tally.add(trial, "update installed" if ended.code == 0 else "update refused, next one installed", problems)
            before = read_state(device).current
            maker.publish(next(bundles))


def look_at(device: Path) -> list[str]:
    """Check that the current version is whole, and that no draft is left."""
    load_bundle(device)
    state = read_state(device)
    kept = {str(state.current), str(state.previous)}
    left = [path.name for path in (device / "versions").iterdir() if path.name not in kept]
    left += [path.name for path in device.iterdir() if path.name.startswith(".") and path.name != ".lock"]
    left += [path.name for path in (device / "tuf").iterdir() if path.name.startswith("tmp")]
    return [f"left behind: {left}"] if left else []


def try_files(folder: Path, count: int, rng: random.Random, tally: Tally) -> None:
    """Let downloads of MNIST fail, with one mirror or two."""
    source, cache = folder / "mnist", folder / "cache"
    source.mkdir()
    for name, array in zip(SHA256, load_mnist(), strict=True):
        (source / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array), 1))
    shutil.copytree(source, cache)
    whole = hash_files(cache)
    with serve(source) as bad, serve(source) as good:
        for fault in shuffled(list(FAULTS), count, rng):
            missing, has_second = rng.choice(list(whole)), rng.random() < 0.5
            (cache / missing).unlink()
            bad.set(fault, once=False)
            command = [sys.executable, "-c", GET, cache, str(GRACE_S), bad.url, *([good.url] if has_second else [])]
            ended = run_command(command, limit_s=GRACE_S + WORK_S)
            tally.maximum("file_s", ended.seconds)
            problems = ended.problems
            found = hash_files(cache)
            expected = whole if ended.code == 0 else {name: digest for name, digest in whole.items() if name != missing}
            if found != expected:
                problems.append(f"files with exit code {ended.code}: {sorted(found)}")
            if has_second and ended.code != 0:
                problems.append("the second mirror was not used")
            outcome = "file refused" if ended.code else f"file from the {'second' if has_second else 'first'} mirror"
            tally.add(f"file: {fault}", outcome, problems)
            shutil.copyfile(source / missing, cache / missing)


def main() -> int:
    """Fail, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=2 * len(FAULTS))
    parser.add_argument("--files", type=int, default=2 * len(FAULTS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    tally = Tally("downloads", options.seed)
    with tempfile.TemporaryDirectory(prefix="digitedge-downloads-") as name:
        try_updates(Path(name), options.updates, rng, tally)
        try_files(Path(name), options.files, rng, tally)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
