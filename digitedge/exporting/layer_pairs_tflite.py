"""The operators of a float .tflite file beside those of a quantized one.

Exported files keep no names (see `tflite_strip`), so operators are matched by kind and shape, in the order of the
graph.
"""

from collections.abc import Iterator, Set
from copy import deepcopy
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from digitedge.exporting.layer_names import tflite_layers
from digitedge.exporting.layer_pairs import Operator, Output, Quantization, Tensors, check_same_size
from digitedge.exporting.tflite import open_tflite
from digitedge.exporting.tflite_channel_packing import GROUP, builtin_code, unpack_filters

_KINDS = {code: kind for kind, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
_DTYPES = {
    code: name.lower()
    for name, code in vars(schema.TensorType).items()
    if name in ("FLOAT32", "FLOAT16", "INT8", "UINT8", "INT16", "INT32")
}


class TfliteLayerPair:
    """Two .tflite files of one network; see `LayerPair`."""

    def __init__(self, float_content: bytes, quantized_content: bytes) -> None:
        self._contents = float_content, quantized_content
        self._model, model = map(_read, self._contents)
        ours, theirs = _steps(self._model), _steps(model)
        matcher = SequenceMatcher(None, [step.key for step in ours], [step.key for step in theirs], autojunk=False)
        pairs = {a + i: b + i for a, b, size in matcher.get_matching_blocks() for i in range(size)}
        self.operators = [_match(self._model, ours[a], model, theirs[b]) for a, b in pairs.items()]
        makers = {tensor: index for index, a in enumerate(pairs) for tensor in ours[a].outputs}
        self.reads = [
            {makers[tensor] for tensor in self._model.subgraphs[0].operators[one.index].inputs if tensor in makers}
            for one in self.operators
        ]
        self.unmatched = [(step.layer, step.key[0]) for index, step in enumerate(ours) if index not in pairs]

    def outputs(self, crops: NDArray[np.uint8]) -> Iterator[list[Tensors]]:
        """Yield the outputs for one crop at a time; see `LayerPair`."""
        first, second = (open_tflite(content, keep_tensors=True) for content in self._contents)
        for crop in crops:
            _invoke(first, crop)
            _invoke(second, crop)
            yield [
                [
                    (first.get_tensor(one.float_tensor), _real(second.get_tensor(one.quantized_tensor), one))
                    for one in operator.outputs
                ]
                for operator in self.operators
            ]

    def probabilities(self, crops: NDArray[np.uint8], *, weights: Set[int], outputs: Set[int]) -> NDArray[np.float32]:
        """Score crops with a mixture; see `LayerPair`."""
        interpreter = open_tflite(self._mix(weights, outputs))
        output, *_ = interpreter.get_output_details()  # the features may follow
        scores = np.empty((len(crops), *output["shape"][1:]), np.float32)
        for row, crop in zip(scores, crops, strict=True):
            _invoke(interpreter, crop)
            row[:] = interpreter.get_tensor(output["index"])[0]
        return scores

    def _mix(self, weights: Set[int], outputs: Set[int]) -> bytes:
        """The float file with quantized constants, and with QUANTIZE and DEQUANTIZE behind outputs."""
        model = deepcopy(self._model)
        graph = model.subgraphs[0]
        for one in (self.operators[index] for index in weights):
            for position, (_, values) in one.weights.items():
                _replace_constant(model, graph.operators[one.index], position, values)
        for one in sorted((self.operators[index] for index in outputs), key=lambda one: -one.index):
            for output in one.outputs:
                if output.quantization is not None:
                    rounding = _rounding(model, graph.operators[one.index], output, output.quantization)
                    graph.operators[one.index + 1 : one.index + 1] = rounding
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


class _Step(NamedTuple):
    """An operator that computes, not one that converts numbers."""

    key: tuple[Any, ...]  # its kind, and the shapes of its outputs
    layer: str
    place: int
    outputs: list[int]
    is_packed: bool = False  # a convolution over groups of pixels


def _read(content: bytes) -> Any:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))


def _steps(model: Any) -> list[_Step]:
    """List the operators that compute. The three that pack channels (see `tflite_channel_packing`) are one step."""
    tensors = model.subgraphs[0].tensors
    layers = tflite_layers(model)
    steps: list[_Step] = []
    for index, operator in enumerate(model.subgraphs[0].operators):
        kind, outputs = _kind(model, operator), [int(one) for one in operator.outputs]
        if kind in _CONVERSIONS:
            continue
        shapes = [tuple(int(n) for n in tensors[one].shape) for one in outputs]
        if kind == "RESHAPE" and _follows_packed_convolution(model, steps, operator):
            steps[-2:] = [steps[-1]._replace(key=("CONV_2D", *shapes), outputs=outputs, is_packed=True)]
        else:
            steps.append(_Step((kind, *shapes), next(iter(layers[index]), kind), index, outputs))
    return steps


def _follows_packed_convolution(model: Any, steps: list[_Step], operator: Any) -> bool:
    """Whether an operator takes apart what a convolution over groups of pixels gave."""
    graph = model.subgraphs[0]
    if len(steps) < 2 or [step.key[0] for step in steps[-2:]] != ["RESHAPE", "CONV_2D"]:
        return False
    packing, convolution = (graph.operators[step.place] for step in steps[-2:])
    image, packed = (graph.tensors[index].shape for index in (packing.inputs[0], packing.outputs[0]))
    chained = convolution.inputs[0] == packing.outputs[0] and operator.inputs[0] == convolution.outputs[0]
    return bool(chained and image[-1] == 1 and packed[-1] == GROUP)


def _kind(model: Any, operator: Any) -> str:
    return str(_KINDS.get(builtin_code(model.operatorCodes[operator.opcodeIndex]), "CUSTOM"))


def _match(float_model: Any, ours: _Step, model: Any, theirs: _Step) -> Operator:
    """Read what the quantized file makes of an operator."""
    operator, quantized = float_model.subgraphs[0].operators[ours.place], model.subgraphs[0].operators[theirs.place]
    weights = {}
    for position, (first, second) in enumerate(zip(operator.inputs, quantized.inputs, strict=False)):
        plain, values = _constant(float_model, first), _constant(model, second)
        if plain is None or values is None or plain.dtype != np.float32:
            continue
        if values.size != plain.size and theirs.is_packed:
            values = unpack_filters(values, plain.shape[2]) if plain.ndim == 4 else values[: plain.size]
        check_same_size(plain, values)
        weights[position] = (plain, values.reshape(plain.shape))
    tensors = model.subgraphs[0].tensors
    codes = {_quantization(tensors[index]) for index in quantized.inputs if index >= 0}
    rounded = {index: _codes_of(model, index) for index in theirs.outputs}
    outputs = [
        Output(
            float_tensor=first,
            quantized_tensor=rounded[second],
            quantization=_quantization(tensors[rounded[second]]),
            inherited=_quantization(tensors[rounded[second]]) in codes,
        )
        for first, second in zip(ours.outputs, theirs.outputs, strict=True)
        if float_model.subgraphs[0].tensors[first].type == schema.TensorType.FLOAT32
    ]
    return Operator(layer=ours.layer, kind=ours.key[0], index=ours.place, weights=weights, outputs=outputs)


def _codes_of(model: Any, index: int) -> int:
    """The codes that the operators behind a layer in float read; the tensor itself if there are none."""
    graph = model.subgraphs[0]
    if graph.tensors[index].type != schema.TensorType.FLOAT32:
        return index
    readers = [one for one in graph.operators if index in one.inputs and _kind(model, one) == "QUANTIZE"]
    return int(readers[0].outputs[0]) if readers else index


def _quantization(tensor: Any) -> Quantization | None:
    """The codes of a tensor with one scale; None if it has none, or one for each channel."""
    about = tensor.quantization
    if about is None or about.scale is None or len(about.scale) != 1 or tensor.type == schema.TensorType.FLOAT32:
        return None
    return Quantization(float(about.scale[0]), int(about.zeroPoint[0]), _DTYPES[tensor.type])


def _constant(model: Any, index: int) -> NDArray[Any] | None:
    """The real numbers of a constant, also behind a DEQUANTIZE; None if the tensor is computed."""
    graph = model.subgraphs[0]
    if index < 0:
        return None
    tensor = graph.tensors[index]
    data = model.buffers[tensor.buffer].data
    if data is None:
        makers = [one for one in graph.operators if index in one.outputs and _kind(model, one) == "DEQUANTIZE"]
        return _constant(model, makers[0].inputs[0]) if makers else None
    if tensor.type not in _DTYPES:
        return None
    values = np.frombuffer(bytes(data), _DTYPES[tensor.type]).reshape(tensor.shape)
    about = tensor.quantization
    if about is None or about.scale is None or not len(about.scale):
        return values.astype(np.float32) if tensor.type == schema.TensorType.FLOAT16 else values
    axis = [1] * values.ndim
    if len(about.scale) > 1:
        axis[about.quantizedDimension] = -1
    zero_point = np.asarray(about.zeroPoint).reshape(axis)
    reals: NDArray[np.float64] = (values.astype(np.float64) - zero_point) * about.scale.reshape(axis)
    return reals.astype(np.float32)


def _real(values: NDArray[Any], output: Output) -> NDArray[np.float32]:
    """The real numbers of a tensor as the interpreter returns it, in the shape of the float file."""
    about = output.quantization
    if about is None:
        return np.asarray(values, np.float32)
    return np.asarray(about.scale * (values.astype(np.float32) - about.zero_point), np.float32)


def _replace_constant(model: Any, operator: Any, position: int, values: NDArray[np.float32]) -> None:
    graph = model.subgraphs[0]
    tensor = deepcopy(graph.tensors[operator.inputs[position]])  # others may use the old one
    tensor.buffer = _add_buffer(model, values)
    graph.tensors.append(tensor)
    operator.inputs = np.array(operator.inputs)
    operator.inputs[position] = len(graph.tensors) - 1


def _rounding(model: Any, operator: Any, output: Output, about: Quantization) -> list[Any]:
    """Let an operator write to a new tensor, and make QUANTIZE and DEQUANTIZE from there to its old one."""
    graph = model.subgraphs[0]
    plain, codes = deepcopy(graph.tensors[output.float_tensor]), deepcopy(graph.tensors[output.float_tensor])
    codes.type = getattr(schema.TensorType, about.dtype.upper())
    codes.quantization = schema.QuantizationParametersT()
    codes.quantization.scale = np.array([about.scale], np.float32)
    codes.quantization.zeroPoint = np.array([about.zero_point], np.int64)
    graph.tensors += [plain, codes]
    first, second = len(graph.tensors) - 2, len(graph.tensors) - 1
    operator.outputs = np.array([first if one == output.float_tensor else one for one in operator.outputs], np.int32)
    return [
        _operator(model, schema.BuiltinOperator.QUANTIZE, first, second),
        _operator(model, schema.BuiltinOperator.DEQUANTIZE, second, output.float_tensor),
    ]


def _operator(model: Any, kind: int, source: int, target: int) -> Any:
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = np.array([source], np.int32), np.array([target], np.int32)
    operator.opcodeIndex = len(model.operatorCodes)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = 2  # the first that takes int8
    model.operatorCodes.append(code)
    return operator


def _add_buffer(model: Any, values: NDArray[Any]) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _invoke(interpreter: Interpreter, crop: NDArray[np.uint8]) -> None:
    (image,) = interpreter.get_input_details()
    interpreter.set_tensor(image["index"], crop.reshape(image["shape"]).astype(image["dtype"]))
    interpreter.invoke()
