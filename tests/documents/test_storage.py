"""Documents behind addresses: a local S3 server, a local web server and fsspec's own memory."""

import importlib.util
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_documents import page_image, scan_pdf, write_tiff

from digitedge.documents import count_pages, read_pages
from digitedge.documents.archives import read_archive
from digitedge.documents.kinds import Kind
from digitedge.documents.listing import find_documents, walk_documents
from digitedge.documents.storage import open_document, shown_name
from digitedge.errors import CameraError, ErrorKind, PageError
from digitedge.utils.opencv import encode_image

fsspec = pytest.importorskip("fsspec", reason="wants fsspec")
needs_pdf = pytest.mark.skipif(not importlib.util.find_spec("pypdfium2"), reason="wants the extra pdf")
PNG = encode_image(page_image(7), ".png")


def failure(address: str) -> PageError:
    (page,) = read_pages(address)
    with pytest.raises(PageError) as caught:
        page.load()
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Any]:
    """fsspec's memory with some documents."""
    storage = fsspec.filesystem("memory")
    write_tiff(tmp_path / "a.tif", [page_image(1), page_image(2)])
    for name in ("in/9.png", "in/10.png", "in/sub/7.png", "in/.hidden/a.png", "in/notes.txt"):
        storage.pipe_file(f"/{name}", PNG)
    storage.pipe_file("/in/sub/a.tif", (tmp_path / "a.tif").read_bytes())
    yield storage
    storage.rm("/in", recursive=True)


def test_documents_of_an_address_are_read_and_found(memory: Any) -> None:
    (page,) = read_pages("memory://in/9.png")
    assert page.source == "memory://in/9.png"
    np.testing.assert_array_equal(page.load(), page_image(7))
    assert count_pages("memory://in/sub/a.tif") == 2
    expected = ["memory://in/10.png", "memory://in/9.png", "memory://in/sub/7.png", "memory://in/sub/a.tif"]
    for folder in ("memory://in", "memory://in/"):
        found = list(walk_documents([folder]))
        assert sorted(document.source for document in found) == expected
        assert all(document.size > 100 and document.modified > 10**18 for document in found)
    assert find_documents(["memory://in"]) == ["memory://in/9.png", "memory://in/10.png"]
    assert sorted(find_documents(["memory://in/**/*.tif", "memory://in/notes.txt"])) == [
        "memory://in/notes.txt",
        "memory://in/sub/a.tif",
    ]
    for document in walk_documents(["memory://in"]):
        assert next(read_pages(document.source)).load().shape == (240, 320, 3)


@pytest.mark.parametrize("address", ["memory://none", "memory://none/*.png", "nosuch://a/b.png"])
def test_an_address_without_documents_is_an_error(memory: Any, address: str) -> None:
    with pytest.raises(CameraError, match=address.replace("*", r"\*")):
        list(walk_documents([address]))
    if "*" not in address:
        assert failure(address).kind in (ErrorKind.MISSING, ErrorKind.UNREACHABLE)


# A web server


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; with the query `key=right` only, and quietly."""

    def send_head(self) -> Any:
        if "key=" in self.path and "key=right" not in self.path:
            self.send_error(403, f"wrong key in {self.path}")
            return None
        return super().send_head()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """The address of a web server without ranges, with a.png."""
    pytest.importorskip("aiohttp", reason="wants aiohttp")
    (tmp_path / "a.png").write_bytes(PNG)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_web_server_is_read_and_its_query_is_not_shown(web: str) -> None:
    (page,) = read_pages(f"{web}/a.png?key=right")
    assert page.load().shape == (240, 320, 3)
    assert page.source == shown_name(f"{web}/a.png?key=right") and page.source.startswith(f"{web}/a.png?***#")
    assert find_documents([f"{web}/a.png?key=right"]) == [f"{web}/a.png?key=right"]
    assert failure(f"{web}/none.png").kind == ErrorKind.MISSING
    refused = failure(f"{web}/a.png?key=wrong-one")
    assert "wrong-one" not in str(refused) and f"{web}/a.png?***" in str(refused)


def test_addresses_that_differ_in_what_is_hidden_have_names_that_differ() -> None:
    pages = {shown_name(f"https://host/scan?page={page}") for page in range(100)}
    assert len(pages) == 100
    assert all(re.fullmatch(r"https://host/scan\?\*\*\*#[0-9a-f]{8}", page) for page in pages)
    assert shown_name("s3://anna:secret@bucket/a.pdf") == "s3://***@bucket/a.pdf"


def test_a_server_that_does_not_answer_is_an_error(web: str) -> None:
    assert failure("http://127.0.0.1:9/a.png").kind in (ErrorKind.UNREACHABLE, ErrorKind.MISSING)


# An S3 server


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A file system on a local S3 server with a bucket `scans`; the environment leads to it."""
    pytest.importorskip("s3fs", reason="wants s3fs")
    moto_server = pytest.importorskip("moto.server", reason="wants moto[server]")
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-key")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_CONFIG_FILE", os.devnull)
        fsspec.get_filesystem_class("s3").clear_instance_cache()  # of other tests, without this environment
        storage = fsspec.filesystem("s3", skip_instance_cache=True)
        storage.mkdir("scans")
        yield storage
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    server.stop()


@needs_pdf
def test_documents_in_a_bucket_are_read(s3: Any, tmp_path: Path) -> None:
    pdf = scan_pdf([page_image(number) for number in range(4)], dpi=100)
    with zipfile.ZipFile(tmp_path / "box.zip", "w") as archive:
        archive.writestr("a.png", PNG)
        archive.writestr("large.txt", os.urandom(20_000_000))
        archive.writestr("z.pdf", pdf)
    s3.pipe_file("scans/in/a.pdf", pdf)
    s3.pipe_file("scans/in/b/7.png", PNG)
    s3.put_file(str(tmp_path / "box.zip"), "scans/in/box.zip")
    found = {document.source: document for document in walk_documents(["s3://scans/in"])}
    assert sorted(found) == ["s3://scans/in/a.pdf", "s3://scans/in/b/7.png", "s3://scans/in/box.zip"]
    assert found["s3://scans/in/a.pdf"].size == len(pdf)
    assert found["s3://scans/in/a.pdf"].modified > 10**18
    assert {source: count_pages(source) for source in found} == dict(zip(sorted(found), [4, 1, 5], strict=True))
    pages = [page for source in sorted(found) for page in read_pages(source)]
    assert [page.load().shape for page in pages] == [(240, 320, 3)] * 10
    assert pages[-1].name == "s3://scans/in/box.zip/z.pdf page 4"
    assert failure("s3://scans/in/none.pdf").kind == ErrorKind.MISSING


def test_a_large_tiff_in_a_bucket_is_read(s3: Any, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(256, size=(2, 700, 1000, 3), dtype=np.uint8)
    write_tiff(tmp_path / "a.tif", list(noise))
    s3.put_file(str(tmp_path / "a.tif"), "scans/large.tif")
    for page, image in zip(read_pages("s3://scans/large.tif"), noise, strict=True):
        np.testing.assert_array_equal(page.load(), image)


@pytest.mark.slow
def test_a_large_archive_in_a_bucket_is_not_downloaded(s3: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "box.zip", "w") as archive:
        for name, content in (("a.bin", os.urandom(9_000_000)), ("b.png", PNG), ("c.bin", os.urandom(9_000_000))):
            archive.writestr(name, content)
    s3.put_file(str(tmp_path / "box.zip"), "scans/box.zip")
    with open_document("s3://scans/box.zip") as file:
        (member,) = read_archive(file, Kind.ZIP, name="box.zip")
        assert member.read() == PNG
        assert file.raw._file.cache.total_requested_bytes < 5_000_000  # type: ignore[attr-defined]


def test_a_storage_without_its_package_names_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['s3fs'] = None\n"
        "from digitedge.documents import read_pages\n"
        "next(read_pages('s3://user:secret@bucket/a.png')).load()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    expected = "cannot read s3://***@bucket/a.png: s3 addresses need s3fs. Run: pip install s3fs"
    assert expected in done.stderr.splitlines()[-1]


def test_a_bucket_without_access_is_one_error(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    error = failure("s3://none-such-bucket/a.png")
    assert error.kind in (ErrorKind.MISSING, ErrorKind.UNREACHABLE)
    assert "very-secret-key" not in str(error)
