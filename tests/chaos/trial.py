"""What all parts of `make chaos` share: run a command under a fault, judge how it ended, report the counts."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processes import start

# Nothing here may take longer, even beside other work on two cores.
HANG_S = 120.0
# How long the processes of a command may outlive it.
ORPHAN_S = 5.0
DIGITEDGE = [sys.executable, "-m", "digitedge"]
# What a user must not see: a traceback, an error that no code has foreseen (`digitedge.cli.report_error`), or a control
# character in a line of digitedge; ONNX Runtime colours its own warnings.
_BUG = re.compile(r"Traceback|^error: unexpected |^\w+: [^\n]*?[\x00-\x09\x0b-\x1f\x7f-\x9f]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: of the exit; None if it hung and was killed.
        has_orphans: whether a process that it started lived on.
    """

    code: int | None
    output: str
    errors: str
    seconds: float
    has_orphans: bool

    @property
    def problems(self) -> list[str]:
        """What a user must never see; an empty list means that it worked, or was refused with one line."""
        refusals = self.errors.count("error: ")
        checks = {
            f"it hung for {self.seconds:.0f} s": self.code is not None,
            f"exit code {self.code}": self.code in (0, 1, None),
            f"{refusals} lines of error with exit code {self.code}": refusals == (self.code == 1) or self.code is None,
            "a process of it lives on": not self.has_orphans,
        }
        problems = [problem for problem, holds in checks.items() if not holds] + find_bugs(self.errors)
        return problems and [*problems, self.errors[-600:]]


def find_bugs(errors: str) -> list[str]:
    """Find a traceback, an unforeseen error or a control character in what a command printed."""
    return [f"a bug shows: {found[0]!r}"] if (found := _BUG.search(errors)) else []


def run_command(command: Sequence[str | Path], *, limit_s: float = HANG_S, **options: Any) -> Ended:
    """Run a command to its end, or kill it after a limit; `options` as of `subprocess.Popen`."""
    began = time.monotonic()
    with start(command, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options) as process:
        try:
            output, errors = process.communicate(timeout=limit_s)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, errors = process.communicate()
            code = None
        seconds = time.monotonic() - began
        return Ended(code, output or "", errors or "", seconds, code is not None and not group_ends(process.pid))


def group_ends(group: int) -> bool:
    """Wait until no process of a group lives, up to ORPHAN_S."""
    latest = time.monotonic() + ORPHAN_S
    while time.monotonic() < latest:
        with suppress(ProcessLookupError):
            os.killpg(group, 0)
            time.sleep(0.05)
            continue
        return True
    return False


def shuffled(kinds: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """Repeat kinds in random order, each as often as the others."""
    return [kind for _ in range(1 + count // len(kinds)) for kind in rng.sample(kinds, len(kinds))][:count]


def hash_files(folder: Path) -> dict[str, str]:
    """The sha256 of every file in a folder, by path; folders have an empty one."""
    return {
        str(path.relative_to(folder)): "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
    }


@dataclass(slots=True)
class Tally:
    """Counts by outcome, failures and measured figures of one part."""

    part: str
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def add(self, trial: str, outcome: str, problems: Sequence[str]) -> None:
        """Count a trial; with problems it has failed."""
        self.outcomes["failed" if problems else outcome] += 1
        if problems:
            self.failures.append(f"{trial}: {'; '.join(problems)}")
        state = f"FAILED: {'; '.join(problems)}" if problems else outcome
        print(f"{self.part} {self.outcomes.total()}: {trial}: {state}", file=sys.stderr, flush=True)

    def maximum(self, name: str, value: float) -> None:
        """Keep the largest value of a figure."""
        self.figures[name] = round(max(value, self.figures.get(name, value)), 2)

    def finish(self) -> int:
        """Print one JSON object; return the exit code."""
        report = {
            "schema": f"digitedge.{self.part}/1",
            "seed": self.seed,
            "outcomes": dict(sorted(self.outcomes.items())),
            "figures": self.figures,
            "failures": self.failures,
            "seconds": round(time.monotonic() - self.began, 1),
        }
        print(json.dumps(report))
        return 1 if self.failures or not self.outcomes else 0
