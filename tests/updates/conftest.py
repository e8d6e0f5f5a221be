"""Shared by the tests of updates: a maker with keys, a repository, and a web server that serves it."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from signing import Maker, copy_bundle, make_key, sign

from digitedge.bundle.trusted_keys import add_trusted


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what each test gets a copy of: a key, a bundle that it has signed, a repository with version 1."""
    folder = tmp_path_factory.mktemp("maker")
    key = make_key(folder, "maker")
    Maker(key, sign(copy_bundle(folder / "bundle"), key), folder / "repository").publish()
    return folder


@pytest.fixture
def maker(template: Path, tmp_path: Path, settings: Path) -> Maker:
    """A maker whose key is trusted, and who has published nothing yet."""
    for name in ("maker.key", "maker.pub"):
        shutil.copy(template / name, tmp_path / name)
    shutil.copytree(template / "bundle", tmp_path / "bundle")
    add_trusted(tmp_path / "maker.pub")
    return Maker(tmp_path / "maker.key", tmp_path / "bundle", tmp_path / "repository")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _serve(handler: Callable[..., Any]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def serve() -> Callable[..., Any]:
    """Serve a folder, or what a request handler answers, while a block runs; gives the address."""

    def start(folder: Path | None = None, handler: type[SimpleHTTPRequestHandler] = Quiet) -> Any:
        return _serve(partial(handler, directory=str(folder)))

    return start
