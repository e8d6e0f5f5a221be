"""A campaign: many inputs of all kinds in several workers, and the counts of what came of them."""

import queue
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fuzz.kinds import KINDS
from fuzz.runner import FAILURES, INPUTS_PER_WORKER, OUTCOMES, Input, Result, run_batch
from fuzz.worker import make_case


@dataclass
class Tally:
    """Counts of outcomes, and every failure."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    errors: dict[str, dict[str, int]] = field(default_factory=dict)
    failures: list[Result] = field(default_factory=list)
    peak_mb: dict[str, float] = field(default_factory=dict)
    slowest_s: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, result: Result) -> None:
        with self.lock:
            row = f"{result.kind} (command)" if result.by_command else result.kind
            counts = self.counts.setdefault(row, dict.fromkeys(OUTCOMES, 0))
            counts[result.outcome] += 1
            if result.error:
                errors = self.errors.setdefault(row, {})
                errors[result.error] = errors.get(result.error, 0) + 1
            self.peak_mb[row] = max(self.peak_mb.get(row, 0), result.peak_mb)
            self.slowest_s[row] = max(self.slowest_s.get(row, 0), result.seconds)
            if result.outcome in FAILURES:
                self.failures.append(result)

    def to_dict(self) -> dict[str, Any]:
        return {
            "counts": self.counts,
            "errors": self.errors,
            "peak_mb": {row: round(value) for row, value in self.peak_mb.items()},
            "slowest_s": {row: round(value, 2) for row, value in self.slowest_s.items()},
            "failures": [asdict(result) for result in self.failures],
        }


def fuzz(
    inputs: Sequence[Input],
    seed: str,
    *,
    jobs: int,
    command_every: int = 0,
    keep: Path | None = None,
    on_result: Callable[[Result], object] = lambda result: None,
) -> Tally:
    """Load inputs, each kind in workers of its own.

    Args:
        inputs: what is loaded.
        seed: of all inputs.
        jobs: number of workers at a time.
        command_every: one in so many inputs also goes through the command line; 0: none.
        keep: folder for the files of inputs that failed.
        on_result: called for each result, from several threads.
    """
    tally = Tally()
    batches: queue.SimpleQueue[list[Input]] = queue.SimpleQueue()
    for kind in dict.fromkeys(kind for kind, _ in inputs):
        of_kind = [one for one in inputs if one[0] == kind]
        size = max(1, min(INPUTS_PER_WORKER, -(-len(of_kind) // jobs)))
        for start in range(0, len(of_kind), size):
            batches.put(of_kind[start : start + size])
    problems: list[BaseException] = []

    def work() -> None:
        try:
            while not problems:
                batch = batches.get_nowait()
                for result in run_batch([batch[0][0]], batch, seed, command_every=command_every):
                    tally.add(result)
                    on_result(result)
                    if keep and result.outcome in FAILURES:
                        folder = keep / f"{result.kind}-{seed}-{result.number}"
                        shutil.rmtree(folder, ignore_errors=True)
                        folder.mkdir(parents=True)
                        make_case(KINDS[result.kind], seed, result.number).write(folder)
        except queue.Empty:
            return
        except BaseException as exc:
            problems.append(exc)

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return tally
