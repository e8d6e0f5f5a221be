"""Bulk reading on a local Dask cluster, of which workers and the scheduler are killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bulk_tasks import end_at_page_5
from dask_processes import Cluster, start_cluster
from distributed import Client
from engine_tasks import wait_until
from numbered_pages import write_pages
from processes import start

from digitedge.bulk.run import Job, run_job
from digitedge.engines import DaskCluster

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "digitedge", "bulk", "pages", "--model", "released", "--no-adaptation"]


@contextmanager
def two_workers(folder: Path) -> Iterator[Cluster]:
    """A cluster of two worker processes with a thread each."""
    folder.mkdir()
    with start_cluster(folder) as cluster:
        cluster.start_workers("--nworkers", "2", "--nthreads", "1")
        yield cluster


@contextmanager
def bulk_on(cluster: Cluster, out: Path) -> Iterator[subprocess.Popen[Any]]:
    """Read the folder "pages" beside the results on a cluster; from when a shard is done, and others are not."""
    command = [*COMMAND, "--out", out, "--scheduler", cluster.address]
    options = {"cwd": out.parent, "env": cluster.environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(command, text=True, **options) as process:
        wait_until(lambda: any(out.glob("shard-*")))
        assert process.poll() is None
        yield process


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("shard-*"))}


def test_a_cluster_that_is_killed_gives_the_files_of_the_process_pool(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    write_pages(tmp_path / "pages", 260)
    (tmp_path / "pages" / "page-77.png").write_bytes(b"bad")
    subprocess.run([*COMMAND, "--out", "pool"], cwd=tmp_path, check=True, capture_output=True)
    pool = content(tmp_path / "pool")
    assert sum(len(part.splitlines()) for part in pool.values()) == 260 and len(pool) > 4

    with two_workers(tmp_path / "one") as cluster, bulk_on(cluster, tmp_path / "worker killed") as process:
        with Client(cluster.address) as client:
            pids = client.run(os.getpid)
        os.kill(min(pids.values()), signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert content(tmp_path / "worker killed") == pool

    with two_workers(tmp_path / "two") as cluster, bulk_on(cluster, tmp_path / "resumed") as process:
        cluster.scheduler.kill()
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 1
        assert f"error: expected the Dask scheduler at {cluster.address} to answer" in errors.splitlines()[-1]
        assert "Traceback" not in errors
    assert 0 < len(content(tmp_path / "resumed")) < len(pool)
    with two_workers(tmp_path / "three") as cluster:
        command = [*COMMAND, "--out", "resumed", "--scheduler", cluster.address]
        done = subprocess.run(command, cwd=tmp_path, env=cluster.environment, capture_output=True, text=True)
    assert "resumed: " in done.stderr
    assert content(tmp_path / "resumed") == pool


def test_a_page_that_ends_the_processes_of_a_cluster_is_a_row_with_its_error(job: Job, tmp_path: Path) -> None:
    with two_workers(tmp_path / "cluster") as cluster:
        summary = run_job(job, tmp_path / "out", DaskCluster(end_at_page_5, cluster.address))
    assert summary.totals.errors == {"crashed": 1} and not summary.totals.set_aside
    lines = [line for part in content(tmp_path / "out").values() for line in part.splitlines()]
    rows = {Path(row["source"]).name: row for row in map(json.loads, lines)}
    assert len(rows) == len(lines) == 12
    assert rows.pop("page-5.png")["error"]["kind"] == "crashed"
    assert all(row["error"] is None and row["rows"] for row in rows.values())
