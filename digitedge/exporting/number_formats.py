"""The number formats of files that exist already: which recipe they follow."""

import math
from pathlib import Path

import onnx
from ai_edge_litert import schema_py_generated as schema

# Operators of ONNX that only quantized models have, and those that find the range of activations as the model runs.
_STATIC = ("QLinear", "QuantizeLinear")
_DYNAMIC = ("DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")


def recipe_of_onnx(model: onnx.ModelProto) -> str:
    """The recipe whose number formats an ONNX model has: float32, float16, dynamic or int8."""
    kinds = {node.op_type for node in model.graph.node}
    if any(kind.startswith(_STATIC) for kind in kinds):
        return "int8"
    if kinds & set(_DYNAMIC):
        return "dynamic"
    types = {one.data_type for one in model.graph.initializer}
    return "float16" if onnx.TensorProto.FLOAT16 in types else "float32"


def recipe_of_tflite(file: Path) -> str:
    """The recipe whose number formats a `.tflite` file has."""
    types = {constant: {kind for kind, _, one in _tensors(file) if one is constant} for constant in (True, False)}
    if {schema.TensorType.INT8, schema.TensorType.UINT8} & types[False]:
        return "int8"
    if schema.TensorType.FLOAT16 in types[True]:
        return "float16"
    return "dynamic" if schema.TensorType.INT8 in types[True] else "float32"


def tflite_parameters(file: Path) -> int:
    """Number of weights of a `.tflite` file: values of constants that have more than one."""
    return sum(int(size) for _, size, constant in _tensors(file) if constant and size > 1)


def _tensors(file: Path) -> list[tuple[int, int, bool]]:
    """Type, number of values and whether it is a constant, of every tensor of a `.tflite` file."""
    model = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0)
    return [
        (tensor.type, math.prod(tensor.shape), model.buffers[tensor.buffer].data is not None)
        for graph in model.subgraphs
        for tensor in graph.tensors
        if tensor.shape is not None
    ]
