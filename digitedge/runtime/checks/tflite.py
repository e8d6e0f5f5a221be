"""The check of a TFLite file; see `digitedge.runtime.checks`."""

from pathlib import Path

from digitedge.errors import ModelError
from digitedge.runtime.checks.problems import InvalidPart, UnknownPart
from digitedge.runtime.checks.tflite_graph import LARGE, read_graph
from digitedge.runtime.checks.tflite_operators import check_operator
from digitedge.runtime.checks.tflite_sizes import check_sizes
from digitedge.utils.memory_limit import memory_limit

MAX_MULTIPLICATIONS = 200_000_000
"""Of one image at most, for a file that is loaded at once; a digit classifier has 0.1 to 50 million."""


def check_tflite(content: bytes, path: Path) -> tuple[bytes, str | None]:
    """Check the bytes of a `.tflite` file, without native code.

    Returns:
        The same bytes; and None if all of them are known and hold, else what is not known, for a trial in a child
        process.

    Raises:
        ModelError: it is damaged, contradicts itself, or asks for too much.
    """
    try:
        unknown = _find_unknown(content)
        if unknown:
            check_sizes(content)
        return content, unknown
    except InvalidPart as exc:
        reason = str(exc)
    except Exception as exc:  # the accessors raise errors of many kinds for bytes that are no such file
        reason = f"it is damaged ({type(exc).__name__})"
    raise ModelError(f"{path}: expected a TFLite model of a digit classifier, got another file: {reason}.")


def _find_unknown(content: bytes) -> str | None:
    """The first part of a file that is not known, after all of it was looked at."""
    unknown, multiplications = None, 0
    try:
        operators = read_graph(content).operators
    except UnknownPart as exc:
        return str(exc)
    # Each operator packs its weights for itself.
    packed = sum(
        one.values.nbytes for operator in operators for one in operator.inputs if one and one.values is not None
    )
    if packed > memory_limit() // LARGE:
        unknown = "large weights"
    for operator in operators:
        try:
            multiplications += check_operator(operator)
        except UnknownPart as exc:  # go on: a later operator may contradict itself
            unknown = unknown or str(exc)
    return unknown if multiplications <= MAX_MULTIPLICATIONS else "very many multiplications"
