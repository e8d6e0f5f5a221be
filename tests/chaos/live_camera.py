"""A real `digitedge camera --json`, its lines with their times, and what must hold of them."""

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from chaos.trial import DIGITEDGE, find_bugs, group_ends
from processes import start

START_S = 60.0
END_S = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line on stdout.

    Attributes:
        at: when it came, by `time.monotonic`.
        stable: texts of the stable rows.
    """

    at: float
    frame: int
    is_new: bool
    state: str
    stable: tuple[str, ...]
    events: tuple[dict[str, Any], ...]


class LiveCamera:
    """The process of a camera that prints JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.lines: list[Line] = []
        self.errors: list[str] = []
        self.process = process
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            value = json.loads(text)
            self.lines.append(
                Line(
                    time.monotonic(),
                    value["frame"],
                    value["is_new"],
                    value["state"],
                    tuple(row["text"] for row in value["stable"]),
                    tuple(value["events"]),
                )
            )

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(self.process.stderr)

    def since(self, moment: float) -> list[Line]:
        """Lines that came after a moment."""
        return [line for line in self.lines if line.at > moment]

    def wait_for(self, condition: Callable[[], object], limit_s: float) -> bool:
        """Wait until a condition holds or the camera has ended; return whether it holds."""
        latest = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > latest or self.process.poll() is not None:
                return False
            time.sleep(0.02)
        return True

    def longest_silence_s(self, since: float) -> float:
        """The longest time between two lines since a moment, and until now."""
        times = [since, *(line.at for line in self.since(since)), time.monotonic()]
        return max(after - before for before, after in pairwise(times))

    @property
    def memory_mb(self) -> float:
        """Highest resident memory so far; 0 after its end."""
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    def stop(self) -> list[str]:
        """Press Ctrl-C; return what was wrong with the end or the lines on stderr."""
        ended_before = self.process.poll()
        self.process.send_signal(signal.SIGINT)
        try:
            code: int | None = self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            code = None
        problems = []
        if ended_before is not None:
            problems.append(f"it had ended with exit code {ended_before}")
        elif code != 130:
            problems.append(f"Ctrl-C gave exit code {code}" if code is not None else f"no end {END_S:g} s after Ctrl-C")
        if code is not None and not group_ends(self.process.pid):
            problems.append("a process of it lives on")
        for thread in self._threads:
            thread.join(1)
        errors = "".join(self.errors)
        problems += find_bugs(errors)
        return problems and [*problems, errors[-600:]]


@contextmanager
def live_camera(*arguments: str, **options: Any) -> Iterator[LiveCamera]:
    """Run a camera until the block ends; it has read its first frame when the block begins.

    Raises:
        SystemExit: it did not start.
    """
    command = [*DIGITEDGE, "camera", *arguments, "--json", "--headless"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with start(command, **pipes, **options) as process:
        camera = LiveCamera(process)
        if not camera.wait_for(lambda: camera.lines, START_S):
            raise SystemExit(f"the camera did not start: {''.join(camera.errors)}")
        yield camera
