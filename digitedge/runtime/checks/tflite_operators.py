"""The operators of a TFLite file that are known: which inputs they take, and which output these give.

Each rule works out the shape and number type of the output, and refuses a file that states another one. LiteRT's
kernels check some of this, abort on some, and write outside their memory for the rest. Numbers that a kernel turns into
a multiplication by an integer must be in a range in which it does not abort.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from digitedge.runtime.checks.problems import InvalidPart, UnknownPart
from digitedge.runtime.checks.tflite_graph import (
    BOOL,
    FLOAT16,
    FLOAT32,
    INT8,
    INT32,
    INT64,
    UINT8,
    Operator,
    Tensor,
    type_name,
)

Shape = tuple[int, ...]

MAX_WINDOW = 1024
"""Stride, dilation or pooling window at most, in pixels."""
MAX_WINDOW_PIXELS = 1 << 21
"""Pixels of all windows of one convolution or pooling, for a file that is loaded at once."""
# The product of scales that a kernel writes as an integer and a shift of at most 31 bits.
_MULTIPLIER_RANGE = (2.0**-30, 2.0**8)
_SOFTMAX_SCALE_RANGE = (1e-6, 1e3)
_MAX_SCALE_RATIO = 2.0**16
_VALID = 1  # padding
_ACTIVATIONS = range(4)  # none, relu, relu_n1_to_1, relu6
_CODES_8_BIT = (INT8, UINT8)


def check_operator(operator: Operator) -> int:
    """Check an operator and return how much work it is: multiplications, and elements that it reads and writes.

    Raises:
        InvalidPart: its output cannot come from its inputs.
        UnknownPart: an operator or a kind of it without a rule.
    """
    rule = _rules().get(operator.code)
    if rule is None:
        raise UnknownPart(f"the operator {operator_name(operator.code)}")
    check, options_type, kind, counts = rule
    if len(operator.outputs) != 1 or len(operator.inputs) not in counts or operator.inputs[0] is None:
        given = sum(one is not None for one in operator.inputs)
        raise InvalidPart(f"{operator_name(operator.code)} with {given} inputs and {len(operator.outputs)} outputs")
    _check_data(operator)
    if operator.options_type not in (0, options_type):
        raise InvalidPart(f"{operator_name(operator.code)} with options of another operator")
    if kind is None:
        options = None
    elif operator.options_type == 0 or operator.table is None:
        raise UnknownPart(f"{operator_name(operator.code)} without options")
    else:
        options = operator.options(kind)
    work = check(operator, options) or 0
    return work + sum(one.size for one in (*operator.inputs, *operator.outputs) if one is not None)


def _check_data(operator: Operator) -> None:
    """Kernels prepare constants and single numbers in ways of their own; digit classifiers compute with neither."""
    data = [one for one in operator.inputs if one is not None and one.values is None]
    is_weight = operator.inputs[0] is not None and operator.inputs[0].type == FLOAT16  # unpacked as the model runs
    _know(bool(data) or is_weight, "a computation with constants")
    _know(all(one.shape for one in (*data, *operator.outputs)), "a computation with single numbers")


def operator_name(code: int) -> str:
    """The name of a builtin operator in the schema, for messages."""
    from ai_edge_litert import schema_py_generated as schema

    names: dict[int, str] = {
        value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)
    }
    return names.get(code, f"number {code}")


@cache
def _rules() -> dict[int, tuple[Callable[[Operator, Any], int | None], int, Any, Sequence[int]]]:
    """By operator code: the rule, the code of its options, their accessor if they are read, and numbers of inputs."""
    from ai_edge_litert import schema_py_generated as schema

    op, kind = schema.BuiltinOperator, schema.BuiltinOptions
    binary = {
        op.ADD: (kind.AddOptions, schema.AddOptions),
        op.SUB: (kind.SubOptions, schema.SubOptions),
        op.MUL: (kind.MulOptions, schema.MulOptions),
        op.DIV: (kind.DivOptions, schema.DivOptions),
    }
    unary = {
        **dict.fromkeys((op.RELU, op.RELU6, op.RELU_N1_TO_1, op.LOGISTIC, op.TANH, op.ELU, op.SQRT, op.RSQRT), 0),
        **dict.fromkeys((op.FLOOR, op.CEIL, op.ROUND, op.LOG, op.SIN), 0),
        op.EXP: kind.ExpOptions,
        op.ABS: kind.AbsOptions,
        op.NEG: kind.NegOptions,
        op.SQUARE: kind.SquareOptions,
        op.HARD_SWISH: kind.HardSwishOptions,
        op.LEAKY_RELU: kind.LeakyReluOptions,
        op.GELU: kind.GeluOptions,
        op.LOG_SOFTMAX: kind.LogSoftmaxOptions,
    }
    return {
        op.CONV_2D: (_check_conv, kind.Conv2DOptions, schema.Conv2DOptions, (2, 3)),
        op.DEPTHWISE_CONV_2D: (_check_depthwise, kind.DepthwiseConv2DOptions, schema.DepthwiseConv2DOptions, (2, 3)),
        op.FULLY_CONNECTED: (_check_dense, kind.FullyConnectedOptions, schema.FullyConnectedOptions, (2, 3)),
        **dict.fromkeys(
            (op.MAX_POOL_2D, op.AVERAGE_POOL_2D), (_check_pool, kind.Pool2DOptions, schema.Pool2DOptions, (1,))
        ),
        **dict.fromkeys(
            (op.MEAN, op.SUM, op.REDUCE_MAX, op.REDUCE_MIN),
            (_check_reduce, kind.ReducerOptions, schema.ReducerOptions, (2,)),
        ),
        op.SOFTMAX: (_check_softmax, kind.SoftmaxOptions, schema.SoftmaxOptions, (1,)),
        op.RESHAPE: (_check_reshape, kind.ReshapeOptions, None, (1, 2)),
        op.SQUEEZE: (_check_squeeze, kind.SqueezeOptions, None, (1,)),
        op.EXPAND_DIMS: (_check_expand, kind.ExpandDimsOptions, None, (2,)),
        op.TRANSPOSE: (_check_transpose, kind.TransposeOptions, None, (2,)),
        op.PAD: (_check_pad, kind.PadOptions, None, (2,)),
        op.CONCATENATION: (_check_join, kind.ConcatenationOptions, schema.ConcatenationOptions, range(1, 65)),
        op.QUANTIZE: (_check_quantize, kind.QuantizeOptions, None, (1,)),
        op.DEQUANTIZE: (_check_dequantize, kind.DequantizeOptions, None, (1,)),
        op.CAST: (_check_cast, kind.CastOptions, None, (1,)),
        **{code: (_check_binary, number, accessor, (2,)) for code, (number, accessor) in binary.items()},
        **dict.fromkeys((op.MAXIMUM, op.MINIMUM), (_check_extremum, kind.MaximumMinimumOptions, None, (2,))),
        **{code: (_check_unary, number, None, (1,)) for code, number in unary.items()},
    }


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise InvalidPart(what)


def _know(condition: bool, what: str) -> None:
    if not condition:
        raise UnknownPart(what)


def _inputs(operator: Operator) -> list[Tensor]:
    """All inputs, none of which may be left out."""
    inputs = [one for one in operator.inputs if one is not None]
    _require(len(inputs) == len(operator.inputs), "an operator without an input that it needs")
    return inputs


def _expect(output: Tensor, shape: Shape, type_code: int) -> None:
    if output.shape != shape or output.type != type_code:
        raise InvalidPart(
            f"tensor {output.index} has the shape {output.shape} of {type_name(output.type)}, "
            f"but its operator makes {shape} of {type_name(type_code)}"
        )


def _constant_integers(tensor: Tensor | None) -> list[int]:
    """The values of a small constant of integers."""
    if tensor is None or tensor.type not in (INT32, INT64):
        raise InvalidPart("an operator with arguments that are no integers")
    if tensor.values is None or tensor.type != INT32:  # most kernels read int64 as int32
        raise UnknownPart("arguments that are computed, or of 64 bits")
    _require(tensor.size <= 64, "an operator with too many arguments")
    values: list[int] = tensor.values.ravel().tolist()
    return values


def _check_activation(options: Any) -> None:
    _know(options.FusedActivationFunction() in _ACTIVATIONS, "an unusual activation")


def _same_quantization(first: Tensor, second: Tensor) -> None:
    if first.type in _CODES_8_BIT:
        _know(first.quantization == second.quantization, "a change of scale where none is made")


def _check_multiplier(*values: float) -> None:
    _know(
        all(_MULTIPLIER_RANGE[0] <= value <= _MULTIPLIER_RANGE[1] for value in values), "scales of an unusual relation"
    )


def _window_output(options: Any, sizes: Shape, window: Shape, dilation: Shape = (1, 1)) -> Shape:
    """Height and width of the output of a convolution or pooling."""
    strides = options.StrideH(), options.StrideW()
    _require(
        all(1 <= value <= MAX_WINDOW for value in (*strides, *window, *dilation)), "an impossible stride or window"
    )
    _require(options.Padding() in (0, _VALID), "an impossible padding")
    made = []
    for size, stride, side, spread in zip(sizes, strides, window, dilation, strict=True):
        reach = (side - 1) * spread + 1
        _know(reach <= 2 * size, "a window much larger than its image")
        made.append(-(-size // stride) if options.Padding() != _VALID else (size - reach) // stride + 1)
    _require(min(made) >= 1, "a window larger than its image")
    # A kernel may keep an address for each pixel of each window.
    _know(math.prod(made) * math.prod(window) <= MAX_WINDOW_PIXELS, "very many windows")
    return tuple(made)


def _check_weights(image: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor, channel_axis: int) -> None:
    """Types and scales of an operator that multiplies by weights and adds a bias for each output channel."""
    channels = weights.shape[channel_axis]
    _know(weights.values is not None, "weights that are computed")
    if bias is not None:
        _require(bias.shape == (channels,), f"tensor {bias.index}: a bias of another size")
        _know(bias.values is not None, "a bias that is computed")
    if image.type == FLOAT32:
        _require(output.type == FLOAT32, f"tensor {output.index}: another type than its operator makes")
        _require(bias is None or bias.type == FLOAT32, "a bias of another type")
        _know(weights.type in (FLOAT32, INT8), "weights of an unusual type")
        if weights.type == INT8:
            _check_channel_scales(weights, channel_axis)
            _require(not np.any(weights.zero_points), "weights with a zero point")
        return
    _know(image.type == output.type == weights.type == INT8, "number types that are mixed")
    _require(bias is None or bias.type == INT32, "a bias of another type")
    _check_channel_scales(weights, channel_axis)
    _require(not np.any(weights.zero_points), "weights with a zero point")
    if bias is not None:
        _know(len(bias.scales) == len(weights.scales) and not np.any(bias.zero_points), "a bias of unusual scales")
        expected = image.scale * weights.scales.astype(np.float64)
        _know(np.allclose(bias.scales, expected, rtol=0.01, atol=0), "a bias of unusual scales")
    factors = image.scale * weights.scales.astype(np.float64) / output.scale
    _check_multiplier(float(factors.min()), float(factors.max()))


def _check_channel_scales(weights: Tensor, channel_axis: int) -> None:
    count = len(weights.scales)
    _require(count >= 1, "quantized weights without a scale")
    _require(count == 1 or weights.axis == channel_axis, "scales along another dimension")


def _window_inputs(operator: Operator) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
    image, weights = operator.inputs[0], operator.inputs[1]
    bias = operator.inputs[2] if len(operator.inputs) == 3 else None
    _know(bias is not None, "a convolution without a bias")
    if image is None or weights is None or len(image.shape) != 4 or len(weights.shape) != 4:
        raise InvalidPart("a convolution of something that is no image")
    return image, weights, bias, operator.outputs[0]


def _check_conv(operator: Operator, options: Any) -> int:
    image, weights, bias, output = _window_inputs(operator)
    batch, height, width, channels = image.shape
    made, *window, depth = weights.shape
    _require(channels % depth == 0 and made % (channels // depth) == 0, "a convolution of other channels")
    _check_activation(options)
    dilation = options.DilationHFactor(), options.DilationWFactor()
    sizes = _window_output(options, (height, width), tuple(window), dilation)
    _expect(output, (batch, *sizes, made), image.type)
    _check_weights(image, weights, bias, output, 0)
    _know(depth == channels, "a convolution in groups")
    return output.size * math.prod(window) * depth


def _check_depthwise(operator: Operator, options: Any) -> int:
    image, weights, bias, output = _window_inputs(operator)
    batch, height, width, channels = image.shape
    one, *window, made = weights.shape
    _require(one == 1 and made == channels * options.DepthMultiplier(), "a depthwise convolution of other channels")
    _check_activation(options)
    dilation = options.DilationHFactor(), options.DilationWFactor()
    sizes = _window_output(options, (height, width), tuple(window), dilation)
    _expect(output, (batch, *sizes, made), image.type)
    _check_weights(image, weights, bias, output, 3)
    return output.size * math.prod(window)


def _check_dense(operator: Operator, options: Any) -> int:
    image, weights, output = operator.inputs[0], operator.inputs[1], operator.outputs[0]
    bias = operator.inputs[2] if len(operator.inputs) == 3 else None
    if image is None or weights is None or len(weights.shape) != 2:
        raise InvalidPart("a dense layer without a matrix of weights")
    made, depth = weights.shape
    _require(image.size % depth == 0, "a dense layer of another size than its input")
    _check_activation(options)
    _know(options.WeightsFormat() == 0, "weights in an unusual order")
    if options.KeepNumDims():
        _require(image.shape[-1:] == (depth,), "a dense layer of another size than its input")
        shape: Shape = (*image.shape[:-1], made)
    else:
        shape = (image.size // depth, made)
    _expect(output, shape, image.type)
    _check_weights(image, weights, bias, output, 0)
    return output.size * depth


def _check_pool(operator: Operator, options: Any) -> int:
    (image,), output = _inputs(operator), operator.outputs[0]
    _require(len(image.shape) == 4, "pooling of something that is no image")
    _know(image.type in (FLOAT32, *_CODES_8_BIT), "pooling of an unusual number type")
    batch, height, width, channels = image.shape
    window = options.FilterHeight(), options.FilterWidth()
    _check_activation(options)
    sizes = _window_output(options, (height, width), window)
    _know(window[0] <= height and window[1] <= width, "a window larger than its image")
    _expect(output, (batch, *sizes, channels), image.type)
    _same_quantization(image, output)
    multiplications: int = output.size * math.prod(window)
    return multiplications


def _axes(values: list[int], rank: int) -> set[int]:
    _require(all(-rank <= value < rank for value in values), "a dimension that is not there")
    return {value % rank for value in values}


def _check_reduce(operator: Operator, options: Any) -> None:
    image, axes = _inputs(operator)
    output = operator.outputs[0]
    _know(image.type in (FLOAT32, INT8) and axes.type == INT32, "a reduction of an unusual number type")
    reduced = _axes(_constant_integers(axes), len(image.shape))
    _know(bool(reduced), "a reduction of nothing")
    if options.KeepDims():
        shape = tuple(1 if axis in reduced else size for axis, size in enumerate(image.shape))
    else:
        shape = tuple(size for axis, size in enumerate(image.shape) if axis not in reduced)
    _expect(output, shape, image.type)
    if image.type == INT8:
        count = math.prod(image.shape[axis] for axis in reduced)
        _check_multiplier(image.scale / output.scale / count, image.scale / output.scale)


def _check_softmax(operator: Operator, options: Any) -> None:
    (image,), output = _inputs(operator), operator.outputs[0]
    _know(image.type in (FLOAT32, INT8), "a softmax of an unusual number type")
    _know(1 <= len(image.shape) <= 4, "a softmax of an unusual shape")
    _expect(output, image.shape, image.type)
    _know(0.01 <= options.Beta() <= 100, "a softmax of an unusual sharpness")
    if image.type == INT8:
        _know(output.quantization == (1 / 256, -128), "a softmax with an unusual output")
        _know(_SOFTMAX_SCALE_RANGE[0] <= image.scale <= _SOFTMAX_SCALE_RANGE[1], "a softmax with an unusual scale")


def _check_reshape(operator: Operator, options: Any) -> None:
    image, output = operator.inputs[0], operator.outputs[0]
    assert image is not None  # `check_operator` has made sure
    if len(operator.inputs) == 2:
        target = operator.inputs[1]
        _require(target is not None and len(target.shape) == 1, "a reshape to something that is no shape")
        _check_target(_constant_integers(target), output)
    else:
        _know(operator.table is not None, "a reshape without a shape")
        _check_target(_new_shape(operator), output)
    _expect(output, output.shape, image.type)
    _require(output.size == image.size, f"tensor {output.index} has another number of elements than its source")


def _new_shape(operator: Operator) -> list[int]:
    from ai_edge_litert import schema_py_generated as schema

    options = operator.options(schema.ReshapeOptions)
    _require(options.NewShapeLength() <= 64, "a reshape to too many dimensions")
    return [options.NewShape(i) for i in range(options.NewShapeLength())]


def _check_target(target: list[int], output: Tensor) -> None:
    """The shape that a reshape asks for, in which one size may be left open."""
    fits = len(target) == len(output.shape) and target.count(-1) <= 1
    _require(
        fits and all(wanted in (-1, size) for wanted, size in zip(target, output.shape, strict=True)),
        f"tensor {output.index} has another shape than its reshape",
    )


def _check_squeeze(operator: Operator, options: Any) -> None:
    (image,), output = _inputs(operator), operator.outputs[0]
    _know(operator.options_type != 0 and operator.table is not None, "a squeeze without options")
    from ai_edge_litert import schema_py_generated as schema

    found = operator.options(schema.SqueezeOptions)
    _require(found.SqueezeDimsLength() <= 8, "a squeeze of too many dimensions")
    asked = [found.SqueezeDims(i) for i in range(found.SqueezeDimsLength())]
    dropped = _axes(asked, len(image.shape)) if asked else {a for a, size in enumerate(image.shape) if size == 1}
    _require(all(image.shape[axis] == 1 for axis in dropped), "a squeeze of a dimension that has several elements")
    _expect(output, tuple(size for axis, size in enumerate(image.shape) if axis not in dropped), image.type)


def _check_expand(operator: Operator, options: Any) -> None:
    image, place = _inputs(operator)
    output = operator.outputs[0]
    (axis,) = _axes(_constant_integers(place), len(image.shape) + 1)
    _require(place.size == 1, "a new dimension at several places")
    _expect(output, (*image.shape[:axis], 1, *image.shape[axis:]), image.type)


def _check_transpose(operator: Operator, options: Any) -> None:
    image, order = _inputs(operator)
    output = operator.outputs[0]
    axes = _constant_integers(order)
    _know(order.type == INT32 and len(image.shape) <= 5, "a transpose of an unusual kind")
    _require(order.shape == (len(image.shape),) and sorted(axes) == list(range(len(axes))), "a transpose of no order")
    _expect(output, tuple(image.shape[axis] for axis in axes), image.type)
    _same_quantization(image, output)


def _check_pad(operator: Operator, options: Any) -> None:
    image, margins = _inputs(operator)
    output = operator.outputs[0]
    _know(image.type in (FLOAT32, INT8) and margins.type == INT32 and len(image.shape) <= 4, "an unusual padding")
    _require(margins.shape == (len(image.shape), 2), "a padding of other dimensions")
    values = _constant_integers(margins)
    _require(all(0 <= value <= MAX_WINDOW for value in values), "an impossible padding")
    pairs = zip(image.shape, values[::2], values[1::2], strict=True)
    _expect(output, tuple(size + before + after for size, before, after in pairs), image.type)
    _same_quantization(image, output)


def _check_join(operator: Operator, options: Any) -> None:
    inputs, output = _inputs(operator), operator.outputs[0]
    first = inputs[0]
    _know(first.type in (FLOAT32, INT8, INT32) and 1 <= len(first.shape) <= 4, "a concatenation of an unusual kind")
    _know(options.FusedActivationFunction() == 0, "an unusual activation")
    (axis,) = _axes([options.Axis()], len(first.shape))
    for one in inputs:
        _require(
            one.type == first.type
            and len(one.shape) == len(first.shape)
            and all(a == b for place, (a, b) in enumerate(zip(one.shape, first.shape, strict=True)) if place != axis),
            "a concatenation of tensors that do not fit",
        )
        _same_quantization(one, output)
    total = sum(one.shape[axis] for one in inputs)
    _expect(output, (*first.shape[:axis], total, *first.shape[axis + 1 :]), first.type)


def _check_quantize(operator: Operator, options: Any) -> None:
    (image,), output = _inputs(operator), operator.outputs[0]
    _know(image.type in (FLOAT32, *_CODES_8_BIT) and output.type in _CODES_8_BIT, "an unusual quantization")
    _expect(output, image.shape, output.type)
    if image.type == FLOAT32:
        output.quantization  # noqa: B018 - it must have one
    else:
        _check_multiplier(image.scale / output.scale)


def _check_dequantize(operator: Operator, options: Any) -> None:
    (image,), output = _inputs(operator), operator.outputs[0]
    _expect(output, image.shape, FLOAT32)
    _know(image.type in (FLOAT16, *_CODES_8_BIT), "an unusual number type")
    if image.type != FLOAT16:
        image.quantization  # noqa: B018 - it must have one


def _check_cast(operator: Operator, options: Any) -> None:
    (image,), output = _inputs(operator), operator.outputs[0]
    known = (FLOAT32, UINT8, INT8, INT32, INT64, BOOL)
    _know(image.type in known and output.type in known, "an unusual change of number type")
    _expect(output, image.shape, output.type)


def _broadcast(first: Shape, second: Shape) -> Shape:
    try:
        return np.broadcast_shapes(first, second)
    except ValueError as exc:
        raise InvalidPart(f"an operator of the shapes {first} and {second}, which do not fit") from exc


def _check_binary(operator: Operator, options: Any) -> None:
    first, second = _inputs(operator)
    output = operator.outputs[0]
    _require(first.type == second.type, "an operator of two number types")
    _know(first.type in (FLOAT32, INT8), "an operator of an unusual number type")
    _know(max(len(first.shape), len(second.shape)) <= 4, "an operator of many dimensions")
    _check_activation(options)
    _expect(output, _broadcast(first.shape, second.shape), first.type)
    if first.type == INT8:
        scales = first.scale, second.scale, output.scale
        _know(max(scales) / min(scales) <= _MAX_SCALE_RATIO, "scales of an unusual relation")
        _check_multiplier(first.scale * second.scale / output.scale, first.scale / output.scale)


def _check_extremum(operator: Operator, options: Any) -> None:
    first, second = _inputs(operator)
    _require(first.type == second.type, "an operator of two number types")
    _know(first.type == FLOAT32 and max(len(first.shape), len(second.shape)) <= 4, "an operator of an unusual kind")
    _expect(operator.outputs[0], _broadcast(first.shape, second.shape), FLOAT32)


def _check_unary(operator: Operator, options: Any) -> None:
    (image,), output = _inputs(operator), operator.outputs[0]
    _know(image.type == FLOAT32, "an operator of an unusual number type")
    _expect(output, image.shape, FLOAT32)
