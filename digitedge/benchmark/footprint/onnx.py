"""Read an .onnx file as graphs, with the shapes that onnx infers for one image."""

from collections.abc import Callable, Iterable, Sequence
from math import prod
from pathlib import Path
from typing import Any

from digitedge.benchmark.footprint.graph import Graph, Kind, ModelGraphs, Operator, Tensor, names
from digitedge.errors import MissingExtraError, ModelError
from digitedge.runtime.checks.onnx import check_onnx
from digitedge.runtime.checks.trial import try_in_child

# Operators of the standard domain without multiplications by weights. BatchNormalization is folded into a convolution
# by every runtime; the quantizing ones work value by value.
NO_MACS = names(
    """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization BitCast BitShift
    BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im
    Compress Concat ConcatFromSequence Constant ConstantOfShape Cos Cosh CumProd CumSum DepthToSpace
    DequantizeLinear Det Div Dropout DynamicQuantizeLinear Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather
    GatherElements GatherND Gelu GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual
    GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity ImageDecoder
    InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
    LpNormalization LpPool Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization Min Mish Mod Mul Neg
    NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement OptionalHasElement Or PRelu Pad Pow
    QuantizeLinear RMSNormalization RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal
    ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round Scatter ScatterElements ScatterND Selu
    SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength Shape Shrink Sigmoid Sign
    Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat
    StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter ThresholdedRelu Tile TopK Transpose Trilu
    Unique Unsqueeze Upsample Where Xor
    """
)
STANDARD = ("", "ai.onnx")


class OnnxGraphs:
    """The graphs of an .onnx file, and what only this format states.

    Attributes:
        graphs: the main graph, and the bodies of If, Loop and Scan.
        opsets: version by domain; the standard domain is "ai.onnx".
        ir_version: of the file format.
        open_batch: whether the batch is open, which is counted as 1.
    """

    def __init__(self, content: bytes, path: Path) -> None:
        try:
            import onnx
            import onnx.inliner
        except ModuleNotFoundError as exc:  # not `require`: the extra that has it brings TensorFlow, too
            raise MissingExtraError("onnx, which reads .onnx files, is not installed. Run: pip install onnx") from exc
        self._onnx = onnx
        self._graphs: list[Graph] = []
        content, unknown = check_onnx(content, path, weights_beside=True)
        self._can_infer = True
        if unknown:  # a few bytes may ask for the shape of gigabytes
            try:
                try_in_child(content, path, __name__, unknown=unknown)
            except ModelError:
                self._can_infer = False
        model = onnx.ModelProto.FromString(content)
        self._read_model(model)
        if not model.graph.node and not model.graph.output:
            raise ModelError(f"{path}: expected an ONNX file with a graph, got one without.")
        self.graphs = ModelGraphs(self._graphs)

    def _read_model(self, model: Any) -> None:
        self.ir_version = int(model.ir_version)
        self.opsets = {item.domain or "ai.onnx": int(item.version) for item in model.opset_import}
        self.open_batch = _fix_batch(model)
        self._read((_infer_shapes(model) if self._can_infer else model).graph, {}, {})

    def _read(self, source: Any, outer_shapes: dict[str, Any], outer_constants: dict[str, Any]) -> int:
        """Append a graph and those inside it; return its index."""
        reader = _GraphReader(self._onnx, source, outer_shapes, outer_constants, self.opsets)
        index = len(self._graphs)
        self._graphs.append(Graph([], [], [], []))  # its place: the main graph is the first
        bodies = {
            number: tuple(self._read(body, reader.types, reader.constants) for body in _bodies(node))
            for number, node in enumerate(source.node)
        }
        self._graphs[index] = reader.graph(bodies)
        return index


class _GraphReader:
    """Turns one GraphProto into a Graph. Names of the graphs around it are known, too."""

    def __init__(
        self,
        onnx: Any,
        source: Any,
        outer_types: dict[str, Any],
        outer_constants: dict[str, Any],
        opsets: dict[str, int],
    ) -> None:
        self._onnx, self._source, self._opsets = onnx, source, opsets
        self.types = dict(outer_types)
        for value in (*source.value_info, *source.input, *source.output):
            self.types[value.name] = value.type.tensor_type
        self.constants = dict(outer_constants)
        for stored in source.initializer:
            self.constants[stored.name] = (tuple(stored.dims), stored.data_type)
        for stored in source.sparse_initializer:
            self.constants[stored.values.name] = (tuple(stored.dims), stored.values.data_type)
        self._inner = {name for node in source.node for name in node.output}
        self._inner |= {value.name for value in source.input}
        for node in source.node:
            if node.op_type == "Constant" or (node.input and all(n in self.constants for n in node.input if n)):
                self.constants.update({name: None for name in node.output if not _bodies(node)})
        self._index: dict[str, int] = {}
        self._tensors: list[Tensor] = []

    def graph(self, bodies: dict[int, tuple[int, ...]]) -> Graph:
        # An initializer may be listed as an input, too: up to IR 3 it had to be.
        inputs = [self._number(value.name) for value in self._source.input if value.name not in self.constants]
        operators = [self._operator(node, bodies[number]) for number, node in enumerate(self._source.node)]
        outputs = [self._number(value.name) for value in self._source.output]
        return Graph(self._tensors, operators, inputs, outputs)

    def _operator(self, node: Any, bodies: tuple[int, ...]) -> Operator:
        standard = node.domain in STANDARD
        captured = [name for body in _bodies(node) for name in _captured(body) if name in self._inner]
        folded = bool(node.output) and all(name in self.constants for name in node.output)
        return Operator(
            name=node.op_type if standard else f"{node.domain}.{node.op_type}",
            version=self._version(node),
            inputs=tuple(self._number(name) if name else -1 for name in [*node.input, *captured]),
            outputs=tuple(self._number(name) for name in node.output if name),
            macs=0 if folded or bodies else self._macs(node),
            subgraphs=bodies,
            repeats=1 if node.op_type == "If" else self._repeats(node) if bodies else 1,
            exclusive=node.op_type == "If",
        )

    def _version(self, node: Any) -> int | None:
        """Return the opset in which the operator got its present form."""
        opset = self._opsets.get(node.domain or "ai.onnx")
        if opset is None:
            return None
        domain = "" if node.domain in STANDARD else node.domain
        if not self._onnx.defs.has(node.op_type, domain):
            return opset if domain else None
        try:
            return int(self._onnx.defs.get_schema(node.op_type, opset, domain).since_version)
        except self._onnx.defs.SchemaError:
            return None

    def _number(self, name: str) -> int:
        """Return the index of a tensor."""
        if name not in self._index:
            self._index[name] = len(self._tensors)
            kind = Kind.CONSTANT if name in self.constants or name not in self._inner else Kind.ACTIVATION
            self._tensors.append(Tensor(self._shape(name), self._dtype(name), kind))
        return self._index[name]

    def _shape(self, name: str) -> tuple[int, ...] | None:
        stored = self.constants.get(name)
        if stored is not None:
            return tuple(int(n) for n in stored[0])
        found = self.types.get(name)
        if found is None or not found.HasField("shape"):
            return None
        dims = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in found.shape.dim]
        return None if any(n < 0 for n in dims) else tuple(int(n) for n in dims)

    def _dtype(self, name: str) -> str:
        stored, found = self.constants.get(name), self.types.get(name)
        number = stored[1] if stored is not None else found.elem_type if found is not None else 0
        text = self._onnx.TensorProto.DataType.Name(number) if number else "unknown"
        return {"FLOAT": "float32", "DOUBLE": "float64"}.get(text, text.lower())

    def _macs(self, node: Any) -> int | None:
        if node.domain in STANDARD and node.op_type in NO_MACS:
            return 0
        formula = _FORMULAS.get(node.op_type) if node.domain in (*STANDARD, "com.microsoft") else None
        if formula is None:
            return None
        shapes = [self._shape(name) if name else None for name in node.input]
        if node.op_type == "Gemm" and _attribute(node, "transA", 0) and shapes[0]:
            shapes[0] = shapes[0][::-1]
        try:
            return formula(shapes, self._shape(node.output[0]) if node.output[0] else ())  # type: ignore[arg-type]
        except (TypeError, IndexError):  # a shape is unknown
            return None

    def _repeats(self, node: Any) -> int | None:
        """Return how often a Scan runs its body: the length of what it scans. Of a Loop it is not known."""
        scanned = _attribute(node, "num_scan_inputs", 0)
        if node.op_type != "Scan" or not scanned or any(a.name == "scan_input_axes" for a in node.attribute):
            return None
        shape = self._shape(node.input[-scanned])
        return shape[0] if shape else None


def _fix_batch(model: Any) -> bool:
    """Set an open first dimension of the inputs to 1, everywhere; return whether there was one."""
    stored = {item.name for item in model.graph.initializer}
    symbols, found = set(), False
    for value in model.graph.input:
        shape = value.type.tensor_type.shape
        if value.name in stored or not shape.dim or shape.dim[0].dim_value > 0:
            continue
        found = True
        symbols.add(shape.dim[0].dim_param)
        shape.dim[0].dim_value = 1
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for position, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.dim_param and dim.dim_param in symbols:
                dim.dim_value = 1
            elif found and dim.dim_param and position == 0:  # converters name the batch anew in each tensor
                dim.Clear()
    return found


def try_content(content: bytes) -> None:
    """Infer the shapes of a model; called in a child process, see `try_in_child`."""
    import onnx

    _infer_shapes(onnx.ModelProto.FromString(content))


def _infer_shapes(model: Any) -> Any:
    """Return the model with functions inlined and shapes inferred, as far as onnx can."""
    import onnx
    import onnx.inliner

    try:
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # its errors share no base; without shapes, operators are listed as not counted
        return model


def _bodies(node: Any) -> Iterable[Any]:
    """Return the graphs inside a node."""
    return [graph for item in node.attribute for graph in ([item.g] if item.HasField("g") else item.graphs)]


def _captured(body: Any) -> set[str]:
    """Return the names that a body, or one inside it, reads and does not define."""
    defined = {value.name for value in (*body.input, *body.initializer)}
    defined |= {name for node in body.node for name in node.output}
    used = {name for node in body.node for name in node.input if name} | {value.name for value in body.output}
    for node in body.node:
        for inner in _bodies(node):
            used |= _captured(inner)
    return used - defined


def _attribute(node: Any, name: str, default: int) -> int:
    return next((int(item.i) for item in node.attribute if item.name == name), default)


Shape = tuple[int, ...]


def _recurrent(shapes: Sequence[Shape], _: Shape) -> int:
    return prod(shapes[0][:-1]) * (prod(shapes[1]) + prod(shapes[2]))  # (steps, batch, features), weights, recurrence


# From the shapes of the inputs and that of the output.
_FORMULAS: dict[str, Callable[[Sequence[Shape], Shape], int]] = {
    **dict.fromkeys(
        ("Conv", "ConvInteger", "FusedConv", "NhwcFusedConv"), lambda i, out: prod(out) * prod(i[1][1:])
    ),  # (O, I of the group, ...)
    "QLinearConv": lambda i, out: prod(out) * prod(i[3][1:]),
    "ConvTranspose": lambda i, out: prod(i[0]) * prod(i[1][1:]),  # (I, O of the group, ...)
    **dict.fromkeys(("MatMul", "MatMulInteger", "Gemm"), lambda i, out: prod(out) * i[0][-1]),
    **dict.fromkeys(("DynamicQuantizeMatMul", "MatMulIntegerToFloat"), lambda i, out: prod(out) * i[0][-1]),
    "QLinearMatMul": lambda i, out: prod(out) * i[0][-1],
    **dict.fromkeys(("LSTM", "GRU", "RNN"), _recurrent),
}
