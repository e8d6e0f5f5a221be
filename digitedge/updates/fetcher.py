"""How a device gets the files of a repository: from a folder, or from a web server."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient import FetcherInterface

from digitedge.errors import DigitEdgeError
from digitedge.updates.repository import MAX_UPDATE_BYTES
from digitedge.utils.files import read_pieces
from digitedge.utils.version import __version__

# Seconds without a byte, after which a server counts as gone.
SILENCE_S = 20.0
CHUNK_BYTES = 65_536
# No answer, a timeout, TLS; an answer that is not HTTP; an address that is none.
_ERRORS = (OSError, HTTPException, ValueError)


class FolderFetcher(FetcherInterface):
    """Reads the files of a folder, such as a USB stick. Addresses are paths. TUF limits the size of each file."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = Path(url)
        if not path.exists():
            raise DownloadHTTPError(f"there is no {path}", 404)  # how TUF learns that there is no newer root
        try:
            yield from read_pieces(path, max_bytes=MAX_UPDATE_BYTES, error=DigitEdgeError, piece_bytes=CHUNK_BYTES)
        except DigitEdgeError as exc:
            raise DownloadError(str(exc)) from exc


class WebFetcher(FetcherInterface):
    """Downloads from a web server, until a moment of `time.monotonic`. TUF limits the size of each file."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            request = urllib.request.Request(url, headers={"User-Agent": f"digitedge/{__version__}"})
            response = urllib.request.urlopen(request, timeout=SILENCE_S)
        except urllib.error.HTTPError as exc:
            exc.close()
            raise DownloadHTTPError(f"{url}: the server says {exc.code}", exc.code) from exc
        except _ERRORS as exc:
            raise DownloadError(f"{url}: {getattr(exc, 'reason', None) or exc}") from exc
        with response:
            while True:
                try:
                    chunk = response.read1(CHUNK_BYTES)
                except _ERRORS as exc:
                    raise DownloadError(f"{url}: {exc}") from exc
                if not chunk:
                    return
                if time.monotonic() > self._deadline:
                    raise SlowRetrievalError(f"{url}: too slow")
                yield chunk
