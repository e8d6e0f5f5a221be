"""The process that loads inputs: it makes one after the other, loads it, and says what came of it.

A native crash ends this process, not the one that counts: see `runner`. It answers on a descriptor of its own, because
native code prints on 1 and 2.

    python -m fuzz.worker SEED FOLDER COMMAND_EVERY KIND ...
"""

import gc
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from fuzz.case import Case, Unbuildable
from fuzz.corpus import CORPUS, corpus
from fuzz.kinds import KINDS, UNEXPECTED, Kind, raw_characters

from digitedge.errors import DigitEdgeError

COMMAND_TIMEOUT_S = 120.0  # an evaluation of a set that holds takes 25 s
DRAWS = 100


def make_case(kind: Kind, seed: str, number: int) -> Case:
    """The input with this number: the same one in every process."""
    if seed == CORPUS:
        return corpus(kind.name)[number]
    for draw in range(DRAWS):
        rng = random.Random(f"{seed}/{kind.name}/{number}/{draw}")
        try:
            return kind.make(rng)
        except Unbuildable:
            continue
    raise RuntimeError(f"{kind.name} {number}: no lie could be built in {DRAWS} draws")


def peak_mb() -> float:
    """The highest resident memory of this process since `forget_peak`, in MB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def children_mb() -> float:
    """The highest resident memory of any child so far, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def forget_peak() -> None:
    """Start the highest resident memory anew: `man proc_pid_clear_refs`."""
    Path("/proc/self/clear_refs").write_text("5")


def try_case(kind: Kind, path: Path, case: Case) -> dict[str, Any]:
    """Load an input as the commands do."""
    try:
        kind.load(path, case)
    except DigitEdgeError as exc:
        return {"outcome": "refused", "error": type(exc).__name__, "message": str(exc)}
    except BaseException as exc:
        where = traceback.extract_tb(exc.__traceback__)
        own = next((f for f in reversed(where) if "/digitedge/" in f.filename), where[-1])
        place = f"{Path(own.filename).name}:{own.lineno}"
        return {"outcome": "traceback", "error": type(exc).__name__, "message": str(exc)[:300], "place": place}
    return {"outcome": "works"}


def try_command(words: list[str], folder: Path) -> dict[str, Any]:
    """Run the command line on an input."""
    command = [sys.executable, "-m", "digitedge", *words]
    environment = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder), "NO_COLOR": "1"}
    environment.pop("DIGITEDGE_DATA", None)
    output = folder.parent / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=folder, env=environment
        )
        try:
            process.wait(COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return {"outcome": "hang"}
    said = output.read_text(errors="replace")
    last = said.strip().splitlines()[-1:] or [""]
    if process.returncode < 0 or process.returncode > 2:
        return {"outcome": "crash", "error": f"exit {process.returncode}", "message": last[0][:300]}
    if "Traceback (most recent call last)" in said or UNEXPECTED in said:
        return {"outcome": "traceback", "error": last[0].partition(":")[0][:60], "message": last[0][:300]}
    if found := raw_characters(said):
        return {"outcome": "traceback", "error": "RawOutput", "message": found}
    return {"outcome": "works" if process.returncode == 0 else "refused", "message": last[0][:300]}


def serve(kinds: list[Kind], seed: str, folder: Path, command_every: int, answers: Any) -> None:
    """Load the inputs whose kinds and numbers come on stdin; lines of JSON say what each is and what came of it."""

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    for kind in kinds:
        kind.prepare()
    gc.collect()
    gc.freeze()
    forget_peak()
    own_mb = peak_mb() if any(kind.tensorflow for kind in kinds) else 0.0
    place = folder / "input"
    largest_child = children_mb()
    answer({})
    for line in sys.stdin:
        name, number = line.split()
        kind = KINDS[name]
        case = make_case(kind, seed, int(number))
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        path = case.write(place)
        words = kind.command(path, case) if command_every and int(number) % command_every == 0 else None
        answer({"lie": case.lie, "detail": case.detail, "command_follows": words is not None})
        forget_peak()
        started = time.monotonic()
        result = try_case(kind, path, case)
        gc.collect()  # what native code has damaged is found when it is freed
        seconds = time.monotonic() - started
        peaks = [peak_mb() - own_mb]
        if (child := children_mb()) > largest_child:
            largest_child = child
            peaks.append(child)
        answer({**result, "seconds": seconds, "peak_mb": max(peaks)})
        if words is not None:
            answer(try_command(words, place))
            largest_child = children_mb()


def main() -> None:
    seed, folder, command_every, *kinds = sys.argv[1:]
    with os.fdopen(os.dup(1), "w") as answers:
        log = os.open(Path(folder) / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        serve([KINDS[kind] for kind in kinds], seed, Path(folder), int(command_every), answers)


if __name__ == "__main__":
    main()
