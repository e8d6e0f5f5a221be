"""How often a WHILE of a .tflite file runs: known if it counts from one stored number to another.

That is how TensorFlow writes recurrent layers: `while i < 28: ...; i += 1`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

_INTEGERS = {2: np.int32, 4: np.int64}  # by TensorType


def count_repeats(model: Any, graph: Any, loop: Any, names: Mapping[int, str]) -> int | None:
    """Count how often a WHILE runs its body, None if the file alone does not say.

    Args:
        model: `ModelT` of TFLite's schema.
        graph: subgraph that contains the loop.
        loop: the operator.
        names: of the built-in operators.
    """
    return _Loop(model, graph, loop, names).repeats()


class _Loop:
    def __init__(self, model: Any, graph: Any, loop: Any, names: Mapping[int, str]) -> None:
        self._model, self._graph, self._loop, self._names = model, graph, loop, names
        self._condition = model.subgraphs[loop.builtinOptions.condSubgraphIndex]
        self._body = model.subgraphs[loop.builtinOptions.bodySubgraphIndex]

    def repeats(self) -> int | None:
        return self._repeats_until(self._condition.outputs[0], depth=0)

    def _repeats_until(self, tensor: int, depth: int) -> int | None:
        """Count how often a condition holds; conditions joined by AND hold as long as all of them do."""
        name, operator = self._producer(self._condition, tensor)
        if name == "LESS":
            return self._count(*operator.inputs)
        if name == "LOGICAL_AND" and depth < 8:
            parts = [self._repeats_until(part, depth + 1) for part in operator.inputs]
            return min((part for part in parts if part is not None), default=None) if None not in parts else None
        return None

    def _count(self, counter: int, limit: int) -> int | None:
        position = self._position(counter)
        end = self._number(self._condition, limit)
        if position is None or end is None:
            return None
        start, step = self._number(self._graph, self._loop.inputs[position]), self._step(position)
        return None if start is None or not step or step < 0 else max(0, -(-(end - start) // step))

    def _step(self, position: int) -> int | None:
        """Return what the body adds to a loop variable."""
        name, operator = self._producer(self._body, self._body.outputs[position])
        if name != "ADD" or self._body.inputs[position] not in operator.inputs:
            return None
        (other,) = [tensor for tensor in operator.inputs if tensor != self._body.inputs[position]] or [-1]
        return self._number(self._body, other)

    def _position(self, tensor: int) -> int | None:
        inputs = [int(index) for index in self._condition.inputs]
        return inputs.index(tensor) if tensor in inputs else None

    def _producer(self, graph: Any, tensor: int) -> tuple[str | None, Any]:
        for operator in graph.operators or []:
            if tensor in operator.outputs:
                code = self._model.operatorCodes[operator.opcodeIndex]
                return self._names.get(max(code.builtinCode, code.deprecatedBuiltinCode)), operator
        return None, None

    def _number(self, graph: Any, index: int) -> int | None:
        """Return the value of a stored integer."""
        if index < 0:
            return None
        tensor = graph.tensors[index]
        data, dtype = self._model.buffers[tensor.buffer].data, _INTEGERS.get(tensor.type)
        if data is None or dtype is None or len(data) != np.dtype(dtype).itemsize:
            return None
        return int(np.frombuffer(bytes(data), dtype)[0])
