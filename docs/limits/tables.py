"""Results as Markdown tables, each with its image."""

from collections.abc import Callable, Sequence

from measure import PointResult
from sweeps import Sweep

from digitedge.metrics.detection import DetectionScore

# The page says "read well" from this F1 on.
MIN_F1 = 0.95


def first_failure(sweep: Sweep, results: Sequence[PointResult]) -> int | None:
    """The index of the first point that is not read well; None if all are."""
    return next((index for index, one in enumerate(results) if not sweep.criterion(one.score) >= MIN_F1), None)


def sweep_table(sweep: Sweep, results: Sequence[PointResult]) -> str:
    """A column for each value."""
    shares: dict[str, Callable[[DetectionScore], float]] = {
        "**F1**": lambda score: score.f1,
        "F1 in reading order": lambda score: score.reading_order_f1,
        "not found": _not_found,
        "wrong or extra": _wrong_or_extra,
    }
    rows = [[sweep.unit, *(one.point.label for one in results)]]
    rows += [[name, *(_percent(share(one.score)) for one in results)] for name, share in shares.items()]
    return _table(rows) + _image(sweep.name, sweep.unit)


def summary_table(sweeps: Sequence[tuple[Sweep, Sequence[PointResult]]]) -> str:
    """A row for each sweep: where it begins to fail."""
    rows = [["", "easy", "last value that is read well", "begins to fail at"]]
    for sweep, results in sweeps:
        labels = [one.point.label for one in results]
        failing = first_failure(sweep, results)
        well, fails = (labels[-1], "beyond these values") if failing is None else (labels[failing - 1], labels[failing])
        rows.append([sweep.unit, labels[0], "none" if failing == 0 else well, fails])
    return _table(rows)


def point_table(name: str, heading: str, results: Sequence[PointResult]) -> str:
    """A row for each point."""
    rows = [[heading, "**F1**", "not found", "wrong or extra"]]
    for one in results:
        shares = (one.score.f1, _not_found(one.score), _wrong_or_extra(one.score))
        rows.append([one.point.label, *map(_percent, shares)])
    return _table(rows) + _image(name, heading)


def negative_table(name: str, heading: str, results: Sequence[PointResult]) -> str:
    """A row for each kind of image without digits."""
    rows = [[heading, "images", "with a false positive", "false positives per image"]]
    for one in results:
        count = one.score.negatives
        share, mean = one.images_with_errors / count, one.score.negative_detections / count
        rows.append([one.point.label, str(count), _percent(share) + " %", f"{mean:.2f}"])
    return _table(rows) + _image(name, heading)


def _not_found(score: DetectionScore) -> float:
    return score.false_negatives / score.digits


def _wrong_or_extra(score: DetectionScore) -> float:
    return (score.misclassified + score.false_positives) / score.digits


def _percent(share: float) -> str:
    """Whole percents; 100 and 0 only if they are exact."""
    text = f"{100 * share:.0f}"
    return f"{100 * share:.1f}" if text in ("0", "100") and share not in (0, 1) else text


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = rows
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rest))


def _image(name: str, about: str) -> str:
    return f"\n![{about}]({name}.jpg)\n"
