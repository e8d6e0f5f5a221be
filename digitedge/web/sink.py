"""The sink of the live page."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from digitedge.camera.loop import Update
from digitedge.camera.sinks.crops import CropSink
from digitedge.reader import Reader
from digitedge.web.address import Address
from digitedge.web.hub import Hub
from digitedge.web.page_thread import PageThread

if TYPE_CHECKING:
    from digitedge.web.app import LivePage


class WebSink(PageThread):
    """A live page of a reader, for browsers and programs.

    Examples:
        >>> with WebSink(Address(0), Reader()) as page:
        ...     page.url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        address: Address,
        reader: Reader,
        *,
        crops: CropSink | None = None,
        token: str | None = None,
        log: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Configure the page; the port is opened on entering the `with` block.

        Args:
            address: where to listen.
            reader: whose threshold viewers set. Its classifier classifies their drawings, in another thread.
            crops: the sink of the same loop that saves the rows which viewers correct; None refuses corrections.
            token: required of viewers. None: a new one if the page is served beyond this machine, else no token.
            log: receives a line with the URL; with the token only if it is a new one.

        Raises:
            InputError: the token is too short or has characters that a URL would escape.
            MissingExtraError: starlette or uvicorn is not installed.
        """
        super().__init__(address, token=token, log=log)
        self._hub = Hub(reader)
        self._crops = crops
        self._page: LivePage | None = None

    @property
    def encoded_frames(self) -> int:
        """Number of frames that were encoded as JPEG."""
        return self._page.encoder.count if self._page else 0

    def show(self, update: Update) -> bool:
        """See `digitedge.camera.Sink`: pass the update on and return at once."""
        self._hub.publish(update)
        return True

    def make_page(self) -> "LivePage":
        """Make the page of this reader."""
        from digitedge.web.app import LivePage

        self._page = LivePage(self._hub, self._crops)
        return self._page
