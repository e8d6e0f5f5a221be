"""`digitedge bulk` in real processes: output, exit codes, interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from numbered_pages import write_pages
from processes import start

Command = Callable[..., subprocess.CompletedProcess[str]]
OPTIONS = ("--model", "released", "--rotate", "0")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    write_pages(folder, 6)
    return folder


def test_a_folder_becomes_results_and_a_summary(digitedge: Command, pages: Path, tmp_path: Path) -> None:
    (pages / "bad.png").write_bytes(b"no image")
    done = digitedge("bulk", pages, "--out", "out", "--csv", "--alto", *OPTIONS)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("7 pages of 7 documents, 12 digits (")
    assert lines[1:] == ["pages without digits: 0", "pages with an error: 1 (1 unknown format)"]
    assert "results: out" in done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    shards = {f"shard-00000{n}{suffix}" for n in (1, 2) for suffix in (".jsonl", ".csv", ".alto.zip")}
    assert names == shards | {"job.json", "job.sqlite", "summary.json", "least-sure.png"}


def test_the_summary_is_json_if_asked(digitedge: Command, pages: Path, tmp_path: Path) -> None:
    done = digitedge("bulk", pages, "--out", "out", "--json", "--parquet", "--workers", "1", *OPTIONS)
    value = json.loads(done.stdout)
    assert (value["schema"], value["pages"], value["digits"], value["errors"]) == ("digitedge.bulk/1", 6, 12, {})
    assert value == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [path.suffix for path in sorted((tmp_path / "out").glob("shard-*"))] == [".parquet"] * 2


def test_another_job_in_the_folder_is_wrong_usage(digitedge: Command, pages: Path) -> None:
    digitedge("bulk", pages, "--out", "out", *OPTIONS)
    done = digitedge("bulk", pages, "--out", "out", *OPTIONS, "--threshold", "0.5")
    assert done.returncode == 2
    assert "out is the folder of another job (reader:" in " ".join(done.stderr.split())


def test_workers_beside_a_scheduler_are_wrong_usage(digitedge: Command, pages: Path) -> None:
    done = digitedge("bulk", pages, "--out", "out", "--workers", "2", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "--scheduler" in done.stderr and "leave out --workers" in " ".join(done.stderr.split())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_job_says_how_to_go_on_and_goes_on(tmp_path: Path, number: int, code: int) -> None:
    (tmp_path / "pages").mkdir()
    write_pages(tmp_path / "pages", 150)
    command = [sys.executable, "-m", "digitedge", "bulk", "pages", "--out", "out", "--workers", "1", *OPTIONS]
    with start(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("out/shard-*"))) < 3:  # the last one may not be noted as done yet
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert errors.splitlines()[-1].startswith("stopped: ") and errors.endswith("the same command goes on\n")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "resumed: " in done.stderr
    assert done.stdout.startswith("150 pages of 150 documents, 350 digits")


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_it_works_with_standard_output_closed(pages: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m digitedge bulk pages --out out {' '.join(OPTIONS)} >&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "summary.json").exists()


def test_a_typing_error_leaves_no_folder(digitedge: Command, pages: Path, tmp_path: Path) -> None:
    done = digitedge("bulk", "nope.png", "--out", "out", *OPTIONS)
    assert done.returncode == 1 and "the same command goes on" not in done.stderr
    assert not (tmp_path / "out").exists()
