"""What a worker does with a shard."""

import json
import os
import subprocess
import sys
import tarfile
import time
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_documents import page_image, write_tiff
from numbered_pages import write_pages

from digitedge.bulk import open_archive
from digitedge.bulk.open_archive import read_on
from digitedge.bulk.shard import Opening, ShardPart, ShardResult, ShardTask, StuckPageError, choose_pages
from digitedge.bulk.worker import CountTask, run_task
from digitedge.documents import read_pages
from digitedge.errors import ErrorKind
from digitedge.reader.page_result import PageFailure
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.reader_spec import ReaderSpec

FAILURE = PageFailure(ErrorKind.CRASHED, "it ended its process")


def count(folder: Path, source: str) -> "array[int]":
    counts = run_task(CountTask({1: source}, str(folder)))
    assert isinstance(counts, dict)
    return array("I", counts[1])


def part_of(folder: Path, source: str, start: int, pages: int) -> ShardPart:
    """Some pages of a document, as a job cuts them."""
    stamps = count(folder, source)
    ends = stamps[start], stamps[start + pages - 1]
    return ShardPart(source, start, pages, ends, is_last=start + pages == len(stamps))


@pytest.fixture
def task(tmp_path: Path, reader_spec: ReaderSpec) -> ShardTask:
    """Two images, and a document of five pages between them of which the second to the fourth are read."""
    write_pages(tmp_path, 2)
    write_tiff(tmp_path / "book.tif", [page_image(number) for number in range(5)])
    parts = (ShardPart("page-0.png"), part_of(tmp_path, "book.tif", 1, 3), ShardPart("page-1.png"))
    return ShardTask(1, reader_spec, ReadOptions(), ("jsonl",), parts, str(tmp_path))


def chosen(task: ShardTask) -> list[tuple[int, str, int | None]]:
    """Index, source and page number of all pages."""
    steps = [step for step in choose_pages(task) if not isinstance(step, Opening)]
    return [(index, page.source, getattr(page, "number", None)) for index, page in steps]


def read(task: ShardTask) -> ShardResult:
    result = run_task(task)
    assert isinstance(result, ShardResult)
    return result


def rows(task: ShardTask) -> list[dict[str, Any]]:
    return [json.loads(line) for line in read(task).files["jsonl"].splitlines()]


def kinds(task: ShardTask) -> list[tuple[str, int | None, str | None]]:
    return [(row["source"], row["page"], row["error"] and row["error"]["kind"]) for row in rows(task)]


def test_pages_are_counted_where_relative_paths_start(task: ShardTask) -> None:
    assert len(count(Path(task.folder), "book.tif")) == 5


def test_all_pages_of_a_shard_are_chosen_in_order(task: ShardTask) -> None:
    book = [(index, "book.tif", index + 1) for index in (1, 2, 3)]
    assert chosen(task) == [(0, "page-0.png", None), *book, (4, "page-1.png", None)]


@pytest.mark.parametrize("span", [range(0, 1), range(1, 3), range(2, 5), range(4, 5)])
def test_of_a_span_only_its_pages_are_chosen(task: ShardTask, span: range) -> None:
    assert chosen(replace(task, span=span)) == [page for page in chosen(task) if page[0] in span]


def test_a_document_outside_of_the_span_is_not_opened(task: ShardTask) -> None:
    missing = replace(task, parts=(ShardPart("gone.pdf", 0, 4), *task.parts), span=range(4, 5))
    assert [step for step in choose_pages(missing) if isinstance(step, Opening)] == [Opening(range(4, 5), 0)]
    assert chosen(missing) == [(4, "page-0.png", None)]


def test_skipped_pages_are_rows_with_their_reason(task: ShardTask) -> None:
    skipping = replace(task, skipped={0: FAILURE, 2: FAILURE})
    assert kinds(skipping) == [
        ("page-0.png", None, "crashed"),
        ("book.tif", 2, None),
        ("book.tif", 3, "crashed"),
        ("book.tif", 4, None),
        ("page-1.png", None, None),
    ]
    assert (read(skipping).pages, read(skipping).errors) == (5, {"crashed": 2})


def test_a_document_of_which_all_pages_are_skipped_is_not_opened(task: ShardTask) -> None:
    book = replace(task, parts=task.parts[1:2], skipped=dict.fromkeys(range(3), FAILURE))
    (Path(task.folder) / "book.tif").unlink()
    assert kinds(book) == [("book.tif", page, "crashed") for page in (2, 3, 4)]


def test_an_address_with_a_login_is_never_shown(task: ShardTask) -> None:
    part = ShardPart("http://ada:SECRET@127.0.0.1:9/x.png")
    skipping = replace(task, parts=(part, part), skipped={0: FAILURE})
    assert b"SECRET" not in read(skipping).files["jsonl"]


# A document that is not what it was when its pages were counted


def test_fewer_pages_than_were_counted_are_errors(task: ShardTask) -> None:
    write_tiff(Path(task.folder) / "book.tif", [page_image(number) for number in range(3)])
    assert kinds(task)[1:4] == [("book.tif", 2, None), ("book.tif", 3, None), ("book.tif", 4, "unreachable")]


def test_more_pages_than_were_counted_are_read_at_its_end(task: ShardTask) -> None:
    last = replace(task, parts=(part_of(Path(task.folder), "book.tif", 3, 2), *task.parts[2:]))
    write_tiff(Path(task.folder) / "book.tif", [page_image(number) for number in range(7)])
    assert kinds(last) == [*(("book.tif", page, None) for page in (4, 5, 6, 7)), ("page-1.png", None, None)]


def test_a_document_that_cannot_be_opened_any_more_is_an_error_for_each_page(task: ShardTask) -> None:
    (Path(task.folder) / "book.tif").write_bytes(b"II*\0damaged")
    assert [kind for *_, kind in kinds(task)] == [None, "unreachable", "unreachable", "unreachable", None]


def test_a_document_that_could_not_be_opened_when_it_was_counted_is_an_error(task: ShardTask) -> None:
    book = Path(task.folder) / "book.tif"
    content = book.read_bytes()
    book.write_bytes(b"II*\0damaged")
    part = part_of(Path(task.folder), "book.tif", 0, 1)
    book.write_bytes(content)  # a disk that failed for a moment
    assert kinds(replace(task, parts=(part,)))[0] == ("book.tif", 1, "unreachable")


def test_a_file_that_is_gone_cannot_be_reached_and_one_that_never_was_is_missing(task: ShardTask) -> None:
    parts = (ShardPart("gone.png"), ShardPart("typo.png", was_found=False))
    assert [kind for *_, kind in kinds(replace(task, parts=parts))] == ["unreachable", "missing"]


def test_a_document_of_several_pages_with_the_name_of_an_image_leaves_its_neighbours_alone(task: ShardTask) -> None:
    folder = Path(task.folder)
    os.rename(folder / "book.tif", folder / "book.png")
    odd = replace(task, parts=(ShardPart("book.png"), ShardPart("page-1.png")))
    assert [index for index, *_ in chosen(odd)] == [0, 0, 0, 0, 0, 1]
    assert [kind for *_, kind in kinds(replace(odd, skipped={0: FAILURE}))] == ["crashed", None]


# Pages that take too long


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_page_that_takes_too_long_is_named(task: ShardTask, monkeypatch: pytest.MonkeyPatch) -> None:
    read(task)  # the model is loaded
    monkeypatch.setattr("digitedge.bulk.shard.PAGE_LIMIT_S", 0.3)
    folder = Path(task.folder)
    os.mkfifo(folder / "pipe")
    pipe = os.open(folder / "pipe", os.O_RDWR)
    (folder / "slow.png").symlink_to(f"/proc/{os.getpid()}/fd/{pipe}")  # as a shell gives a pipe; this one never ends
    (folder / "pipe").unlink()
    slow = replace(task, parts=(task.parts[0], ShardPart("slow.png"), task.parts[2]))
    try:
        with pytest.raises(StuckPageError) as caught:
            read(slow)
        assert caught.value.index == 1
    finally:
        os.close(pipe)


# Packed tars


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[str]:
    write_pages(tmp_path, 12)
    with tarfile.open(tmp_path / "box.tar.gz", "w:gz") as box:
        for number in range(12):
            box.add(tmp_path / f"page-{number}.png", f"page-{number}.png")
    open_archive._WAITING.clear()
    yield str(tmp_path / "box.tar.gz")
    open_archive._WAITING.clear()


def names(path: str, start: int, stop: int | None) -> list[str]:
    return [Path(page.source).stem for page in read_on(path, start, stop) if page.load().any()]


def test_shards_of_a_packed_tar_go_on_where_the_last_one_ended(archive: str) -> None:
    assert names(archive, 0, 4) == [f"page-{number}" for number in range(4)]
    [waiting] = open_archive._WAITING
    assert names(archive, 6, 8) == ["page-6", "page-7"]  # another worker has read those between
    assert [waiting] == open_archive._WAITING and waiting.taken == 8


def test_an_earlier_part_of_a_packed_tar_is_read_from_its_beginning(archive: str) -> None:
    names(archive, 6, 8)
    assert names(archive, 2, 4) == ["page-2", "page-3"]
    assert names(archive, 10, None) == ["page-10", "page-11"]
    assert names(archive, 0, 1) == ["page-0"]


def test_a_packed_tar_that_was_changed_is_opened_again(archive: str) -> None:
    names(archive, 0, 4)
    with tarfile.open(archive, "w:gz") as box:
        box.add(Path(archive).parent / "page-3.png", "other.png")
    os.utime(archive, (time.time() + 5,) * 2)
    assert [page.source.rpartition("/")[2] for page in read_pages(archive)] == ["other.png"]
    assert names(archive, 0, None) == ["other"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
def test_a_worker_may_not_take_all_memory() -> None:
    code = (
        "from digitedge.bulk.worker import prepare_process; prepare_process()\n"
        "try: bytearray(2_500_000_000)\nexcept MemoryError: print('limited')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "limited\n")
