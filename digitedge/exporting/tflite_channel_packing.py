"""The first convolution of an int8 .tflite file over groups of four pixels: the same numbers, much faster with AMX.

XNNPACK multiplies the channels of a pixel in blocks of 4, 8, or with Intel's AMX of 64, and fills up with zeros what a
pixel does not have. An image has one channel. Four neighbours of a row stand side by side in memory as four channels
would, so a reshape makes one pixel of four channels out of them; a filter becomes one for each of the four places, and
a reshape takes their answers apart again:

    28x28x1 -> convolution, 8 filters of 3x3x1 -> 28x28x8
    28x28x1 -> reshape 28x7x4 -> convolution, 32 filters of 3x3x4 -> 28x7x32 -> reshape 28x28x8

Every product and sum stays, with zeros between, and so does every bit of the answer. Microseconds of one call, one
thread of an Intel with AMX, and bytes, against groups of other sizes:

    pixels     `small`       `cnn`
       1     72.9  20,736   90.8  68,304
       2     55.4  21,312   73.5  69,520
       4     47.0  22,568   71.7  73,272
       7     43.1  25,336   69.0  81,552

With AVX2 the instructions are about as many as before: 2.14 and now 2.12 million for `cnn`, 0.75 and 0.72 for `small`.

Rejected: a PAD before it, which needs two groups of columns instead of three, but takes 9 us itself; a first layer in
float, which needs two kinds of numbers in a file that says int8; and the same in Keras before the conversion, where
batch normalization no longer melts into the convolution.
"""

from copy import deepcopy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

PIXELS = 4


def pack_pixels(model: Any) -> None:
    """Rewrite the first convolution over one channel, if there is one of stride 1 that keeps the field's size.

    Args:
        model: `ModelT` of TFLite's schema with int8 weights; changed in place.
    """
    graph = model.subgraphs[0]
    for place, convolution in enumerate(graph.operators):
        if _can_be_packed(model, graph, convolution):
            (image, weights, bias), (answer,) = convolution.inputs, convolution.outputs
            filters = graph.tensors[weights].shape[0]
            _widen(model, graph.tensors[weights], _filters_of_places(_values(model, graph.tensors[weights], np.int8)))
            _widen(model, graph.tensors[bias], np.tile(_values(model, graph.tensors[bias], np.int32), PIXELS))
            batch, height, width, _ = graph.tensors[image].shape
            packed_image = _add_like(graph, image, [batch, height, width // PIXELS, PIXELS])
            packed_answer = _add_like(graph, answer, [batch, height, width // PIXELS, PIXELS * filters])
            convolution.inputs = np.array([packed_image, weights, bias], np.int32)
            convolution.outputs = np.array([packed_answer], np.int32)
            graph.operators[place : place + 1] = [
                _reshape(model, graph, image, packed_image),
                convolution,
                _reshape(model, graph, packed_answer, answer),
            ]
            return


def _can_be_packed(model: Any, graph: Any, operator: Any) -> bool:
    """Whether it is a convolution over one channel, step by step and with a border, whose filters are its own."""
    if kind_of(model.operatorCodes[operator.opcodeIndex]) != schema.BuiltinOperator.CONV_2D:
        return False
    if not _has_stored_filters(model, graph, operator):
        return False
    others = {tensor for other in graph.operators if other is not operator for tensor in other.inputs}
    how, shape = operator.builtinOptions, graph.tensors[operator.inputs[0]].shape
    return bool(
        shape[3] == 1
        and shape[2] % PIXELS == 0
        and (how.strideH, how.strideW, how.dilationHFactor, how.dilationWFactor) == (1, 1, 1, 1)
        and how.padding == schema.Padding.SAME
        and others.isdisjoint(operator.inputs[1:])
    )


def _has_stored_filters(model: Any, graph: Any, convolution: Any) -> bool:
    """Whether filters and bias stand in the file, as int8 and int32, with a scale for each filter."""
    if len(convolution.inputs) != 3 or min(convolution.inputs) < 0:
        return False
    weights, bias = (graph.tensors[index] for index in convolution.inputs[1:])
    return bool(
        (weights.type, bias.type) == (schema.TensorType.INT8, schema.TensorType.INT32)
        and all(model.buffers[tensor.buffer].data is not None for tensor in (weights, bias))
        and all(len(tensor.quantization.scale) == weights.shape[0] for tensor in (weights, bias))
    )


def _filters_of_places(filters: NDArray[np.int8]) -> NDArray[np.int8]:
    """Filters over groups of pixels, one for each place in the group: (N, H, W, 1) -> (4 N, H, groups, 4)."""
    count, height, width, _ = filters.shape
    before, after = (width - 1) // 2, width // 2  # columns that a filter reaches to its left and right
    reach = -(-max(before, after) // PIXELS)
    columns = np.zeros((PIXELS, count, height, (2 * reach + 1) * PIXELS), np.int8)
    for place in range(PIXELS):
        first = reach * PIXELS + place - before
        columns[place, ..., first : first + width] = filters[..., 0]
    return columns.reshape(PIXELS * count, height, 2 * reach + 1, PIXELS)


def _widen(model: Any, tensor: Any, values: NDArray[np.int8] | NDArray[np.int32]) -> None:
    """Give a tensor the values for all places, whose scales are those of the one filter they come from."""
    tensor.shape, tensor.buffer = np.array(values.shape, np.int32), _add_buffer(model, values)
    tensor.quantization.scale = np.tile(tensor.quantization.scale, PIXELS)
    tensor.quantization.zeroPoint = np.tile(tensor.quantization.zeroPoint, PIXELS)


def _values(model: Any, tensor: Any, dtype: type[np.generic]) -> NDArray[Any]:
    return np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtype).reshape(tensor.shape)


def _add_buffer(model: Any, values: NDArray[Any]) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _add_like(graph: Any, index: int, shape: list[int]) -> int:
    """Add a tensor that is quantized like another, and has another shape."""
    tensor = deepcopy(graph.tensors[index])
    tensor.shape, tensor.shapeSignature = np.array(shape, np.int32), None
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _reshape(model: Any, graph: Any, source: int, target: int) -> Any:
    """A RESHAPE of one tensor into another."""
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
    """Index of RESHAPE among a model's operators; added where it is missing."""
    for index, code in enumerate(model.operatorCodes):
        if kind_of(code) == schema.BuiltinOperator.RESHAPE:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RESHAPE
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def kind_of(code: Any) -> int:
    """The `schema.BuiltinOperator` of an operator code: its first field ends at 127, so later ones are in a second."""
    return int(max(code.builtinCode, code.deprecatedBuiltinCode))
