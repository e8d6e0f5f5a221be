"""The sweeps: each changes one setting from easy to hard; all others keep the defaults of `Setting`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from setting import BLACK, Setting

from digitedge.evaluation.reader import LabelledFrame
from digitedge.metrics.detection import DetectionScore
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.page.pens import Pen


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a sweep, or one row of a table, and the function that renders an image."""

    label: str
    render: Callable[[np.random.Generator], LabelledFrame]


def f1(score: DetectionScore) -> float:
    """F1 by the boxes of the digits."""
    return score.f1


def f1_in_order(score: DetectionScore) -> float:
    """F1 by the digits in reading order, for sweeps that mix up rows and not digits."""
    return score.reading_order_f1


@dataclass(frozen=True, slots=True)
class Sweep:
    """A setting that gets harder from point to point.

    Attributes:
        name: of its marker in README.md, and of its image.
        unit: heading of the table.
        points: from easy to hard.
        criterion: the figure that decides where it begins to fail.
    """

    name: str
    unit: str
    points: tuple[Point, ...]
    criterion: Callable[[DetectionScore], float] = f1


def _sweep(
    name: str, unit: str, values: dict[str, dict[str, Any]], criterion: Callable[[DetectionScore], float] = f1
) -> Sweep:
    """Make a sweep from labels, each with the settings that it changes."""
    points = tuple(Point(label, replace(Setting(), **changes).render) for label, changes in values.items())
    return Sweep(name, unit, points, criterion)


def _percent(key: str, values: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    return {f"{value} %": {key: value / 100} for value in values}


def _numbers(key: str, values: tuple[float, ...], unit: str = "") -> dict[str, dict[str, Any]]:
    return {f"{value}{unit}": {key: value} for value in values}


def _pen(opacity: float, width: float) -> dict[str, Any]:
    return {"pen": Pen(PenType.BALL, BLACK, opacity, width)}


SWEEPS = (
    _sweep("small", "small digits: height in pixels", _numbers("height", (48, 32, 24, 18, 14, 12, 10, 8, 6))),
    _sweep("large", "large digits: height in pixels", _numbers("height", (48, 100, 150, 200, 250, 300, 350, 400))),
    _sweep("faint", "darkness of the pen", {f"{v} %": _pen(v / 100, 0.09) for v in (75, 50, 30, 20, 15, 10, 7, 5, 3)}),
    _sweep("thick", "width of the pen", {f"{v} %": _pen(0.75, v / 100) for v in (9, 15, 20, 25, 30, 35, 40)}),
    _sweep("gap", "gap between digits", {f"{v} %": {"gap": v / 100} for v in (25, 15, 10, 6, 4, 2)}),
    _sweep("touching", "neighbours that touch", _percent("touching", (0, 5, 10, 20, 30, 50, 75, 100))),
    _sweep("slope", "slope of the rows", _numbers("slope", (0, 5, 10, 15, 20, 25, 30, 40), "°"), f1_in_order),
    _sweep("rotation", "rotation of the page", _numbers("rotation", (0, 5, 10, 15, 20, 30, 45, 90), "°"), f1_in_order),
    _sweep("perspective", "near edge to far edge", _numbers("perspective", (1.0, 1.25, 1.5, 2.0, 2.5, 3.0))),
    _sweep("shadow", "depth of a shadow", _percent("shadow", (0, 30, 50, 60, 70, 80, 90, 95))),
    _sweep("gradient", "light missing at one side", _percent("gradient", (0, 50, 70, 80, 90, 95, 98))),
    _sweep("dark", "light missing everywhere", _percent("dark", (0, 50, 70, 80, 85, 90, 95, 97))),
    _sweep("blur", "blur in pixels", _numbers("blur", (0.5, 1, 2, 3, 4, 5, 6, 8))),
    _sweep("noise", "noise in grey levels", _numbers("noise", (2, 5, 10, 15, 20, 30, 40, 60))),
    _sweep("ruled", "darkness of the lines", _percent("lines", (0, 20, 40, 60, 80, 100))),
    _sweep(
        "squared",
        "darkness of the squares",
        {f"{v} %": {"lines": v / 100, "squares": True} for v in (0, 20, 40, 60, 80, 100)},
    ),
)
