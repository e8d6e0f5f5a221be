"""The command line: one thin module per command, which parses, calls one library function and prints.

Results go to standard output, progress and errors to standard error. Exit codes: 0 it holds, 1 it failed (any
DigitEdgeError), 2 wrong usage, 130 Ctrl-C, 143 SIGTERM. Heavy imports sit inside the commands, so that `--help` stays
quick; this file imports nothing heavy either, so that Ctrl-C ends even the start of the program without a traceback.
"""

import signal
import sys
from types import FrameType

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    try:
        signal.signal(signal.SIGTERM, _terminate)
        from digitedge.cli.app import app

        app()
    except KeyboardInterrupt:
        sys.exit(130)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """Unwind the stack as Ctrl-C does, so that devices are closed and half-written files removed."""
    raise SystemExit(143)
