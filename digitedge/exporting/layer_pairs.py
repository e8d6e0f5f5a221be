"""Two files of one network side by side, operator by operator: what a quantized file changes.

`layer_pairs_tflite` and `layer_pairs_onnx` read such pairs; `layers` measures them.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError

Tensors = Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Quantization:
    """How the codes of a tensor stand for real numbers: `real = scale * (code - zero_point)`."""

    scale: float
    zero_point: int
    dtype: str

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest real number that has a code."""
        codes = np.iinfo(self.dtype)
        return self.scale * (codes.min - self.zero_point), self.scale * (codes.max - self.zero_point)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Output:
    """An output of an operator in both files.

    Attributes:
        float_tensor: the tensor of the float file: index in TFLite, name in ONNX.
        quantized_tensor: that of the quantized file.
        quantization: of the quantized file; None if it keeps the tensor in float.
        inherited: whether an input has the same codes, so that this operator adds no rounding of its own (max pooling).
    """

    float_tensor: Any
    quantized_tensor: Any
    quantization: Quantization | None
    inherited: bool

    @property
    def adds_rounding(self) -> bool:
        """Whether the quantized file rounds here, and not only earlier."""
        return self.quantization is not None and not self.inherited


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Operator:
    """An operator that both files have.

    Attributes:
        layer: name of its layer.
        kind: such as CONV_2D or MatMul.
        index: its place in the float file.
        weights: position among the inputs -> the float file's constant and the real numbers that the quantized file
            holds for it, float32.
        outputs: those in float32.
    """

    layer: str
    kind: str
    index: int
    weights: Mapping[int, tuple[NDArray[np.float32], NDArray[np.float32]]]
    outputs: Sequence[Output]


def check_same_size(plain: NDArray[np.float32], quantized: NDArray[np.float32]) -> None:
    """Raise ModelError if constants of two operators that were matched differ in size."""
    if plain.size != quantized.size:
        raise ModelError(
            f"expected weights of shape {plain.shape}, got {quantized.shape}. Give two files of the same network."
        )


class LayerPair(Protocol):
    """A float file and a quantized one of the same network.

    Attributes:
        operators: those that both have, in the order of the graph.
        reads: for each of them, which others it reads.
        unmatched: layer and kind of those that only the float file has.
    """

    operators: list[Operator]
    reads: list[set[int]]
    unmatched: list[tuple[str, str]]

    def outputs(self, crops: NDArray[np.uint8]) -> Iterator[list[Tensors]]:
        """Yield, for a few crops at a time, the outputs of every operator: in float, and of the quantized file."""
        ...

    def probabilities(self, crops: NDArray[np.uint8], *, weights: Set[int], outputs: Set[int]) -> NDArray[np.float32]:
        """Score crops with a mixture: the float file, with the quantized weights and outputs of some `operators`."""
        ...
