"""Python code in a process of its own: a crash or an abort is an answer, not our end."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from digitedge.errors import ModelError

# Importing OpenCV takes 0.3 s on a laptop, and picamera2 up to 5 s on a Raspberry Pi from a cold SD card.
LIMIT_S = 30.0
# A slow board may take minutes for what a laptop does in seconds; only what hangs takes this long.
CALL_LIMIT_S = 900.0


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How the code ended: `text` is what it printed, or why it failed in one line."""

    works: bool
    text: str


def run_python(code: str, *, limit_s: float = LIMIT_S) -> ChildResult:
    """Run code in a new process of this Python."""
    # -P: without the current folder; else a random.py in it would hide Python's own.
    command = [sys.executable, "-P", "-c", code]
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return ChildResult(False, f"it does not end within {limit_s:g} s")
    if child.returncode == 0:
        return ChildResult(True, child.stdout.decode(errors="replace").strip())
    if child.returncode < 0:
        return ChildResult(False, f"it crashes ({signal.strsignal(-child.returncode)})")
    lines = child.stderr.decode(errors="replace").strip().splitlines()
    return ChildResult(False, lines[-1].strip() if lines else f"it ends with code {child.returncode}")


def call_in_new_process(function: str, /, *arguments: Any, **options: Any) -> Any:
    """Call a function in a fresh Python.

    Args:
        function: its dotted name; what it returns must be JSON.
        arguments: strings, numbers and tuples of them.
        options: as above.

    Raises:
        ModelError: it failed or crashed; the message is its own.

    Examples:
        >>> call_in_new_process("math.gcd", 12, 18)
        6
    """
    module, _, name = function.rpartition(".")
    code = f"import json; from {module} import {name}; print(json.dumps({name}(*{arguments!r}, **{options!r})))"
    answer = run_python(code, limit_s=CALL_LIMIT_S)
    if not answer.works:
        raise ModelError(re.sub(r"^digitedge\.errors\.\w+: ", "", answer.text))
    return json.loads(answer.text.splitlines()[-1])
