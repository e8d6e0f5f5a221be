"""Worker processes that load inputs, seen from outside.

The parent sees what a worker cannot tell: that it has died, and of which signal; that it hangs; that it takes more and
more memory. A crash is blamed on the input whose replay in a new worker crashes. A heap that an earlier input has
damaged crashes later: then the inputs before it are replayed too, and halved until the first of them is found.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fuzz.case import ROOT
from fuzz.kinds import KINDS
from fuzz.worker import make_case

HANG_S = 10.0
MEMORY_MB = 600.0
# From here a worker is killed, to save the machine.
KILL_MB = 3000.0
START_S = 120.0
BUILD_S = 60.0
COMMAND_S = 130.0
# A worker that keeps so much memory, or has loaded so many inputs, is replaced by a new one.
KEPT_MB = 150.0
INPUTS_PER_WORKER = 2000
# So many inputs before a crash are replayed with it.
SUSPECTS = 64
MALLOC_DEBUG = f"/lib/{os.uname().machine}-linux-gnu/libc_malloc_debug.so.0"

OUTCOMES = ("works", "refused", "traceback", "crash", "hang", "memory")
FAILURES = OUTCOMES[2:]

Input = tuple[str, int]
"""Kind and number; with the seed, they name an input."""


@dataclass(slots=True)
class Result:
    """What came of an input.

    Attributes:
        kind: name of the kind.
        number: see `Input`.
        outcome: one of `OUTCOMES`.
        lie: the sort of lie.
        detail: what exactly.
        error: class of the exception, or the signal.
        message: of the exception, or the last line of a worker that died.
        place: file and line of digitedge at which an exception that is not digitedge's left it.
        seconds: that loading took.
        peak_mb: highest resident memory.
        by_command: found by the command line and not in the worker.
        reproduced: whether a crash came again in a new worker.
    """

    kind: str
    number: int
    outcome: str
    lie: str = ""
    detail: str = ""
    error: str = ""
    message: str = ""
    place: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0
    by_command: bool = False
    reproduced: bool = True


def malloc_environment() -> dict[str, str]:
    """Variables with which glibc finds a damaged heap soon; {} where it has no such library."""
    if not Path(MALLOC_DEBUG).exists():
        return {}
    return {"LD_PRELOAD": MALLOC_DEBUG, "GLIBC_TUNABLES": "glibc.malloc.check=3"}


class Worker:
    """A worker process. After a crash, a hang or too much memory it is dead.

    Args:
        kinds: names of the kinds that it will load.
        seed: of all inputs; `CORPUS` for the cases of the corpus.
        hang_s: seconds that an input may take.
        command_every: one in so many inputs also goes through the command line; 0: none.
    """

    def __init__(self, kinds: Sequence[str], seed: str, *, hang_s: float = HANG_S, command_every: int = 0) -> None:
        self.loaded: list[Input] = []
        self._hang_s = hang_s
        self._buffer = b""
        self._folder = Path(tempfile.mkdtemp(prefix="digitedge-fuzz-"))
        path = os.pathsep.join([str(ROOT / "tests"), str(ROOT), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", seed, str(self._folder), str(command_every), *kinds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, **malloc_environment()},
            cwd=self._folder,
            start_new_session=True,
        )
        if isinstance(self._receive(START_S), str):
            said = self._last_words()
            self.close()
            raise RuntimeError(f"the worker for {', '.join(kinds)} did not start: {said}")
        self._start_mb = self._memory_mb()

    def run(self, one: Input) -> list[Result]:
        """Load an input; returns its result, and that of its command line if one was run."""
        self.loaded.append(one)
        result = Result(*one, "crash")
        self._process.stdin.write("{} {}\n".format(*one).encode())
        self._process.stdin.flush()
        made = self._receive(BUILD_S)
        if isinstance(made, str):  # an input before it has damaged the heap
            return [self._died(result, made)]
        result.lie, result.detail = made["lie"], made["detail"]
        results = [self._outcome(result, self._hang_s)]
        if results[0].outcome not in ("crash", "hang") and made["command_follows"] and self._process.poll() is None:
            by_command = Result(*one, "crash", result.lie, result.detail, by_command=True)
            results.append(self._outcome(by_command, COMMAND_S))
        return results

    @property
    def is_spent(self) -> bool:
        """Whether the next input should get a new worker."""
        if self._process.poll() is not None or len(self.loaded) >= INPUTS_PER_WORKER:
            return True
        return self._memory_mb() - self._start_mb > KEPT_MB

    def close(self) -> None:
        """End the process and what it has started, and delete its files."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _outcome(self, result: Result, seconds: float) -> Result:
        """Wait for what came of an input."""
        started = time.monotonic()
        answer = self._receive(seconds)
        if isinstance(answer, str):
            result.seconds = time.monotonic() - started
            return self._died(result, answer)
        result = replace(result, **answer)
        if result.peak_mb > MEMORY_MB:
            result.outcome = "memory"
        return result

    def _receive(self, seconds: float) -> dict[str, Any] | str:
        """The next answer; else "hang", "memory" or "crash", and the process is dead."""
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            if select.select([self._process.stdout], [], [], 0.05)[0]:
                chunk = os.read(self._process.stdout.fileno(), 1 << 16)
                self._buffer += chunk
                if not chunk:
                    self._process.wait()
                    return "crash"
            elif self._memory_mb() > KILL_MB or time.monotonic() > end:
                outcome = "memory" if time.monotonic() <= end else "hang"
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                return outcome
        line, self._buffer = self._buffer.split(b"\n", 1)
        return dict(json.loads(line))

    def _memory_mb(self) -> float:
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0.0
        return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024

    def _died(self, result: Result, outcome: str) -> Result:
        result.outcome = outcome
        code = self._process.returncode
        if outcome == "crash":
            result.error = signal.Signals(-code).name if code < 0 else f"exit {code}"
            result.message = self._last_words()
        if outcome == "memory":
            result.peak_mb = KILL_MB
        return result

    def _last_words(self) -> str:
        log = self._folder / "log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        return lines[-1][:300] if lines else ""


@contextmanager
def open_worker(kinds: Sequence[str], seed: str, **options: Any) -> Iterator[Worker]:
    """A worker that is closed when the block ends."""
    started = Worker(kinds, seed, **options)
    try:
        yield started
    finally:
        started.close()


def run_batch(
    kinds: Sequence[str], batch: Sequence[Input], seed: str, *, hang_s: float = HANG_S, command_every: int = 0
) -> Iterator[Result]:
    """Load inputs one after the other, in as many workers as they kill; failures are confirmed in new ones."""
    current: Worker | None = None
    try:
        for one in batch:
            current = current or Worker(kinds, seed, hang_s=hang_s, command_every=command_every)
            for result in current.run(one):
                if result.outcome == "crash" and not result.by_command:
                    result = blame(kinds, current.loaded, seed, result)
                elif result.outcome == "hang" and not result.by_command:  # or was the machine busy?
                    with open_worker(kinds, seed, hang_s=hang_s) as fresh:
                        (result,) = fresh.run(one)
                yield result
            if current.is_spent:
                current.close()
                current = None
    finally:
        if current is not None:
            current.close()


def blame(kinds: Sequence[str], loaded: Sequence[Input], seed: str, seen: Result) -> Result:
    """Find the input that a crash comes from: the last one, or one before it that has damaged the heap.

    Args:
        kinds: of the worker that died.
        loaded: what it had loaded.
        seed: of all inputs.
        seen: what was seen of the last one.

    Returns:
        The result of that input; `seen`, not reproduced, if no crash came again.
    """

    def crashes(inputs: Sequence[Input]) -> bool:
        with open_worker(kinds, seed) as fresh:
            return any(fresh.run(one)[0].outcome == "crash" for one in inputs if not fresh.is_spent)

    suspects = list(loaded[-SUSPECTS:])
    if crashes(suspects[-1:]):
        least = len(suspects) - 1
    elif crashes(suspects):
        least, most = 0, len(suspects) - 1  # a crash comes with suspects[least:], and not with suspects[most:]
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if crashes(suspects[middle:]) else (least, middle)
    else:
        return replace(seen, reproduced=False)
    kind, number = suspects[least]
    case = make_case(KINDS[kind], seed, number)
    later = "" if suspects[least] == loaded[-1] else f" (seen at {loaded[-1][1]})"
    return replace(seen, kind=kind, number=number, lie=case.lie, detail=case.detail, message=seen.message + later)
