"""Footprints as text for a terminal: a table, then operators and runtimes of each file."""

from collections.abc import Iterator, Mapping
from typing import Any

from digitedge.benchmark.footprint.runtimes import RuntimeSupport
from digitedge.utils.tables import Table

HEADS = ["MACs", "peak bytes", "arena bytes"]
UNKNOWN = ["-"] * len(HEADS)
MEANING = "MACs for one image; the most bytes of activations at once; the arena that TFLite Micro plans for them"


def footprint_text(footprints: Mapping[str, dict[str, Any]]) -> str:
    """Return a table of files, and what each needs of a runtime; the footprints as `Footprint.to_dict` gives them."""
    lines = {name: footprint_cells(footprint) for name, footprint in footprints.items()}
    table = Table("file", HEADS, lines, f"What each file needs: {MEANING}")
    return "\n".join([table.text(), *runtime_lines(footprints)])


def footprint_cells(footprint: dict[str, Any] | None) -> list[str]:
    """Return the cells of a line; ">=" if the figure is the least because something is not known."""
    if footprint is None:
        return UNKNOWN
    macs = _at_least(footprint["macs"], footprint["macs_complete"])
    memory = (footprint["peak_activation_bytes"], footprint["arena_bytes"])
    return [macs, *(_at_least(size, footprint["memory_complete"]) for size in memory)]


def runtime_lines(footprints: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the operators of each file with their versions, and which runtimes know them."""
    for name, footprint in footprints.items():
        yield f"{name}:"
        yield f"  operators: {', '.join(_operator(use) for use in footprint['operators'])}"
        yield from (f"  {RuntimeSupport(**support).text()}" for support in footprint["runtimes"])
        yield from (f"  note: {note}" for note in footprint["notes"])


def _at_least(figure: int | None, complete: bool) -> str:
    return "-" if figure is None else f"{figure:,}" if complete else f">= {figure:,}"


def _operator(use: dict[str, Any]) -> str:
    count = f" x {use['count']}" if use["count"] > 1 else ""
    version = "" if use["version"] is None else f" {use['version']}"
    return f"{use['name']}{version}{count}"
