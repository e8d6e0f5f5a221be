"""Dask clusters of real processes, started as at a command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine_tasks import wait_until
from processes import start

TESTS = Path(__file__).parent


@dataclass
class Cluster:
    """A scheduler and workers."""

    folder: Path
    stack: ExitStack
    environment: dict[str, str]
    scheduler_environment: dict[str, str]
    scheduler: subprocess.Popen[Any] = field(init=False)
    address: str = field(init=False)

    def __post_init__(self) -> None:
        self.scheduler = self.start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show", **self.scheduler_environment
        )
        file = self.folder / "scheduler.json"
        wait_until(file.exists)
        wait_until(lambda: file.read_text().endswith("}"))
        self.address = json.loads(file.read_text())["address"]

    def start_workers(self, *options: str, **environment: str) -> subprocess.Popen[Any]:
        return self.start("dask_worker", *options, **environment)

    def start(self, name: str, *options: str, **environment: str) -> subprocess.Popen[Any]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", "--no-dashboard", *options]
        command += ["--scheduler-file", str(self.folder / "scheduler.json")]
        log = self.stack.enter_context((self.folder / f"{name}.log").open("ab"))
        options_of_process = {"env": {**self.environment, **environment}, "stdout": log, "stderr": log}
        return self.stack.enter_context(start(command, cwd=self.folder, **options_of_process))


@contextmanager
def start_cluster(folder: Path, **scheduler_environment: str) -> Iterator[Cluster]:
    """Start a scheduler, without workers."""
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    with ExitStack() as stack:
        yield Cluster(folder, stack, {**os.environ, "PYTHONPATH": path}, scheduler_environment)
