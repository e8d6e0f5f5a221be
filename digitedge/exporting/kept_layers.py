"""Which layers must stay in float so that a quantized file agrees with the original, tried out on a pair of files.

A layer that is kept reads real numbers and gives real numbers. If a layer behind it is quantized, its output is rounded
all the same, so a layer whose activations are at fault is kept together with those that read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitedge.exporting.layer_names import choose_kept
from digitedge.exporting.layer_pairs import LayerPair
from digitedge.exporting.layers import EXPLAINED, LayerNoise
from digitedge.metrics.classification import agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Layers to keep in float.

    Attributes:
        keep_float: their names; empty if the file is within the limit as it is.
        tried: what was tried, in this order: names, and the agreement with the float network, 0 to 1.
    """

    keep_float: tuple[str, ...]
    tried: dict[tuple[str, ...], float]

    @property
    def before(self) -> float:
        """Agreement of the quantized network with the float one."""
        return self.tried[()]

    @property
    def after(self) -> float:
        """Agreement with the remedy."""
        return self.tried[self.keep_float]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        tried = [{"keep_float": list(names), "agreement": share} for names, share in self.tried.items()]
        return {"keep_float": list(self.keep_float), "tried": tried}


def find_remedy(pair: LayerPair, noises: Sequence[LayerNoise], crops: NDArray[np.uint8], *, limit: float) -> Remedy:
    """Find few layers that give an agreement of `limit` if they are kept, in the order of their harm.

    Where that fails, the remedy is the best that was found. The quantized network is computed as float arithmetic with
    rounded weights and activations; the exported file differs by the rounding inside its kernels.
    """
    reference = pair.probabilities(crops, weights=set(), outputs=set())

    def measure(kept: Sequence[str]) -> float:
        return agreement(reference, probabilities_with_kept(pair, kept, crops))

    tried: dict[tuple[str, ...], float] = {(): measure(())}
    kept: tuple[str, ...] = ()
    for noise in noises[:EXPLAINED]:
        if max(tried.values()) >= limit or noise.output_sqnr_db is None:
            break
        for added in ([noise.name], [noise.name, *readers_of(pair, noise.name)]):
            option = tuple(dict.fromkeys([*kept, *added]))
            tried[option] = measure(option)
            if tried[option] >= limit:
                break
        kept = option
    passed = [option for option in tried if tried[option] >= limit]
    best = passed[0] if passed else max(tried, key=lambda option: (tried[option], -len(option)))
    share = tried[best]
    for name in best:  # some may not be needed
        fewer = tuple(one for one in best if one != name)
        if (without := measure(fewer)) >= min(limit, share):
            best, share = fewer, without
    tried[best] = share
    return Remedy(keep_float=best, tried=tried)


def probabilities_with_kept(pair: LayerPair, kept: Sequence[str], crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Score crops with the quantized network in which some layers are in float."""
    every = set(range(len(pair.operators)))
    in_float = {index for index in every if pair.operators[index].layer in kept}
    readers = {index: {one for one in every if index in pair.reads[one]} for index in every}
    rounded = {index for index in every if index not in in_float or readers[index] - in_float}
    return pair.probabilities(crops, weights=every - in_float, outputs=rounded)


def names_with_readers(pair: LayerPair, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted names, and those of the layers that read the outputs of these layers."""
    layers = [[operator.layer] for operator in pair.operators]
    kept = dict.fromkeys(layers[index][0] for index in choose_kept(wanted, layers))
    readers = [reader for layer in kept for reader in readers_of(pair, layer) if reader not in kept]
    return tuple(dict.fromkeys([*wanted, *readers]))


def readers_of(pair: LayerPair, layer: str) -> list[str]:
    """Name the layers that read a layer's output, up to the first that rounds anew."""
    found: list[str] = []
    waiting = {index for index, operator in enumerate(pair.operators) if operator.layer == layer}
    while waiting:
        read = {
            index
            for index, sources in enumerate(pair.reads)
            if sources & waiting and pair.operators[index].layer != layer
        }
        found += [pair.operators[index].layer for index in sorted(read)]
        waiting = {index for index in read if not any(output.adds_rounding for output in pair.operators[index].outputs)}
    return list(dict.fromkeys(found))
