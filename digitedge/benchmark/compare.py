"""A report against an older one: what got faster, slower, or stayed the same within noise.

Every figure that is judged was measured in five blocks (or runs), so a report says how much it varies by itself. A
figure is slower if all five medians of the new report lie above all five of the old, and their middles differ by more
than a tenth. The first because, if nothing had changed, five values would lie above five others by chance once in 252
times (5! 5! / 10!), whatever the distribution: no spread needs to be assumed, and a machine that was restless has wide
blocks that overlap. The second because blocks of one process know nothing of what differs from process to process
(where memory came to lie, how warm the machine was), and a tenth is not worth a release. Load time and memory are
measured once a run, have no spread, and are not judged. Nor is what was measured with a file whose content has changed:
another net takes another time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any

from digitedge.benchmark.timing import counted
from digitedge.errors import InputError
from digitedge.utils.loading import read_json

SCHEMA = "digitedge.bench/1"
MATTERS = 1.1
ADVICE = "Make one: digitedge bench --json > old.json"


class Verdict(StrEnum):
    """What became of a figure."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same within noise"
    UNJUDGED = "not judged"


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
    def judged(self) -> list[Change]:
        """All but those of files that have changed."""
        return [change for change in self.changes if change.verdict is not Verdict.UNJUDGED]

    @property
    def holds(self) -> bool:
        """Whether something was judged and nothing got slower. Another machine is no regression."""
        return bool(self.judged) and not (self.same_machine and self.slower)

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
        InputError: no JSON, another schema, figures that are missing or no times, or anything else that `compare`
            looks at and that is not what a report has there.
    """
    report = read_json(path, error=InputError, advice=ADVICE)
    schema = report.get("schema") if isinstance(report, dict) else None
    if schema != SCHEMA:
        raise InputError(f"{path}: expected schema {SCHEMA!r}, got {schema!r}. {ADVICE}")
    if not _is_whole(report):
        raise InputError(f"{path}: expected the figures of a report, got a damaged one. {ADVICE}")
    found: dict[str, Any] = report
    return found


def figures(report: dict[str, Any]) -> dict[str, list[float]]:
    """Name -> milliseconds of each block, for every figure that is compared."""
    reader = report["reader"]
    files = {_file(file): file["medians_ms"] for file in report["files"]}
    frames = {_frame(frame, reader): frame["medians_ms"] for frame in report["frames"]}
    starts = {_start(name, reader): start["runs_ms"] for name, start in report["cold_start"].items()}
    return {**files, **frames, **starts}


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """Judge every figure that both reports have, but those that were measured with a file that has changed."""
    before, after = figures(old), figures(new)
    measured_with, changed = _files_measured(new), _changed_files(old, new)
    changes = []
    for name in before:
        if name in after:
            unjudged = measured_with.get(name) in changed
            verdict = Verdict.UNJUDGED if unjudged else judge(before[name], after[name])
            changes.append(Change(name, median(before[name]), median(after[name]), verdict))
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
# The command of `cold_start` that runs the reader's file.
_READS = "predict"


def _is_whole(report: dict[str, Any]) -> bool:
    """Whether all that `compare` looks at is there, and of the kind that a report has there."""
    try:
        times = figures(report).values()
        system, remarks = report["system"], report["remarks"]
        texts = [report["model"], report["reader"], *remarks]
        texts += [file[key] for file in report["files"] for key in ("file", "sha256")]
        return (
            all(times)
            and all(_is_time(ms) for medians in times for ms in medians)
            and all(isinstance(text, str) for text in texts)
            and isinstance(remarks, list)
            and isinstance(report["effort"], dict)
            and isinstance(system["versions"], dict)
            and all(isinstance(system.get(key), (str, int, type(None))) for key in _MACHINE)
        )
    except (KeyError, TypeError, AttributeError, OverflowError):  # the last: an integer beyond any float
        return False


def _is_time(ms: Any) -> bool:
    return type(ms) in (int, float) and math.isfinite(ms) and ms > 0


def _files_measured(report: dict[str, Any]) -> dict[str, str]:
    """Name of a figure -> the file that it was measured with; not those of a command that runs no model."""
    reader = report["reader"]
    files = {_file(file): file["file"] for file in report["files"]}
    return {**files, **{_frame(frame, reader): reader for frame in report["frames"]}, _start(_READS, reader): reader}


def _changed_files(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Names that both have, of files that are not the same."""
    then, now = ({file["file"]: file["sha256"] for file in report["files"]} for report in (old, new))
    return [name for name in then if name in now and then[name] != now[name]]


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Say where the conditions differ: machine, effort, model, versions, content of the files."""
    machines = ({key: report["system"].get(key) for key in _MACHINE} for report in (old, new))
    return [
        *(f"when the old report was made: {remark}" for remark in old["remarks"]),
        *(f"another machine: {difference}" for difference in _unlike(*machines)),
        *(f"another effort: {difference}" for difference in _unlike(old["effort"], new["effort"])),
        *_other_model(old, new),
        *_unlike(old["system"]["versions"], new["system"]["versions"]),
        *(
            f"{name} is not the same file as then, so nothing that was measured with it is judged"
            for name in _changed_files(old, new)
        ),
    ]


def _unlike(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Say which values differ."""
    return [
        f"{key} was {old.get(key, 'missing')}, is {new.get(key, 'missing')}"
        for key in old | new
        if old.get(key) != new.get(key)
    ]


def _other_model(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Say that the model is another one. With a file in common it is not: it lies in another folder."""
    then, now = ({file["sha256"] for file in report["files"]} for report in (old, new))
    if old["model"] == new["model"] or then & now:
        return []
    return [f"another model: it was {old['model']}, is {new['model']}"]


def _missing(before: dict[str, list[float]], after: dict[str, list[float]]) -> list[str]:
    """Say what cannot be compared."""
    return [
        *(f"only in the old report: {name}" for name in before if name not in after),
        *(f"only in the new report: {name}" for name in after if name not in before),
    ]


def _file(row: dict[str, Any]) -> str:
    return f"{row['file']}, {_threads(row)}"


def _frame(row: dict[str, Any], reader: str) -> str:
    return f"{row['width']}x{row['height']}, {counted(row['digits'], 'digit')}, {reader}, {_threads(row)}"


def _start(command: str, reader: str) -> str:
    return f"digitedge {command}, {reader}" if command == _READS else f"digitedge {command}"


def _threads(row: dict[str, Any]) -> str:
    return counted(row["threads"], "thread")
