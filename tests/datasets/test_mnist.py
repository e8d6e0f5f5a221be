import gzip
import shutil
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitedge.datasets.mnist import SHA256, cache_folder, download_mnist, find_mnist, load_mnist
from digitedge.errors import DataError

IMAGES, LABELS, TEST_IMAGES, TEST_LABELS = SHA256
Serve = Callable[[Path], str]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a web server for a folder, and return its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without MNIST."""
    monkeypatch.delenv("DIGITEDGE_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    return tmp_path / "home"


@pytest.fixture
def copy(mnist: Path, tmp_path: Path) -> Path:
    """The real files, unpacked, for a test to damage."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name in SHA256:
        packed = mnist / f"{name}.gz"
        content = gzip.decompress(packed.read_bytes()) if packed.exists() else (mnist / name).read_bytes()
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def mirror(copy: Path, tmp_path: Path) -> Path:
    """The real files, packed, as a mirror has them."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name in SHA256:
        (folder / f"{name}.gz").write_bytes(gzip.compress((copy / name).read_bytes(), 1))
    return folder


def test_mnist_has_its_shapes_and_first_labels(mnist: Path) -> None:
    x_train, y_train, x_test, y_test = load_mnist(mnist)
    assert [a.shape for a in (x_train, y_train, x_test, y_test)] == [
        (60000, 28, 28),
        (60000,),
        (10000, 28, 28),
        (10000,),
    ]
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert list(y_train[:6]) == [5, 0, 4, 1, 9, 2]


def test_every_packing_has_the_same_arrays(mnist: Path, copy: Path, tmp_path: Path) -> None:
    data = load_mnist(mnist)
    np.savez_compressed(tmp_path / "mnist.npz", x_train=data[0], y_train=data[1], x_test=data[2], y_test=data[3])
    assert load_mnist(copy).sha256 == load_mnist(tmp_path / "mnist.npz").sha256 == data.sha256
    (copy / IMAGES).rename(copy / "train-images.idx3-ubyte")  # as some mirrors spell it
    assert load_mnist(copy).sha256 == data.sha256


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:-1000], "truncated"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "the right size but other content"),
        (lambda content: content + b"more", "another data set"),
        (lambda content: b"", "truncated"),
        (lambda content: gzip.compress(content)[:-2000], "cannot be unpacked"),
    ],
    ids=["truncated", "tampered", "longer", "empty", "truncated gzip"],
)
def test_a_damaged_file_is_named_with_advice(copy: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    path = copy / TEST_LABELS
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=rf"(?s){TEST_LABELS}: expected .*{message}.*digitedge data get"):
        load_mnist(copy)


def test_swapped_files_are_recognized(copy: Path) -> None:
    (copy / IMAGES).rename(copy / "kept")
    (copy / TEST_IMAGES).rename(copy / IMAGES)
    (copy / "kept").rename(copy / TEST_IMAGES)
    with pytest.raises(DataError, match=f"the content of {TEST_IMAGES}: the files are swapped"):
        load_mnist(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / LABELS).unlink()
    with pytest.raises(DataError, match=f"no file {LABELS}"):
        load_mnist(copy)


def test_an_npz_with_other_arrays_is_refused(tmp_path: Path) -> None:
    image = np.zeros((6, 28, 28), np.uint8)
    label = np.zeros(6, np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=image, y_train=label, x_test=image, y_test=label)
    with pytest.raises(DataError, match=r"another data set|truncated"):
        load_mnist(tmp_path)
    np.savez(tmp_path / "mnist.npz", a=image)
    with pytest.raises(DataError, match="expected arrays x_train, y_train, x_test, y_test, got a"):
        load_mnist(tmp_path)
    np.savez(tmp_path / "mnist.npz", x_train=image / 255, y_train=label, x_test=image, y_test=label)
    with pytest.raises(DataError, match="expected x_train of uint8, got float64"):
        load_mnist(tmp_path)


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 and no more"])
def test_an_npz_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mnist.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"mnist\.npz: expected an npz file of arrays"):
        load_mnist(tmp_path / "mnist.npz")


def test_a_given_folder_without_mnist_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"no MNIST at .* \(--data\)"):
        load_mnist(tmp_path / "nowhere")
    monkeypatch.setenv("DIGITEDGE_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"no MNIST at .* \(\$DIGITEDGE_DATA\)"):
        find_mnist()


def test_the_caches_are_searched_in_order(empty_home: Path) -> None:
    assert find_mnist() is None
    keras = empty_home / ".keras" / "datasets"
    keras.mkdir(parents=True)
    (keras / "mnist.npz").touch()
    assert find_mnist() == keras
    cache_folder().mkdir(parents=True)
    (cache_folder() / f"{IMAGES}.gz").touch()
    assert find_mnist() == keras  # an interrupted download does not count
    for name in SHA256:
        (cache_folder() / f"{name}.gz").touch()
    assert find_mnist() == cache_folder()


def test_only_missing_and_damaged_files_are_downloaded(mirror: Path, serve: Serve, empty_home: Path) -> None:
    cache_folder().mkdir(parents=True)
    shutil.move(mirror / f"{IMAGES}.gz", cache_folder())  # a request for it would fail
    (cache_folder() / f"{LABELS}.gz").write_bytes(b"damaged")
    download_mnist(cache_folder(), mirrors=(serve(mirror),))
    assert load_mnist().y_train.shape == (60000,)


def test_the_mirrors_are_tried_in_order(mirror: Path, tmp_path: Path, serve: Serve, empty_home: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in SHA256:
        (broken / f"{name}.gz").write_bytes(gzip.compress(b"another file"))
    folder = download_mnist(cache_folder(), mirrors=("http://127.0.0.1:9", serve(broken), serve(mirror)))
    assert find_mnist() == folder
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.gz" for name in SHA256)
    assert load_mnist().x_test.shape == (10000, 28, 28)


def test_a_download_with_other_content_leaves_no_file(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(b"a captive portal"))
    target = tmp_path / "cache"
    with pytest.raises(
        DataError, match=r"cannot download MNIST .*truncated.*File not found.*--data synthetic"
    ) as caught:
        download_mnist(target, mirrors=(serve(tmp_path), serve(tmp_path / "nowhere")))
    assert "\n" not in str(caught.value)
    assert list(target.iterdir()) == []


class TruncatingHandler(QuietHandler):
    """Breaks the connection in the middle of a file."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        outputfile.write(source.read(1000))


def test_a_broken_connection_leaves_no_file(mirror: Path, tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(TruncatingHandler, directory=str(mirror)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.raises(DataError, match="cannot be unpacked"):
        download_mnist(tmp_path / "cache", mirrors=(f"http://127.0.0.1:{server.server_port}",))
    server.shutdown()
    server.server_close()
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_file_of_the_user_is_never_to_be_deleted(tmp_path: Path) -> None:
    np.savez(tmp_path / "my.npz", x=np.zeros((2, 28, 28), np.uint8), y=np.arange(2))
    (tmp_path / "train.csv").write_text("label,pixel0\n")
    for name in ("my.npz", "train.csv"):
        with pytest.raises(DataError, match="Digits of your own") as caught:
            load_mnist(tmp_path / name)
        assert "Delete" not in str(caught.value)


class EndlessHandler(QuietHandler):
    """Sends without end, as fast as it can."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(bytes(1 << 16))


class DrippingHandler(QuietHandler):
    """Sends a byte, waits, and sends another: in its header, or after it."""

    in_header = False

    def do_GET(self) -> None:
        start = b"HTTP/1.0 200 OK\r\nX-Header: " if self.in_header else b"HTTP/1.0 200 OK\r\n\r\n\x1f\x8b"
        with suppress(OSError):
            self.wfile.write(start)
            for _ in range(50):
                time.sleep(0.1)
                self.wfile.write(b"x")


class HeaderDrippingHandler(DrippingHandler):
    in_header = True


@pytest.fixture
def hostile() -> Iterator[Callable[[type[QuietHandler]], str]]:
    """Start a mirror of one class, and return its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(handler: type[QuietHandler]) -> str:
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_mirror_that_sends_without_end_is_given_up(
    hostile: Callable[[type[QuietHandler]], str], tmp_path: Path
) -> None:
    target = tmp_path / "cache"
    with pytest.raises(DataError, match=r"expected at most 47,105,552 bytes, got more"):
        download_mnist(target, mirrors=(hostile(EndlessHandler),))
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("handler", [DrippingHandler, HeaderDrippingHandler], ids=["body", "header"])
def test_a_mirror_of_a_few_bytes_a_second_is_given_up_for_the_next(
    hostile: Callable[[type[QuietHandler]], str], serve: Serve, tmp_path: Path, handler: type[QuietHandler]
) -> None:
    slow, target = hostile(handler), tmp_path / "cache"
    started = time.monotonic()
    too_slow = rf"{slow}/{IMAGES}\.gz: expected at least 10,000 bytes a second, got \d+ in \d+ s; .*File not found"
    with pytest.raises(DataError, match=too_slow):
        download_mnist(target, mirrors=(slow, serve(tmp_path)), grace_s=0.3)
    assert time.monotonic() - started < 3
    assert list(target.iterdir()) == []


def test_a_small_gzip_of_zeros_is_not_unpacked_to_its_end(tmp_path: Path) -> None:
    for name in SHA256:
        (tmp_path / f"{name}.gz").touch()
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(bytes(1_000_000), 1) * 200)
    tracemalloc.start()
    with pytest.raises(DataError, match="47040017 bytes instead of 47040016: another data set"):
        load_mnist(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150e6
