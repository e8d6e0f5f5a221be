"""A report against an older one: what got faster, slower, or stayed the same within noise.

Every figure that is judged was measured in five blocks (or runs), so a report says how much it varies by itself. A
figure is slower if all five medians of the new report lie above all five of the old, and their middles differ by more
than a tenth. The first because, if nothing had changed, five values would lie above five others by chance once in 252
times (5! 5! / 10!), whatever the distribution: no spread needs to be assumed, and a machine that was restless has wide
blocks that overlap. The second because blocks of one process know nothing of what differs from process to process
(where memory came to lie, how warm the machine was), and a tenth is not worth a release. Load time and memory are
measured once a run, have no spread, and are not judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

from digitedge.benchmark.timing import counted
from digitedge.errors import InputError
from digitedge.parse import read_json

SCHEMA = "digitedge.bench/1"
MATTERS = 1.1
ADVICE = "Make one: digitedge bench --json > old.json"


class Verdict(StrEnum):
    """What became of a figure."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same within noise"


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both reports: milliseconds, medians of all blocks."""

    figure: str
    old_ms: float
    new_ms: float
    verdict: Verdict

    @property
    def ratio(self) -> float:
        """New over old: under 1 is faster."""
        return self.new_ms / self.old_ms

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        ratio = round(self.ratio, 3)
        return {"figure": self.figure, "old_ms": self.old_ms, "new_ms": self.new_ms, "ratio": ratio} | {
            "verdict": str(self.verdict)
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports side by side.

    Attributes:
        changes: figures that both have.
        remarks: what else differs, and what only one of them has.
        same_machine: whether they are of the same board, processor and number of cores.
    """

    changes: list[Change]
    remarks: list[str]
    same_machine: bool

    @property
    def slower(self) -> list[Change]:
        """What got slower beyond noise."""
        return [change for change in self.changes if change.verdict is Verdict.SLOWER]

    @property
    def holds(self) -> bool:
        """Whether something was compared and nothing got slower. Another machine is no regression."""
        return bool(self.changes) and not (self.same_machine and self.slower)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "same_machine": self.same_machine,
            "holds": self.holds,
            "remarks": self.remarks,
            "changes": [change.to_json() for change in self.changes],
        }


def read_report(path: Path) -> dict[str, Any]:
    """Read a report that `bench --json` printed.

    Raises:
        InputError: no JSON, another schema, or figures that are missing or no times.
    """
    report = read_json(path, error=InputError, advice=ADVICE)
    schema = report.get("schema") if isinstance(report, dict) else None
    if schema != SCHEMA:
        raise InputError(f"{path}: expected schema {SCHEMA!r}, got {schema!r}. {ADVICE}")
    try:
        blocks = [*figures(report).values()]
        whole = all(blocks) and all(type(ms) in (int, float) and ms > 0 for medians in blocks for ms in medians)
        whole = whole and all(isinstance(report["system"].get(key), (str, int, type(None))) for key in _MACHINE)
        whole = whole and isinstance(report["system"]["versions"], dict)
    except (KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise InputError(f"{path}: expected the figures of a report, got a damaged one. {ADVICE}")
    found: dict[str, Any] = report
    return found


def figures(report: dict[str, Any]) -> dict[str, list[float]]:
    """Name -> milliseconds of each block, for every figure that is judged."""
    files = {f"{file['file']}, {_threads(file)}": file["medians_ms"] for file in report["files"]}
    frames = {_frame(frame, report["reader"]): frame["medians_ms"] for frame in report["frames"]}
    starts = {f"digitedge {name}": start["runs_ms"] for name, start in report["cold_start"].items()}
    return {**files, **frames, **starts}


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """Judge every figure that both reports have."""
    before, after = figures(old), figures(new)
    changes = [
        Change(name, median(before[name]), median(after[name]), judge(before[name], after[name]))
        for name in before
        if name in after
    ]
    same = all(old["system"].get(key) == new["system"].get(key) for key in _MACHINE)
    return Comparison(changes, [*_differences(old, new), *_missing(before, after)], same)


def judge(old: Sequence[float], new: Sequence[float]) -> Verdict:
    """Judge one figure by its blocks, as the head of this file says.

    Examples:
        >>> str(judge([1.0, 1.1, 1.2], [1.4, 1.5, 1.6])), str(judge([1.0, 1.1, 1.5], [1.4, 1.5, 1.6]))
        ('slower', 'same within noise')
    """
    ratio = median(new) / median(old)
    if min(new) > max(old) and ratio > MATTERS:
        return Verdict.SLOWER
    if max(new) < min(old) and ratio < 1 / MATTERS:
        return Verdict.FASTER
    return Verdict.SAME


_MACHINE = ("board", "cpu", "cores", "architecture")


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Say where the conditions differ: machine, versions, content of the files."""
    found = [f"when the old report was made: {remark}" for remark in old.get("remarks", [])]
    found += [
        f"another machine: {key} was {old['system'].get(key)}, is {new['system'].get(key)}"
        for key in _MACHINE
        if old["system"].get(key) != new["system"].get(key)
    ]
    versions = old["system"]["versions"], new["system"]["versions"]
    for name in sorted(versions[0].keys() | versions[1].keys()):
        if versions[0].get(name) != versions[1].get(name):
            found.append(f"{name} was {versions[0].get(name, 'missing')}, is {versions[1].get(name, 'missing')}")
    hashes = [{file["file"]: file.get("sha256") for file in report["files"]} for report in (old, new)]
    changed = [name for name, sha256 in hashes[0].items() if hashes[1].get(name, sha256) != sha256]
    return [*found, *(f"{name} is not the same file as then" for name in changed)]


def _missing(before: dict[str, list[float]], after: dict[str, list[float]]) -> list[str]:
    """Say what cannot be compared."""
    return [
        *(f"only in the old report: {name}" for name in before if name not in after),
        *(f"only in the new report: {name}" for name in after if name not in before),
    ]


def _frame(row: dict[str, Any], reader: str) -> str:
    return f"{row['width']}x{row['height']}, {counted(row['digits'], 'digit')}, {reader}, {_threads(row)}"


def _threads(row: dict[str, Any]) -> str:
    return counted(row["threads"], "thread")
