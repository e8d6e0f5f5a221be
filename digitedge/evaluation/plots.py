"""The images that `digitedge eval --plots` writes into a folder, and the threshold that it recommends."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.confusion_image import draw_confusion
from digitedge.evaluation.precision_recall_image import draw_precision_recall
from digitedge.metrics.precision_recall import PrecisionRecallCurve
from digitedge.utils.images import write_image
from digitedge.utils.tables import percent

CONFUSION = "confusion.png"
CURVE = "precision-recall.png"
ERRORS = "errors.png"
PLOTS = (CONFUSION, CURVE, ERRORS)

PRECISE = 0.99
"""Precision whose threshold is told."""


def write_plots(
    folder: Path,
    *,
    title: str,
    confusion: NDArray[np.int64],
    curve: PrecisionRecallCurve | None,
    errors: NDArray[np.uint8],
) -> None:
    """Write PLOTS into a folder, which is created if it is missing.

    Args:
        folder: may have plots of an earlier evaluation, which are replaced.
        title: what was evaluated.
        confusion: int64 (10, 10) or (11, 11), see `draw_confusion`.
        curve: None if nothing was read.
        errors: uint8 (H, W, 3) BGR, the worst errors.

    Raises:
        DigitEdgeError: the folder is not writable.
    """
    write_image(folder / CONFUSION, draw_confusion(confusion, title=title))
    write_image(folder / CURVE, draw_precision_recall(curve, title=title))
    write_image(folder / ERRORS, errors)


def threshold_advice(curve: PrecisionRecallCurve | None) -> str:
    """Say in one line which threshold reads best, and which one reads with a precision of 99 %.

    Examples:
        >>> from digitedge.metrics.precision_recall import precision_recall_curve
        >>> curve = precision_recall_curve(np.float64([0.9, 0.8, 0.3]), np.array([True, True, False]), 2)
        >>> threshold_advice(curve)
        'best F1 at --threshold 0.8: precision 100.00 %, recall 100.00 %'
    """
    if curve is None:
        return "no threshold can be recommended, because no digit was read"
    best, precise = curve.best, curve.at_precision(PRECISE)
    lowest = float(curve.thresholds[0])  # which rejects nothing
    text = "no threshold improves the F1" if best.threshold == lowest else f"best F1 at {_option(best.threshold)}"
    text += f": precision {percent(best.precision)}, recall {percent(best.recall)}"
    if precise is None:
        return f"{text}; no threshold gives {percent(PRECISE, decimals=0)} precision"
    if best.precision >= PRECISE:
        return text
    place = _option(precise.threshold)
    return f"{text}; {percent(PRECISE, decimals=0)} precision at {place}: recall {percent(precise.recall)}"


def _option(threshold: float) -> str:
    """The option for a threshold, rounded down so that whatever reaches it is kept."""
    return f"--threshold {int(threshold * 10_000) / 10_000:g}"
