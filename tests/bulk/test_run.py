"""Jobs that are run with real processes: what is read, and what happens when they die, hang or fail."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bulk_tasks import end_at_page_5, find_page_5
from made_documents import page_image, write_tiff
from numbered_pages import write_pages

from digitedge.bulk.run import Job, run_job
from digitedge.bulk.shard import Opening, ShardResult, ShardTask, StuckPageError, choose_pages
from digitedge.bulk.summary import Summary
from digitedge.bulk.worker import Counts, CountTask, run_task
from digitedge.engines import ProcessPool
from digitedge.errors import DigitEdgeError, InputError, ModelError
from digitedge.reader.page_result import PageResult
from digitedge.reader.read_options import ReadOptions
from digitedge.reader.row_filter import RowFilter
from digitedge.utils.transform import Flip, Transform


def hang_at_page_5(task: CountTask | ShardTask) -> Counts | ShardResult:
    """Do a task; page-5.png takes too long."""
    if isinstance(task, ShardTask):
        index = find_page_5(task)
        if index is not None:
            raise StuckPageError(index)
    return run_task(task)


def end_when_counting(task: CountTask | ShardTask) -> Counts | ShardResult:
    """Do a task; counting the pages of book.tif ends the process."""
    if isinstance(task, CountTask) and any(source.endswith("book.tif") for source in task.documents.values()):
        os.kill(os.getpid(), signal.SIGKILL)
    return run_task(task)


def end_always(_: CountTask | ShardTask) -> Counts | ShardResult:
    """End the process."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fail_always(_: CountTask | ShardTask) -> Counts | ShardResult:
    """Fail, as a bug would."""
    raise KeyError("x")


def in_another_folder(task: CountTask | ShardTask) -> Counts | ShardResult:
    """Do a task as a machine does that has another working directory."""
    os.chdir("/")
    return run_task(task)


def run(job: Job, out: Path, function: Any = run_task, *, workers: int = 1, **options: Any) -> Summary:
    return run_job(job, out, ProcessPool(function, workers=workers), **options)


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(out.glob("*.jsonl")) for line in path.read_text().splitlines()]


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("shard-*"))}


def test_results_are_those_of_predict_with_one_worker_and_with_two(job: Job, pages: Path, tmp_path: Path) -> None:
    (pages / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nbad")
    command = [sys.executable, "-m", "digitedge", "predict", "--json", "--rotate", "0", "--model", "released"]
    done = subprocess.run([*command, "--no-adaptation", str(pages)], capture_output=True, text=True, cwd=tmp_path)
    expected = [json.loads(line) | {"ms": None, "error": None} for line in done.stdout.splitlines()]
    summary = run(job, tmp_path / "one")
    assert [row for row in rows(tmp_path / "one") if not row["error"]] == expected
    assert [row["rows"] for row in rows(tmp_path / "one")][1:4] == [["00"], ["01"], ["02"]]
    run(replace(job, documents=[str(path) for path in sorted(pages.iterdir())]), tmp_path / "two", workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert (summary.totals.pages, summary.totals.digits, summary.totals.errors) == (13, 24, {"damaged": 1})


def test_a_bad_page_is_a_row_with_its_error(job: Job, pages: Path, tmp_path: Path) -> None:
    (pages / "page-3.png").write_bytes(b"")
    run(job, tmp_path / "out")
    [bad] = [row for row in rows(tmp_path / "out") if row["error"]]
    assert (bad["source"], bad["digits"]) == (str(pages / "page-3.png"), [])
    assert bad["error"] == {
        "kind": "damaged",
        "message": f"{pages / 'page-3.png'}: expected an image, got an empty file. Copy or take it again.",
    }


@pytest.mark.parametrize(("function", "kind"), [(end_at_page_5, "crashed"), (hang_at_page_5, "too slow")])
def test_a_page_that_ends_its_process_or_hangs_is_a_row_with_its_error(
    job: Job, tmp_path: Path, function: Any, kind: str
) -> None:
    summary = run(job, tmp_path / "out", function)
    run(job, tmp_path / "sound")
    assert summary.totals.errors == {kind: 1} and not summary.totals.set_aside
    for row, sound in zip(rows(tmp_path / "out"), rows(tmp_path / "sound"), strict=True):
        if row["source"].endswith("page-5.png"):
            assert row["error"]["kind"] == kind
        else:
            assert row == sound


@pytest.mark.slow
def test_a_shard_that_only_ends_processes_is_set_aside_and_tried_in_the_next_run(
    job: Job, pages: Path, tmp_path: Path
) -> None:
    for path in list(pages.iterdir())[3:]:
        path.unlink()
    log: list[str] = []
    with pytest.MonkeyPatch.context() as limits:
        limits.setattr("digitedge.bulk.crash_search.MAX_FAILED_TRIES", 4)
        summary = run(job, tmp_path / "out", end_always, log=log.append)
    assert summary.totals.set_aside == {"shard-000001": "reading it failed too often"}
    assert "shard-000001 is set aside: reading it failed too often" in log
    assert summary.text().splitlines()[-1] == "set aside: shard-000001: reading it failed too often"
    assert not content(tmp_path / "out")
    assert run(job, tmp_path / "out").totals.pages_done == 3


def be_stuck_at_book(task: CountTask | ShardTask) -> Counts | ShardResult:
    """Do a task; book.tif cannot even be opened in time."""
    if isinstance(task, ShardTask):
        for step in choose_pages(task):
            if not isinstance(step, Opening) and "book" in step[1].source and not isinstance(step[1], PageResult):
                raise StuckPageError(next(index for index, part in enumerate(task.parts) if "book" in part.source))
    return run_task(task)


@pytest.mark.slow
def test_a_document_that_cannot_be_opened_in_time_costs_two_tries(job: Job, pages: Path, tmp_path: Path) -> None:
    write_tiff(pages / "book.tif", [page_image(number) for number in range(4)])
    summary = run(job, tmp_path / "out", be_stuck_at_book)
    assert summary.totals.errors == {"too slow": 4} and summary.totals.pages == 16


def test_a_disk_that_is_gone_ends_the_job_and_it_goes_on(job: Job, pages: Path, tmp_path: Path) -> None:
    write_pages(pages, 12, first=12)
    (tmp_path / "moved").mkdir()

    def unplug(_: object) -> None:
        for path in list(pages.iterdir()):
            path.rename(tmp_path / "moved" / path.name)

    with pytest.raises(DigitEdgeError, match="3 shards in a row of which none can be reached"):
        run(job, tmp_path / "out", on_progress=unplug)
    for path in list((tmp_path / "moved").iterdir()):
        path.rename(pages / path.name)
    summary = run(job, tmp_path / "out")
    assert (summary.totals.pages_done, summary.totals.errors, summary.totals.gone) == (24, {}, 0)


def test_a_login_is_in_no_file_but_the_list(job: Job, tmp_path: Path) -> None:
    addresses = [f"http://ada:SECRET@127.0.0.1:9/{name}.png" for name in "ab"]
    secret = replace(job, documents=("-",))
    run(secret, tmp_path / "out", list_file=io.StringIO("\n".join(addresses * 3)))
    assert all(b"SECRET" not in path.read_bytes() for path in (tmp_path / "out").iterdir() if path.suffix != ".sqlite")
    manifests = [replace(job, documents=(address,)).manifest() for address in addresses]
    assert "SECRET" not in str(manifests) and manifests[0] != manifests[1]


def test_a_job_in_another_folder_is_another_job(job: Job, pages: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    run(replace(job, documents=("pages",)), tmp_path / "out")
    (tmp_path / "other").mkdir()
    pages.rename(tmp_path / "other" / "pages")
    monkeypatch.chdir(tmp_path / "other")
    with pytest.raises(InputError, match="another job"):
        run(replace(job, documents=("pages",)), tmp_path / "out")


def test_a_job_with_every_option_is_resumed(job: Job, tmp_path: Path) -> None:
    options = ReadOptions(Transform(90, Flip.VERTICAL, (1, 2, 50, 60)), False, RowFilter(2, "[0-9]+"))
    full = replace(job, options=options, formats=("parquet", "csv", "alto"))
    run(full, tmp_path / "out")
    log: list[str] = []
    run(full, tmp_path / "out", log=log.append)
    assert log == ["resumed: 3 of 3 shards are done"]


def test_a_job_in_which_everything_fails_ends(job: Job, pages: Path, tmp_path: Path) -> None:
    write_pages(pages, 12, first=12)
    log: list[str] = []
    with pytest.raises(KeyError):
        run(job, tmp_path / "out", fail_always, log=log.append)
    assert log[-1] == "stopped: 0 of 6 shards are done; the same command goes on"


def test_another_model_on_a_worker_ends_the_job(job: Job, tmp_path: Path) -> None:
    wrong = replace(job, reader=replace(job.reader, sha256="0" * 64))
    with pytest.raises(ModelError, match="another model"):
        run(wrong, tmp_path / "out")


def test_another_version_on_a_worker_ends_the_job(job: Job, tmp_path: Path) -> None:
    wrong = replace(job, reader=replace(job.reader, version="0.0.1"))
    with pytest.raises(ModelError, match="Install the same on all machines"):
        run(wrong, tmp_path / "out")


def test_nothing_to_read_is_wrong_usage(job: Job, pages: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected documents, got none"):
        run(replace(job, documents=("-",)), tmp_path / "out", list_file=io.StringIO("\n"))


def test_progress_counts_up_to_all_pages(job: Job, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    run(job, tmp_path / "out", on_progress=lambda progress: seen.append((progress.done, progress.pages)))
    assert seen[-1] == (12, 12)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.slow
def test_workers_that_are_killed_cost_no_page(job: Job, pages: Path, tmp_path: Path) -> None:
    write_pages(pages, 20, first=12)
    run(job, tmp_path / "sound")
    pool = ProcessPool(run_task, workers=2)
    stop = threading.Event()

    def kill() -> None:
        for _ in range(4):
            time.sleep(0.7)
            for worker in pool._workers[:1]:
                for process in list((worker._executor._processes or {}).values()):
                    process.kill()
            if stop.is_set():
                return

    killer = threading.Thread(target=kill)
    killer.start()
    summary = run_job(job, tmp_path / "out", pool)
    stop.set()
    killer.join()
    assert content(tmp_path / "out") == content(tmp_path / "sound")
    assert summary.totals.pages_done == 32


def test_relative_paths_are_read_where_the_program_runs_and_kept_as_given(
    job: Job, pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pages / "page-3.png").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    run(replace(job, documents=("pages",)), tmp_path / "out", in_another_folder)
    found = rows(tmp_path / "out")
    assert [row["source"] for row in found] == [f"pages/page-{number}.png" for number in range(12)]
    assert found[2]["rows"] == ["02"]
    assert found[3]["error"]["message"].startswith("pages/page-3.png: expected an image")


def test_results_in_the_folder_that_is_read_are_no_documents(job: Job, pages: Path) -> None:
    for _ in range(2):
        assert run(job, pages / "out").totals.pages == 12


@pytest.mark.slow
def test_a_document_whose_pages_cannot_be_counted_is_read_whole(job: Job, pages: Path, tmp_path: Path) -> None:
    write_tiff(pages / "book.tif", [page_image(number) for number in range(3)])
    write_tiff(pages / "leaf.tif", [page_image(1)])
    summary = run(job, tmp_path / "out", end_when_counting)
    assert (summary.totals.pages, summary.totals.documents, summary.totals.errors) == (16, 14, {})
    book = [row["page"] for row in rows(tmp_path / "out") if row["source"].endswith("book.tif")]
    assert book == [1, 2, 3]
