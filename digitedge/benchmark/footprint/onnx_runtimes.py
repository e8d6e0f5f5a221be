"""Which version of ONNX Runtime knows the opset and the format of an .onnx file.

Source:
    Up to 1.18 the table in docs/reference/compatibility.md of microsoft/onnxruntime. From 1.19 on the wheels themselves
    were asked, in November 2026: which opset and which IR version of a file with one Relu they load.
"""

from collections.abc import Mapping, Sequence

from digitedge.benchmark.footprint.graph import Graph
from digitedge.benchmark.footprint.runtimes import RuntimeSupport, listed, version_key

NAME = "ONNX Runtime"
# First version that loads files up to this opset, and up to this IR version.
OPSETS = {
    **{8: "0.1", 9: "0.3", 10: "0.4", 11: "1.0", 12: "1.3", 13: "1.6", 14: "1.8", 15: "1.9", 16: "1.11", 17: "1.12"},
    **{18: "1.14", 19: "1.15", 20: "1.17", 21: "1.18", 22: "1.21", 23: "1.23", 25: "1.24", 26: "1.25", 28: "1.32"},
}
IR_VERSIONS = {
    3: "0.1",
    5: "0.4",
    6: "1.1",
    7: "1.3",
    8: "1.10",
    9: "1.16",
    10: "1.18",
    11: "1.23",
    13: "1.24",
    14: "1.32",
}
OWN_DOMAINS = ("com.microsoft", "com.ms.internal.nhwc", "com.microsoft.nchwc")


def onnx_support(graphs: Sequence[Graph], *, opsets: Mapping[str, int], ir_version: int) -> list[RuntimeSupport]:
    """Say which version of ONNX Runtime knows the opset and the operators of an .onnx file."""
    foreign = listed(name for name in _domains(graphs) if not name.startswith(("ai.onnx.ml.", *OWN_DOMAINS)))
    opset = opsets.get("ai.onnx", 7)
    reason = f"opset {opset}, IR version {ir_version}"
    if foreign:
        return [RuntimeSupport(name=NAME, runs=None, reason=f"only with an extension for {foreign}")]
    minimum = minimum_version(opset, ir_version)
    if minimum is None:
        return [RuntimeSupport(name=NAME, runs=None, reason=f"{reason}: newer than 1.32 loads, the newest one known")]
    own = listed(_domains(graphs))
    if own:
        reason += f"; {own}: its own, which other runtimes lack"
    return [RuntimeSupport(name=NAME, runs=True, minimum=minimum, reason=reason)]


def minimum_version(opset: int, ir_version: int) -> str | None:
    """Return the oldest ONNX Runtime that loads a file; None if none of those known does."""
    needed = [_first(OPSETS, opset), _first(IR_VERSIONS, ir_version)]
    return None if None in needed else max((version for version in needed if version), key=version_key)


def _first(table: Mapping[int, str], wanted: int) -> str | None:
    return next((version for known, version in table.items() if known >= wanted), None)


def _domains(graphs: Sequence[Graph]) -> list[str]:
    """Return the names of operators that are not of the standard domain, and those that no opset has."""
    operators = [operator for graph in graphs for operator in graph.operators]
    return [one.name for one in operators if "." in one.name or one.version is None]
