"""The second output of an exported file: the features, which are what the last dense layer reads.

It is added to the converted graph: the operators before it stay as they are, so all probabilities are bit-identical.
`digitedge adapt` learns a hand from the features, without TensorFlow. See docs/decisions/adapt.md.
"""

from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from digitedge.exporting.tflite_channel_packing import builtin_code
from digitedge.runtime.contract import FEATURES_NAME, MAX_FEATURES, OUTPUT_NAME

_CONVERSIONS = (schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE)
_ONNX_CONVERSIONS = ("QuantizeLinear", "DequantizeLinear")


def add_tflite_features(model: Any) -> None:
    """Give a graph that ends in a dense layer and a softmax a second output, in place; others stay as they are.

    Args:
        model: `ModelT` of TFLite's schema with the signature of the model contract.
    """
    graph = model.subgraphs[0]
    tensor = _find_tflite_features(model)
    if tensor is None:
        return
    if graph.tensors[tensor].type != schema.TensorType.FLOAT32:
        tensor = _dequantize(model, tensor)
    graph.tensors[tensor].name = FEATURES_NAME.encode()
    graph.outputs = np.array([*graph.outputs, tensor], np.int32)
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = FEATURES_NAME.encode(), tensor
    model.signatureDefs[0].outputs.append(entry)


def _find_tflite_features(model: Any) -> int | None:
    """The tensor that the dense layer before the softmax reads; None in a graph of another form."""
    graph = model.subgraphs[0]
    makers = {int(tensor): one for one in graph.operators for tensor in one.outputs}
    tensor = int(graph.outputs[0])
    for kind in (schema.BuiltinOperator.SOFTMAX, schema.BuiltinOperator.FULLY_CONNECTED):
        while tensor in makers and _code(model, makers[tensor]) in _CONVERSIONS:
            tensor = int(makers[tensor].inputs[0])
        if tensor not in makers or _code(model, makers[tensor]) != kind:
            return None
        tensor = int(makers[tensor].inputs[0])
    shape = [int(size) for size in graph.tensors[tensor].shape]
    is_vector = len(shape) == 2 and shape[0] == 1 and shape[1] <= MAX_FEATURES
    return tensor if is_vector and tensor in makers else None


def _code(model: Any, operator: Any) -> int:
    return builtin_code(model.operatorCodes[operator.opcodeIndex])


def _dequantize(model: Any, codes: int) -> int:
    """Add a DEQUANTIZE operator at the end; returns its tensor. Every int8 graph has one behind its softmax."""
    graph = model.subgraphs[0]
    tensor = schema.TensorT()
    tensor.type, tensor.shape, tensor.buffer = schema.TensorType.FLOAT32, graph.tensors[codes].shape, 0
    graph.tensors.append(tensor)
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = np.array([codes], np.int32), np.array([len(graph.tensors) - 1], np.int32)
    kinds = [builtin_code(one) for one in model.operatorCodes]
    operator.opcodeIndex = kinds.index(schema.BuiltinOperator.DEQUANTIZE)
    graph.operators.append(operator)
    return len(graph.tensors) - 1


def add_onnx_features(proto: onnx.ModelProto) -> None:
    """Give a graph that ends in a dense layer and a softmax a second output, in place; others stay as they are."""
    graph = proto.graph
    found = _find_onnx_features(graph)
    if found is None:
        return
    tensor, count = found
    maker = next(node for node in graph.node if tensor in node.output)
    if maker.op_type == "DequantizeLinear":
        # A node of its own: an output there would keep ONNX Runtime from computing the dense layer in int8.
        graph.node.append(onnx.helper.make_node("DequantizeLinear", maker.input, [FEATURES_NAME], name=FEATURES_NAME))
    else:
        for node in graph.node:
            node.output[:] = [FEATURES_NAME if name == tensor else name for name in node.output]
            node.input[:] = [FEATURES_NAME if name == tensor else name for name in node.input]
    batch = graph.output[0].type.tensor_type.shape.dim[0]
    size = batch.dim_param or batch.dim_value
    graph.output.append(onnx.helper.make_tensor_value_info(FEATURES_NAME, onnx.TensorProto.FLOAT, [size, count]))


def _find_onnx_features(graph: onnx.GraphProto) -> tuple[str, int] | None:
    """The tensor that the dense layer before the softmax reads, and its length; None in a graph of another form."""
    makers = {name: node for node in graph.node for name in node.output}

    def maker_of(tensor: str, *kinds: str) -> onnx.NodeProto | None:
        node = makers.get(tensor)
        while node is not None and node.op_type in _ONNX_CONVERSIONS:
            node = makers.get(node.input[0])
        return node if node is not None and node.op_type in kinds else None

    node = maker_of(OUTPUT_NAME, "Softmax")
    node = node and maker_of(node.input[0], "Add", "Gemm", "MatMul")
    if node is not None and node.op_type == "Add":
        node = next(filter(None, (maker_of(name, "MatMul") for name in node.input)), None)
    if node is None or node.input[0] not in makers:
        return None
    weights = makers[node.input[1]].input[0] if node.input[1] in makers else node.input[1]
    shape = next((list(one.dims) for one in graph.initializer if one.name == weights), [])
    if len(shape) != 2:
        return None
    transposed = any(one.name == "transB" and one.i for one in node.attribute)
    count = shape[1] if transposed else shape[0]
    return (node.input[0], count) if count <= MAX_FEATURES else None
