"""Speed and memory of bulk reading against a plain loop on one core, and what ten million pages would take.

    make bench-bulk                                 # 200 pages of each run: about 10 minutes
    make bench-bulk BENCH_ARGS='--pages 800 --quick'    # as the figures in docs/guide/bulk.md

Rendered pages of 1654x2339 pixels, A4 at 200 dpi (see bulk_pages.py), are read by a plain loop (bulk_loop.py), by
`digitedge bulk` with processes of its own, and through a local Dask cluster. The loop runs before and after the
others, and its mean counts, because clocks drift. Times of `bulk` are of the whole command, from start to exit; those
of the loop leave out the start. CPU is the processor time of all processes for a page: it shows threads that work in
vain, and holds also on a machine that does other work, where speeds mean nothing and ratios little; the first lines say
so then. Memory is the peak of the largest process.

Linux only: memory is read from /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulk_pages import DIGITS, DISTINCT, DOCUMENTS, FILE_TYPES, Size, make_folder, remove_cache
from processes import start

from digitedge.benchmark.memory import peak_bytes
from digitedge.benchmark.system import describe_machine, find_disturbances, read_machine_state
from digitedge.utils.tables import Table

PAGES = 200
SIZE = (1654, 2339)  # A4 at 200 dpi
SIZES: tuple[Size, ...] = ((827, 1170), SIZE, (2480, 3508))  # 100, 200 and 300 dpi
# What bulk reading is measured against.
MIN_POOL_RATIO, MIN_CLUSTER_RATIO, MAX_START_S, MAX_PARENT_MB, MAX_WORKER_MB = 1.9, 1.6, 3.0, 300, 250
WORKERS = 2
LIMIT_S = 3 * 3600.0
POLL_S = 0.1
PROJECTED_PAGES = 10_000_000
PROJECTED_CORES = (2, 16, 100, 1000)
MB = 1e6
RUN_HEADS = ["CPU ms/page", "parent MB", "worker MB"]


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured of one command.

    Attributes:
        pages: that it read.
        seconds: from its start to its end.
        cpu_s: processor time of it and of its workers.
        parent_bytes: peak memory of its first process.
        worker_bytes: of the largest of the others.
    """

    pages: int
    seconds: float
    cpu_s: float
    parent_bytes: int
    worker_bytes: int

    @property
    def rate(self) -> float:
        """Pages a second."""
        return self.pages / self.seconds

    @property
    def cells(self) -> list[str]:
        """CPU and memory, for a table with RUN_HEADS."""
        memory = (self.parent_bytes / MB, self.worker_bytes / MB)
        return [f"{1000 * self.cpu_s / self.pages:.0f}", *(f"{value:.0f}" for value in memory)]


def run_loop(folder: Path) -> dict[str, Any]:
    """Read a folder with the plain loop; see bulk_loop.py for what it returns."""
    with tempfile.TemporaryDirectory() as results:
        script = Path(__file__).with_name("bulk_loop.py")
        core = str(min(os.sched_getaffinity(0)))  # from the start: libraries count cores as they are loaded
        command = ["taskset", "-c", core, sys.executable, str(script), str(folder), f"{results}/loop.jsonl"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode:
        raise SystemExit(f"the plain loop failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run_bulk(folder: Path, *options: str, others: Sequence[int] = ()) -> Run:
    """Read a folder with `digitedge bulk`; `others` are processes that work for it and are not its children."""
    with tempfile.TemporaryDirectory() as results:
        out = Path(results) / "out"
        command = [sys.executable, "-m", "digitedge", "bulk", str(folder), "--out", str(out), "--json", *options]
        before = {one: _cpu_s(one) for one in _descendants(others)}
        with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            started, peaks, cpu = time.perf_counter(), dict[int, int](), dict[int, float]()
            while process.poll() is None and time.perf_counter() - started < LIMIT_S:
                for one in [process.pid, *_descendants([process.pid, *others])]:
                    peaks[one] = max(peaks.get(one, 0), peak_bytes(Path(f"/proc/{one}/status")) or 0)
                    cpu[one] = max(cpu.get(one, 0.0), _cpu_s(one))
                time.sleep(POLL_S)
            seconds = time.perf_counter() - started
            text, errors = process.communicate(timeout=60)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{errors}")
    pages, parent = json.loads(text)["pages"], peaks.pop(process.pid, 0)
    return Run(pages, seconds, sum(cpu.values()) - sum(before.values()), parent, max(peaks.values(), default=0))


def _cpu_s(process: int) -> float:
    """Return the processor time of a process so far, with all its threads; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _descendants(roots: Sequence[int]) -> list[int]:
    """Return the processes that these have started, and those that they have started, without threads."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:  # it has just ended
            continue
        parents[int(path.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = list(roots)
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[len(roots) :]


@contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[int]]]:
    """Start a local Dask cluster with one thread a worker; yields its address and its processes."""
    from distributed import Client

    with tempfile.TemporaryDirectory() as folder:
        place, quiet = f"{folder}/scheduler.json", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        dask = [sys.executable, "-m", "dask"]
        here = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", place]
        count = ["--nworkers", str(workers), "--nthreads", "1", "--no-dashboard", "--local-directory", folder]
        with (
            start([*dask, "scheduler", *here], **quiet) as scheduler,
            start([*dask, "worker", "--scheduler-file", place, *count], **quiet) as worker,
        ):
            while not Path(place).exists():
                time.sleep(POLL_S)
            with Client(scheduler_file=place) as client:
                client.wait_for_workers(workers, timeout=60)
                address = client.scheduler.address
            yield address, [worker.pid]
            worker.terminate()
            scheduler.terminate()


def print_conditions(pages: int) -> None:
    machine, state = describe_machine(), read_machine_state()
    print(f"{machine.cpu}, {machine.cores} cores, {machine.system}, Python {machine.python}")
    print(", ".join(f"{name} {version}" for name, version in machine.versions.items()))
    kinds = f"{', '.join(map(str, DIGITS))} digits on paper; {', '.join(DOCUMENTS)}"
    print(f"{pages} pages a run, {DISTINCT} of them distinct ({kinds}); files in the page cache")
    disturbances = find_disturbances(state, state)
    print("".join(f"DO NOT USE THESE FIGURES: {one}\n" for one in disturbances))


def measure_engines(pages: int) -> tuple[dict[str, Any], dict[str, Run]]:
    """Measure the loop, processes and the cluster on the same pages, and print them."""
    folder = make_folder(pages, SIZE)
    before = run_loop(folder)
    runs = {f"bulk, {n} workers": run_bulk(folder, "--workers", str(n)) for n in range(1, WORKERS + 1)}
    with cluster(WORKERS) as (address, others):
        runs[f"Dask, {WORKERS} workers"] = run_bulk(folder, "--scheduler", address, others=others)
    after = run_loop(folder)
    rates = [one["pages"] / one["seconds"] for one in (before, after)]
    loop = before | {"rate": sum(rates) / 2}
    lines = {"plain loop, before": _loop_cells(before, rates[0])}
    for name, run in runs.items():
        lines[name] = [f"{run.rate:.2f}", f"{run.rate / loop['rate']:.2f}", *run.cells]
    lines["plain loop, after"] = _loop_cells(after, rates[1])
    title = f"{pages} pages of {SIZE[0]}x{SIZE[1]}, JPEG"
    print(Table("engine", ["pages/s", "x loop", *RUN_HEADS], lines, title=title).text())
    return loop, runs


def _loop_cells(loop: dict[str, Any], rate: float) -> list[str]:
    cpu = f"{1000 * loop['cpu_s'] / loop['pages']:.0f}"
    return [f"{rate:.2f}", "", cpu, "", f"{loop['peak_bytes'] / MB:.0f}"]


def measure_start() -> float:
    """Print and return the seconds of a whole run with one small page: what a run costs besides its pages."""
    folder = make_folder(1, (240, 339))
    runs = {f"{n} workers": [run_bulk(folder, "--workers", str(n)).seconds for _ in range(3)] for n in (1, WORKERS)}
    lines = {name: [f"{min(seconds):.2f}", f"{max(seconds):.2f}"] for name, seconds in runs.items()}
    print(Table("start and end", ["least s", "most s"], lines, title="One page of 240x339, three runs").text())
    return max(max(seconds) for seconds in runs.values())


def measure_sizes(pages: int) -> None:
    """Print the speed and memory by the size of a page."""
    lines = {}
    for size in SIZES:
        folder = make_folder(pages, size)
        loop, run = run_loop(folder), run_bulk(folder, "--workers", str(WORKERS))
        rate, kb = loop["pages"] / loop["seconds"], _mean_bytes(folder) / 1e3
        figures = (rate, run.rate, run.rate / rate)
        lines[f"{size[0]}x{size[1]}"] = [f"{kb:.0f}", *(f"{value:.2f}" for value in figures), *run.cells]
    heads = ["kB", "loop pages/s", f"{WORKERS} workers", "x loop", *RUN_HEADS]
    print(Table("page", heads, lines, title=f"{pages} pages of each size, JPEG").text())


def measure_file_types(pages: int) -> None:
    """Print the speed and memory by the type of the files."""
    lines = {}
    for file_type in FILE_TYPES:
        folder = make_folder(pages, SIZE, file_type)
        run = run_bulk(folder, "--workers", str(WORKERS))
        if run.pages != pages:
            raise SystemExit(f"expected {pages} pages of {file_type}, got {run.pages}")
        kb = sum(path.stat().st_size for path in folder.iterdir()) / pages / 1e3
        lines[file_type] = [f"{kb:.0f}", f"{run.rate:.2f}", *run.cells]
    title = f"{pages} pages of {SIZE[0]}x{SIZE[1]}, {WORKERS} workers"
    print(Table("file type", ["kB a page", "pages/s", *RUN_HEADS], lines, title=title).text())


def _mean_bytes(folder: Path) -> float:
    sizes = [path.stat().st_size for path in folder.iterdir()]
    return sum(sizes) / len(sizes)


def print_projection(pages: int, loop: dict[str, Any], cluster_run: Run) -> None:
    """Print what ten million such pages take, with what that rests on."""
    kept = cluster_run.rate / loop["rate"] / WORKERS
    page_mb = _mean_bytes(make_folder(pages, SIZE)) / MB
    digits, input_tb = loop["digits"], PROJECTED_PAGES * page_mb / 1e6
    lines = {}
    for cores in PROJECTED_CORES:
        rate = loop["rate"] * kept * cores
        hours = PROJECTED_PAGES / rate / 3600
        lines[str(cores)] = [f"{rate:.0f}", f"{hours:,.1f}", f"{rate * page_mb:.0f}"]
    title = f"{PROJECTED_PAGES:,} pages, projected"
    print(Table("cores", ["pages/s", "hours", "MB/s to read"], lines, title=title).text())
    sizes = loop["result_bytes"]
    disk = {name: [f"{size:.0f}", f"{size * PROJECTED_PAGES / 1e9:.1f}"] for name, size in sizes.items()}
    print(Table("results", ["bytes a page", "GB"], disk).text())
    print(
        "This assumes:\n"
        f"- every core reads {loop['rate']:.2f} pages a second alone, as the plain loop here;\n"
        f"- a cluster keeps {kept:.0%} of that, as the {WORKERS} workers of a local Dask cluster here, on any number\n"
        "  of cores: nothing above was measured on more than this machine has, and hyperthreads are not cores;\n"
        f"- pages are such as these: {SIZE[0]}x{SIZE[1]} pixels, JPEG of {page_mb:.2f} MB, {digits:.0f} digits;\n"
        "- the storage gives the MB/s of the table to all workers together;\n"
        f"- results are as large as those of these pages; files of input take {input_tb:.1f} TB.\n"
    )


def print_marks(loop: dict[str, Any], runs: dict[str, Run], start_s: float) -> None:
    """Print what was wanted, what came, and whether it is held."""
    pool, dask = runs[f"bulk, {WORKERS} workers"], runs[f"Dask, {WORKERS} workers"]
    ratios = [run.rate / loop["rate"] for run in (pool, dask)]
    memory = [max(run.parent_bytes for run in runs.values()) / MB, max(run.worker_bytes for run in runs.values()) / MB]
    marks = {
        f"{WORKERS} workers": (f">= {MIN_POOL_RATIO} x", f"{ratios[0]:.2f} x", ratios[0] >= MIN_POOL_RATIO),
        "Dask": (f">= {MIN_CLUSTER_RATIO} x", f"{ratios[1]:.2f} x", ratios[1] >= MIN_CLUSTER_RATIO),
        "start and end": (f"< {MAX_START_S:.0f} s", f"{start_s:.1f} s", start_s < MAX_START_S),
        "parent": (f"< {MAX_PARENT_MB} MB", f"{memory[0]:.0f} MB", memory[0] < MAX_PARENT_MB),
        "worker": (f"< {MAX_WORKER_MB} MB", f"{memory[1]:.0f} MB", memory[1] < MAX_WORKER_MB),
    }
    lines = {name: [wanted, came, "held" if held else "MISSED"] for name, (wanted, came, held) in marks.items()}
    print(Table("mark", ["wanted", "measured", ""], lines).text())


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure bulk reading.")
    parser.add_argument("--pages", type=int, default=PAGES, help=f"of the runs that are compared (default {PAGES})")
    parser.add_argument("--keep", action="store_true", help="keep the rendered pages for the next run")
    parser.add_argument("--quick", action="store_true", help="leave out the other page sizes and file types")
    arguments = parser.parse_args()
    os.environ.setdefault("DIGITEDGE_REQUIRE_SIGNATURE", "0")
    try:
        print_conditions(arguments.pages)
        loop, runs = measure_engines(arguments.pages)
        start_s = measure_start()
        if not arguments.quick:
            fewer = max(DISTINCT, arguments.pages // 4)
            measure_sizes(fewer)
            measure_file_types(fewer)
        print_projection(arguments.pages, loop, runs[f"Dask, {WORKERS} workers"])
        print_marks(loop, runs, start_s)
    finally:
        if not arguments.keep:
            remove_cache()


if __name__ == "__main__":
    main()
