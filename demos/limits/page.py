"""Figures -> Markdown: tables and the sentences above them, and where in the page they go."""

from collections.abc import Callable, Sequence

from measure import Measured
from sweeps import Sweep

from digitedge.metrics.detection import Score

# F1 from which digits are said to be read well.
WELL = 0.95


def edge(sweep: Sweep, measured: Sequence[Measured]) -> int | None:
    """Give the first point that is not read well, None where all are."""
    return next((index for index, one in enumerate(measured) if not sweep.judge(one.score) >= WELL), None)


def curve(sweep: Sweep, measured: Sequence[Measured]) -> str:
    """Write a table with a column for each value."""
    shares: dict[str, Callable[[Score], float]] = {
        "**F1**": lambda score: score.f1,
        "F1 in reading order": lambda score: score.f1_in_order,
        "missed": lambda score: score.missed / score.true,
        "misread": _misread,
    }
    lines = [[sweep.unit, *(one.point.label for one in measured)]]
    lines += [[name, *(_percent(share(one.score)) for one in measured)] for name, share in shares.items()]
    return _table(lines) + _image(sweep.name, sweep.unit)


def summary(curves: Sequence[tuple[Sweep, Sequence[Measured]]]) -> str:
    """Write a table that says of every sweep where it begins to fail."""
    lines = [["", "easy", "last value that is read well", "begins to fail at"]]
    for sweep, measured in curves:
        labels = [one.point.label for one in measured]
        failing = edge(sweep, measured)
        well, fails = (labels[-1], "not within these") if failing is None else (labels[failing - 1], labels[failing])
        lines.append([sweep.unit, labels[0], "none" if failing == 0 else well, fails])
    return _table(lines)


def listing(name: str, heading: str, measured: Sequence[Measured]) -> str:
    """Write a table with a line for each point."""
    lines = [[heading, "**F1**", "missed", "misread"]]
    for one in measured:
        shares = (one.score.f1, one.score.missed / one.score.true, _misread(one.score))
        lines.append([one.point.label, *map(_percent, shares)])
    return _table(lines) + _image(name, heading)


def false_digits(name: str, heading: str, measured: Sequence[Measured]) -> str:
    """Write a table of what was read where nothing is."""
    lines = [[heading, "images", "with a false digit", "false digits in an image"]]
    for one in measured:
        count = one.score.negatives
        lines.append(
            [one.point.label, str(count), _percent(one.spoiled / count) + " %", f"{one.score.false / count:.2f}"]
        )
    return _table(lines) + _image(name, heading)


def _misread(score: Score) -> float:
    return (score.wrong + score.invented) / score.true


def _percent(share: float) -> str:
    """Whole percents, but no 100 or 0 that is not quite one."""
    text = f"{100 * share:.0f}"
    return f"{100 * share:.1f}" if text in ("0", "100") and share not in (0, 1) else text


def _table(lines: Sequence[Sequence[str]]) -> str:
    head, *rest = lines
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rest))


def _image(name: str, about: str) -> str:
    return f"\n![{about}]({name}.jpg)\n"
