"""Small pages on the disk, and a job that reads them."""

from pathlib import Path

import pytest
from numbered_pages import write_pages

from digitedge.bulk.run import Job
from digitedge.bundle.bundle import load_model
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader_spec import ReaderSpec


@pytest.fixture(scope="session")
def reader_spec() -> ReaderSpec:
    """The released bundle."""
    return ReaderSpec.of(load_model())


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A folder with twelve pages: page-0.png to page-11.png."""
    folder = tmp_path / "pages"
    folder.mkdir()
    write_pages(folder, 12)
    return folder


@pytest.fixture
def job(pages: Path, reader_spec: ReaderSpec) -> Job:
    """A job that reads them into JSON Lines."""
    return Job((str(pages),), reader_spec, ReadOptions(find_upright=False), ("jsonl",))
