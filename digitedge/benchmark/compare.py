"""Compare a report with an older one: which figures got faster or slower, beyond noise.

A figure is slower if all its five block medians lie above all five of the old report and the middle ones differ by more
than a tenth. Load time and memory are measured once and not compared; neither are figures of files whose content has
changed. See docs/decisions/benchmark-comparison.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, cast

from digitedge.benchmark.timing import pluralize
from digitedge.errors import InputError
from digitedge.utils.loading import read_json

SCHEMA = "digitedge.bench/1"
MIN_RATIO = 1.1
"""Ratio of two medians from which a difference counts."""

_ADVICE = "Make one: digitedge bench --json > old.json"
_MACHINE_KEYS = ("board", "cpu", "cores", "architecture")


class Trend(StrEnum):
    """How a figure changed."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same within noise"
    NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure of both reports: medians of all blocks, in milliseconds."""

    figure: str
    old_ms: float
    new_ms: float
    trend: Trend

    @property
    def ratio(self) -> float:
        """New over old: under 1 is faster."""
        return self.new_ms / self.old_ms

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        times = {"old_ms": self.old_ms, "new_ms": self.new_ms, "ratio": round(self.ratio, 3)}
        return {"figure": self.figure, **times, "trend": str(self.trend)}


@dataclass(frozen=True, slots=True)
class ReportComparison:
    """Two reports side by side; `notes` state what else differs, `same_machine` compares board, processor and cores."""

    changes: list[FigureChange]
    notes: list[str]
    same_machine: bool

    @property
    def slower(self) -> list[FigureChange]:
        """Figures that got slower beyond noise."""
        return [change for change in self.changes if change.trend is Trend.SLOWER]

    @property
    def compared(self) -> list[FigureChange]:
        """All figures but those of changed files."""
        return [change for change in self.changes if change.trend is not Trend.NOT_COMPARED]

    @property
    def passed(self) -> bool:
        """Whether any figure was compared and none got slower; another machine may be slower."""
        return bool(self.compared) and not (self.same_machine and self.slower)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "same_machine": self.same_machine,
            "passed": self.passed,
            "notes": self.notes,
            "changes": [change.to_dict() for change in self.changes],
        }


class Figure(NamedTuple):
    """Milliseconds of each block, and the model file that was measured; None for a command without a model."""

    blocks_ms: list[float]
    file: str | None


def read_report(path: Path) -> dict[str, Any]:
    """Read a report of `bench --json`.

    Raises:
        InputError: not JSON, another schema, or a part that `compare_reports` needs is missing or damaged.
    """
    report = read_json(path, error=InputError, advice=_ADVICE)
    schema = report.get("schema") if isinstance(report, dict) else None
    if schema != SCHEMA:
        raise InputError(f"{path}: expected schema {SCHEMA!r}, got {schema!r}. {_ADVICE}")
    if not _is_valid(report):
        raise InputError(f"{path}: expected the figures of a report, got a damaged one. {_ADVICE}")
    return cast(dict[str, Any], report)


def figures(report: dict[str, Any]) -> dict[str, Figure]:
    """Return all figures that are compared, by a name with their conditions."""
    reader = report["preferred_file"]
    found = {}
    for row in report["files"]:
        found[f"{row['file']}, {pluralize(row['threads'], 'thread')}"] = Figure(row["medians_ms"], row["file"])
    for row in report["frames"]:
        size = f"{row['width']}x{row['height']}, {pluralize(row['digits'], 'digit')}"
        found[f"{size}, {reader}, {pluralize(row['threads'], 'thread')}"] = Figure(row["medians_ms"], reader)
    for command, start in report["cold_start"].items():
        if command == "predict":  # the one command that loads a model
            found[f"digitedge {command}, {reader}"] = Figure(start["runs_ms"], reader)
        else:
            found[f"digitedge {command}"] = Figure(start["runs_ms"], None)
    return found


def compare_reports(old: dict[str, Any], new: dict[str, Any]) -> ReportComparison:
    """Compare every figure of both reports, except those of changed files."""
    before, after = figures(old), figures(new)
    changed = _changed_files(old, new)
    changes = []
    for name in before:
        if name in after:
            old_ms, new_ms = before[name].blocks_ms, after[name].blocks_ms
            trend = Trend.NOT_COMPARED if after[name].file in changed else trend_of(old_ms, new_ms)
            changes.append(FigureChange(name, median(old_ms), median(new_ms), trend))
    missing = [
        *(f"only in the old report: {name}" for name in before if name not in after),
        *(f"only in the new report: {name}" for name in after if name not in before),
    ]
    same_machine = all(old["system"].get(key) == new["system"].get(key) for key in _MACHINE_KEYS)
    return ReportComparison(changes, [*_differences(old, new, changed), *missing], same_machine)


def trend_of(old_ms: Sequence[float], new_ms: Sequence[float]) -> Trend:
    """Compare one figure by its blocks, as described at the top of this file.

    Examples:
        >>> str(trend_of([1.0, 1.1, 1.2], [1.4, 1.5, 1.6])), str(trend_of([1.0, 1.1, 1.5], [1.4, 1.5, 1.6]))
        ('slower', 'same within noise')
    """
    ratio = median(new_ms) / median(old_ms)
    if min(new_ms) > max(old_ms) and ratio > MIN_RATIO:
        return Trend.SLOWER
    if max(new_ms) < min(old_ms) and ratio < 1 / MIN_RATIO:
        return Trend.FASTER
    return Trend.SAME


def _is_valid(report: dict[str, Any]) -> bool:
    """Return whether everything that `compare_reports` reads is there and has the right type."""
    try:
        blocks = [figure.blocks_ms for figure in figures(report).values()]
        system, notes = report["system"], report["notes"]
        texts = [report["model"], report["preferred_file"], *notes]
        texts += [file[key] for file in report["files"] for key in ("file", "sha256")]
        return (
            all(blocks)
            and all(type(ms) in (int, float) and math.isfinite(ms) and ms > 0 for block in blocks for ms in block)
            and all(isinstance(text, str) for text in texts)
            and isinstance(notes, list)
            and isinstance(report["settings"], dict)
            and isinstance(system["versions"], dict)
            and all(isinstance(system.get(key), (str, int, type(None))) for key in _MACHINE_KEYS)
        )
    except (KeyError, TypeError, AttributeError, OverflowError):  # the last: an integer beyond any float
        return False


def _changed_files(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return names that both reports have, of files with different content."""
    before, after = ({file["file"]: file["sha256"] for file in report["files"]} for report in (old, new))
    return [name for name in before if name in after and before[name] != after[name]]


def _differences(old: dict[str, Any], new: dict[str, Any], changed: Sequence[str]) -> list[str]:
    """List the conditions that differ: machine, settings, model, versions, files."""
    machines = ({key: report["system"].get(key) for key in _MACHINE_KEYS} for report in (old, new))
    hashes = ({file["sha256"] for file in report["files"]} for report in (old, new))
    same_files = bool(set.intersection(*hashes))  # then the bundle was only moved
    model = [] if same_files or old["model"] == new["model"] else [f"model was {old['model']}, is {new['model']}"]
    return [
        *(f"old report: {note}" for note in old["notes"]),
        *(f"another machine: {difference}" for difference in _unequal(*machines)),
        *(f"other settings: {difference}" for difference in _unequal(old["settings"], new["settings"])),
        *model,
        *_unequal(old["system"]["versions"], new["system"]["versions"]),
        *(f"{name} has changed, so its figures are not compared" for name in changed),
    ]


def _unequal(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        f"{key} was {old.get(key, 'missing')}, is {new.get(key, 'missing')}"
        for key in old | new
        if old.get(key) != new.get(key)
    ]
