"""The last net: what a command prints of an error, whatever was raised.

Where a file from outside is read, the error of a library becomes a `DigitEdgeError` that names the file. What arrives
here as anything else is a bug, or a kind of damage that nobody has thought of. It is one line that asks for a report.
With DIGITEDGE_DEBUG=1 the traceback comes before the line, of every error.
"""

import errno
import os
import threading
import traceback
from pathlib import Path

from digitedge.cli.common import echo
from digitedge.errors import DigitEdgeError, first_line

DEBUG = "DIGITEDGE_DEBUG"
_STDOUT_ERRORS = {errno.ENOSPC, errno.EIO, errno.EBADF}  # those of `print` have no file name
_PACKAGE = Path(__file__).parents[1]


def report_error(exc: Exception, *, about: object = "") -> None:
    """Print an error to stderr as one line; `about` is the file in hand, if the error itself does not name it."""
    if os.environ.get(DEBUG):
        echo_traceback(exc)
    description = describe_error(exc, is_output=not about)
    prefix = "" if str(about) in description else f"{about}: "
    echo(f"error: {prefix}{description}")


def report_thread_error(hook: threading.ExceptHookArgs) -> None:
    """Print the error that ended a thread, as `threading.excepthook`; the command goes on without it."""
    if isinstance(hook.exc_value, Exception):  # and not SystemExit
        report_error(hook.exc_value, about=f"thread {hook.thread.name}" if hook.thread else "")


def echo_traceback(exc: Exception) -> None:
    """Print a traceback to stderr, line by line."""
    for line in "".join(traceback.format_exception(exc)).splitlines():
        echo(line)


def describe_error(exc: Exception, *, is_output: bool = True) -> str:
    """Describe an error in one line; `is_output` tells whether a full disk without a name can be that of the output.

    Examples:
        >>> describe_error(DigitEdgeError("expected a digit, got a letter"))
        'expected a digit, got a letter'
        >>> describe_error(FileNotFoundError(2, "No such file", "desk.png"))
        'desk.png: No such file'
        >>> describe_error(KeyError("x")).partition(". ")[0]
        "unexpected KeyError: 'x'"
    """
    if isinstance(exc, DigitEdgeError):
        return str(exc)
    if isinstance(exc, OSError):  # a folder without permission, a name that is too long
        name = f"{exc.filename}: " if exc.filename else ""
        if is_output and not name and exc.errno in _STDOUT_ERRORS:
            name = "cannot write to standard output: "
        return f"{name}{exc.strerror or exc}"
    if isinstance(exc, MemoryError):
        return "expected enough memory, got less than is needed. Give smaller files, or close other programs."
    return (
        f"unexpected {type(exc).__name__}: {first_line(exc)}{_place(exc)}. A file is damaged in an unknown manner, or "
        f"digitedge has a bug. Set {DEBUG}=1, run it again and report what it prints."
    )


def _place(exc: Exception) -> str:
    """The innermost line of digitedge's own code that the error passed."""
    frames = traceback.extract_tb(exc.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    return f" (digitedge/{Path(own[-1].filename).relative_to(_PACKAGE).as_posix()}:{own[-1].lineno})" if own else ""
