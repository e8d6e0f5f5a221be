"""Kill what replaces a bundle, again and again, and check that the next command finds the old or the new one whole.

A child process copies a real bundle, marks it as exported here and puts it into its place, as `digitedge export` does.
It is killed with SIGKILL at one operation on files after the other, and at random moments. In half of the rounds it
must do without the exchange of two folders in one step, as on a file system that has none; in some, no bundle stands
there before. Then real exports of a small model are killed. After each kill a command looks for the bundle: it must be
the old one or the new one, with every hash right, marked as exported here, and nothing else may be in its folder.

    python tests/chaos/kills.py                       # 500 kills
    python tests/chaos/kills.py --kills 60 --exports 0 --seed 3

Prints one JSON object with the counts by outcome; exits with 1 if one of them is not as promised. POSIX only.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from digitedge.bundle.bundle import load_bundle, newest_passed_bundle
from digitedge.bundle.made_here import remember_bundle, state_folder
from digitedge.errors import DigitEdgeError
from digitedge.utils import drafts
from digitedge.utils.files import atomic_folder

SCHEMA = "digitedge.kills/1"
ROOT = Path(__file__).parents[2]
SMALL = ROOT / "export" / "small"
OLD, NEW = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
COMMAND_EVERY = 20
"""After so many kills the next command is a real one, in a process of its own."""
ORPHAN_S = 30.0
"""Seconds after which no child of a killed export may live."""


def write_bundle(target: Path, created: str) -> None:
    """Write a copy of the released bundle as an export does, with another time of creation."""
    manifest = json.loads((SMALL / "manifest.json").read_text())
    text = json.dumps({**manifest, "created": created})
    with atomic_folder(target) as draft:
        for name in (*manifest["files"], *manifest["others"]):
            shutil.copy(SMALL / name, draft / name)
        (draft / "manifest.json").write_text(text)
        remember_bundle(target, text.encode())


def kill_at(number: int) -> None:
    """Let this process die at its n-th operation on files."""
    operations = count()

    def hook(event: str, _: Any) -> None:
        if (event.startswith("os.") or event == "open") and next(operations) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def run_child(write: Callable[[], object], *, operation: int | None, delay_s: float) -> bool:
    """Fork a child that writes, kill it at an operation or after a delay, and return whether it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if operation is not None:
                kill_at(operation)
            write()
            code = 0
        finally:
            os._exit(code)
    if operation is None:
        time.sleep(delay_s)
        os.kill(child, signal.SIGKILL)  # a child that ended is a zombie until it is waited for
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("the child failed without a kill; see above")
    return os.WIFSIGNALED(status)


def look(folder: Path, *, in_process: bool) -> tuple[str | None, list[str]]:
    """Let the next command look for the bundle: its time of creation, and what is wrong."""
    if in_process:
        lines: list[str] = []
        try:
            found = newest_passed_bundle(folder, log=lines.append)
            created = None if found is None else load_bundle(found).manifest.created
        except DigitEdgeError as exc:
            return None, [str(exc)]
        return created, lines
    command = [sys.executable, "-m", "digitedge", "info", "--json"]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, timeout=120)
    if done.returncode or "Traceback" in done.stderr or "passed over" in done.stderr:
        return None, [done.stderr]
    created = json.loads(done.stdout)["created"]
    return (created if created in (OLD, NEW) else None), []


def find_leftovers(folder: Path) -> list[str]:
    """What is left in the folder of the bundle and of its marks."""
    left = [name for name in os.listdir(folder) if name != "mine"] if folder.exists() else []
    marks = sorted(os.listdir(state_folder())) if state_folder().exists() else []
    return left + [name for name in marks if name.startswith(drafts.PREFIX)]


def kill_writers(folder: Path, kills: int, rng: random.Random) -> tuple[Counter[str], list[str]]:
    """Kill children that write a bundle; return the counts by outcome, and the failures."""
    target = folder / "mine"
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    began = time.perf_counter()
    write_bundle(target, OLD)
    duration = time.perf_counter() - began
    exchange = drafts._exchange
    operation, done = 0, 0
    while done < kills:
        had_old, can_exchange, at_random = rng.random() < 0.8, rng.random() < 0.5, rng.random() < 0.5
        shutil.rmtree(target, ignore_errors=True)
        if had_old:
            write_bundle(target, OLD)
        drafts._exchange = exchange if can_exchange else lambda first, second: False
        killed = run_child(
            lambda: write_bundle(target, NEW),
            operation=None if at_random else operation,
            delay_s=rng.uniform(0, 1.3 * duration),
        )
        drafts._exchange = exchange
        if not at_random:
            operation = operation + 1 if killed else 0
        if not killed:
            outcomes["ended before the kill"] += 1
            continue
        done += 1
        missing = had_old and not target.exists()
        created, problems = look(folder, in_process=done % COMMAND_EVERY != 0)
        expected = (OLD, NEW) if had_old else (None, NEW)
        names = {OLD: "old bundle whole", NEW: "new bundle whole", None: "no bundle, as before"}
        if created not in expected:
            problems.append(f"expected the bundle of {' or '.join(map(str, expected))}, got {created}")
        if left := find_leftovers(folder):
            problems.append(f"left behind: {', '.join(left)}")
        if problems:
            failures.append(f"kill {done} ({'random' if at_random else f'operation {operation}'}): {problems}")
        outcomes["failed" if problems else names[created]] += 1
        outcomes["put back by the next command"] += missing
    return outcomes, failures


def kill_exports(folder: Path, exports: int, rng: random.Random) -> tuple[Counter[str], list[str]]:
    """Kill real exports of a small model over an exported bundle of it."""
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    train = ["train", "mlp", "--data", "synthetic", "--epochs", "1", "--name", "chaos"]
    export = ["export", "--data", "synthetic", "--int8", "--name", "mine", "--overwrite"]
    export += ["--tolerance", "agreement=0.5,top1_drop=0.5,max_abs_diff=1"]
    for command in (train, export):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "digitedge", *command], cwd=folder, check=True, capture_output=True)
    duration = time.perf_counter() - began
    by_libraries = set(os.listdir(tempfile.gettempdir()))  # what a whole export leaves, such as .ses
    bundle = folder / "export" / "mine"
    for number in range(exports):
        before = load_bundle(bundle).manifest.created
        child = subprocess.Popen(
            [sys.executable, "-m", "digitedge", *export],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # Most of its time it imports TensorFlow: half of the kills are late, when files are written.
        time.sleep(duration * (rng.uniform(0.6, 1) if number % 2 else rng.uniform(0, 1)))
        child.kill()
        killed = child.wait() == -signal.SIGKILL
        info = subprocess.run(
            [sys.executable, "-m", "digitedge", "info", "--json"], cwd=folder, capture_output=True, text=True
        )
        problems = [] if info.returncode == 0 else [info.stderr]
        if not problems and json.loads(info.stdout)["name"] != "mine":
            problems.append(f"another bundle was chosen: {info.stderr}")
        if left := find_leftovers(folder / "export"):
            problems.append(f"left behind: {', '.join(left)}")
        if not _ends(child.pid):
            problems.append("a process of the export lives on")
        outcome = "old bundle whole" if load_bundle(bundle).manifest.created == before else "new bundle whole"
        outcomes["failed" if problems else outcome if killed else "ended before the kill"] += 1
        failures += [f"export {number}: {problems}"] if problems else []
    subprocess.run([sys.executable, "-m", "digitedge", *export], cwd=folder, check=True, capture_output=True)
    if left := set(os.listdir(tempfile.gettempdir())) - by_libraries:
        failures.append(f"left among the temporary files: {', '.join(left)}")
    return outcomes, failures


def _ends(session: int) -> bool:
    """Wait until no process of a session lives; kill what lives too long."""
    deadline = time.monotonic() + ORPHAN_S
    while time.monotonic() < deadline:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.2)
    os.killpg(session, signal.SIGKILL)
    return False


def main() -> int:
    """Kill, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500, help="kills of the writer of a bundle")
    parser.add_argument("--exports", type=int, default=10, help="kills of real exports; they need TensorFlow")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="digitedge-kills-") as name:
        os.environ["XDG_STATE_HOME"] = str(Path(name, "state"))
        os.environ["TMPDIR"] = tempfile.tempdir = str(Path(name, "temporary"))
        Path(tempfile.tempdir).mkdir()
        (Path(name) / "writers" / "export").mkdir(parents=True)
        (Path(name) / "exports").mkdir()
        writers, failures = kill_writers(Path(name) / "writers" / "export", options.kills, rng)
        exports: Counter[str] = Counter()
        if options.exports:
            exports, more = kill_exports(Path(name) / "exports", options.exports, rng)
            failures += more
    report = {
        "schema": SCHEMA,
        "seed": options.seed,
        "kills": options.kills,
        "writers": dict(sorted(writers.items())),
        "exports": dict(sorted(exports.items())),
        "outcomes": dict(sorted((writers + Counter({f"export: {name}": exports[name] for name in exports})).items())),
        "failures": failures,
        "seconds": round(time.perf_counter() - began, 1),
    }
    print(json.dumps(report))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
