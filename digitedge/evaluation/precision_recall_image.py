"""Precision and recall by threshold, as an image of two plots."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.digit_tiles import BACKGROUND, HEADER, TITLE_HEIGHT
from digitedge.metrics.precision_recall import PrecisionRecallCurve
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

    @property
    def inside(self) -> NDArray[np.uint8]:
        """The part of the image between the axes, which OpenCV does not draw beyond."""
        return self.image[TOP : TOP + SIDE, self.left : self.left + SIDE]

    def draw_axes(self, x_name: str, y_name: str) -> None:
        """Fill the plot and draw a grid with its values."""
        self.inside[:] = INSIDE
        for tick in range(TICKS + 1):
            place = round((SIDE - 1) * tick / TICKS)
            self.inside[:, place] = self.inside[SIDE - 1 - place] = GRID
            x_value, y_value = (f"{start + (1 - start) * tick / TICKS:.4g}" for start in (self.x_start, self.y_start))
            x = self.left + place - text_width(x_value, TEXT_HEIGHT) // 2
            draw_text(self.image, x_value, (x, TOP + SIDE + 16), TEXT_HEIGHT, DIM)
            x = self.left - 8 - text_width(y_value, TEXT_HEIGHT)
            draw_text(self.image, y_value, (x, TOP + SIDE - 1 - place + 4), TEXT_HEIGHT, DIM)
        x = self.left + (SIDE - text_width(x_name, TEXT_HEIGHT)) // 2
        draw_text(self.image, x_name, (x, TOP + SIDE + 38), TEXT_HEIGHT, WHITE)
        draw_text(self.image, y_name, (self.left, TOP - 10), TEXT_HEIGHT, WHITE)

    def draw_line(self, x: NDArray[np.float64], y: NDArray[np.float64], colour: Colour) -> None:
        """Draw a line through points; what is outside the axes is cut off."""
        cv2.polylines(self.inside, [self._places(x, y)], False, colour, 2, cv2.LINE_AA, _SHIFT)

    def draw_mark(self, x: float, y: float, colour: Colour) -> None:
        """Draw a dot."""
        ((column, row),) = self._places(np.array([x]), np.array([y])).tolist()
        cv2.circle(self.inside, (column, row), 5 << _SHIFT, colour, cv2.FILLED, cv2.LINE_AA, _SHIFT)
        cv2.circle(self.inside, (column, row), 5 << _SHIFT, WHITE, 1, cv2.LINE_AA, _SHIFT)

    def _places(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return where values are inside: int32 (N, 2), sixteenths of a pixel."""
        across, up = (x - self.x_start) / (1 - self.x_start), (y - self.y_start) / (1 - self.y_start)
        places = np.stack([across, 1 - up], axis=1) * (SIDE - 1) * (1 << _SHIFT)
        return np.asarray(np.rint(places), np.int32)


def draw_precision_recall(curve: PrecisionRecallCurve | None, *, title: str) -> NDArray[np.uint8]:
    """Draw precision against recall, and both and the F1 against the threshold: uint8 (H, W, 3) BGR.

    The axes begin where the curve of this model does. A dot marks the best F1. Without a curve they stay empty.
    """
    width = max(2 * (LEFT + SIDE + 2 * MARGIN), text_width(title, TITLE_HEIGHT) + 2 * MARGIN)
    image = np.full((TOP + SIDE + BELOW, width, 3), BACKGROUND, np.uint8)
    draw_text(image, title, (MARGIN, HEADER - 14), TITLE_HEIGHT, WHITE)
    recall_start = precision_start = 0.0
    if curve is not None:  # as much of the recall is shown below its best value as there is above it
        recall_start = _start(2 * float(curve.recall.max()) - 1)
        precision_start = _start(float(curve.precision[curve.recall >= recall_start].min()))
    first = _Plot(image, LEFT, recall_start, precision_start)
    first.draw_axes("recall", "precision")
    second = _Plot(image, 2 * (LEFT + MARGIN) + SIDE, 0, min(recall_start, precision_start))
    second.draw_axes("threshold", "")
    if curve is not None:
        first.draw_line(curve.recall, curve.precision, SKY_BLUE)
        first.draw_mark(curve.best.recall, curve.best.precision, SKY_BLUE)
        _draw_by_threshold(second, curve)
    return image


def _draw_by_threshold(plot: _Plot, curve: PrecisionRecallCurve) -> None:
    # Between two confidences nothing changes, and below the first one nothing is rejected: steps from 0.
    thresholds = np.repeat(np.concatenate([[0.0], curve.thresholds]), 2)[1:-1]
    best = curve.best
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
