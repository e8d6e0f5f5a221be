"""A model file as a graph: tensors, operators in the order in which they run, and the subgraphs that operators run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from digitedge.errors import ModelError

MAX_DEPTH = 16
"""Subgraphs inside subgraphs; more is a damaged file whose subgraphs run each other."""

BITS = {
    **dict.fromkeys(("complex128",), 128),
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 64),
    **dict.fromkeys(("float32", "int32", "uint32"), 32),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 16),
    **dict.fromkeys(("int8", "uint8", "bool", "float8_e4m3fn", "float8_e5m2", "float8e4m3fn", "float8e5m2"), 8),
    **dict.fromkeys(("int4", "uint4"), 4),
    "int2": 2,
}
"""Bits of one value. Strings, resources and the like have no fixed size."""


class Kind(StrEnum):
    """What a tensor is, as far as memory is concerned."""

    ACTIVATION = "activation"
    CONSTANT = "constant"
    STATE = "state"
    """Kept from one call to the next, such as the state of a recurrent layer."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor; `shape` is None if the file leaves a dimension open other than the batch."""

    shape: tuple[int, ...] | None
    dtype: str
    kind: Kind = Kind.ACTIVATION

    @property
    def size(self) -> int | None:
        """Number of values."""
        return None if self.shape is None else math.prod(self.shape)

    @property
    def bytes(self) -> int | None:
        """Bytes of all values, packed; None if the shape or the size of a value is unknown."""
        bits = BITS.get(self.dtype)
        return None if self.size is None or bits is None else -(-self.size * bits // 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator of a graph.

    Attributes:
        name: as its format writes it; for ONNX with the domain, unless that is the standard one.
        version: of the operator, None if unknown.
        inputs: indices of tensors, those that are left out included as -1.
        outputs: indices of tensors.
        macs: multiply-accumulate operations for the whole batch, without subgraphs; None if it is not known how to
            count them.
        subgraphs: graphs that it runs.
        repeats: how often it runs them, None if that is not known from the file.
        exclusive: whether it runs only one of them.
    """

    name: str
    version: int | None
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    macs: int | None
    subgraphs: tuple[int, ...] = ()
    repeats: int | None = 1
    exclusive: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph; inputs and outputs are indices of its tensors."""

    tensors: Sequence[Tensor]
    operators: Sequence[Operator]
    inputs: Sequence[int]
    outputs: Sequence[int]


@dataclass(frozen=True, slots=True)
class ModelGraphs:
    """All graphs of a file, the one that runs first."""

    graphs: Sequence[Graph]

    @property
    def batch(self) -> int:
        """Images of one call: the first dimension that the first input and all outputs share, else 1."""
        graph = self.graphs[0]
        shapes = [graph.tensors[index].shape for index in (*graph.inputs[:1], *graph.outputs)]
        first = {shape[0] if shape and len(shape) > 1 else None for shape in shapes}
        (batch,) = first if len(first) == 1 else (None,)
        return batch or 1

    def subgraph(self, index: int, depth: int) -> Graph:
        """Return a graph that an operator runs.

        Raises:
            ModelError: there is none, or they run each other.
        """
        if not 0 <= index < len(self.graphs):
            raise ModelError(f"expected a subgraph from 0 to {len(self.graphs) - 1}, got {index}: the file is damaged.")
        if depth > MAX_DEPTH:
            raise ModelError(f"expected at most {MAX_DEPTH} subgraphs inside each other: the file is damaged.")
        return self.graphs[index]


def names(text: str) -> frozenset[str]:
    """Return the names in a text.

    Examples:
        >>> sorted(names("CONV_2D SOFTMAX"))
        ['CONV_2D', 'SOFTMAX']
    """
    return frozenset(text.split())
