"""Write small .tflite files operator by operator, which need not be able to run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {"float32": 0, "float16": 1, "int32": 2, "uint8": 3, "string": 5, "bool": 6, "int16": 7, "int8": 9, "int4": 17}


@dataclass
class T:
    """A tensor; `data` makes it a constant, of zeros if it is empty."""

    shape: Sequence[int]
    dtype: str = "float32"
    data: Any = None
    variable: bool = False
    signature: Sequence[int] | None = None


@dataclass
class Op:
    """An operator; a name that is not built in makes it a custom one. `options` set its first or second union."""

    name: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    version: int = 1
    options: dict[str, Any] = field(default_factory=dict)
    options_type: str = ""


@dataclass
class G:
    """A graph."""

    tensors: Sequence[T]
    operators: Sequence[Op]
    inputs: Sequence[int] = (0,)
    outputs: Sequence[int] = (-1,)


def constant(*shape: int, dtype: str = "float32") -> T:
    """A constant of zeros."""
    return T(shape, dtype, data=np.zeros(shape, np.int8 if dtype == "int4" else dtype))


def number(value: int) -> T:
    """A constant of one integer."""
    return T((), "int32", data=np.int32(value))


def write_tflite(path: Path, *graphs: G, runtime: str | None = None) -> Path:
    """Write a file; `runtime` is what its metadata state as the oldest one."""
    model = schema.ModelT()
    model.version, model.operatorCodes, model.buffers = 3, [], [schema.BufferT()]
    model.subgraphs = [_graph(model, graph) for graph in graphs]
    if runtime is not None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = b"min_runtime_version", _buffer(model, runtime.encode().ljust(16, b"\0"))
        model.metadata = [entry]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _graph(model: Any, graph: G) -> Any:
    made = schema.SubGraphT()
    made.tensors = [_tensor(model, tensor) for tensor in graph.tensors]
    made.operators = [_operator(model, operator) for operator in graph.operators]
    made.inputs = np.array(graph.inputs, np.int32)
    made.outputs = np.array([index % len(graph.tensors) for index in graph.outputs], np.int32)
    return made


def _tensor(model: Any, tensor: T) -> Any:
    made = schema.TensorT()
    made.shape, made.type, made.isVariable = np.array(tensor.shape, np.int32), TYPES[tensor.dtype], tensor.variable
    if tensor.signature is not None:
        made.shapeSignature = np.array(tensor.signature, np.int32)
    made.buffer = 0 if tensor.data is None else _buffer(model, np.asarray(tensor.data).tobytes())
    return made


def _buffer(model: Any, content: bytes) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(content, np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def _operator(model: Any, operator: Op) -> Any:
    code = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, operator.name, None)
    if number is None:
        number = schema.BuiltinOperator.CUSTOM
        code.customCode = operator.name.encode()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = number, min(number, 127), operator.version
    model.operatorCodes.append(code)
    made = schema.OperatorT()
    made.opcodeIndex = len(model.operatorCodes) - 1
    made.inputs, made.outputs = np.array(operator.inputs, np.int32), np.array(operator.outputs, np.int32)
    if operator.options_type:
        options = getattr(schema, f"{operator.options_type}T")()
        for key, value in operator.options.items():
            setattr(options, key, value)
        if hasattr(schema.BuiltinOptions, operator.options_type):
            made.builtinOptionsType, made.builtinOptions = (
                getattr(schema.BuiltinOptions, operator.options_type),
                options,
            )
        else:
            made.builtinOptions2Type = getattr(schema.BuiltinOptions2, operator.options_type)
            made.builtinOptions2 = options
    return made
