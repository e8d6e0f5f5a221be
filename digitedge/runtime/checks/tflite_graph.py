"""The graph of a TFLite file as plain values, read in bounds.

The accessors of LiteRT's own schema read a field when it is asked for. Every count is compared with a limit before it
is used, so that a small file cannot ask for much memory or time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.runtime.checks.problems import InvalidPart, UnknownPart
from digitedge.utils.memory_limit import MEMORY_VARIABLE, memory_limit
from digitedge.utils.text import printable

# Digit classifiers have up to a few hundred operators; ViTs of Keras about a thousand.
MAX_ITEMS = 5_000
MAX_RANK = 6
MAX_ELEMENTS = 1 << 26
LARGE = 8
"""A file whose tensors take more than this part of the limit of memory is tried first."""
SCALE_RANGE = (1e-9, 1e6)
# Metadata that the interpreter ignores, or that names what the file needs.
_KNOWN_METADATA = {
    *(b"min_runtime_version", b"CONVERSION_METADATA", b"TFLITE_METADATA", b"reduced_precision_support"),
}
MAX_SIGNATURES = 64
MAX_NAME = 1_000
_CUSTOM, _DEQUANTIZE = 32, 6

FLOAT32, FLOAT16, INT32, UINT8, INT64, BOOL, INT16, INT8 = 0, 1, 2, 3, 4, 6, 7, 9
"""Codes of the number types."""
_TYPES: dict[int, np.dtype[Any]] = {
    FLOAT32: np.dtype("<f4"),
    FLOAT16: np.dtype("<f2"),
    INT32: np.dtype("<i4"),
    UINT8: np.dtype("u1"),
    INT64: np.dtype("<i8"),
    BOOL: np.dtype("?"),
    INT16: np.dtype("<i2"),
    INT8: np.dtype("i1"),
}


def type_name(code: int) -> str:
    """The name of a number type, for messages."""
    return _TYPES[code].name


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor.

    Attributes:
        index: in the graph.
        shape: all sizes >= 1; () for a single number.
        type: code of its number type.
        values: of a constant, with `shape`; else None.
        scales: float32; empty where it is not quantized, one for all, or one for each slice along `axis`.
        zero_points: as many as scales.
        axis: along which the scales are.
    """

    index: int
    shape: tuple[int, ...]
    type: int
    values: NDArray[Any] | None
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def scale(self) -> float:
        """The one scale of a tensor that is quantized as a whole."""
        if len(self.scales) != 1:
            raise InvalidPart(f"tensor {self.index}: expected one scale, got {len(self.scales)}")
        return float(self.scales[0])

    @property
    def quantization(self) -> tuple[float, int]:
        """The one scale and zero point of a tensor that is quantized as a whole."""
        return self.scale, int(self.zero_points[0])


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator.

    Attributes:
        code: of the builtin operator.
        inputs: None for one that is left out.
        outputs: at least one.
        options_type: code of its kind of options; 0 for none.
        table: the position of the options in the file.
    """

    code: int
    inputs: list[Tensor | None]
    outputs: list[Tensor]
    options_type: int
    table: Any

    def options(self, kind: Any) -> Any:
        """Its options, as the accessor class of the schema."""
        options = kind()
        options.Init(self.table.Bytes, self.table.Pos)
        return options


@dataclass(frozen=True, slots=True)
class Graph:
    """The one graph of a file, its operators in the order in which they run."""

    operators: list[Operator]


def read_graph(content: bytes) -> Graph:
    """Read the graph of a file.

    Raises:
        InvalidPart: an index, size or type that cannot be.
        UnknownPart: a feature that is not read here.
        Exception: whatever the accessors raise for bytes that are no such file.
    """
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != b"TFL3":
        raise InvalidPart("it is not a TFLite file")
    model = schema.Model.GetRootAs(content, 0)
    if model.Version() != 3:
        raise InvalidPart(f"expected version 3 of the format, got {model.Version()}")
    check_counts(content)
    if not model.SubgraphsLength():
        raise InvalidPart("it has no graph")
    if model.SubgraphsLength() > 1:
        raise UnknownPart("several graphs")
    if model.ExternalBuffersLength() or model.ExternalBufferGroupsLength():
        raise InvalidPart("expected all weights in the file, got external ones")
    _check_metadata(model)
    graph = model.Subgraphs(0)
    tensors = _read_tensors(graph, model)
    _check_signatures(model, graph)
    codes = [operator_code(model.OperatorCodes(i)) for i in range(model.OperatorCodesLength())]
    operators = _read_operators(graph, codes, tensors)
    if sum(map(_bytes_of, tensors)) > memory_limit() // LARGE:  # a runtime packs weights again, and keeps both
        raise UnknownPart("large tensors")
    return Graph(operators)


def check_counts(content: bytes) -> None:
    """Check that a file has no more parts, and no longer names, than it may have; the rest may be wrong.

    Raises:
        InvalidPart: it has.
        Exception: as in `read_graph`.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    graphs = [model.Subgraphs(index) for index in range(_count(model.SubgraphsLength(), "graphs"))]
    _count(sum(graph.TensorsLength() for graph in graphs), "tensors")
    _count(sum(graph.OperatorsLength() for graph in graphs), "operators")
    _count(model.BuffersLength(), "buffers")
    for graph in graphs:
        for index in range(graph.TensorsLength()):
            tensor = graph.Tensors(index)
            _name(tensor.Name())
            if tensor.ShapeLength() > MAX_SIGNATURES:
                raise InvalidPart(f"a tensor of {tensor.ShapeLength():,} dimensions")
        operators = [graph.Operators(index) for index in range(graph.OperatorsLength())]
        _count(max([one.InputsLength() + one.OutputsLength() for one in operators], default=0), "operands")
    for index in range(_count(model.OperatorCodesLength(), "operator codes")):
        _name(model.OperatorCodes(index).CustomCode())
    for index in range(_count(model.MetadataLength(), "metadata")):
        _name(model.Metadata(index).Name())
    if model.SignatureDefsLength() > MAX_SIGNATURES:
        raise InvalidPart(f"{model.SignatureDefsLength():,} signatures")
    for index in range(model.SignatureDefsLength()):
        signature = model.SignatureDefs(index)
        _name(signature.SignatureKey())
        for count, at in ((signature.InputsLength(), signature.Inputs), (signature.OutputsLength(), signature.Outputs)):
            if count > MAX_SIGNATURES:
                raise InvalidPart(f"a signature of {count:,} tensors")
            for place in range(count):
                _name(at(place).Name())


def _count(number: int, what: str) -> int:
    if number > MAX_ITEMS:
        raise InvalidPart(f"expected at most {MAX_ITEMS:,} {what}, got {number:,}")
    return number


def _name(text: bytes | None) -> bytes:
    """A name of a file. Many may lie at the same place of the file, so each must be short."""
    if text is not None and len(text) > MAX_NAME:
        raise InvalidPart(f"a name of {len(text):,} bytes")
    (text or b"").decode()  # the runtime gives names as str
    return text or b""


def _item(items: Any, index: int, what: str) -> Any:
    """One of a list, by an index from the file, which Python would take from the end where it is negative."""
    if not 0 <= index < len(items):
        raise InvalidPart(f"expected {what} 0 to {len(items) - 1}, got {index}")
    return items[index]


def _check_metadata(model: Any) -> None:
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        _item(range(model.BuffersLength()), entry.Buffer(), "a buffer")
        if entry.Name() not in _KNOWN_METADATA:
            raise UnknownPart("metadata of an unknown kind")


def _check_signatures(model: Any, graph: Any) -> None:
    """Signatures name inputs and outputs of the graph."""
    sides: list[tuple[str, set[int]]] = [
        ("Inputs", set(_indices(graph.InputsAsNumpy()))),
        ("Outputs", set(_indices(graph.OutputsAsNumpy()))),
    ]
    for index in range(model.SignatureDefsLength()):
        signature = model.SignatureDefs(index)
        if signature.SubgraphIndex() != 0:
            raise InvalidPart(f"a signature of graph {signature.SubgraphIndex()}, of which there is none")
        if not signature.SignatureKey():
            raise InvalidPart("a signature without a name")
        for side, allowed in sides:
            for place in range(getattr(signature, f"{side}Length")()):
                entry = getattr(signature, side)(place)
                if entry.TensorIndex() not in allowed or not entry.Name():
                    raise InvalidPart(f"a signature with tensor {entry.TensorIndex()} among its {side.lower()}")


def _indices(array: Any) -> list[int]:
    """A vector of indices; the accessor gives 0 for a missing one."""
    indices: list[int] = [] if isinstance(array, int) else array.tolist()
    _count(len(indices), "indices")
    return indices


def operator_code(entry: Any) -> int:
    """The code of a builtin operator; codes up to 126 are in the older field of one byte."""
    code = int(max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode()))
    if code == _CUSTOM:
        name = printable((entry.CustomCode() or b"").decode())
        of = (
            " of TensorFlow, which devices do not have"
            if name.startswith("Flex")
            else ", which is not built into LiteRT"
        )
        raise InvalidPart(
            f"it needs the operator {name}{of}. Convert it again with the built-in operators alone, or export the "
            "model that it was made of"
        )
    return code


def _bytes_of(tensor: Tensor) -> int:
    return tensor.size * _TYPES[tensor.type].itemsize


def _read_tensors(graph: Any, model: Any) -> list[Tensor]:
    tensors: list[Tensor] = []
    total = 0
    limit = memory_limit() // 2
    buffers = model.BuffersLength()
    for index in range(graph.TensorsLength()):
        tensor = _read_tensor(index, graph.Tensors(index), model.Buffers, buffers)
        total += _bytes_of(tensor)
        if total > limit:
            raise InvalidPart(f"its tensors would take more than {limit:,} bytes, half of {MEMORY_VARIABLE}")
        tensors.append(tensor)
    return tensors


def _read_tensor(index: int, table: Any, buffer_at: Callable[[int], Any], buffers: int) -> Tensor:
    if table.IsVariable() or table.Sparsity() is not None or table.VariantTensorsLength():
        raise UnknownPart("tensors that are variable, sparse or variants")
    if table.ExternalBuffer():
        raise InvalidPart("expected all weights in the file, got external ones")
    type_code = table.Type()
    if type_code not in _TYPES:
        raise UnknownPart(f"number type {type_code}")
    shape = () if table.ShapeIsNone() else tuple(_indices(table.ShapeAsNumpy()))
    if len(shape) > MAX_RANK:
        raise UnknownPart(f"a tensor of {len(shape)} dimensions")
    if shape and (min(shape) < 0 or math.prod(shape) > MAX_ELEMENTS):
        raise InvalidPart(f"tensor {index} has the impossible shape {shape}")
    if 0 in shape:
        raise UnknownPart("an empty tensor")
    signature = [] if table.ShapeSignatureIsNone() else _indices(table.ShapeSignatureAsNumpy())
    fits = len(signature) == len(shape) and all(b in (-1, a) for a, b in zip(shape, signature, strict=True))
    if signature and not fits:
        raise InvalidPart(f"tensor {index} has the shape {shape} and the signature {signature}")
    if not 0 <= table.Buffer() < buffers:
        raise InvalidPart(f"tensor {index}: expected buffer 0 to {buffers - 1}, got {table.Buffer()}")
    buffer = buffer_at(table.Buffer())
    if buffer.Offset() or buffer.Size():
        raise InvalidPart("expected all weights inside the file's tables, got some behind them")
    values = None
    if length := buffer.DataLength():
        if length != math.prod(shape) * _TYPES[type_code].itemsize:
            raise InvalidPart(f"tensor {index} has {length:,} bytes for the shape {shape}")
        values = np.frombuffer(buffer.DataAsNumpy(), _TYPES[type_code]).reshape(shape)
    return Tensor(index, shape, type_code, values, *_read_quantization(index, table, shape, type_code))


def _read_quantization(
    index: int, table: Any, shape: tuple[int, ...], type_code: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    nothing = np.empty(0, np.float32), np.empty(0, np.int64), 0
    quantization = table.Quantization()
    if quantization is not None and quantization.DetailsType():
        raise UnknownPart("a quantization of its own kind")
    if quantization is None or not quantization.ScaleLength():
        return nothing
    scales, zero_points = quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy()
    axis = quantization.QuantizedDimension()
    if isinstance(zero_points, int) or len(zero_points) != len(scales):
        raise InvalidPart(f"tensor {index} has other numbers of scales and zero points")
    if len(scales) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scales)):
        raise InvalidPart(f"tensor {index} has {len(scales)} scales along dimension {axis} of {shape}")
    if not np.all(scales >= 0) or not np.all(np.isfinite(scales)):
        raise InvalidPart(f"tensor {index} has an impossible scale")
    if not np.all((scales >= SCALE_RANGE[0]) & (scales <= SCALE_RANGE[1])):
        raise UnknownPart("a scale of an unusual size")
    if np.issubdtype(_TYPES[type_code], np.integer):
        limits = np.iinfo(_TYPES[type_code])
        if np.any((zero_points < limits.min) | (zero_points > limits.max)):
            raise InvalidPart(f"tensor {index} has a zero point outside its type")
    return scales, zero_points, axis


def _read_operators(graph: Any, codes: list[int], tensors: list[Tensor]) -> list[Operator]:
    """Each input must be constant, an input of the graph, or made by an operator before; each is made once."""
    ready = {tensor.index for tensor in tensors if tensor.values is not None}
    inputs = _indices(graph.InputsAsNumpy())
    made_by_any: set[int] = set()
    if len(inputs) != 1:
        raise UnknownPart("several inputs, or none")
    if ready & set(inputs) or len(set(inputs)) != len(inputs):
        raise InvalidPart("an input of the graph that is constant or named twice")
    ready |= {_item(tensors, index, "a tensor").index for index in inputs}
    operators = []
    for number in range(graph.OperatorsLength()):
        table = graph.Operators(number)
        if table.BuiltinOptions2Type() or table.IntermediatesLength() or table.LargeCustomOptionsOffset():
            raise UnknownPart("operators with options of a newer kind")
        if table.MutatingVariableInputsLength() and any(table.MutatingVariableInputsAsNumpy()):
            raise UnknownPart("operators that change their inputs")
        used, made = _indices(table.InputsAsNumpy()), _indices(table.OutputsAsNumpy())
        if any(index != -1 and index not in ready for index in used):
            raise InvalidPart(f"operator {number} uses a tensor that nothing has made")
        if ready & set(made) or len(set(made)) != len(made) or not made:
            raise InvalidPart(f"operator {number} makes nothing, or a tensor that is there already")
        operators.append(
            Operator(
                code=_item(codes, table.OpcodeIndex(), "an operator code"),
                inputs=[None if index == -1 else tensors[index] for index in used],
                outputs=[_item(tensors, index, "a tensor") for index in made],
                options_type=table.BuiltinOptionsType(),
                table=table.BuiltinOptions(),
            )
        )
        packed = operators[-1].inputs[0] if used else None
        if operators[-1].code == _DEQUANTIZE and packed is not None and packed.type == FLOAT16:
            tensors[made[0]] = replace(tensors[made[0]], values=packed.values)  # unpacked weights count as constants
        ready |= set(made)
        made_by_any |= set(made)
    outputs = _indices(graph.OutputsAsNumpy())
    if not outputs or not set(outputs) <= made_by_any:
        raise InvalidPart("an output of the graph that nothing has made")
    if len(set(outputs)) != len(outputs):
        raise UnknownPart("an output that is named twice")
    return operators
