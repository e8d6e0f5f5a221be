"""Channel packing: the first convolution of an int8 .tflite file runs over groups of four pixels as four channels.

    28x28x1 -> convolution, 8 filters of 3x3x1 -> 28x28x8
    28x28x1 -> reshape 28x7x4 -> convolution, 32 filters of 3x3x4 -> 28x7x32 -> reshape 28x28x8

Four neighbours of a row lie in memory as four channels of one pixel would. Each filter becomes four, one for each
position in the group, filled with zeros. The result is bit-equal, and faster, because XNNPACK multiplies channels in
blocks. See docs/decisions/channel-packing.md.
"""

from copy import deepcopy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

GROUP = 4
"""Number of pixels that become channels."""


def pack_channels(model: Any) -> None:
    """Rewrite the first convolution over one channel with stride 1 that keeps the image's size, in place.

    Args:
        model: `ModelT` of TFLite's schema with int8 weights.
    """
    graph = model.subgraphs[0]
    for position, convolution in enumerate(graph.operators):
        if _can_be_packed(model, graph, convolution):
            (image, weights, bias), (output,) = convolution.inputs, convolution.outputs
            filters = graph.tensors[weights].shape[0]
            _widen(model, graph.tensors[weights], _pack_filters(_values(model, graph.tensors[weights], np.int8)))
            _widen(model, graph.tensors[bias], np.tile(_values(model, graph.tensors[bias], np.int32), GROUP))
            batch, height, width, _ = graph.tensors[image].shape
            packed_image = _add_like(graph, image, [batch, height, width // GROUP, GROUP])
            packed_output = _add_like(graph, output, [batch, height, width // GROUP, GROUP * filters])
            convolution.inputs = np.array([packed_image, weights, bias], np.int32)
            convolution.outputs = np.array([packed_output], np.int32)
            graph.operators[position : position + 1] = [
                _reshape(model, graph, image, packed_image),
                convolution,
                _reshape(model, graph, packed_output, output),
            ]
            return


def _can_be_packed(model: Any, graph: Any, operator: Any) -> bool:
    """Whether it is a convolution over one channel with stride 1 and padding, whose filters nothing else uses."""
    if builtin_code(model.operatorCodes[operator.opcodeIndex]) != schema.BuiltinOperator.CONV_2D:
        return False
    if not _has_stored_filters(model, graph, operator):
        return False
    others = {tensor for other in graph.operators if other is not operator for tensor in other.inputs}
    options, shape = operator.builtinOptions, graph.tensors[operator.inputs[0]].shape
    return bool(
        shape[3] == 1
        and shape[2] % GROUP == 0
        and (options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor) == (1, 1, 1, 1)
        and options.padding == schema.Padding.SAME
        and others.isdisjoint(operator.inputs[1:])
    )


def _has_stored_filters(model: Any, graph: Any, convolution: Any) -> bool:
    """Whether filters (int8) and bias (int32) are constants with a scale for each filter."""
    if len(convolution.inputs) != 3 or min(convolution.inputs) < 0:
        return False
    weights, bias = (graph.tensors[index] for index in convolution.inputs[1:])
    return bool(
        (weights.type, bias.type) == (schema.TensorType.INT8, schema.TensorType.INT32)
        and all(model.buffers[tensor.buffer].data is not None for tensor in (weights, bias))
        and all(len(tensor.quantization.scale) == weights.shape[0] for tensor in (weights, bias))
    )


def _pack_filters(filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """Filters over groups of pixels, one for each position in the group: (N, H, W, 1) -> (4 N, H, groups, 4)."""
    count, height, width, _ = filters.shape
    left, right = (width - 1) // 2, width // 2  # columns that a filter covers on each side
    reach = -(-max(left, right) // GROUP)
    columns = np.zeros((GROUP, count, height, (2 * reach + 1) * GROUP), np.int8)
    for position in range(GROUP):
        first = reach * GROUP + position - left
        columns[position, ..., first : first + width] = filters[..., 0]
    return columns.reshape(GROUP * count, height, 2 * reach + 1, GROUP)


def unpack_filters(packed: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Undo `pack_channels` on the real values of its filters: (4 N, H, groups, 4) -> (N, H, width, 1)."""
    count, height, groups, _ = packed.shape
    first = (groups - 1) // 2 * GROUP - (width - 1) // 2
    return packed.reshape(GROUP, count // GROUP, height, groups * GROUP)[0, :, :, first : first + width, None]


def _widen(model: Any, tensor: Any, values: NDArray[np.int8] | NDArray[np.int32]) -> None:
    """Replace the values of a tensor by those for all positions, which have the scales of their original filter."""
    tensor.shape, tensor.buffer = np.array(values.shape, np.int32), _add_buffer(model, values)
    tensor.quantization.scale = np.tile(tensor.quantization.scale, GROUP)
    tensor.quantization.zeroPoint = np.tile(tensor.quantization.zeroPoint, GROUP)


def _values(model: Any, tensor: Any, dtype: type[np.generic]) -> NDArray[Any]:
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype).reshape(tensor.shape)


def _add_buffer(model: Any, values: NDArray[Any]) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _add_like(graph: Any, index: int, shape: list[int]) -> int:
    """Add a copy of a tensor with another shape."""
    tensor = deepcopy(graph.tensors[index])
    tensor.shape, tensor.shapeSignature = np.array(shape, np.int32), None
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _reshape(model: Any, graph: Any, source: int, target: int) -> Any:
    """Make a RESHAPE operator from one tensor to another."""
    shape = schema.TensorT()
    shape.type, shape.buffer = schema.TensorType.INT32, _add_buffer(model, graph.tensors[target].shape)
    shape.shape = np.array(graph.tensors[target].shape.shape, np.int32)
    graph.tensors.append(shape)
    operator = schema.OperatorT()
    operator.opcodeIndex = _reshape_code(model)
    operator.inputs = np.array([source, len(graph.tensors) - 1], np.int32)
    operator.outputs = np.array([target], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    operator.builtinOptions = schema.ReshapeOptionsT()
    operator.builtinOptions.newShape = graph.tensors[target].shape
    return operator


def _reshape_code(model: Any) -> int:
    """Index of RESHAPE among the operator codes of a model; added if it is missing."""
    for index, code in enumerate(model.operatorCodes):
        if builtin_code(code) == schema.BuiltinOperator.RESHAPE:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def builtin_code(code: Any) -> int:
    """The `schema.BuiltinOperator` of an operator code, whose deprecated field ends at 127."""
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))
