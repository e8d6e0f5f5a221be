"""Child processes of tests: signals as in a terminal, and none left behind when a test fails."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# A suite started in the background (`nohup make test &`) ignores SIGINT and SIGHUP, and its children inherit that.
# Resetting them in a Python that replaces itself by the command avoids `preexec_fn`, which is unsafe beside threads.
RESET_SIGNALS = """\
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@contextmanager
def start(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a command; when the block ends, for whatever reason, kill it and all that it has started.

    The command runs in a session of its own, with SIGINT, SIGTERM and SIGHUP at their defaults.

    Args:
        command: the program and its arguments.
        options: of `subprocess.Popen`, such as `stdout` and `text`.

    Examples:
        with start([sys.executable, "-m", "digitedge", "camera", "demo"], stderr=subprocess.PIPE, text=True) as process:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
    """
    words = [str(word) for word in command]
    if os.name == "nt":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        words = [sys.executable, "-I", "-S", "-c", RESET_SIGNALS, *words]
        options["start_new_session"] = True
    with subprocess.Popen(words, **options) as process:
        try:
            yield process
        finally:
            if os.name == "nt":
                process.kill()
            else:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
