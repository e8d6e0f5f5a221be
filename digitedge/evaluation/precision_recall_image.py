"""Precision and recall by threshold, as an image of two plots."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.digit_tiles import BACKGROUND, HEADER, TITLE_HEIGHT
from digitedge.metrics.precision_recall import CurvePoint, PrecisionRecallCurve
from digitedge.utils.drawing import SKY_BLUE, VERMILION, WHITE, YELLOW, Colour, draw_text, text_width
from digitedge.utils.opencv import cv2

# In pixels of the image.
SIDE = 400
LEFT = 64
TOP = HEADER + 30
BELOW = 48
MARGIN = 12
# Height of capitals, in pixels.
TEXT_HEIGHT = 9
INSIDE: Colour = (72, 66, 60)
GRID: Colour = (104, 98, 92)
DIM: Colour = (200, 194, 188)
# Values at which an axis may begin, so that the curve of a good model is more than a line along the edge.
STARTS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
TICKS = 5
_SHIFT = 4  # OpenCV takes sixteenths of a pixel


class _Plot(NamedTuple):
    """A square plot in an image: its left end, and where its axes begin; they end at 1."""

    image: NDArray[np.uint8]
    left: int
    x_start: float
    y_start: float

    def draw_axes(self, x_name: str, y_name: str) -> None:
        cv2.rectangle(self.image, (self.left, TOP), (self.left + SIDE - 1, TOP + SIDE - 1), INSIDE, cv2.FILLED)
        for tick in range(TICKS + 1):
            x, y = (start + (1 - start) * tick / TICKS for start in (self.x_start, self.y_start))
            column, row = (round(float(value)) for value in self.places(x, y)[0])
            cv2.line(self.image, (column, TOP), (column, TOP + SIDE - 1), GRID, 1)
            cv2.line(self.image, (self.left, row), (self.left + SIDE - 1, row), GRID, 1)
            name = f"{x:.4g}"
            draw_text(
                self.image, name, (column - text_width(name, TEXT_HEIGHT) // 2, TOP + SIDE + 16), TEXT_HEIGHT, DIM
            )
            name = f"{y:.4g}"
            draw_text(self.image, name, (self.left - 8 - text_width(name, TEXT_HEIGHT), row + 4), TEXT_HEIGHT, DIM)
        x_place = self.left + (SIDE - text_width(x_name, TEXT_HEIGHT)) // 2
        draw_text(self.image, x_name, (x_place, TOP + SIDE + 38), TEXT_HEIGHT, WHITE)
        draw_text(self.image, y_name, (self.left, TOP - 10), TEXT_HEIGHT, WHITE)

    def places(self, x: NDArray[np.float64] | float, y: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return where values are in the image: float64 (N, 2). What is below an axis is drawn at its start."""
        across, up = (
            (np.clip(np.atleast_1d(values), start, 1) - start) / (1 - start)
            for values, start in ((x, self.x_start), (y, self.y_start))
        )
        return np.stack([self.left + across * (SIDE - 1), TOP + (1 - up) * (SIDE - 1)], axis=1)

    def draw_line(self, x: NDArray[np.float64], y: NDArray[np.float64], colour: Colour) -> None:
        points = np.rint(self.places(x, y) * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(self.image, [points], False, colour, 2, cv2.LINE_AA, _SHIFT)

    def draw_mark(self, x: float, y: float, colour: Colour) -> None:
        column, row = (round(float(value)) for value in self.places(x, y)[0])
        cv2.circle(self.image, (column, row), 5, colour, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(self.image, (column, row), 5, WHITE, 1, cv2.LINE_AA)


def draw_precision_recall(curve: PrecisionRecallCurve, *, title: str) -> NDArray[np.uint8]:
    """Draw precision against recall, and both and the F1 against the threshold: uint8 (H, W, 3) BGR.

    The axes begin where the curve of this model does. A dot marks the best F1.
    """
    width = max(2 * (LEFT + SIDE + 2 * MARGIN), text_width(title, TITLE_HEIGHT) + 2 * MARGIN)
    image = np.full((TOP + SIDE + BELOW, width, 3), BACKGROUND, np.uint8)
    draw_text(image, title, (MARGIN, HEADER - 14), TITLE_HEIGHT, WHITE)
    # As much of the recall is shown below its best value as there is above it.
    recall_start = _start(2 * float(curve.recall.max()) - 1)
    precision_start = _start(float(curve.precision[curve.recall >= recall_start].min()))
    first = _Plot(image, LEFT, recall_start, precision_start)
    first.draw_axes("recall", "precision")
    first.draw_line(curve.recall, curve.precision, SKY_BLUE)
    first.draw_mark(curve.best.recall, curve.best.precision, SKY_BLUE)
    second = _Plot(image, 2 * (LEFT + MARGIN) + SIDE, 0, min(recall_start, precision_start))
    second.draw_axes("threshold", "")
    _draw_by_threshold(second, curve)
    return image


def _draw_by_threshold(plot: _Plot, curve: PrecisionRecallCurve) -> None:
    # Between two confidences nothing changes, and below the first one nothing is rejected: steps from 0.
    thresholds = np.repeat(np.concatenate([[0.0], curve.thresholds]), 2)[1:-1]
    best: CurvePoint = curve.best
    lines = {
        "precision": (curve.precision, best.precision, SKY_BLUE),
        "recall": (curve.recall, best.recall, VERMILION),
        "F1": (curve.f1, best.f1, YELLOW),
    }
    x = plot.left
    for name, (values, at_best, colour) in lines.items():
        plot.draw_line(thresholds, np.repeat(values, 2), colour)
        plot.draw_mark(best.threshold, at_best, colour)
        draw_text(plot.image, name, (x, TOP - 10), TEXT_HEIGHT, colour)
        x += text_width(f"{name}   ", TEXT_HEIGHT)


def _start(value: float) -> float:
    """The highest start of an axis that shows a value."""
    return max(start for start in STARTS if start <= max(value, 0))
