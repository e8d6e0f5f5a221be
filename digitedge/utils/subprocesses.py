"""Python code in a child process, so that a crash or an abort does not end this program."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from digitedge.errors import ModelError

# Importing OpenCV takes 0.3 s on a laptop, and picamera2 up to 5 s on a Raspberry Pi from a cold SD card.
LIMIT_S = 30.0
# A slow board may take minutes for what takes seconds on a laptop.
CALL_LIMIT_S = 900.0


@dataclass(frozen=True, slots=True)
class ChildResult:
    """Result of a child process: `text` is its output, or the reason of its failure in one line."""

    succeeded: bool
    text: str


def run_python(
    code: str, *, limit_s: float = LIMIT_S, content: bytes = b"", variables: Mapping[str, str] | None = None
) -> ChildResult:
    """Run code in a new process of this Python.

    Args:
        code: of Python.
        limit_s: seconds after which it is killed.
        content: its standard input.
        variables: of its environment, besides those of this process.
    """
    # -P: the current folder is not on the path, so a random.py in it does not hide the standard library's.
    command = [sys.executable, "-P", "-c", code]
    try:
        environment = {**os.environ, **(variables or {})}
        child = subprocess.run(command, input=content, env=environment, capture_output=True, timeout=limit_s)
    except subprocess.TimeoutExpired:
        return ChildResult(False, f"it did not exit within {limit_s:g} s")
    if child.returncode == 0:
        return ChildResult(True, child.stdout.decode(errors="replace").strip())
    if child.returncode < 0:
        return ChildResult(False, f"it crashed ({signal.strsignal(-child.returncode)})")
    lines = child.stderr.decode(errors="replace").strip().splitlines()
    return ChildResult(False, lines[-1].strip() if lines else f"it exited with code {child.returncode}")


def call_in_new_process(function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Any:
    """Call a function of a module's top level in a new process.

    The arguments are strings, numbers and tuples of them; the result must be JSON.

    Raises:
        ModelError: it failed or crashed; the message is its own.

    Examples:
        >>> import math
        >>> call_in_new_process(math.gcd, 12, 18)
        6
    """
    module, name = function.__module__, function.__name__
    code = f"import json; from {module} import {name}; print(json.dumps({name}(*{arguments!r}, **{options!r})))"
    answer = run_python(code, limit_s=CALL_LIMIT_S)
    if not answer.succeeded:
        raise ModelError(re.sub(r"^digitedge\.[\w.]+: ", "", answer.text))
    return json.loads(answer.text.splitlines()[-1])
