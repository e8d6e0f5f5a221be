"""The command line: one thin module per command, which parses, calls one library function and prints.

Results go to standard output, progress and errors to standard error. Exit codes: 0 success, 1 failure (any
DigitEdgeError), 2 wrong usage, 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal. Heavy imports sit inside the commands,
so that `--help` is quick; this file imports nothing heavy, so that Ctrl-C during start-up gives no traceback.
"""

import io
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from digitedge.utils.secrets import hide_command_line

__all__ = ["main"]

SECRET_NOTE = (
    "note: the login or query of an address on the command line shows in the list of processes, at least for a moment. "
    "`digitedge camera` takes addresses from DIGITEDGE_SOURCE and DIGITEDGE_MQTT, which only you can read."
)


def main() -> None:
    """Run the command line of this process and exit with its code."""
    try:
        # The matrices here are small. NumPy's threads would wait for the next one in a loop that takes a whole core.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        _prepare_streams()
        if hide_command_line():  # at once: until then every user can read it
            print(SECRET_NOTE, file=sys.stderr)
        signal.signal(signal.SIGTERM, _terminate)
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(signal.SIGHUP, _terminate)
        from digitedge.cli.app import app
        from digitedge.cli.report_error import report_thread_error

        threading.excepthook = report_thread_error
        app()
    except KeyboardInterrupt:
        _exit(130)
    except SystemExit as exc:
        _exit(exc.code)


def _exit(code: str | int | None) -> NoReturn:
    """Flush the output and exit; immediately if a thread still waits for a device that does not respond.

    If such a thread returns while Python shuts down, Python ends it inside OpenCV, which aborts the process.
    """
    try:
        sys.stdout.flush()
    except OSError as exc:  # a full disk; Python itself would exit with 120 and two lines
        if not code and not isinstance(exc, BrokenPipeError):  # else the error was printed already
            with suppress(OSError):
                print(f"error: cannot write to standard output: {exc.strerror or exc}", file=sys.stderr)
        code = code or 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at shutdown
    if isinstance(code, int) and any(thread.daemon for thread in threading.enumerate()):
        with suppress(OSError):  # the reader of stderr is gone
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _prepare_streams() -> None:
    """Connect streams that were closed before the start (`>&-`) to the null device, and escape what has no encoding.

    An output of ASCII would raise at the first name with an umlaut, and one of UTF-8 at a name that is not UTF-8.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is the closed one
            os.set_inheritable(null, True)  # by worker processes
            setattr(sys, name, os.fdopen(null, "w" if number else "r"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _terminate(number: int, _frame: FrameType | None) -> None:
    """Unwind the stack as Ctrl-C does, so that devices are closed and incomplete files removed."""
    signal.signal(number, signal.SIG_IGN)  # a second signal must not interrupt the unwinding
    raise SystemExit(128 + number)
