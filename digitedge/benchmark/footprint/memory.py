"""Memory of activations: the peak of what is alive at once, and the arena that holds it.

A tensor is alive from the operator that writes it to the last one that reads it; inputs from the start, outputs to the
end. Constants stay in the file and do not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from digitedge.benchmark.footprint.graph import Graph, Kind, ModelGraphs

ALIGNMENT = 16
"""Bytes to which TFLite Micro aligns each tensor: `MicroArenaBufferAlignment()`."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """The memory of a tensor, alive from the step `first` to the step `last`, both included."""

    bytes: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Buffers of all tensors that need memory, and how many have a size that is not known from the file."""

    buffers: list[Buffer]
    unknown: int


def find_lifetimes(model: ModelGraphs) -> Lifetimes:
    """Find when each tensor is alive. Each operator is a step; subgraphs have steps of their own inside it.

    Source:
        `AllocationInfoBuilder::MarkAllocationLifetimes` in tensorflow/lite/micro/micro_allocation_info.cc of
        tflite-micro, read in November 2026.
    """
    marker = _Marker(model)
    marker.mark(0, depth=0)
    return marker.lifetimes()


class _Marker:
    """Walks through the graphs in the order in which they run."""

    def __init__(self, model: ModelGraphs) -> None:
        self._model = model
        self._step = 0
        self._buffers: list[tuple[int, int, Buffer]] = []  # graph, tensor
        self._states: list[int] = []
        self._unknown = 0

    def mark(self, number: int, depth: int) -> None:
        graph = self._model.subgraph(number, depth)
        spans: dict[int, list[int]] = {}
        self._use(spans, [*graph.inputs, *graph.outputs])
        for operator in graph.operators:
            self._step += 1
            for index in operator.outputs:
                spans[index] = [self._step, self._step]
            for subgraph in operator.subgraphs:
                self._step += 1
                self.mark(subgraph, depth + 1)
            self._use(spans, [*operator.inputs, *operator.outputs])
        self._use(spans, graph.outputs)
        self._collect(number, graph, spans)

    def _use(self, spans: dict[int, list[int]], indices: Sequence[int]) -> None:
        for index in indices:
            spans.setdefault(index, [self._step, self._step])[1] = self._step

    def _collect(self, number: int, graph: Graph, spans: dict[int, list[int]]) -> None:
        for index, (first, last) in spans.items():
            if index < 0 or graph.tensors[index].kind is Kind.CONSTANT:
                continue
            size = graph.tensors[index].bytes
            if size is None:
                self._unknown += 1
            elif graph.tensors[index].kind is Kind.STATE:
                self._states.append(size)
            elif size:
                self._buffers.append((number, index, Buffer(size, first, last)))

    def lifetimes(self) -> Lifetimes:
        """Return the buffers in the order of the file, which decides between equal ones, then the states."""
        buffers = [buffer for *_, buffer in sorted(self._buffers, key=lambda entry: entry[:2])]
        states = [Buffer(size, 0, self._step) for size in self._states if size]
        return Lifetimes([*buffers, *states], self._unknown)


def peak_bytes(buffers: Sequence[Buffer]) -> int:
    """Return the most bytes that are alive at one step.

    Examples:
        >>> peak_bytes([Buffer(100, 0, 1), Buffer(50, 1, 2), Buffer(80, 2, 3)])
        150
    """
    changes = [0] * (max((buffer.last for buffer in buffers), default=0) + 2)
    for buffer in buffers:
        changes[buffer.first] += buffer.bytes
        changes[buffer.last + 1] -= buffer.bytes
    return max(accumulate(changes))


def plan_arena(buffers: Sequence[Buffer], alignment: int = ALIGNMENT) -> int:
    """Return the bytes of an arena that holds all buffers: large ones first, each in the lowest gap that it fits.

    Of equal buffers, the one that was added last is placed first.

    Source:
        `GreedyMemoryPlanner` in tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc of tflite-micro; the same
        greedy placement by size as in Pisarchyk and Lee 2020, arXiv:2001.03288. It equals what TFLite Micro reports as
        the head of its arena, if no kernel asks for a scratch buffer: see tests/benchmark/test_footprint.py.

    Examples:
        >>> plan_arena([Buffer(100, 0, 1), Buffer(50, 1, 2), Buffer(80, 2, 3)])
        176
    """
    placed: list[tuple[int, int, Buffer]] = []  # offset, end and buffer, by offset
    order = sorted(range(len(buffers)), key=lambda index: (-_aligned(buffers[index].bytes, alignment), -index))
    for index in order:
        buffer = buffers[index]
        size = _aligned(buffer.bytes, alignment)
        offset = _lowest_gap(size, _alive_with(buffer, placed))
        placed.append((offset, offset + size, buffer))
        placed.sort(key=lambda entry: entry[0])
    return max((end for _, end, _ in placed), default=0)


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _alive_with(buffer: Buffer, placed: Sequence[tuple[int, int, Buffer]]) -> Iterator[tuple[int, int]]:
    for offset, end, other in placed:
        if other.first <= buffer.last and buffer.first <= other.last:
            yield offset, end


def _lowest_gap(size: int, occupied: Iterator[tuple[int, int]]) -> int:
    """Return the lowest offset with `size` free bytes; `occupied` has offset and end of what is there, by offset."""
    free = 0
    for offset, end in occupied:
        if offset - free >= size:
            break
        free = max(free, end)
    return free
