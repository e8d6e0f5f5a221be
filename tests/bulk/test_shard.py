"""What a worker does with a shard."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from made_documents import page_image, write_tiff
from numbered_pages import write_pages

from digitedge.bulk.shard import Opening, ShardPart, ShardResult, ShardTask, StuckPageError, choose_pages, page_stamp
from digitedge.bulk.worker import CountTask, run_task
from digitedge.documents import read_pages
from digitedge.errors import ErrorKind
from digitedge.reader.page_result import PageFailure
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader_spec import ReaderSpec

FAILURE = PageFailure(ErrorKind.CRASHED, "it ended its process")


@pytest.fixture
def task(tmp_path: Path, reader_spec: ReaderSpec) -> ShardTask:
    """Two images, and a document of five pages between them of which the second to the fourth are read."""
    write_pages(tmp_path, 2)
    write_tiff(tmp_path / "book.tif", [page_image(number) for number in range(5)])
    parts = (ShardPart("page-0.png"), ShardPart("book.tif", 1, 3, counted=True), ShardPart("page-1.png"))
    return ShardTask(1, reader_spec, ReadOptions(), ("jsonl",), parts, str(tmp_path))


def chosen(task: ShardTask) -> list[tuple[int, str, int | None]]:
    return [(index, page.source, getattr(page, "number", None)) for index, page in choose_pages(task)]


def test_pages_are_counted_where_relative_paths_start(task: ShardTask) -> None:
    assert run_task(CountTask({7: "book.tif", 8: "page-1.png"}, task.folder)) == {7: 5, 8: 1}


def test_all_pages_of_a_shard_are_chosen_in_order(task: ShardTask) -> None:
    book = [(index, "book.tif", index + 1) for index in (1, 2, 3)]
    assert chosen(task) == [(0, "page-0.png", None), *book, (4, "page-1.png", None)]


@pytest.mark.parametrize("span", [range(0, 1), range(1, 3), range(2, 5), range(4, 5)])
def test_of_a_span_only_its_pages_are_chosen(task: ShardTask, span: range) -> None:
    assert chosen(replace(task, span=span)) == [page for page in chosen(task) if page[0] in span]


def test_a_document_outside_of_the_span_is_not_opened(task: ShardTask) -> None:
    missing = replace(task, parts=(ShardPart("gone.pdf", 0, 4, counted=True), *task.parts), span=range(4, 5))
    assert chosen(missing) == [(4, "page-0.png", None)]


def test_skipped_pages_are_rows_with_their_reason(task: ShardTask) -> None:
    result = read_shard(replace(task, skipped={0: FAILURE, 2: FAILURE}))
    assert (result.pages, result.errors) == (5, {"crashed": 2})
    lines = result.files["jsonl"].decode().splitlines()
    assert ["crashed" in line for line in lines] == [True, False, True, False, False]


def test_a_document_of_which_all_pages_are_skipped_is_not_opened(task: ShardTask) -> None:
    missing = replace(task, parts=(ShardPart("gone.pdf", 0, 2, counted=True),), skipped={0: FAILURE, 1: FAILURE})
    result = read_shard(missing)
    assert result.errors == {"crashed": 2} and b'"source": "gone.pdf", "page": 2' in result.files["jsonl"]


def test_a_page_that_takes_too_long_is_named(task: ShardTask, monkeypatch: pytest.MonkeyPatch) -> None:
    read_shard(task)  # the model is loaded
    monkeypatch.setattr("digitedge.bulk.shard.PAGE_LIMIT_S", 0.0)
    with pytest.raises(StuckPageError) as caught:
        read_shard(task)
    assert caught.value.index == 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
def test_a_worker_may_not_take_all_memory() -> None:
    code = "from digitedge.bulk.shard import limit_memory; limit_memory(); bytearray(2_500_000_000)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.endswith("MemoryError\n")
