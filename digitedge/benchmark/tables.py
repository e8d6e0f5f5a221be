"""A report for a terminal: what machine, the tables, the conclusions."""

from collections.abc import Iterator, Sequence
from typing import Any

from digitedge.benchmark.compare import Comparison
from digitedge.utils.tables import Table, percent


def report_text(report: dict[str, Any]) -> str:
    """Everything that was measured, and what follows."""
    parts = [
        "\n".join(_system_lines(report)) + "\n",
        *(table.text() for table in tables(report)),
        "\n".join(f"skipped: {line}" for line in _skipped(report["skipped"])),
        "\n".join(report["recommendation"]["text"]),
    ]
    return "\n".join(part for part in parts if part)


def tables(report: dict[str, Any]) -> Iterator[Table]:
    """Files, frames, start of the command."""
    if report["files"]:
        yield _files(report["files"])
    if report["frames"]:
        yield _frames(report)
    starts = {
        f"digitedge {name}": [f"{start['best_ms']:.0f}", f"{max(start['runs_ms']):.0f}"]
        for name, start in report["cold_start"].items()
    }
    yield Table("start to end in ms", ["best", "worst"], starts)


def comparison_text(comparison: Comparison) -> str:
    """Every figure with its verdict."""
    lines = {
        change.figure: [f"{change.old_ms:.3f}", f"{change.new_ms:.3f}", f"{change.ratio:.2f}", str(change.verdict)]
        for change in comparison.changes
    }
    return Table("against the old report", ["old ms", "new ms", "new / old", "verdict"], lines).text()


def _system_lines(report: dict[str, Any]) -> Iterator[str]:
    system = report["system"]
    before, after = system["before"], system["after"]
    yield f"{report['model']} on {system['board'] or 'an unknown board'}"
    clock = [_unit(before["mhz"], "MHz"), system["max_mhz"] and f"at most {system['max_mhz']} MHz"]
    yield ", ".join(filter(None, [system["cpu"], f"{system['cores']} cores", *clock, system["governor"]]))
    yield ", ".join([f"Python {system['python']}", *(f"{name} {found}" for name, found in system["versions"].items())])
    if before["temperature_c"] is not None:
        yield f"{before['temperature_c']} C before, {after['temperature_c']} C after"


def _unit(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"


def _files(files: Sequence[dict[str, Any]]) -> Table:
    """A line for each file and thread count."""
    heads = ["kB", "load ms", "first", "p50", "p95", "p99 ms", "images/s", "MB", "right", "verdict"]
    lines = {f"{file['file']} x {file['threads']}": _file_cells(file) for file in files}
    return Table("file x threads", heads, lines)


def _file_cells(file: dict[str, Any]) -> list[str]:
    memory = "-" if file["memory_mb"] is None else f"{file['memory_mb']:.1f}"
    verdict = {True: "fit", False: "UNFIT", None: "-"}[file["fit"]]
    return [
        f"{file['bytes'] / 1000:.1f}",
        f"{file['load_ms']:.1f}",
        *(f"{file[key]:.3f}" for key in ("first_ms", "p50_ms", "p95_ms", "p99_ms")),
        f"{file['images_per_s']:,}",
        memory,
        percent(file["top1"]),
        verdict,
    ]


def _frames(report: dict[str, Any]) -> Table:
    """A line for each size and number of digits, a column for each stage."""
    frames = report["frames"]
    stages = list(frames[0]["stages_ms"])
    lines = {
        f"{frame['width']}x{frame['height']}, {frame['digits']} x {frame['threads']}": [
            *(f"{frame['stages_ms'][stage]:.1f}" for stage in stages),
            f"{frame['total_ms']:.1f}",
        ]
        for frame in frames
    }
    title = f"A frame on its way to a reading, in ms ({report['reader']})"
    return Table("size, digits x threads", [*stages, "whole"], lines, title)


def _skipped(skipped: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Every file once, unless its reasons differ."""
    yield from dict.fromkeys(f"{one['file']}: {one['reason']}" for one in skipped)
