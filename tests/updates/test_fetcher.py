import os
import tracemalloc
from pathlib import Path

import pytest

pytest.importorskip("tuf")
from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError

from digitedge.updates.fetcher import FolderFetcher


def test_a_file_of_a_folder_is_read_up_to_its_limit_only(tmp_path: Path) -> None:
    (tmp_path / "timestamp.json").touch()
    os.truncate(tmp_path / "timestamp.json", 200 * 1024 * 1024)
    tracemalloc.start()
    try:
        with pytest.raises(DownloadLengthMismatchError):
            FolderFetcher().download_bytes(str(tmp_path / "timestamp.json"), 16_384)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DownloadHTTPError) as missing:
        FolderFetcher().download_bytes(str(tmp_path / "2.root.json"), 10)
    assert missing.value.status_code == 404
    with pytest.raises(DownloadError, match="expected a file, got a folder"):
        FolderFetcher().download_bytes(str(tmp_path), 10)
