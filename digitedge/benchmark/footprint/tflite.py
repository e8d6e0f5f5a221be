"""Read a .tflite file as graphs. Every file that the schema can express: several subgraphs, any operator, any type."""

from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Any

from digitedge.benchmark.footprint.graph import Graph, Kind, ModelGraphs, Operator, Tensor, names
from digitedge.benchmark.footprint.tflite_loops import count_repeats
from digitedge.errors import ModelError

# Operators without multiplications by weights: they move, compare, reduce, or work value by value.
NO_MACS = names(
    """
    ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE ATAN2 AVERAGE_POOL_2D BATCH_TO_SPACE_ND BITCAST BITWISE_XOR
    BROADCAST_ARGS BROADCAST_TO BUCKETIZE CAST CEIL COMPLEX_ABS CONCATENATION COS CUMSUM DENSIFY DEPTH_TO_SPACE
    DEQUANTIZE DILATE DIV DYNAMIC_UPDATE_SLICE ELU EMBEDDING_LOOKUP EQUAL EXP EXPAND_DIMS FAKE_QUANT FILL FLOOR
    FLOOR_DIV FLOOR_MOD GATHER GATHER_ND GELU GREATER GREATER_EQUAL HARD_SWISH HASHTABLE HASHTABLE_FIND
    HASHTABLE_IMPORT HASHTABLE_LOOKUP HASHTABLE_SIZE IMAG L2_NORMALIZATION L2_POOL_2D LEAKY_RELU LESS LESS_EQUAL
    LOCAL_RESPONSE_NORMALIZATION LOG LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC LOG_SOFTMAX MATRIX_DIAG
    MATRIX_SET_DIAG MAXIMUM MAX_POOL_2D MEAN MINIMUM MIRROR_PAD MUL NEG NON_MAX_SUPPRESSION_V4
    NON_MAX_SUPPRESSION_V5 NOT_EQUAL ONE_HOT PACK PAD PADV2 POW PRELU QUANTIZE RANDOM_STANDARD_NORMAL RANDOM_UNIFORM
    RANGE RANK READ_VARIABLE REAL REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD RELU RELU6 RELU_0_TO_1
    RELU_N1_TO_1 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR REVERSE_SEQUENCE REVERSE_V2 RIGHT_SHIFT ROUND RSQRT
    SCATTER_ND SEGMENT_SUM SELECT SELECT_V2 SHAPE SIGN SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH
    SPARSE_TO_DENSE SPLIT SPLIT_V SQRT SQUARE SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM TANH TILE TOPK_V2
    TRANSPOSE UNIQUE UNPACK UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_MIN UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_SUM
    VAR_HANDLE WHERE ZEROS_LIKE
    """
)

RECURRENT = (
    *("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "SVDF"),
    *("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"),
)


class TFLiteGraphs:
    """The graphs of a .tflite file, and what only this format states.

    Attributes:
        graphs: of all subgraphs.
        stated_runtime: the oldest runtime as the converter wrote it into the metadata, or None.
        free_dimensions: tensors with an open dimension beside the batch, which LiteRT takes for 1.
        unpacked_bytes: weights that DEQUANTIZE or DENSIFY unpack while the model runs.
    """

    def __init__(self, content: bytes, path: Path) -> None:
        from ai_edge_litert import schema_py_generated as schema

        if content[4:8] != b"TFL3":
            raise ModelError(f"{path}: expected a TFLite file, got another kind or a damaged one.")
        self._names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
        self._types = {code: name for name, code in vars(schema.TensorType).items() if isinstance(code, int)}
        self._model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
        self.graphs = ModelGraphs([self._graph(graph) for graph in self._model.subgraphs])
        self.stated_runtime = self._stated_runtime()
        if not self.graphs.graphs:
            raise ModelError(f"{path}: expected a TFLite file with a graph, got one without.")
        signatures = [graph.tensors for graph in self._model.subgraphs]
        self.free_dimensions = sum(_has_free_dimension(tensor) for tensors in signatures for tensor in tensors)
        self.unpacked_bytes = self._unpacked_bytes()

    def _graph(self, source: Any) -> Graph:
        tensors = [self._tensor(tensor) for tensor in source.tensors]
        operators = [self._operator(source, operator, tensors) for operator in _list(source.operators)]
        return Graph(tensors, operators, _indices(source.inputs, tensors), _indices(source.outputs, tensors))

    def _tensor(self, source: Any) -> Tensor:
        shape = tuple(int(n) for n in _list(source.shape))
        buffer = self._model.buffers[source.buffer]
        stored = buffer.data is not None and len(buffer.data) > 0
        kind = Kind.CONSTANT if stored or buffer.offset > 1 or source.externalBuffer else Kind.ACTIVATION
        return Tensor(
            shape=None if any(n < 0 for n in shape) else shape,
            dtype=self._types.get(source.type, f"type {source.type}").lower(),
            kind=Kind.STATE if source.isVariable else kind,
        )

    def _operator(self, graph: Any, source: Any, tensors: Sequence[Tensor]) -> Operator:
        code = self._model.operatorCodes[source.opcodeIndex]
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        name = self._names.get(number, f"builtin operator {number}")
        if name == "CUSTOM":
            name = f"custom {(code.customCode or b'without a name').decode(errors='replace')}"
        inputs, outputs = _indices(source.inputs, tensors), _indices(source.outputs, tensors)
        subgraphs, repeats = self._subgraphs(name, graph, source)
        return Operator(
            name=name,
            version=int(code.version),
            inputs=inputs,
            outputs=outputs,
            macs=0 if subgraphs else self._macs(name, source, graph, inputs, outputs, tensors),
            subgraphs=subgraphs,
            repeats=repeats,
            exclusive=name == "IF",
        )

    def _subgraphs(self, name: str, graph: Any, operator: Any) -> tuple[tuple[int, ...], int | None]:
        """Return the subgraphs that an operator runs, and how often."""
        options = operator.builtinOptions
        match name:
            case "WHILE":
                repeats = count_repeats(self._model, graph, operator, self._names)
                return (options.condSubgraphIndex, options.bodySubgraphIndex), repeats
            case "IF":
                return (options.thenSubgraphIndex, options.elseSubgraphIndex), 1
            case "CALL_ONCE":
                return (options.initSubgraphIndex,), 0
            case "CALL":
                return (options.subgraph,), 1
            case "STABLEHLO_COMPOSITE":
                return (operator.builtinOptions2.decompositionSubgraphIndex,), 1
        return (), 1

    def _macs(
        self,
        name: str,
        source: Any,
        graph: Any,
        inputs: Sequence[int],
        out: Sequence[int],
        tensors: Sequence[Tensor],
    ) -> int | None:
        if name in NO_MACS:
            return 0
        operands = [tensors[index] if index >= 0 else None for index in inputs]
        if name in RECURRENT:
            weights = [t for i, t in zip(inputs, operands, strict=True) if t and self._is_weight(graph, i, tensors)]
            return _recurrent_macs(operands[0] if operands else None, weights)
        formula = _FORMULAS.get(name)
        shapes = [None if tensor is None else tensor.shape for tensor in operands]
        result = tensors[out[0]] if out and out[0] >= 0 else None
        if formula is None or result is None or result.shape is None:
            return None
        if name == "BATCH_MATMUL" and source.builtinOptions is not None and source.builtinOptions.adjX and shapes[0]:
            shapes[0] = (*shapes[0][:-2], *reversed(shapes[0][-2:]))
        return _apply(formula, shapes, result.shape)

    def _is_weight(self, graph: Any, index: int, tensors: Sequence[Tensor]) -> bool:
        """Whether a tensor is a stored matrix, or one that an operator unpacks from a stored one."""
        shape = tensors[index].shape
        if shape is None or len(shape) != 2:
            return False
        return tensors[index].kind is Kind.CONSTANT or index in self._unpacked(graph, tensors)

    def _unpacked(self, graph: Any, tensors: Sequence[Tensor]) -> set[int]:
        """Return the outputs of operators that unpack stored weights."""
        found = set()
        for operator in _list(graph.operators):
            code = self._model.operatorCodes[operator.opcodeIndex]
            name = self._names.get(max(code.builtinCode, code.deprecatedBuiltinCode))
            if name in ("DEQUANTIZE", "DENSIFY") and tensors[operator.inputs[0]].kind is Kind.CONSTANT:
                found.add(int(operator.outputs[0]))
        return found

    def _unpacked_bytes(self) -> int:
        pairs = zip(self._model.subgraphs, self.graphs.graphs, strict=True)
        return sum(
            graph.tensors[index].bytes or 0
            for source, graph in pairs
            for index in self._unpacked(source, graph.tensors)
        )

    def _stated_runtime(self) -> str | None:
        for entry in _list(self._model.metadata):
            if entry.name == b"min_runtime_version":
                data = self._model.buffers[entry.buffer].data
                return bytes(_list(data)).rstrip(b"\0").decode("ascii") or None
        return None


def _list(values: Any) -> Any:
    """Return a vector of a flatbuffer, whose absence means that it is empty."""
    return [] if values is None else values


def _indices(values: Any, tensors: Sequence[Tensor]) -> tuple[int, ...]:
    indices = tuple(int(index) for index in _list(values))
    if any(not -1 <= index < len(tensors) for index in indices):
        raise IndexError("a tensor that does not exist")
    return indices


def _has_free_dimension(tensor: Any) -> bool:
    """Whether a dimension is open other than the first, which is the batch."""
    return any(n < 0 for n in [*_list(tensor.shapeSignature)][1:])


Shape = tuple[int, ...]
# From the shapes of the inputs and that of the output; layouts as in the operator's kernel in LiteRT.
_FORMULAS: dict[str, Callable[[Sequence[Shape], Shape], int]] = {
    "CONV_2D": lambda i, out: prod(out) * prod(i[1][1:]),  # (O, H, W, I of the group)
    "DEPTHWISE_CONV_2D": lambda i, out: prod(out) * prod(i[1][1:3]),  # (1, H, W, O)
    "TRANSPOSE_CONV": lambda i, out: prod(i[2]) * prod(i[1][:3]),  # output shape, (O, H, W, I), image
    "CONV_3D": lambda i, out: prod(out) * prod(i[1][:4]),  # (D, H, W, I, O)
    "CONV_3D_TRANSPOSE": lambda i, out: prod(i[2]) * prod(i[1][:4]),  # output shape, (D, H, W, O, I), image
    "FULLY_CONNECTED": lambda i, out: prod(out) * i[1][-1],  # (O, I)
    "BATCH_MATMUL": lambda i, out: prod(out) * i[0][-1],
}


def _apply(formula: Callable[[Sequence[Shape], Shape], int], shapes: Sequence[Shape | None], out: Shape) -> int | None:
    """Apply a formula; None if an input that it needs is missing or has an unknown shape."""
    try:
        return formula(shapes, out)  # type: ignore[arg-type]  # None is what the except is for
    except (TypeError, IndexError):
        return None


def _recurrent_macs(sequence: Tensor | None, weights: Sequence[Tensor]) -> int | None:
    """Each step of each sequence multiplies each weight once; the last dimension holds the features of a step."""
    if sequence is None or not sequence.shape or not weights:
        return None
    return prod(sequence.shape[:-1]) * sum(weight.size or 0 for weight in weights)
