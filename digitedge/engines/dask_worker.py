"""The side of the worker of a Dask cluster: call a function, and return what came of it."""

import pickle
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass

from digitedge.engines.attempt import attempt
from digitedge.utils.version import __version__

_preparing = threading.Lock()
_prepared: set[Callable[[], None]] = set()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker sends back.

    Attributes:
        worker: its address.
        result: what the function returned, pickled; None if it raised.
        error: what it raised.
        refused: why this worker cannot call the function; None if it can.
    """

    worker: str
    result: bytes | None = None
    error: Exception | None = None
    refused: str | None = None


def describe_python() -> str:
    """Name what a worker needs to have, too."""
    return f"digitedge {__version__} on Python {platform.python_version()}"


def refuse(expected: str) -> str | None:
    """The reason why a process cannot call a function for this version of digitedge; None if it can."""
    return None if expected == __version__ else f"{describe_python()}, not digitedge {expected}"


def call(content: bytes, expected: str) -> bytes:
    """Call a function on a worker; all errors are in the reply.

    Args:
        content: the pickled function, what prepares its process or None, and the task. Pickled apart from what Dask
            pickles: so the scheduler does not unpickle it, and an error of it differs from others.
        expected: version of digitedge where the call comes from.

    Returns:
        The pickled Reply.
    """
    from distributed import get_worker

    worker = get_worker().address
    if refused := refuse(expected):
        return pickle.dumps(Reply(worker, refused=refused))
    try:
        function, prepare, task = pickle.loads(content)
    except Exception as exc:
        refused = f"{type(exc).__name__}: {exc} ({describe_python()})"
        return pickle.dumps(Reply(worker, refused=refused))
    if prepare is not None:
        _prepare_once(prepare)
    result, error = attempt(lambda task: pickle.dumps(function(task)), task)
    return pickle.dumps(Reply(worker, result, error))


def _prepare_once(prepare: Callable[[], None]) -> None:
    """Prepare this process before its first task, also when several threads begin at once."""
    with _preparing:
        if prepare not in _prepared:
            prepare()
            _prepared.add(prepare)
