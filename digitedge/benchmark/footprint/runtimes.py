"""What a runtime is said to need for a file; the tables are in `tflite_runtimes` and `onnx_runtimes`."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSupport:
    """Whether a runtime knows what a file needs, as far as its list of operators says; it was not tried.

    Attributes:
        name: of the runtime.
        runs: None if that is not known.
        minimum: oldest version, None if unknown or if the runtime has no versions.
        reason: what decides it.
    """

    name: str
    runs: bool | None
    minimum: str | None = None
    reason: str = ""

    def text(self) -> str:
        """Return one line.

        Examples:
            >>> RuntimeSupport(name="TFLite Micro", runs=False, reason="no kernel for GELU").text()
            'TFLite Micro: no (no kernel for GELU)'
        """
        answer = {True: f"from {self.minimum}" if self.minimum else "yes", False: "no", None: "unknown"}[self.runs]
        return f"{self.name}: {answer}{f' ({self.reason})' if self.reason else ''}"


def version_key(version: str) -> tuple[int, ...]:
    """Return a version as numbers, to compare it.

    Examples:
        >>> max(["2.9.0", "2.13.0"], key=version_key)
        '2.13.0'
    """
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def listed(names: Iterable[str]) -> str:
    """Join names, each once, in order of appearance."""
    return ", ".join(dict.fromkeys(names))
