"""A page in the browser to check and correct the labels of a folder of digits.

The browser names images by the ids of the session, never by a path. What it sends is written at once.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from digitedge.datasets.label_session import LabelSession, LabelSummary
from digitedge.runtime import Classifier
from digitedge.web.address import Address
from digitedge.web.page_thread import PageThread

if TYPE_CHECKING:
    from digitedge.web.label_routes import LabelPage

DEFAULT_PORT = 8001


class LabellingPage(PageThread):
    """The page of one session.

    Attributes:
        done: set when the user has clicked "Done".
    """

    def __init__(
        self,
        address: Address,
        session: LabelSession,
        *,
        token: str | None = None,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Configure the page; the port is opened on entering the `with` block. Arguments and errors as in `WebSink`."""
        super().__init__(address, token=token, log=log)
        self.done = threading.Event()
        self._session = session

    def make_page(self) -> "LabelPage":
        """Make the page of this session."""
        from digitedge.web.label_routes import LabelPage

        return LabelPage(self._session, self.done)


def serve_labelling(
    folder: str | Path,
    classifier: Classifier,
    *,
    address: Address = Address(DEFAULT_PORT),  # noqa: B008 - frozen
    token: str | None = None,
    log: Callable[[str], object] = lambda line: None,
) -> LabelSummary:
    """Serve the page of a folder until the user clicks "Done".

    Args:
        folder: of a collection, or of images "7_0001.png".
        classifier: the labels that it doubts most come first.
        address: where to listen; beyond this machine only with a token.
        token: see `WebSink`.
        log: receives a line with the URL.

    Raises:
        DataError: the path is no folder of digits.
        InputError: the port is in use, or the token is not a good one.
        MissingExtraError: starlette or uvicorn is not installed.
    """
    session = LabelSession(folder, classifier, log=log)
    with LabellingPage(address, session, token=token, log=log) as page:
        page.done.wait()
    return session.summary()
