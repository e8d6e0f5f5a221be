"""What is changed, one thing at a time, from easy to hard, everything else as in `Setting`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from setting import BLACK, Setting

from digitedge.evaluation.reader import Case
from digitedge.metrics.detection import Score
from digitedge.synthetic.handwriting.pen import Pen
from digitedge.synthetic.page.surface import Tool


@dataclass(frozen=True, slots=True)
class Point:
    """One value, and how an image with it is taken."""

    label: str
    take: Callable[[np.random.Generator], Case]


def f1(score: Score) -> float:
    """Judge by the boxes of the digits."""
    return score.f1


def f1_in_order(score: Score) -> float:
    """Judge by the digits in reading order: for what confuses rows and not digits."""
    return score.f1_in_order


@dataclass(frozen=True, slots=True)
class Sweep:
    """One thing that gets harder and harder.

    Attributes:
        name: of its place in the page, and of its image.
        unit: what the values are; heads the table.
        points: from easy to hard.
        judge: the share that says where it begins to fail.
    """

    name: str
    unit: str
    points: tuple[Point, ...]
    judge: Callable[[Score], float] = f1


def _sweep(name: str, unit: str, values: dict[str, dict[str, Any]], judge: Callable[[Score], float] = f1) -> Sweep:
    """Make a sweep of labels, each with what it changes of the easy setting."""
    points = tuple(Point(label, replace(Setting(), **changes).take) for label, changes in values.items())
    return Sweep(name, unit, points, judge)


def _percent(key: str, values: tuple[int, ...]) -> dict[str, dict[str, Any]]:
    return {f"{value} %": {key: value / 100} for value in values}


def _numbers(key: str, values: tuple[float, ...], unit: str = "") -> dict[str, dict[str, Any]]:
    return {f"{value}{unit}": {key: value} for value in values}


def _pen(opacity: float, width: float) -> dict[str, Any]:
    return {"tool": Tool(Pen.BALL, BLACK, opacity, width)}


SWEEPS = (
    _sweep("small", "small digits: height in pixels", _numbers("height", (48, 32, 24, 18, 14, 12, 10, 8, 6))),
    _sweep("large", "large digits: height in pixels", _numbers("height", (48, 100, 150, 200, 250, 300, 350, 400))),
    _sweep("pale", "darkness of the pen", {f"{v} %": _pen(v / 100, 0.09) for v in (75, 50, 30, 20, 15, 10, 7, 5, 3)}),
    _sweep("broad", "width of the pen", {f"{v} %": _pen(0.75, v / 100) for v in (9, 15, 20, 25, 30, 35, 40)}),
    _sweep("gap", "gap between digits", {f"{v} %": {"gap": v / 100} for v in (25, 15, 10, 6, 4, 2)}),
    _sweep("touching", "neighbours that touch", _percent("joined", (0, 5, 10, 20, 30, 50, 75, 100))),
    _sweep("climb", "slope of the rows", _numbers("climb", (0, 5, 10, 15, 20, 25, 30, 40), "°"), f1_in_order),
    _sweep("turn", "turn of the page", _numbers("turn", (0, 5, 10, 15, 20, 30, 45, 90), "°"), f1_in_order),
    _sweep("near", "near edge to far edge", _numbers("near", (1.0, 1.25, 1.5, 2.0, 2.5, 3.0))),
    _sweep("shadow", "depth of a shadow", _percent("shadow", (0, 30, 50, 60, 70, 80, 90, 95))),
    _sweep("gradient", "light missing at one side", _percent("gradient", (0, 50, 70, 80, 90, 95, 98))),
    _sweep("dark", "light missing everywhere", _percent("dark", (0, 50, 70, 80, 85, 90, 95, 97))),
    _sweep("blur", "blur in pixels", _numbers("blur", (0.5, 1, 2, 3, 4, 5, 6, 8))),
    _sweep("noise", "noise in grey levels", _numbers("noise", (2, 5, 10, 15, 20, 30, 40, 60))),
    _sweep("ruled", "darkness of rulings", _percent("lines", (0, 20, 40, 60, 80, 100))),
    _sweep(
        "squared",
        "darkness of squares",
        {f"{v} %": {"lines": v / 100, "squares": True} for v in (0, 20, 40, 60, 80, 100)},
    ),
)
