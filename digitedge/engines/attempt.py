"""A call in another process, so that whatever a function raises comes back."""

import pickle
import traceback
from collections.abc import Callable
from typing import TypeVar

from digitedge.errors import DigitEdgeError, InputError

T = TypeVar("T")
R = TypeVar("R")

Attempt = tuple[R | None, Exception | None]
"""What a function returned, and None; or None, and what it raised."""


def attempt(function: Callable[[T], R], task: T) -> Attempt[R]:
    """Call a function, and return its result and None, or None and what it raised.

    An error that cannot be sent to another process comes back as a DigitEdgeError with its text; so does what is no
    Exception, such as SystemExit. The traceback of a bug is kept as a note.

    Examples:
        >>> attempt(int, "7")
        (7, None)
        >>> attempt(int, "seven")
        (None, ValueError("invalid literal for int() with base 10: 'seven'"))
    """
    try:
        return function(task), None
    except BaseException as exc:
        error = (
            exc if isinstance(exc, Exception) and _can_be_sent(exc) else DigitEdgeError(f"{type(exc).__name__}: {exc}")
        )
        if not isinstance(exc, DigitEdgeError):
            error.add_note("In the other process:\n" + "".join(traceback.format_exception(exc)))
        return None, error


def _can_be_sent(error: Exception) -> bool:
    """Whether an error can be pickled and unpickled: one with two arguments of its own often cannot."""
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)
    except Exception:
        return False


def check_function(function: Callable[[T], R]) -> None:
    """Check that another process can find a function.

    Raises:
        InputError: it cannot be pickled: it is a lambda, or defined in another function.
    """
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as exc:
        raise InputError(f"expected a function of a module's top level, got {function!r}: {exc}") from exc
