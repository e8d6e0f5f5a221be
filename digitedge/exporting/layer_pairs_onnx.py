"""The nodes of a float .onnx file beside those of a QDQ one.

Quantization prepares a graph first: it fuses nodes and folds constants. The float file is prepared in the same manner
here, so that its tensors are those of the quantized file.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Set
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from digitedge.exporting.layer_names import onnx_layers
from digitedge.exporting.layer_pairs import Operator, Output, Quantization, Tensors, check_same_size
from digitedge.exporting.onnx import FUSED, prepare_onnx

_CONVERSIONS = ("QuantizeLinear", "DequantizeLinear")
_CHUNK = 50  # crops at a time


class OnnxLayerPair:
    """Two .onnx files of one network; see `LayerPair`."""

    def __init__(self, float_content: bytes, quantized_content: bytes) -> None:
        self._float = prepare_onnx(onnx.load_from_string(float_content))
        self._quantized = onnx.load_from_string(quantized_content)
        self._makers = {name: index for index, node in enumerate(self._float.graph.node) for name in node.output}
        layers = [
            next(iter(found), node.name) for found, node in zip(onnx_layers(self._float), self._nodes, strict=True)
        ]
        theirs = self._quantized.graph.node
        pairs = {a: theirs[b] for a, b in _match_nodes(self._float.graph, self._quantized.graph).items()}
        codes = _Codes(self._quantized)
        outputs = {index: list(self._nodes[index].output) for index in pairs}
        unmatched = []
        for index, node in enumerate(self._nodes):
            maker = self._makers.get(node.input[0]) if node.input else None
            if index not in pairs and node.op_type in FUSED and maker in outputs:
                outputs[maker] = list(node.output)
            elif index not in pairs:
                unmatched.append((layers[index], node.op_type))
        self.unmatched = unmatched
        kinds = _float_tensors(self._float)
        self.operators = [
            Operator(
                layer=layers[index],
                kind=self._nodes[index].op_type,
                index=index,
                weights=_weights(self._float, self._nodes[index], codes, node),
                outputs=[
                    codes.output(first, second, node)
                    for first, second in zip(outputs[index], node.output, strict=False)
                    if first in kinds and second
                ],
            )
            for index, node in sorted(pairs.items())
        ]
        makers = {name: place for place, index in enumerate(sorted(pairs)) for name in outputs[index]}
        self.reads = [
            {makers[name] for name in self._nodes[one.index].input if name in makers} for one in self.operators
        ]

    @property
    def _nodes(self) -> Any:
        return self._float.graph.node

    def outputs(self, crops: NDArray[np.uint8]) -> Iterator[list[Tensors]]:
        """Yield the outputs for chunks of crops; see `LayerPair`."""
        pairs = [one for operator in self.operators for one in operator.outputs]
        first = _session(self._float, [one.float_tensor for one in pairs])
        second = _session(self._quantized, [one.quantized_tensor for one in pairs])
        for start in range(0, len(crops), _CHUNK):
            chunk = crops[start : start + _CHUNK]
            ours = _run(first, chunk, [one.float_tensor for one in pairs])
            theirs = _run(second, chunk, [one.quantized_tensor for one in pairs])
            tensors = iter(zip(ours, theirs, strict=True))
            yield [[next(tensors) for _ in operator.outputs] for operator in self.operators]

    def probabilities(self, crops: NDArray[np.uint8], *, weights: Set[int], outputs: Set[int]) -> NDArray[np.float32]:
        """Score crops with a mixture; see `LayerPair`."""
        model = onnx.ModelProto()
        model.CopyFrom(self._float)
        for one in (self.operators[index] for index in weights):
            for position, (_, values) in one.weights.items():
                name = f"{model.graph.node[one.index].input[position]}_of_{one.index}"
                model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
                model.graph.node[one.index].input[position] = name
        rounded = [output for index in outputs for output in self.operators[index].outputs]
        for output in sorted(rounded, key=lambda one: -self._makers[one.float_tensor]):
            if output.quantization is not None:
                _round(model.graph, self._makers[output.float_tensor], output.float_tensor, output.quantization)
        session = _session(model, [])
        return np.concatenate([
            _run(session, crops[start : start + _CHUNK], [session.get_outputs()[0].name])[0]
            for start in range(0, len(crops), _CHUNK)
        ])  # fmt: skip


class _Codes:
    """What a QDQ graph does to its tensors."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self._values = {one.name: one for one in proto.graph.initializer}
        self._quantizers = {node.input[0]: node for node in proto.graph.node if node.op_type == "QuantizeLinear"}
        self._readers = {node.input[0]: node for node in proto.graph.node if node.op_type == "DequantizeLinear"}
        self._dequantizers = {node.output[0]: node for node in proto.graph.node if node.op_type == "DequantizeLinear"}

    def constant(self, name: str) -> NDArray[np.float32] | None:
        """The real numbers of a constant, also behind a DequantizeLinear; None if the tensor is computed."""
        if name in self._values:
            values: NDArray[np.float32] = onnx.numpy_helper.to_array(self._values[name])
            return values if values.dtype == np.float32 else None
        node = self._dequantizers.get(name)
        if node is None or any(one not in self._values for one in node.input):
            return None
        codes, scale, zero_point = (onnx.numpy_helper.to_array(self._values[one]) for one in node.input)
        shape = [1] * codes.ndim
        if scale.size > 1:
            shape[next((one.i for one in node.attribute if one.name == "axis"), 1)] = -1
        difference = codes.astype(np.float64) - zero_point.reshape(shape if zero_point.size > 1 else ())
        reals: NDArray[np.float64] = difference * scale.reshape(shape if scale.size > 1 else ())
        return reals.astype(np.float32)

    def output(self, float_tensor: str, tensor: str, node: onnx.NodeProto) -> Output:
        """Describe an output of a node."""
        quantizer = self._quantizers.get(tensor)
        reader = self._readers.get(quantizer.output[0]) if quantizer is not None else None
        if quantizer is None or reader is None:
            return Output(float_tensor=float_tensor, quantized_tensor=tensor, quantization=None, inherited=False)
        about = self._quantization(quantizer)
        sources = [self._dequantizers[name] for name in node.input if name in self._dequantizers]
        inherited = any(self._quantization(source) == about for source in sources)
        return Output(
            float_tensor=float_tensor, quantized_tensor=reader.output[0], quantization=about, inherited=inherited
        )

    def _quantization(self, node: onnx.NodeProto) -> Quantization | None:
        if len(node.input) < 3 or any(one not in self._values for one in node.input[1:]):
            return None
        scale, zero_point = (onnx.numpy_helper.to_array(self._values[one]) for one in node.input[1:])
        if scale.size > 1:
            return None
        return Quantization(float(scale.item()), int(zero_point.item()), zero_point.dtype.name)


def _match_nodes(ours: onnx.GraphProto, theirs: onnx.GraphProto) -> dict[int, int]:
    """Match nodes by kind, name and what they read; if most names differ, by kind and what they read."""
    pairs: dict[int, int] = {}
    for named in (True, False):
        waiting = defaultdict(list)
        for index, signature in _signatures(theirs, named=named).items():
            waiting[signature].append(index)
        pairs = {a: waiting[one].pop(0) for a, one in _signatures(ours, named=named).items() if waiting[one]}
        if 2 * len(pairs) >= len(ours.node):
            break
    return pairs


def _signatures(graph: onnx.GraphProto, *, named: bool) -> dict[int, int]:
    """Number each node so that nodes of two graphs have the same if they compute the same from the same.

    tf2onnx numbers the nodes that it adds, such as Transpose__108, in an order that changes: the numbers do not count.
    """
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output}
    signatures: dict[int, int] = {}

    def read(tensor: str) -> int:
        index = makers.get(tensor)
        while index is not None and (graph.node[index].op_type in FUSED or _converts(graph.node[index])):
            index = makers.get(graph.node[index].input[0])
        return 0 if index is None else signatures.get(index, 0)

    for index, node in enumerate(graph.node):
        if not _converts(node):
            name = re.sub(r"__\d+$", "", node.name) if named else ""
            signatures[index] = hash((node.op_type, name, *map(read, node.input)))
    return signatures


def _converts(node: onnx.NodeProto) -> bool:
    """Whether a node only converts numbers; a Sum of one input stands before layers that are kept in float."""
    return node.op_type in _CONVERSIONS or (node.op_type == "Sum" and len(node.input) == 1)


def _weights(
    proto: onnx.ModelProto, node: onnx.NodeProto, codes: _Codes, quantized: onnx.NodeProto
) -> dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    plain = _Codes(proto)
    weights = {}
    for position, (first, second) in enumerate(zip(node.input, quantized.input, strict=False)):
        values, rounded = plain.constant(first), codes.constant(second)
        if values is not None and rounded is not None:
            check_same_size(values, rounded)
            weights[position] = (values, rounded)
    return weights


def _float_tensors(proto: onnx.ModelProto) -> set[str]:
    """Names of the tensors that are computed in float32."""
    graph = onnx.shape_inference.infer_shapes(proto).graph
    kinds = {one.name: one.type.tensor_type.elem_type for one in (*graph.value_info, *graph.output)}
    return {name for name, kind in kinds.items() if kind == onnx.TensorProto.FLOAT}


def _session(proto: onnx.ModelProto, tensors: list[str]) -> onnxruntime.InferenceSession:
    """Open a graph unchanged, with some of its tensors as further outputs."""
    model = onnx.ModelProto()
    model.CopyFrom(proto)
    known = {one.name for one in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in dict.fromkeys(tensors) if name not in known)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, crops: NDArray[np.uint8], tensors: list[str]) -> list[NDArray[Any]]:
    (image,) = session.get_inputs()
    dtype = np.uint8 if image.type == "tensor(uint8)" else np.float32
    feed = {image.name: crops[..., None].astype(dtype)}
    return list(session.run(tensors, feed)) if tensors else []


def _round(graph: onnx.GraphProto, maker: int, tensor: str, about: Quantization) -> None:
    """Let a node write to a new tensor, and insert QuantizeLinear and DequantizeLinear from there to its old one."""
    plain, codes, scale, zero_point = (f"{tensor}_{end}" for end in ("plain", "codes", "step", "zero"))
    graph.node[maker].output[:] = [plain if name == tensor else name for name in graph.node[maker].output]
    graph.initializer.append(onnx.numpy_helper.from_array(np.array(about.scale, np.float32), scale))
    graph.initializer.append(onnx.numpy_helper.from_array(np.array(about.zero_point, about.dtype), zero_point))
    graph.node.insert(maker + 1, onnx.helper.make_node("DequantizeLinear", [codes, scale, zero_point], [tensor]))
    graph.node.insert(maker + 1, onnx.helper.make_node("QuantizeLinear", [plain, scale, zero_point], [codes]))
