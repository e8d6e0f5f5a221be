"""A third-party ONNX model, wrapped into one that meets the model contract: uint8 crops in, probabilities out.

Nodes are put before and behind its graph; the graph itself stays as it is, and so does its batch.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.compose
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from digitedge.errors import ModelError, first_line
from digitedge.runtime.adapter import Adapter, choose_output
from digitedge.runtime.contract import CLASSES, INPUT_NAME, OUTPUT_NAME
from digitedge.runtime.image_shape import find_image_shape, fit_matrix, split_batch
from digitedge.utils.crop_format import CROP_SIZE

PREFIX = "model/"
DEFAULT_OPSET = 13


def read_onnx(path: Path) -> onnx.ModelProto:
    """Read an `.onnx` file with the weights beside it into one model.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        return onnx.load(path)
    except Exception as exc:  # protobuf, OSError, and the checks of external data
        raise ModelError(f"{path}: expected an ONNX model with its weights, got: {first_line(exc)}") from exc


def wrap_onnx(path: Path, adapter: Adapter) -> onnx.ModelProto:
    """Put the preprocessing before a model, and the softmax, where it has none, behind it.

    Raises:
        ModelError: it cannot be read, or its tensors are of a kind that cannot be wrapped.
    """
    # With a prefix, no name of the graph is that of a node around it.
    model = onnx.compose.add_prefix(read_onnx(path), PREFIX, rename_functions=False)
    graph = model.graph
    weights = {one.name for one in graph.initializer}
    inputs = [one for one in graph.input if one.name not in weights]
    split = split_batch(_sizes(inputs[0])) if len(inputs) == 1 else None
    _remove_zipmap(graph, path)
    outputs = [one for one in graph.output if one.type.tensor_type.elem_type in _FLOATS]
    if split is None or not outputs:
        raise ModelError(f"{path}: expected one input with an image and an output of numbers, got others.")
    batch, shape = split
    output = (
        outputs[choose_output([(one.name, _sizes(one)) for one in outputs], path)] if len(outputs) > 1 else outputs[0]
    )
    before, behind = _Nodes("before"), _Nodes("behind")
    x = before.add("Cast", [INPUT_NAME], to=TensorProto.FLOAT)
    x = _preprocess(before, x, adapter, shape)
    x = before.add("Reshape", [x, before.constant(np.array(shape if batch == 0 else [-1, *shape], np.int64))])
    before.add("Cast", [x], output=inputs[0].name, to=inputs[0].type.tensor_type.elem_type)
    x = behind.add("Cast", [output.name], to=TensorProto.FLOAT)
    x = behind.add("Reshape", [x, behind.constant(np.array([-1, CLASSES], np.int64))])
    if adapter.softmax_scale is not None:
        x = behind.add("Mul", [x, behind.constant(np.array(adapter.softmax_scale, np.float32))])
        behind.add("Softmax", [x], output=OUTPUT_NAME, axis=1)
    else:
        behind.add("Identity", [x], output=OUTPUT_NAME)
    size = "N" if batch is None else max(batch, 1)
    wrapped = helper.make_graph(
        [*before.nodes, *graph.node, *behind.nodes],
        "digitedge",
        [helper.make_tensor_value_info(INPUT_NAME, TensorProto.UINT8, [size, CROP_SIZE, CROP_SIZE, 1])],
        [helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, [size, CLASSES])],
        [*before.constants, *graph.initializer, *behind.constants],
        sparse_initializer=graph.sparse_initializer,
    )
    opsets = list(model.opset_import)
    if not any(one.domain in ("", "ai.onnx") for one in opsets):  # a model of scikit-learn's operators alone
        opsets.append(helper.make_opsetid("", DEFAULT_OPSET))
    # Before version 4, every constant had to be an input, too.
    proto = helper.make_model(
        wrapped, opset_imports=opsets, ir_version=max(model.ir_version, 4), functions=model.functions
    )
    try:
        onnx.checker.check_model(proto)
    except onnx.checker.ValidationError as exc:
        raise ModelError(f"{path}: cannot be wrapped: {first_line(exc)}") from exc
    return proto


_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def _remove_zipmap(graph: onnx.GraphProto, path: Path) -> None:
    """Take the scores themselves in place of scikit-learn's list of dictionaries that are made of them."""
    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        labels = next((list(one.ints) for one in node.attribute if one.name == "classlabels_int64s"), [])
        if labels != list(range(CLASSES)):
            raise ModelError(f"{path}: expected the labels 0 to 9 in order, got others. Convert it with zipmap=False.")
        graph.node.remove(node)
        for output in [one for one in graph.output if one.name == node.output[0]]:
            graph.output.remove(output)
        graph.output.append(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, [None, CLASSES]))


class _Nodes:
    """Nodes and constants that are put around a graph."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], *, output: str | None = None, **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        name = f"{self.place}/{operator}_{len(self.nodes)}"
        output = output or name
        self.nodes.append(helper.make_node(operator, inputs, [output], name=name, **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant; returns its name."""
        name = f"{self.place}/constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name


def _preprocess(nodes: _Nodes, x: str, adapter: Adapter, shape: tuple[int, ...]) -> str:
    """What `digitedge.runtime.adapter.prepare` does, as nodes, apart from the last change of the shape."""
    preprocessing, image = adapter.preprocessing, find_image_shape(shape)
    assert image is not None  # split_batch found one
    x = nodes.add("Reshape", [x, nodes.constant(np.array([-1, CROP_SIZE, CROP_SIZE], np.int64))])
    if preprocessing.transposed:
        x = nodes.add("Transpose", [x], perm=[0, 2, 1])
    if preprocessing.fit is not None:
        rows, columns = (fit_matrix(preprocessing.fit, size) for size in (image.height, image.width))
        x = nodes.add("MatMul", [nodes.constant(rows), x])
        x = nodes.add("MatMul", [x, nodes.constant(np.ascontiguousarray(columns.T))])
    scale, offset = (np.asarray(value, np.float32) for value in preprocessing.scale_and_offset)
    if image.channels == 3:  # (3, 1, 1) beside (N, 1, height, width), or (3,) beside (N, height, width, 1)
        sizes = [-1, 1, image.height, image.width] if image.channels_first else [-1, image.height, image.width, 1]
        x = nodes.add("Reshape", [x, nodes.constant(np.array(sizes, np.int64))])
        scale, offset = (np.broadcast_to(value, 3).copy() for value in (scale, offset))
        if image.channels_first:
            scale, offset = (value[:, None, None] for value in (scale, offset))
    x = nodes.add("Mul", [x, nodes.constant(scale)])
    return nodes.add("Add", [x, nodes.constant(offset)])


def _sizes(value: onnx.ValueInfoProto) -> list[int | None]:
    return [size.dim_value if size.dim_value > 0 else None for size in value.type.tensor_type.shape.dim]
