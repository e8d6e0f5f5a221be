"""Multiply-accumulate operations (MACs) of a model for one image.

Counted are convolutions, matrix products and recurrent layers, as papers and data sheets do; not additions, pooling or
activation functions. An operator that nobody here knows how to count is named instead.
"""

from collections import Counter
from dataclasses import dataclass, field

from digitedge.benchmark.footprint.graph import Graph, ModelGraphs, Operator


@dataclass(frozen=True, slots=True)
class MacCount:
    """MACs by operator, and what they leave out."""

    by_operator: Counter[str] = field(default_factory=Counter)
    not_counted: Counter[str] = field(default_factory=Counter)
    unknown_repeats: Counter[str] = field(default_factory=Counter)
    """Operators that run their subgraphs an unknown number of times; counted once."""

    def add(self, other: "MacCount", times: int = 1) -> None:
        """Add another count; MACs are multiplied, names are not."""
        for name, macs in other.by_operator.items():
            self.by_operator[name] += times * macs
        self.not_counted.update(other.not_counted)
        self.unknown_repeats.update(other.unknown_repeats)


def count_macs(model: ModelGraphs) -> MacCount:
    """Count the MACs of one call, for the whole batch."""
    return _count_graph(model, model.graphs[0], depth=0)


def _count_graph(model: ModelGraphs, graph: Graph, depth: int) -> MacCount:
    count = MacCount()
    for operator in graph.operators:
        if operator.macs is None:
            count.not_counted[operator.name] += 1
        elif operator.macs:
            count.by_operator[operator.name] += operator.macs
        if operator.subgraphs:
            _add_subgraphs(count, model, operator, depth + 1)
    return count


def _add_subgraphs(count: MacCount, model: ModelGraphs, operator: Operator, depth: int) -> None:
    parts = [_count_graph(model, model.subgraph(index, depth), depth) for index in operator.subgraphs]
    if operator.exclusive:  # the costlier branch
        parts = [max(parts, key=lambda part: part.by_operator.total())]
    if operator.repeats is None:
        count.unknown_repeats[operator.name] += 1
    for part in parts:
        count.add(part, 1 if operator.repeats is None else operator.repeats)
