"""The command line: one thin module per command, which parses, calls one library function and prints.

Results go to standard output, progress and errors to standard error. Exit codes: 0 it holds, 1 it failed (any
DigitEdgeError), 2 wrong usage, 130 Ctrl-C, 143 SIGTERM, 129 a closed terminal. Heavy imports sit inside the commands,
so that `--help` stays quick; this file imports nothing heavy either, so that Ctrl-C ends even the start of the program
without a traceback.
"""

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import NoReturn

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    try:
        _open_closed_streams()
        signal.signal(signal.SIGTERM, _terminate)
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it
            signal.signal(signal.SIGHUP, _terminate)
        from digitedge.cli.app import app

        app()
    except KeyboardInterrupt:
        _leave(130)
    except SystemExit as exc:
        _leave(exc.code)


def _leave(code: str | int | None) -> NoReturn:
    """Exit; at once where a thread still waits for a device that does not answer.

    When such a thread comes back while Python shuts down, Python ends it in the midst of OpenCV, and that aborts.
    """
    if isinstance(code, int) and any(thread.daemon for thread in threading.enumerate()):
        with suppress(OSError):  # nobody reads any more
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Give a program that was started without stdin, stdout or stderr (`>&-`) ones that lead nowhere."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is the closed one
            setattr(sys, name, os.fdopen(nowhere, "w" if number else "r"))


def _terminate(number: int, _frame: FrameType | None) -> None:
    """Unwind the stack as Ctrl-C does, so that devices are closed and half-written files removed."""
    signal.signal(number, signal.SIG_IGN)  # a second one must not break into the unwinding
    raise SystemExit(128 + number)
