"""The server of `digitedge serve`."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from digitedge.engines.process_pool import available_cores
from digitedge.errors import DigitEdgeError, require
from digitedge.web.address import Address
from digitedge.web.page_thread import PageThread
from digitedge.web.serve.read_upload import UploadReader

if TYPE_CHECKING:
    from digitedge.web.serve.routes import ReadPage


class ReadingServer(PageThread):
    """Serves `POST /v1/read` and what belongs to it."""

    takes_uploads = True

    def __init__(
        self,
        address: Address,
        reader: UploadReader,
        *,
        workers: int | None = None,
        token: str | None = None,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Configure the server; the port is opened and the workers start on entering the `with` block.

        Args:
            address: where to listen; beyond this machine only with a token.
            reader: how uploads are read.
            workers: number of processes; None for one for each core.
            token: see `WebSink`.
            log: receives a line with the URL.

        Raises:
            InputError: the token is not a good one.
            MissingExtraError: a package of the extra is not installed.
        """
        for package in ("starlette", "uvicorn", "python_multipart", "prometheus_client"):
            require(package, extra="serve")
        super().__init__(address, token=token, log=log)
        self._reader = reader
        self._workers = workers or available_cores()
        self._failure: DigitEdgeError | None = None
        self._failed = threading.Event()

    def make_page(self) -> "ReadPage":
        """Make the routes."""
        from digitedge.web.serve.routes import ReadPage

        return ReadPage(self._reader, workers=self._workers, on_failure=self._fail)

    def wait(self) -> None:
        """Wait for ever.

        Raises:
            DigitEdgeError: no worker can be started any more: the model was changed, or there is no memory left.
        """
        self._failed.wait()
        if self._failure is not None:
            raise self._failure

    def _fail(self, failure: DigitEdgeError) -> None:
        self._failure = failure
        self._failed.set()
