"""Paths: the table of many strokes or lines of one direction, for computations on all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.lines.line import Line


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Nearly horizontal strokes or lines; vertical ones are in the transposed image, with x and y exchanged.

    One value of the tables for each path, one value of the profiles for each column of each path: V values, path after
    path.

    Attributes:
        start: int64 (N,), first column.
        width: int64 (N,), number of columns.
        thickness: float64 (N,), median in pixels.
        centre: float64 (V,), profile: y of the middle in pixels.
    """

    start: NDArray[np.int64]
    width: NDArray[np.int64]
    thickness: NDArray[np.float64]
    centre: NDArray[np.float64]

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "Paths":
        """Make the table of lines of one direction."""
        start = np.array([line.start for line in lines], np.int64)
        width = np.array([len(line.path) for line in lines], np.int64)
        thickness = np.array([line.thickness for line in lines], np.float64)
        return cls(start, width, thickness, np.concatenate([line.path for line in lines] or [np.zeros(0)]))

    def to_line(self, row: int, vertical: bool) -> Line:
        """Return one path as a line."""
        centre = self.centre[self.offset[row] : self.offset[row + 1]]
        return Line(vertical, int(self.start[row]), centre, float(self.thickness[row]))

    @property
    def end(self) -> NDArray[np.int64]:
        """int64 (N,), the column after the last."""
        return self.start + self.width

    @property
    def offset(self) -> NDArray[np.int64]:
        """int64 (N + 1,), where in the profiles each path begins, and where the last one ends."""
        return np.concatenate([[0], np.cumsum(self.width)])

    @property
    def owner(self) -> NDArray[np.int64]:
        """int64 (V,), profile: the path."""
        return np.repeat(np.arange(len(self.width)), self.width)

    @property
    def column(self) -> NDArray[np.int64]:
        """int64 (V,), profile: x."""
        return np.arange(len(self.centre)) + np.repeat(self.start - self.offset[:-1], self.width)

    @property
    def slope(self) -> NDArray[np.float64]:
        """float64 (N,), rise over run from end to end."""
        return (self.centre[self.offset[1:] - 1] - self.centre[self.offset[:-1]]) / np.maximum(self.width - 1, 1)
