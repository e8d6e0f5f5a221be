"""A line: where it runs, and how thick it is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A nearly horizontal or nearly vertical line.

    Attributes:
        vertical: whether it runs from top to bottom rather than from left to right.
        start: x of its first pixel, or y if it is vertical.
        path: float64 (N,), the other coordinate of each pixel from `start` on, in pixels.
        thickness: median along the line, in pixels.
    """

    vertical: bool
    start: int
    path: NDArray[np.float64]
    thickness: float

    def moved(self, x: int, y: int) -> "Line":
        """Return the same line further to the right and further down, in pixels."""
        along, across = (y, x) if self.vertical else (x, y)
        return Line(self.vertical, self.start + along, self.path + across, self.thickness)

    def scaled(self, scale: float) -> "Line":
        """Return the same line in an image that is `scale` times as large."""
        at = np.arange(round(len(self.path) * scale))
        path = np.interp((at + 0.5) / scale - 0.5, np.arange(len(self.path)), self.path)
        return Line(self.vertical, round(self.start * scale), (path + 0.5) * scale - 0.5, self.thickness * scale)
