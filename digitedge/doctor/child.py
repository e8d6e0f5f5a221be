"""Python code in a process of its own: a crash or an abort is an answer, not our end."""

import signal
import subprocess
import sys
from dataclasses import dataclass

# Importing OpenCV takes 0.3 s on a laptop, and picamera2 up to 5 s on a Raspberry Pi from a cold SD card.
LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How the code ended: `text` is what it printed, or why it failed in one line."""

    works: bool
    text: str


def ask_child(code: str, *, limit_s: float = LIMIT_S) -> Answer:
    """Run code in a new process of this Python."""
    # -P: without the current folder; else a random.py in it would hide Python's own.
    command = [sys.executable, "-P", "-c", code]
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return Answer(False, f"it does not end within {limit_s:g} s")
    if child.returncode == 0:
        return Answer(True, child.stdout.decode(errors="replace").strip())
    if child.returncode < 0:
        return Answer(False, f"it crashes ({signal.strsignal(-child.returncode)})")
    lines = child.stderr.decode(errors="replace").strip().splitlines()
    return Answer(False, lines[-1].strip() if lines else f"it ends with code {child.returncode}")
