"""Sizes and places in a TFLite graph that would depend on the image: how large a result is, where a value is read.

A trial sees only some images. A file could behave on these and ask for gigabytes, or read outside of a tensor, on
another. So whole numbers that are computed from the image may decide about nothing: only a cast may take them.
"""

from typing import Any

from digitedge.runtime.checks.problems import InvalidPart
from digitedge.runtime.checks.tflite_graph import INT32, INT64, operator_code
from digitedge.runtime.checks.tflite_operators import operator_name

_MAX_PASSES = 50


def check_sizes(content: bytes) -> None:
    """Check that no operator of the first graph takes whole numbers that are computed from the image.

    Raises:
        InvalidPart: one does.
        Exception: whatever the accessors raise for bytes that are no such file.
    """
    from ai_edge_litert import schema_py_generated as schema

    op = schema.BuiltinOperator
    shapes, casts = (op.SHAPE, op.RANK), (op.CAST, op.DEQUANTIZE)
    moving = (op.RESHAPE, op.TRANSPOSE, op.SQUEEZE, op.EXPAND_DIMS)  # their first input is only moved
    model = schema.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    codes = [operator_code(model.OperatorCodes(index)) for index in range(model.OperatorCodesLength())]
    types = [graph.Tensors(index).Type() for index in range(graph.TensorsLength())]
    operators = [graph.Operators(index) for index in range(graph.OperatorsLength())]
    steps = [(codes[one.OpcodeIndex()], _list(one.InputsAsNumpy()), _list(one.OutputsAsNumpy())) for one in operators]
    dependent = set(_list(graph.InputsAsNumpy()))
    for _ in range(_MAX_PASSES):  # one pass, if each tensor is made before it is used
        known = len(dependent)
        for code, inputs, outputs in steps:
            used = [index for index in inputs if index in dependent]
            if not used or code in shapes:
                continue
            deciding = [] if code in casts else [index for index in inputs[code in moving :] if index in dependent]
            if code == op.RANGE or any(types[index] in (INT32, INT64) for index in deciding):
                raise InvalidPart(f"{operator_name(code)} with whole numbers that are computed from the image")
            dependent.update(outputs)
        if len(dependent) == known:
            return
    raise InvalidPart("operators in an impossible order")


def _list(array: Any) -> list[int]:
    """A vector of indices; the accessor gives 0 for a missing one."""
    return [] if isinstance(array, int) else list(array.tolist())
