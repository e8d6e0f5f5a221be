"""Why parity is lost: what each layer of a quantized file loses against the float file, in order of harm.

Noise accumulates along a network, so the layer with the lowest signal-to-noise ratio is rarely the one at fault. Layers
are ordered by what the probabilities lose when that layer alone is quantized; see docs/decisions/layer-noise.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import ModelError, first_line
from digitedge.exporting.layer_pairs import LayerPair, Operator, Tensors
from digitedge.exporting.layer_pairs_onnx import OnnxLayerPair
from digitedge.exporting.layer_pairs_tflite import TfliteLayerPair
from digitedge.metrics.classification import agreement

# Crops for the order; a remedy is measured on all.
ORDERED_ON = 100
# Layers, from the first on, whose fault is looked for.
EXPLAINED = 5
# A range of codes is too small if it leaves out a larger share of the values, or some that are this many times larger.
MAX_CLIPPED = 0.01
MAX_EXCESS = 1.5

Range = tuple[float, float]
Fault = Literal["weights", "activations", "clipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNoise:
    """What quantization does to one layer.

    Attributes:
        name: of the layer.
        operators: their kinds.
        sqnr_db: signal-to-quantization-noise ratio of its output in the quantized file, with the noise of all layers
            before it, in dB; None if the output is exact or was not matched.
        float_range: smallest and largest value of its output in the float file; None if it was not matched.
        quantized_range: what the codes of the quantized file reach; None where that file computes in float.
        weight_range: smallest and largest weight.
        clipped: share of the values that are outside of that range, 0 to 1.
        output_sqnr_db: that of the probabilities, when this layer alone is quantized; None if that changes nothing.
        agreement: share of equal predictions, when this layer alone is quantized; None if that changes nothing.
        fault: what of it costs most, for the first layers: its weights, its activations, or a range that is too small.
        matched: whether the quantized file has the layer's operators.
    """

    name: str
    operators: tuple[str, ...]
    sqnr_db: float | None = None
    float_range: Range | None = None
    quantized_range: Range | None = None
    weight_range: Range | None = None
    clipped: float = 0.0
    output_sqnr_db: float | None = None
    agreement: float | None = None
    fault: Fault | None = None
    matched: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON in the order of the fields."""
        return asdict(self)


def compare_layers(float_file: Path, quantized_file: Path, crops: NDArray[np.uint8]) -> list[LayerNoise]:
    """Compare the layers of a float file and a quantized one of the same network, in order of harm.

    Args:
        float_file: .tflite or .onnx, in float32.
        quantized_file: of the same format.
        crops: uint8 (N, 28, 28), training images; never test images.

    Raises:
        ModelError: other formats, files that cannot be read, or two networks.
    """
    return measure_layers(open_pair(float_file.read_bytes(), quantized_file), crops)


def open_pair(float_content: bytes, quantized_file: Path) -> LayerPair:
    """Read a quantized file and a float file of the same format and network.

    Raises:
        ModelError: another format, files that cannot be read, or two networks.
    """
    if quantized_file.suffix not in _PAIRS:
        raise ModelError(f"{quantized_file}: expected a {' or '.join(_PAIRS)} file, got {quantized_file.suffix!r}.")
    try:
        pair = _PAIRS[quantized_file.suffix](float_content, quantized_file.read_bytes())
    except ModelError as exc:
        raise ModelError(f"{quantized_file}: {exc}") from exc
    except Exception as exc:  # flatbuffers, protobuf and onnxruntime have no common base for a damaged file
        raise ModelError(f"{quantized_file}: its layers cannot be read: {first_line(exc)} Export it again.") from exc
    if len(pair.operators) < len(pair.unmatched):
        raise ModelError(
            f"{quantized_file}: expected the operators of the float file, got {len(pair.operators)} of "
            f"{len(pair.operators) + len(pair.unmatched)}. Give two files of the same network."
        )
    return pair


def measure_layers(pair: LayerPair, crops: NDArray[np.uint8]) -> list[LayerNoise]:
    """Compare the layers of two files on uint8 crops (N, 28, 28), in order of harm; see `compare_layers`."""
    crops = crops[:ORDERED_ON]
    tallies = _tally(pair, crops)
    reference = pair.probabilities(crops, weights=set(), outputs=set())
    noises = []
    for layer in dict.fromkeys(operator.layer for operator in pair.operators):
        indices = {index for index, operator in enumerate(pair.operators) if operator.layer == layer}
        noises.append(_measure_layer(pair, layer, indices, tallies, reference, crops))
    noises.sort(key=lambda noise: np.inf if noise.output_sqnr_db is None else noise.output_sqnr_db)
    explained = [
        replace(noise, fault=_find_fault(pair, noise, reference, crops)) if noise.output_sqnr_db is not None else noise
        for noise in noises[:EXPLAINED]
    ]
    unmatched: dict[str, list[str]] = {}
    for layer, kind in pair.unmatched:
        unmatched.setdefault(layer, []).append(kind)
    missing = [
        LayerNoise(name=layer, operators=tuple(dict.fromkeys(kinds)), matched=False)
        for layer, kinds in unmatched.items()
        if layer not in {noise.name for noise in noises}
    ]
    return [*explained, *noises[EXPLAINED:], *missing]


def sqnr_db(signal: NDArray[np.float32], quantized: NDArray[np.float32]) -> float | None:
    """Signal-to-quantization-noise ratio in dB, of arrays of the same shape; None if they are equal.

    Examples:
        >>> sqnr_db(np.float32([10, 0]), np.float32([9, 0])), sqnr_db(np.zeros(2), np.zeros(2))
        (20.0, None)
    """
    return _decibel(float(np.sum(np.square(signal, dtype=np.float64))), _squared_distance(signal, quantized))


_PAIRS: dict[str, Callable[[bytes, bytes], LayerPair]] = {".tflite": TfliteLayerPair, ".onnx": OnnxLayerPair}


class _Tally:
    """Sums over the outputs of one operator."""

    def __init__(self, operator: Operator) -> None:
        self._outputs = operator.outputs
        self.signal = self.noise = 0.0
        self.low, self.high = np.inf, -np.inf
        self.values = self.outside = 0

    def add(self, tensors: Tensors) -> None:
        """Add the outputs for some crops; tensors of different shape are left out."""
        for (plain, quantized), output in zip(tensors, self._outputs, strict=True):
            if plain.size != quantized.size or not plain.size:
                continue
            self.signal += float(np.sum(np.square(plain, dtype=np.float64)))
            self.noise += _squared_distance(plain, quantized.reshape(plain.shape))
            self.low, self.high = min(self.low, float(plain.min())), max(self.high, float(plain.max()))
            self.values += plain.size
            if output.quantization is not None:
                low, high = output.quantization.range
                step = output.quantization.scale
                self.outside += int(np.count_nonzero((plain < low - step) | (plain > high + step)))


def _tally(pair: LayerPair, crops: NDArray[np.uint8]) -> list[_Tally]:
    tallies = [_Tally(operator) for operator in pair.operators]
    for chunk in pair.outputs(crops):
        for tally, tensors in zip(tallies, chunk, strict=True):
            tally.add(tensors)
    return tallies


def _measure_layer(
    pair: LayerPair,
    layer: str,
    indices: set[int],
    tallies: Sequence[_Tally],
    reference: NDArray[np.float32],
    crops: NDArray[np.uint8],
) -> LayerNoise:
    """Measure the operators of one layer. Ranges and noise are those of the noisiest one."""
    own = {index for index in indices if _rounds(pair.operators[index]) or pair.operators[index].weights}
    shown = [index for index in sorted(own or indices) if tallies[index].values]
    worst = min(shown, key=lambda index: _finite(_decibel(tallies[index].signal, tallies[index].noise)), default=None)
    constants = [plain for index in indices for plain, _ in pair.operators[index].weights.values() if plain.ndim > 1]
    alone = pair.probabilities(crops, weights=indices, outputs={i for i in indices if _rounds(pair.operators[i])})
    loss = sqnr_db(reference, alone)
    noise = LayerNoise(
        name=layer,
        operators=tuple(dict.fromkeys(pair.operators[index].kind for index in sorted(indices))),
        weight_range=(float(min(map(np.min, constants))), float(max(map(np.max, constants)))) if constants else None,
        output_sqnr_db=loss,
        agreement=None if loss is None else agreement(reference, alone),
    )
    if worst is None:
        return noise
    tally, quantization = tallies[worst], pair.operators[worst].outputs[0].quantization
    return replace(
        noise,
        sqnr_db=_decibel(tally.signal, tally.noise),
        float_range=(tally.low, tally.high),
        quantized_range=quantization.range if quantization else None,
        clipped=tally.outside / tally.values,
    )


def _find_fault(pair: LayerPair, noise: LayerNoise, reference: NDArray[np.float32], crops: NDArray[np.uint8]) -> Fault:
    """Whether the weights of a layer cost more than the codes of its outputs."""
    indices = {index for index, operator in enumerate(pair.operators) if operator.layer == noise.name}
    outputs = {index for index in indices if _rounds(pair.operators[index])}
    by_weights = sqnr_db(reference, pair.probabilities(crops, weights=indices, outputs=set()))
    by_outputs = sqnr_db(reference, pair.probabilities(crops, weights=set(), outputs=outputs))
    if _finite(by_weights) < _finite(by_outputs):
        return "weights"
    return "clipped" if _is_clipped(noise) else "activations"


def _is_clipped(noise: LayerNoise) -> bool:
    """Whether the range of the codes is too small for the values."""
    if noise.quantized_range is None or noise.float_range is None:
        return False
    excess = max(abs(end) for end in noise.float_range) / max(max(abs(end) for end in noise.quantized_range), 1e-30)
    return noise.clipped > MAX_CLIPPED or excess > MAX_EXCESS


def _rounds(operator: Operator) -> bool:
    return any(output.adds_rounding for output in operator.outputs)


def _squared_distance(plain: NDArray[np.float32], quantized: NDArray[np.float32]) -> float:
    return float(np.sum(np.square(np.subtract(plain, quantized, dtype=np.float64))))


def _decibel(signal: float, noise: float) -> float | None:
    """Their ratio in dB, always finite; None without noise. Noise that is NaN counts as the largest float32."""
    if noise == 0:
        return None
    bounds = np.finfo(np.float32)
    noise = noise if np.isfinite(noise) else float(bounds.max)
    return float(10 * np.log10(max(signal, float(bounds.tiny)) / noise))


def _finite(decibel: float | None) -> float:
    return np.inf if decibel is None else decibel
