"""A .tflite file without what no runtime looks up: of TensorFlow's int8 file of `small` 29 % less, of `cnn` 16 %.

TensorFlow writes names of all tensors (paths through Keras), a buffer of its own for every tensor that has no data (by
the schema they share the first, empty one), notes on itself, and for every channel the zero points of its weights and
of its bias, all 0, 8 bytes each. FlatBuffers lets tables refer to the same vector, so equal ones are written once.
"""

from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import NDArray

# Metadata in which the converter states the oldest runtime that knows the operators.
MINIMUM_RUNTIME = b"min_runtime_version"
_FILE_IDENTIFIER = b"TFL3"


def compact(model: Any) -> bytes:
    """Write a .tflite file that holds nothing needless.

    Args:
        model: `ModelT` of TFLite's schema; names, buffers and metadata that no runtime looks up are taken from it.

    Returns:
        The content of the file.
    """
    model.metadata = [entry for entry in model.metadata if entry.name == MINIMUM_RUNTIME]
    _keep_filled_buffers(model)
    for graph in model.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            if index not in (*graph.inputs, *graph.outputs):
                tensor.name = None
    builder = _SharingBuilder(1024)
    builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
    return bytes(builder.Output())


def _keep_filled_buffers(model: Any) -> None:
    holders = [*(tensor for graph in model.subgraphs for tensor in graph.tensors), *model.metadata]
    filled = {holder.buffer for holder in holders if model.buffers[holder.buffer].data is not None}
    kept = [0, *sorted(filled - {0})]
    model.buffers = [model.buffers[index] for index in kept]
    for holder in holders:
        holder.buffer = kept.index(holder.buffer) if holder.buffer in filled else 0


class _SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]  # has no types
    """Writes a vector that it has written before as a reference to it."""

    def __init__(self, initial_size: int) -> None:
        super().__init__(initial_size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: NDArray[np.generic]) -> int:  # as flatbuffers calls it
        """Place of a vector with these values in the file."""
        values = x.dtype.str, x.tobytes()
        if values not in self._written:
            self._written[values] = super().CreateNumpyVector(x)
        return self._written[values]
