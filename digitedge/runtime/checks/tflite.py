"""The check of a TFLite file; see `digitedge.runtime.checks`."""

from pathlib import Path

from digitedge.errors import ModelError
from digitedge.runtime.checks.findings import Contradiction, Unknown
from digitedge.runtime.checks.tflite_graph import read_graph
from digitedge.runtime.checks.tflite_operators import check_operator

MAX_MULTIPLICATIONS = 2_000_000_000
"""Of one image at most, for a file that is loaded at once; a digit classifier has 0.1 to 50 million."""


def find_doubt(content: bytes, path: Path) -> str | None:
    """Check the bytes of a `.tflite` file, without native code.

    Returns:
        None if all of it is known and holds; else what is not known, for a trial in a child process.

    Raises:
        ModelError: it is damaged, contradicts itself, or asks for too much.
    """
    doubt = None
    try:
        total = 0
        for operator in read_graph(content).operators:
            try:
                total += check_operator(operator)
            except Unknown as exc:  # go on: a later operator may contradict itself
                doubt = doubt or str(exc)
        return doubt if total <= MAX_MULTIPLICATIONS else "very many multiplications"
    except Unknown as exc:
        return str(exc)
    except Contradiction as exc:
        reason = str(exc)
    except Exception as exc:  # the accessors raise errors of many kinds for bytes that are no such file
        reason = f"it is damaged ({type(exc).__name__})"
    raise ModelError(f"{path}: expected a TFLite model of a digit classifier, got another file: {reason}.")
