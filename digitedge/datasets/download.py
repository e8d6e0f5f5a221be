"""One file from the network: with a progress bar, checked, and whole or not at all."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from digitedge.errors import DataError
from digitedge.utils.files import atomic_file

TIMEOUT_S = 20.0
CHUNK_BYTES = 1 << 16


def download(url: str, target: Path, *, check: Callable[[Path], None]) -> None:
    """Download `url` to `target`.

    Args:
        url: http or https.
        target: where the file appears once it is complete and `check` accepted it.
        check: looks at the downloaded draft and raises DataError if it is not what was wanted.

    Raises:
        DataError: no connection, an error status, or content that `check` refused.
    """
    with atomic_file(target) as draft:
        try:
            _fetch(url, draft)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as exc:
            raise DataError(f"{url}: {getattr(exc, 'reason', None) or exc}") from exc
        try:
            check(draft)
        except DataError as exc:
            raise DataError(f"{url}: sent another file: {str(exc).removeprefix(f'{draft}: ')}") from exc


def _fetch(url: str, draft: Path) -> None:
    """Stream a response to a file and show how far it is on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with (
        urllib.request.urlopen(url, timeout=TIMEOUT_S) as response,
        Progress(*columns, console=Console(stderr=True)) as progress,
        draft.open("wb") as file,
    ):
        size = int(response.headers.get("Content-Length") or 0) or None
        task = progress.add_task(url.rpartition("/")[2], total=size)
        while chunk := response.read(CHUNK_BYTES):
            file.write(chunk)
            progress.advance(task, len(chunk))
        if size is not None and file.tell() != size:
            raise DataError(f"{url}: the connection broke after {file.tell()} of {size} bytes")
