"""A worker of a cluster keeps memory for its next page."""

import os
import platform
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from digitedge.bulk.worker import CountTask, run_task

PAGES = """
import resource, sys
import numpy as np
from digitedge.bulk.worker import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def read(): return [np.ones(4_000_000, np.uint8) for _ in range(4)]
read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10): read()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    """Page faults of a process that works as a worker of Dask does, whose nanny sets this variable."""
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}
    run = subprocess.run(
        [sys.executable, "-c", PAGES, how], env=environment, capture_output=True, text=True, timeout=60
    )
    assert not run.stderr
    return int(run.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of the GNU C library")
def test_freed_memory_is_kept_for_the_next_page() -> None:
    assert page_faults("keep") < 0.1 * page_faults("as Dask does")


def test_a_process_reads_all_its_shards_in_one_thread(tmp_path: Path) -> None:
    """A new thread has memory of its own, and what earlier ones have freed stays theirs."""
    (tmp_path / "a.tif").write_bytes(b"")
    run_task(CountTask({1: "a.tif"}, str(tmp_path)))
    threads = set(threading.enumerate())
    for _ in range(3):
        run_task(CountTask({1: "a.tif"}, str(tmp_path)))
    assert set(threading.enumerate()) == threads
