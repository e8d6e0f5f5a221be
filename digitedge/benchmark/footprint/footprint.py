"""The figures of one model file that a buyer of a microcontroller or NPU asks for, from the file alone."""

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from digitedge.benchmark.footprint.graph import ModelGraphs, Operator
from digitedge.benchmark.footprint.macs import count_macs
from digitedge.benchmark.footprint.memory import find_lifetimes, peak_bytes, plan_arena
from digitedge.benchmark.footprint.onnx import OnnxGraphs
from digitedge.benchmark.footprint.onnx_runtimes import onnx_support
from digitedge.benchmark.footprint.runtimes import RuntimeSupport
from digitedge.benchmark.footprint.tflite import TFLiteGraphs
from digitedge.benchmark.footprint.tflite_runtimes import tflite_support
from digitedge.errors import MissingExtraError, ModelError
from digitedge.runtime import find_runtime
from digitedge.runtime.checks.problems import InvalidPart
from digitedge.runtime.checks.read_model import read_model
from digitedge.runtime.checks.tflite_graph import check_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorUse:
    """An operator in one version, and how often the file has it."""

    name: str
    version: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a model file needs.

    Attributes:
        macs: multiply-accumulate operations for one image.
        macs_by_operator: the same, of each kind of operator.
        macs_complete: whether `macs` is all; else it is the least, and `notes` say what is missing.
        batch: images of one call.
        peak_activation_bytes: most bytes of activations at once, for one call.
        arena_bytes: what TFLite Micro plans for them; None for ONNX, whose runtimes plan in other ways.
        memory_complete: whether the two hold; else they are the least, because sizes are unknown.
        opsets: of an .onnx file, by domain.
        operators: of all graphs, sorted.
        runtimes: which ones know them.
        notes: what the figures leave out.
    """

    macs: int
    macs_by_operator: dict[str, int]
    macs_complete: bool
    batch: int
    peak_activation_bytes: int
    arena_bytes: int | None
    memory_complete: bool
    opsets: dict[str, int] | None
    operators: list[OperatorUse]
    runtimes: list[RuntimeSupport]
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)


def read_footprint(path: str | Path) -> Footprint:
    """Read what a .tflite or .onnx file needs. It is not run, and need not meet the model contract.

    Raises:
        ModelError: no such file, another kind, or a damaged one.
        MissingExtraError: the package that reads this kind is not installed.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if find_runtime(path).name == "keras":
        raise ModelError(f"{path}: its operators are known when it is exported: digitedge export {path}")
    content, _ = read_model(path)
    kind = "a TFLite" if suffix == ".tflite" else "an ONNX"
    try:
        return _of_tflite(content, path) if suffix == ".tflite" else _of_onnx(content, path)
    except (ModelError, MissingExtraError):
        raise
    except InvalidPart as exc:
        raise ModelError(f"{path}: expected a model that can run, got another file: {exc}.") from exc
    except Exception as exc:  # the libraries that read damaged files raise errors of a dozen kinds
        raise ModelError(f"{path}: expected {kind} file, got another kind or a damaged one.") from exc


def try_footprint(path: Path) -> tuple[Footprint | None, str | None]:
    """Read what a file needs, or return the reason why that cannot be read."""
    try:
        return read_footprint(path), None
    except (ModelError, MissingExtraError) as exc:
        return None, str(exc)


def _of_tflite(content: bytes, path: Path) -> Footprint:
    try:
        check_counts(content)
        read = TFLiteGraphs(content, path)
    except ModuleNotFoundError as exc:
        reason = "ai-edge-litert, which reads .tflite files, is not installed. Run: pip install ai-edge-litert"
        raise MissingExtraError(reason) from exc
    support = tflite_support(read.graphs.graphs, stated=read.stated_runtime)
    notes = []
    if read.free_dimensions:
        notes.append(f"{read.free_dimensions} tensors have an open dimension, counted as 1, as LiteRT does")
    if read.unpacked_bytes:
        notes.append(f"memory includes {read.unpacked_bytes:,} bytes of weights that the model unpacks as it runs")
    if _asks_for_scratch(read.graphs):
        notes.append("the arena is without the scratch buffer that TRANSPOSE_CONV asks TFLite Micro for")
    return _footprint(read.graphs, support, notes, with_arena=True, opsets=None)


def _of_onnx(content: bytes, path: Path) -> Footprint:
    read = OnnxGraphs(content, path)
    support = onnx_support(read.graphs.graphs, opsets=read.opsets, ir_version=read.ir_version)
    return _footprint(read.graphs, support, [], with_arena=False, opsets=read.opsets)


def _footprint(
    model: ModelGraphs,
    support: list[RuntimeSupport],
    notes: list[str],
    *,
    with_arena: bool,
    opsets: dict[str, int] | None,
) -> Footprint:
    count, lifetimes = count_macs(model), find_lifetimes(model)
    missing = []
    if count.not_counted:
        names = ", ".join(f"{name} x {uses}" for name, uses in count.not_counted.items())
        missing.append(f"MACs do not count {names}")
    if count.unknown_repeats:
        missing.append(
            f"MACs count {', '.join(count.unknown_repeats)} once: the file does not say how often it repeats"
        )
    if lifetimes.unknown:
        notes = [*notes, f"memory is without {lifetimes.unknown} tensors of unknown size"]
    if model.batch > 1:
        notes = [*notes, f"a call takes {model.batch} images: MACs are those of one, memory is that of the call"]
    per_image = {name: round(macs / model.batch) for name, macs in sorted(count.by_operator.items())}
    return Footprint(
        macs=sum(per_image.values()),
        macs_by_operator=per_image,
        macs_complete=not missing,
        batch=model.batch,
        peak_activation_bytes=peak_bytes(lifetimes.buffers),
        arena_bytes=plan_arena(lifetimes.buffers) if with_arena else None,
        memory_complete=not lifetimes.unknown,
        opsets=opsets,
        operators=_uses(model),
        runtimes=support,
        notes=[*missing, *notes],
    )


def _uses(model: ModelGraphs) -> list[OperatorUse]:
    """Count the operators of all graphs."""
    counts = Counter((one.name, one.version) for graph in model.graphs for one in graph.operators)
    ordered = sorted(counts.items(), key=lambda entry: (entry[0][0], entry[0][1] or 0))
    return [OperatorUse(name=name, version=version, count=count) for (name, version), count in ordered]


def _asks_for_scratch(model: ModelGraphs) -> bool:
    """Whether an integer TRANSPOSE_CONV adds up in a buffer of its own (transpose_conv.cc of tflite-micro)."""

    def is_integer(operator: Operator, graph_index: int) -> bool:
        tensors = model.graphs[graph_index].tensors
        return any(tensors[index].dtype in ("int8", "int16") for index in operator.outputs if index >= 0)

    return any(
        operator.name == "TRANSPOSE_CONV" and is_integer(operator, index)
        for index, graph in enumerate(model.graphs)
        for operator in graph.operators
    )
