"""The folder of a job: the list of documents, shards, and what is done of them."""

import json
import os
import subprocess
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from digitedge.bulk.job_folder import JobFolder
from digitedge.bulk.job_list import MAX_PAGES, MIN_PAGES
from digitedge.bulk.shard import ShardResult
from digitedge.documents.listing import FoundDocument
from digitedge.errors import DigitEdgeError, InputError

MANIFEST = {"documents": ["scans"], "formats": ["jsonl"]}


def found(count: int, *, first: int = 0, size: int = 10) -> list[FoundDocument]:
    return [FoundDocument(f"scans/{number}.png", size, 0) for number in range(first, first + count)]


def stamps(pages: int) -> bytes:
    return array("I", range(pages)).tobytes()


def make(path: Path, manifest: dict[str, object] = MANIFEST) -> None:
    """Make the folder of a job with one document."""
    with JobFolder(path, manifest) as job:
        job.update_documents(found(1))


def result(text: str, **errors: int) -> ShardResult:
    return ShardResult({"jsonl": text.encode()}, 4, 3, 1, errors, ())


def shards(job: JobFolder) -> dict[int, list[str]]:
    return {number: [part.source for part in parts] for number, parts in job.list.shards_to_do()}


@contextmanager
def opened(path: Path, documents: list[FoundDocument], *, retry_errors: bool = False) -> Iterator[JobFolder]:
    """Open a job as `run_job` does, all documents counted."""
    with JobFolder(path, MANIFEST) as job:
        job.update_documents(documents, retry_errors=retry_errors)
        for batch in job.list.documents_to_count():
            job.list.set_counts(dict.fromkeys(batch, stamps(600)))
        job.list.cut_shards()
        job.check_results()
        yield job


def test_documents_are_cut_into_shards_in_natural_order(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(11)[::-1]) as job:
        names = [f"scans/{number}.png" for number in range(11)]
        assert shards(job) == {1: names[:4], 2: names[4:8], 3: names[8:]}
        assert job.list.totals().pages == 11


def test_a_large_document_has_shards_of_its_own(tmp_path: Path) -> None:
    documents = [FoundDocument("a.png", 1, 0), FoundDocument("b.pdf", 1, 0), FoundDocument("c.png", 1, 0)]
    with opened(tmp_path / "job", documents) as job:
        parts = [[(part.source, part.start, part.pages) for part in parts] for _, parts in job.list.shards_to_do()]
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
        assert (job.list.totals().shards_done, job.list.totals().digits) == (1, 3)


@pytest.mark.parametrize("damage", ["delete", "truncate", "change"])
def test_a_shard_whose_file_is_not_as_it_was_written_is_read_again(tmp_path: Path, damage: str) -> None:
    with opened(tmp_path / "job", found(8)) as job:
        job.finish(1, result("one\n"))
        job.finish(2, result("two\n"))
    file = tmp_path / "job" / "shard-000001.jsonl"
    file.unlink() if damage == "delete" else file.write_text("on" if damage == "truncate" else "owe\n")
    with opened(tmp_path / "job", found(8)) as job:
        assert list(shards(job)) == [1]


def test_shards_of_changed_documents_are_cut_anew(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(12)) as job:
        for number in (1, 2, 3):
            job.finish(number, result("x\n"))
    changed = [*found(4), FoundDocument("scans/4.png", 11, 0), *found(7, first=5)]
    with opened(tmp_path / "job", changed) as job:
        assert shards(job) == {4: [f"scans/{number}.png" for number in range(4, 8)]}
    assert not (tmp_path / "job" / "shard-000002.jsonl").exists()
    assert (tmp_path / "job" / "shard-000003.jsonl").exists()


def test_all_shards_of_a_large_document_are_cut_anew_if_it_changes(tmp_path: Path) -> None:
    documents = [FoundDocument("a.png", 1, 0), FoundDocument("b.pdf", 1, 0)]
    with opened(tmp_path / "job", documents) as job:
        numbers = list(shards(job))
        for number in numbers:
            job.finish(number, result("x\n"))
    with opened(tmp_path / "job", [documents[0], FoundDocument("b.pdf", 2, 0)]) as job:
        again = shards(job)
        assert len(again) == len(numbers) - 1 and set(map(tuple, again.values())) == {("b.pdf",)}
        assert (job.list.totals().pages, job.list.totals().shards_done) == (
            604,
            1,
        )  # the result of the first says 4 pages


def test_documents_that_are_not_found_keep_their_results(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(8)) as job:
        job.finish(1, result("one\n"))
        job.finish(2, result("two\n", unreachable=1))
    with opened(tmp_path / "job", found(1, first=20)) as job:  # the disk is not mounted
        assert (job.list.totals().gone, job.list.totals().shards_done) == (8, 2)
        assert list(shards(job).values()) == [["scans/20.png"]]
    assert (tmp_path / "job" / "shard-000002.jsonl").read_text() == "two\n"
    with opened(tmp_path / "job", found(8)) as job:
        assert job.list.totals().gone == 1


def test_results_of_missing_documents_stay_though_a_neighbour_changes(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(8)) as job:
        job.finish(1, result("one\n"))
        job.finish(2, result("two\n"))
    changed = [
        FoundDocument("scans/1.png", 11, 0),
        *found(2, first=2),
        FoundDocument("scans/5.png", 11, 0),
        *found(2, first=6),
    ]
    with JobFolder(tmp_path / "job", MANIFEST) as job:  # 0 and 4 are gone, 1 and 5 have changed
        assert job.update_documents(changed) == 2
        assert (job.list.totals().gone, job.list.totals().shards_done) == (2, 2)
    assert (tmp_path / "job" / "shard-000001.jsonl").read_text() == "one\n"
    with JobFolder(tmp_path / "job", MANIFEST) as job:
        assert job.update_documents(changed, forget_missing=True) == 0
        job.list.cut_shards()
        assert sorted(source for sources in shards(job).values() for source in sources) == sorted(
            one.source for one in changed
        )
        assert job.list.totals().gone == 0


def test_a_list_of_nothing_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(4)) as job:
        job.finish(1, result("one\n"))
    with pytest.raises(InputError, match="expected documents, got none"), opened(tmp_path / "job", []):
        pass
    with opened(tmp_path / "job", found(4)) as job:
        assert (shards(job), job.list.totals().gone, job.list.totals().shards_done) == ({}, 0, 1)


def test_what_could_not_be_reached_is_read_in_the_next_run(tmp_path: Path) -> None:
    documents = [*found(3), FoundDocument("b.pdf", 1, 0)]
    with opened(tmp_path / "job", documents) as job:
        for number in shards(job):
            job.finish(number, result("x\n", unreachable=1))
    with opened(tmp_path / "job", documents) as job:
        assert sum(map(len, shards(job).values())) > 3 and job.list.totals().shards_done == 0


def test_a_document_is_counted_again_if_its_errors_are_retried(tmp_path: Path) -> None:
    with JobFolder(tmp_path / "job", MANIFEST) as job:
        job.update_documents([FoundDocument("b.pdf", 1, 0)])
        job.list.set_counts({1: stamps(1)})  # its package is missing
        job.list.cut_shards()
        job.finish(1, ShardResult({"jsonl": b"x\n"}, 1, 0, 0, {"package missing": 1}, ()))
    with opened(tmp_path / "job", [FoundDocument("b.pdf", 1, 0)], retry_errors=True) as job:
        assert job.list.totals().pages == 600


def test_one_file_by_two_names_is_one_document(tmp_path: Path) -> None:
    names = ["scans/a.png", "./scans/a.png", "scans//a.png", "s3://b/a.png", "s3://b//a.png"]
    with opened(tmp_path / "job", [FoundDocument(name, 1, 0) for name in names]) as job:
        assert job.list.totals().documents == 3


def test_new_documents_come_into_new_shards(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(4, first=2)) as job:
        job.finish(1, result("x\n"))
    with opened(tmp_path / "job", found(6)) as job:
        assert shards(job) == {2: ["scans/0.png", "scans/1.png"]}


def test_errors_are_tried_again_if_asked(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(8)) as job:
        job.finish(1, result("x\n", missing=2))
        job.finish(2, result("x\n"))
        assert job.list.totals().errors == {"missing": 2}
    with opened(tmp_path / "job", found(8)) as job:
        assert shards(job) == {}
    with opened(tmp_path / "job", found(8), retry_errors=True) as job:
        assert list(shards(job).values()) == [[f"scans/{number}.png" for number in range(4)]]


def test_a_shard_that_was_set_aside_is_tried_in_the_next_run(tmp_path: Path) -> None:
    with opened(tmp_path / "job", found(4)) as job:
        job.list.set_aside(1, "too many processes")
        assert job.list.totals().set_aside == {"shard-000001": "too many processes"}
        assert shards(job) == {}
    with opened(tmp_path / "job", found(4)) as job:
        assert list(shards(job)) == [1]


def test_another_job_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "job")
    with pytest.raises(InputError, match=r"of another job \(documents: \['scans'\], now \['papers'\]\)"):
        make(tmp_path / "job", {**MANIFEST, "documents": ["papers"]})


def test_a_job_without_documents_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected documents"), JobFolder(tmp_path / "job", MANIFEST) as job:
        job.update_documents([])
    assert not (tmp_path / "job").exists()
    make(tmp_path / "job", {**MANIFEST, "documents": ["papers"]})


def test_a_job_that_was_killed_before_it_had_documents_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "job.sqlite").write_bytes(b"half")
    make(tmp_path / "job")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="expected a new or empty folder"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("name", ["job.json", "job.sqlite"])
def test_a_job_whose_manifest_or_list_is_gone_is_refused(tmp_path: Path, name: str) -> None:
    with opened(tmp_path / "job", found(4)) as job:
        job.finish(1, result("x\n"))
    (tmp_path / "job" / name).unlink()
    with pytest.raises(InputError):
        make(tmp_path / "job")
    assert (tmp_path / "job" / "shard-000001.jsonl").exists()


def test_two_jobs_do_not_work_in_one_folder(tmp_path: Path) -> None:
    with JobFolder(tmp_path / "job", MANIFEST), pytest.raises(InputError, match="another job works here"):
        make(tmp_path / "job")


def test_a_damaged_list_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "job")
    (tmp_path / "job" / "job.sqlite").write_bytes(os.urandom(5000))
    with pytest.raises(DigitEdgeError, match="must be begun again"):
        make(tmp_path / "job")


def test_names_of_any_bytes_are_kept(tmp_path: Path) -> None:
    name = os.fsdecode(b"scans/\xff.png")
    with opened(tmp_path / "job", [FoundDocument(name, 1, 0)]) as job:
        assert shards(job) == {1: [name]}


MEMORY_OF_A_LIST = """
import resource, sys
from pathlib import Path
from digitedge.bulk.job_folder import JobFolder
from digitedge.documents.listing import FoundDocument
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with JobFolder(Path(sys.argv[1]), {}) as job:
    before = peak()
    job.update_documents(FoundDocument(f"scans/{number:07d}/page.jpg", 1, 0) for number in range(100_000))
    job.list.cut_shards()
    assert sum(len(parts) for _, parts in job.list.shards_to_do()) == 100_000
    print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss")
@pytest.mark.slow
def test_a_hundred_thousand_documents_take_little_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEMORY_OF_A_LIST, tmp_path / "job"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30_000  # kB


def test_a_manifest_with_a_region_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    for _ in range(2):
        make(tmp_path / "job", {**MANIFEST, "options": {"roi": (1, 2, 3, 4)}})


@pytest.mark.skipif(os.name == "nt", reason="modes of files")
def test_the_list_is_private(tmp_path: Path) -> None:
    make(tmp_path / "job")
    assert (tmp_path / "job" / "job.sqlite").stat().st_mode & 0o077 == 0


def test_the_manifest_is_json(tmp_path: Path) -> None:
    make(tmp_path / "job")
    assert json.loads((tmp_path / "job" / "job.json").read_text()) == {"schema": "digitedge.bulk-job/1", **MANIFEST}
