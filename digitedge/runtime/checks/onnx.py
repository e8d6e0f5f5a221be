"""The check of an ONNX file; see `digitedge.runtime.checks`.

Operators that are known take arguments in known ranges, and the shapes of all their results can be worked out before
they run. Of everything else the memory and the time are unknown, so it is tried in a child process.
"""

import math
from pathlib import Path
from typing import Any

from digitedge.errors import ModelError, first_line
from digitedge.runtime.checks.onnx_sizes import check_sizes
from digitedge.runtime.checks.onnx_weights import bring_in_weights, check_tensor, walk_tensors
from digitedge.runtime.checks.onnx_wire import count_fields
from digitedge.runtime.checks.problems import InvalidPart, UnknownPart
from digitedge.utils.memory_limit import MEMORY_VARIABLE, memory_limit

MAX_MULTIPLICATIONS = 200_000_000
"""Of one image."""
MAX_BATCH = 64
"""Images that are scored at once."""
MAX_WINDOW = 1024
LARGE = 8
"""A file whose weights or results take more than this part of the limit of memory is tried first."""
_MAX_INTEGERS = 64
_STRING = 8

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
# Operators whose results are not larger than what goes in, or are worked out from the shapes of that.
_KNOWN = {
    *("Conv", "Gemm", "MatMul", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization"),
    *("Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus", "Erf"),
    *("Softmax", "LogSoftmax", "Clip", "Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "Exp", "Log", "Neg", "Abs", "Max"),
    *("Min", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Identity", "Dropout", "Constant"),
    *("Cast", "QuantizeLinear", "DequantizeLinear", "ReduceMean", "ReduceSum", "ReduceMax", "Floor", "Ceil", "Round"),
}
# The range of the integers in attributes of these names.
_RANGES = {
    "strides": (1, MAX_WINDOW),
    "dilations": (1, MAX_WINDOW),
    "kernel_shape": (1, MAX_WINDOW),
    "pads": (0, MAX_WINDOW),
    "group": (1, 1 << 16),
    "ceil_mode": (0, 1),
    "storage_order": (0, 0),
    "count_include_pad": (0, 1),
    "axis": (-8, 8),
    "axes": (-8, 8),
    "perm": (0, 8),
    "keepdims": (0, 1),
    "allowzero": (0, 1),
    "noop_with_empty_axes": (0, 1),
    "transA": (0, 1),
    "transB": (0, 1),
    "to": (1, 13),  # 8 are texts
    "saturate": (0, 1),
    "training_mode": (0, 0),
    "block_size": (0, 0),
    "output_dtype": (0, 13),
    "spatial": (1, 1),
}


def check_onnx(content: bytes, path: Path, *, weights_beside: bool) -> tuple[bytes, str | None]:
    """Check the bytes of an `.onnx` file, without ONNX Runtime.

    Args:
        content: of the file.
        path: of the file, for messages and for its weights.
        weights_beside: whether weights may lie in a file of the same folder.

    Returns:
        The model as one piece; and None if all of it is known and holds, else what is not known, for a trial in a child
        process.

    Raises:
        ModelError: it is damaged, contradicts itself, or asks for too much.
    """
    import onnx

    try:
        if len(content) > memory_limit() // LARGE:
            raise InvalidPart(f"it has {len(content):,} bytes, more than an eighth of {MEMORY_VARIABLE}")
        count_fields(content)
        model = onnx.ModelProto.FromString(content)
        if not model.HasField("graph") or not model.graph.node:
            raise InvalidPart("it has no graph")
        tensors = list(walk_tensors(model.graph))
        for function in model.functions:
            tensors += walk_tensors(onnx.GraphProto(node=function.node))
        if bring_in_weights(tensors, path, allowed=weights_beside):
            content = model.SerializeToString()
        weights = sum(check_tensor(one) for one in tensors)
        if weights > memory_limit() // 2:
            raise InvalidPart(f"its weights would take more than half of {MEMORY_VARIABLE}")
        try:
            for node in model.graph.node:
                _check_node(node)
            _check_parts(model)
            if weights > memory_limit() // LARGE or any(one.data_type == onnx.TensorProto.STRING for one in tensors):
                raise UnknownPart("large weights, or texts")
            onnx.checker.check_model(content)
            _check_results(model)
        except UnknownPart as exc:
            check_sizes(model.graph, _images(model.graph))
            return content, str(exc)
        return content, None
    except ModelError:
        raise
    except InvalidPart as exc:
        reason = str(exc)
    except onnx.checker.ValidationError as exc:
        reason = first_line(exc)
    except Exception as exc:  # protobuf and onnx raise errors of many kinds for bytes that are no such file
        reason = f"it is damaged ({type(exc).__name__})"
    raise ModelError(f"{path}: expected an ONNX model of a digit classifier, got another file: {reason}.")


def _images(graph: Any) -> list[str]:
    """The names of the inputs that may be an image: no weights, which older files list too, and no single numbers."""
    weights = {one.name for one in graph.initializer}
    return [one.name for one in graph.input if one.name not in weights and one.type.tensor_type.shape.dim]


def _check_parts(model: Any) -> None:
    if model.functions or model.graph.sparse_initializer or model.training_info:
        raise UnknownPart("functions, sparse weights or a training of its own")


def _check_node(node: Any) -> None:
    """Raise UnknownPart for an operator that is not known, InvalidPart for arguments that cannot be."""
    if node.domain not in _DOMAINS or node.op_type not in _KNOWN:
        raise UnknownPart("an operator without a rule")
    for attribute in node.attribute:
        if len(attribute.ints) > _MAX_INTEGERS:
            raise InvalidPart(f"{node.op_type} with {len(attribute.ints):,} numbers for {attribute.name}")
        integers = list(attribute.ints) or [attribute.i]
        low, high = _RANGES.get(attribute.name, (-math.inf, math.inf))
        if any(not low <= value <= high for value in integers):
            raise InvalidPart(f"{node.op_type} with {attribute.name} {integers[:4]}")
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i == _STRING:
            raise UnknownPart("a change into texts")
        if attribute.HasField("g") or attribute.graphs:
            raise UnknownPart("a graph inside of a graph")
        if attribute.ref_attr_name:
            raise UnknownPart("arguments of a function")


def _check_results(model: Any) -> None:
    """Work out the shapes of all results for the largest batch: they must be known, and small enough."""
    import onnx

    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in fixed.graph.input:
        for place, size in enumerate(value.type.tensor_type.shape.dim):
            if not size.dim_value and place:
                raise UnknownPart("an input whose size is left open")
            size.dim_value = size.dim_value or MAX_BATCH
    for value in (*fixed.graph.output, *fixed.graph.value_info):
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True)
    except Exception as exc:  # of many kinds, with long texts
        raise UnknownPart("shapes that do not fit") from exc
    shapes = {value.name: _sizes(value) for value in (*inferred.graph.value_info, *inferred.graph.output)}
    shapes |= {value.name: _sizes(value) for value in inferred.graph.input}
    shapes |= {tensor.name: list(tensor.dims) for tensor in inferred.graph.initializer}
    total = multiplications = 0
    for node in inferred.graph.node:
        sizes = [shapes.get(name) for name in node.output if name]
        if any(one is None for one in sizes):
            raise UnknownPart("shapes that are left open")
        made = sum(math.prod(one) for one in sizes if one is not None)
        total += 4 * made
        multiplications += made
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            weights = shapes.get(node.input[1]) or [1]
            channels = weights[0] if node.op_type == "Conv" else max(weights[-1], 1)
            multiplications += made * math.prod(weights) // max(channels, 1)
    if total > memory_limit() // LARGE or multiplications > MAX_BATCH * MAX_MULTIPLICATIONS:
        raise UnknownPart("very large results")


def _sizes(value: Any) -> list[int] | None:
    """The shape of a value, or None where it is not known as a whole."""
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    sizes = [size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim]
    return None if None in sizes else [size for size in sizes if size is not None]
