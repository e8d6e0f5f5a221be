"""The tensors of an ONNX file: their sizes agree with their bytes, and weights from a file beside it are brought in."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digitedge.errors import ModelError
from digitedge.runtime.checks.problems import InvalidPart
from digitedge.utils.files import read_regular_file
from digitedge.utils.memory_limit import memory_limit

MAX_NODES = 20_000
MAX_DEPTH = 8
MAX_DIMENSIONS = 8
# Fields with the numbers of a tensor, where they are not in raw_data, and numbers of one element in each.
_FIELDS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data", "string_data")


def walk_tensors(graph: Any, depth: int = 0) -> Iterator[Any]:
    """All tensors of a graph: weights and constants, also inside of attributes.

    Raises:
        InvalidPart: too many nodes, or graphs inside of graphs too deep.
    """
    if depth > MAX_DEPTH or len(graph.node) > MAX_NODES:
        raise InvalidPart(f"expected at most {MAX_NODES:,} nodes and {MAX_DEPTH} graphs inside of each other")
    yield from graph.initializer
    for one in graph.sparse_initializer:
        yield from (one.values, one.indices)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from walk_tensors(inner, depth + 1)


def check_tensor(tensor: Any) -> int:
    """Check that a tensor has as many numbers as its shape says.

    Returns:
        Its size in bytes.

    Raises:
        InvalidPart: it has not, or the shape is impossible.
    """
    import onnx

    shape = list(tensor.dims)
    size: int = math.prod(shape)
    if len(shape) > MAX_DIMENSIONS or any(side < 0 for side in shape) or size > memory_limit():
        raise InvalidPart(f"a tensor of the impossible shape {shape[:MAX_DIMENSIONS]}")
    if tensor.data_type == onnx.TensorProto.STRING:
        return size
    try:
        dtype: np.dtype[Any] = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError, ValueError) as exc:
        raise InvalidPart(f"a tensor of the unknown number type {tensor.data_type}") from exc
    if tensor.HasField("raw_data"):
        found, expected = len(tensor.raw_data), size * dtype.itemsize
        if dtype.itemsize == 1 and "4" in dtype.name:  # two numbers in a byte
            expected = (size + 1) // 2
    else:
        found = sum(len(getattr(tensor, field)) for field in _FIELDS)
        expected = size * 2 if dtype.kind == "c" else size
    if found != expected:
        raise InvalidPart(f"a tensor of the shape {shape} with {found:,} bytes or numbers")
    return size * dtype.itemsize


def bring_in_weights(tensors: list[Any], path: Path, *, allowed: bool) -> bool:
    """Read weights that lie in files beside the model into it.

    Args:
        tensors: of the model; those with external data are changed.
        path: of the model.
        allowed: whether there may be any.

    Returns:
        Whether there were any.

    Raises:
        ModelError: they are not allowed, not in the same folder, no regular file, too short or too large.
    """
    import onnx

    outside = [one for one in tensors if one.data_location == onnx.TensorProto.EXTERNAL]
    contents: dict[str, bytes] = {}
    for tensor in outside:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        name = entries.get("location", "")
        if not allowed:
            raise ModelError(f"{path}: expected all weights in the file, got some in {name!r}. Save it as one file.")
        if not name or name in (".", "..") or Path(name).name != name or "\\" in name or "\0" in name:
            raise ModelError(f"{path}: expected its weights in a file of the same folder, got {name!r}.")
        if name not in contents:
            room = memory_limit() - sum(map(len, contents.values()))
            contents[name] = read_regular_file(path.parent / name, max_bytes=room, error=ModelError, follow_links=False)
        try:
            offset = int(entries.get("offset", 0))
            length = int(entries.get("length", len(contents[name]) - offset))
        except ValueError as exc:
            raise ModelError(f"{path}: expected numbers for the place of its weights in {name}.") from exc
        if offset < 0 or length < 0 or offset + length > len(contents[name]):
            raise ModelError(f"{path}: {name} is too short for its weights. Copy both files again.")
        tensor.raw_data = contents[name][offset : offset + length]
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return bool(outside)
