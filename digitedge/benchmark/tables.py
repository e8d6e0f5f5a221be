"""A report as text for a terminal: the machine, the tables, the advice."""

from collections.abc import Iterator
from typing import Any

from digitedge.benchmark.compare import ReportComparison
from digitedge.benchmark.footprint import footprint_text
from digitedge.utils.tables import Table, percent


def report_text(report: dict[str, Any]) -> str:
    """Return everything that was measured, and the advice."""
    skipped = dict.fromkeys(f"skipped: {row['file']}: {row['reason']}" for row in report["skipped"])
    parts = [
        "\n".join(_system_lines(report)) + "\n",
        *(table.text() for table in tables(report)),
        _footprints(report["files"]),
        "\n".join(skipped),
        "\n".join(report["recommendation"]["advice"]),
    ]
    return "\n".join(part for part in parts if part)


def tables(report: dict[str, Any]) -> Iterator[Table]:
    """Yield the tables of files, frames and commands."""
    if report["files"]:
        heads = ["kB", "load ms", "first ms", "p50 ms", "p95 ms", "p99 ms", "images/s", "MB", "top-1", "parity"]
        lines = {f"{file['file']} x {file['threads']}": _file_cells(file) for file in report["files"]}
        yield Table("file x threads", heads, lines)
    if report["frames"]:
        yield _frames(report)
    starts = {
        f"digitedge {name}": [f"{start['best_ms']:.0f}", f"{max(start['runs_ms']):.0f}"]
        for name, start in report["cold_start"].items()
    }
    yield Table("start to exit in ms", ["best", "worst"], starts)


def comparison_text(comparison: ReportComparison) -> str:
    """Return every figure with its trend."""
    lines = {
        change.figure: [f"{change.old_ms:.3f}", f"{change.new_ms:.3f}", f"{change.ratio:.2f}", str(change.trend)]
        for change in comparison.changes
    }
    return Table("against the old report", ["old ms", "new ms", "new / old", "trend"], lines).text()


def _system_lines(report: dict[str, Any]) -> Iterator[str]:
    system = report["system"]
    before, after = system["before"], system["after"]
    yield f"{report['model']} on {system['board'] or 'an unknown board'}"
    clock = [before["mhz"] and f"{before['mhz']} MHz", system["max_mhz"] and f"at most {system['max_mhz']} MHz"]
    yield ", ".join(filter(None, [system["cpu"], f"{system['cores']} cores", *clock, system["governor"]]))
    yield ", ".join([f"Python {system['python']}", *(f"{name} {found}" for name, found in system["versions"].items())])
    if before["temperature_c"] is not None:
        yield f"{before['temperature_c']} C before, {after['temperature_c']} C after"


def _file_cells(file: dict[str, Any]) -> list[str]:
    return [
        f"{file['bytes'] / 1000:.1f}",
        f"{file['load_ms']:.1f}",
        *(f"{file[key]:.3f}" for key in ("first_ms", "p50_ms", "p95_ms", "p99_ms")),
        f"{file['images_per_s']:,}",
        "-" if file["memory_mb"] is None else f"{file['memory_mb']:.1f}",
        percent(file["top1"]),
        {True: "passed", False: "FAILED", None: "-"}[file["passed"]],
    ]


def _footprints(files: list[dict[str, Any]]) -> str:
    """Each file once, and a line for what could not be read."""
    known = {file["file"]: file["footprint"] for file in files if file["footprint"]}
    missing = dict.fromkeys(f"no footprint: {file['footprint_missing']}" for file in files if not file["footprint"])
    return "\n".join([*([footprint_text(known), ""] if known else []), *missing])


def _frames(report: dict[str, Any]) -> Table:
    """A line for each size and number of digits, a column for each stage."""
    frames = report["frames"]
    stages = list(frames[0]["stage_ms"])
    lines = {
        f"{frame['width']}x{frame['height']}, {frame['digits']} x {frame['threads']}": [
            *(f"{frame['stage_ms'][stage]:.1f}" for stage in stages),
            f"{frame['total_ms']:.1f}",
        ]
        for frame in frames
    }
    title = f"Stages of reading a frame, in ms ({report['preferred_file']})"
    return Table("size, digits x threads", [*stages, "total"], lines, title)
