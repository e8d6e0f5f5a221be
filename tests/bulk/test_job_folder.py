"""The folder of a job: the list of documents, shards, and what is done of them."""

import json
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digitedge.bulk.job_folder import MAX_PAGES, MIN_PAGES, JobFolder
from digitedge.bulk.shard import ShardResult
from digitedge.documents.listing import FoundDocument
from digitedge.errors import DigitEdgeError, InputError

MANIFEST = {"documents": ["scans"], "formats": ["jsonl"]}


def found(count: int, *, first: int = 0, size: int = 10) -> list[FoundDocument]:
    return [FoundDocument(f"scans/{number}.png", size, 0) for number in range(first, first + count)]


def result(text: str, **errors: int) -> ShardResult:
    return ShardResult({"jsonl": text.encode()}, 4, 3, 1, errors, ())


def shards(job: JobFolder) -> dict[int, list[str]]:
    return {number: [part.source for part in parts] for number, parts in job.shards_to_do()}


@contextmanager
def opened(path: Path, documents: list[FoundDocument], *, retry_errors: bool = False) -> Iterator[JobFolder]:
    """Open a job as `run_job` does, all documents counted."""
    with JobFolder(path, MANIFEST) as job:
        job.update_documents(documents)
        for batch in job.documents_to_count():
            job.set_counts(dict.fromkeys(batch, 600))
        job.cut_shards()
        job.check_results(retry_errors=retry_errors)
        yield job


def test_documents_are_cut_into_shards_in_natural_order(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(11)[::-1]) as job:
        names = [f"scans/{number}.png" for number in range(11)]
        assert shards(job) == {1: names[:4], 2: names[4:8], 3: names[8:]}
        assert job.totals().pages == 11


def test_a_large_document_has_shards_of_its_own(tmp_path: Path) -> None:
    documents = [FoundDocument("a.png", 1, 0), FoundDocument("b.pdf", 1, 0), FoundDocument("c.png", 1, 0)]
    with opened(tmp_path / "job", documents) as job:
        parts = [[(part.source, part.start, part.pages) for part in parts] for _, parts in job.shards_to_do()]
        size = (600 + 2) // 64
        assert [("a.png", 0, 1), ("c.png", 0, 1)] in parts
        pdf = [part for shard in parts for part in shard if part[0] == "b.pdf"]
        assert [start for _, start, _ in pdf] == list(range(0, 600, size))
        assert sum(pages for _, _, pages in pdf) == 600


@pytest.mark.parametrize(("count", "size"), [(5, MIN_PAGES), (640, 10), (20_000, MAX_PAGES)])
def test_the_size_of_a_shard_follows_the_number_of_pages(tmp_path: Path, count: int, size: int) -> None:
    with opened(tmp_path / "job", found(count)) as job:
        assert len(shards(job)[1]) == size


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(8)) as job:
        job.finish(1, result("one\n"))
    with opened(tmp_path / "job", found(8)) as job:
        assert list(shards(job)) == [2]
        assert (job.totals().shards_done, job.totals().digits) == (1, 3)


@pytest.mark.parametrize("damage", ["delete", "truncate", "change"])
def test_a_shard_whose_file_is_not_as_it_was_written_is_read_again(tmp_path: Path, damage: str) -> None:
    with opened(tmp_path / "job", found(8)) as job:
        job.finish(1, result("one\n"))
        job.finish(2, result("two\n"))
    file = tmp_path / "job" / "shard-000001.jsonl"
    file.unlink() if damage == "delete" else file.write_text("on" if damage == "truncate" else "owe\n")
    with opened(tmp_path / "job", found(8)) as job:
        assert list(shards(job)) == [1]


def test_shards_of_changed_and_missing_documents_are_cut_anew(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(12)) as job:
        for number in (1, 2, 3):
            job.finish(number, result("x\n"))
    changed = [*found(4), FoundDocument("scans/4.png", 11, 0), *found(2, first=6), *found(4, first=8)]
    with opened(tmp_path / "job", changed) as job:
        assert shards(job) == {4: ["scans/4.png", "scans/6.png", "scans/7.png"]}
    assert not (tmp_path / "job" / "shard-000002.jsonl").exists()
    assert (tmp_path / "job" / "shard-000003.jsonl").exists()


def test_new_documents_come_into_new_shards(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(4, first=2)) as job:
        job.finish(1, result("x\n"))
    with opened(tmp_path / "job", found(6)) as job:
        assert shards(job) == {2: ["scans/0.png", "scans/1.png"]}


def test_errors_are_tried_again_if_asked(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(8)) as job:
        job.finish(1, result("x\n", missing=2))
        job.finish(2, result("x\n"))
        assert job.totals().errors == {"missing": 2}
    with opened(tmp_path / "job", found(8)) as job:
        assert shards(job) == {}
    with opened(tmp_path / "job", found(8), retry_errors=True) as job:
        assert list(shards(job)) == [1]


def test_a_shard_that_was_set_aside_is_tried_in_the_next_run(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(4)) as job:
        job.set_aside(1, "too many processes")
        assert job.totals().set_aside == {"shard-000001": "too many processes"}
        assert shards(job) == {}
    with opened(tmp_path / "job", found(4)) as job:
        assert list(shards(job)) == [1]


def test_another_job_is_refused(tmp_path: Path) -> None:
    with JobFolder(tmp_path / "job", MANIFEST):
        pass
    other = {**MANIFEST, "documents": ["papers"]}
    with (
        pytest.raises(InputError, match=r"of another job \(documents: \['scans'\], now \['papers'\]\)"),
        JobFolder(tmp_path / "job", other),
    ):
        pass


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a new or empty folder"), JobFolder(tmp_path, MANIFEST):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_two_jobs_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with (
        JobFolder(tmp_path / "job", MANIFEST),
        pytest.raises(InputError, match="another job works here"),
        JobFolder(tmp_path / "job", MANIFEST),
    ):
        pass


def test_a_damaged_list_is_refused(tmp_path: Path) -> None:
    with JobFolder(tmp_path / "job", MANIFEST):
        pass
    (tmp_path / "job" / "job.sqlite").write_bytes(os.urandom(5000))
    with pytest.raises(DigitEdgeError, match="Delete the folder to begin again"), JobFolder(tmp_path / "job", MANIFEST):
        pass


def test_names_of_any_bytes_are_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"scans/\xff.png")
    with opened(tmp_path / "job", [FoundDocument(name, 1, 0)]) as job:
        assert shards(job) == {1: [name]}


def test_a_hundred_thousand_documents_take_little_memory(tmp_path: Path) -> None:
    with JobFolder(tmp_path / "job", MANIFEST) as job:
        tracemalloc.start()
        job.update_documents(FoundDocument(f"scans/{number:07d}/page.jpg", 1, 0) for number in range(100_000))
        job.cut_shards()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sum(1 for _ in job.shards_to_do()) == -(-100_000 // MAX_PAGES)
    assert peak < 10_000_000


def test_the_manifest_is_json(tmp_path: Path) -> None:
    with JobFolder(tmp_path / "job", MANIFEST):
        pass
    assert json.loads((tmp_path / "job" / "job.json").read_text()) == {"schema": "digitedge.bulk-job/1", **MANIFEST}
