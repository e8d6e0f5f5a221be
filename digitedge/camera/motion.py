"""Nothing moves, so nothing is read: what saves most of the energy of a camera that looks at a meter all day.

The mean of every cell of a coarse grid is compared with what it was when something last moved. A mean over hundreds of
pixels hardly has noise, while a digit of a cell's height changes it by a tenth of its contrast. Every frame is looked
at, so that the first one in which something moves is read.
"""

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.sources.base import Frame
from digitedge.utils.opencv import cv2

# Cells across and down at most, and their least side in pixels; and by how many grey levels one must change.
GRID, CELL_PX, MOVED = (64, 48), 10, 7.0
# How long an image must be still before fewer frames are read: what is written there has long become stable then.
STILL_S = 3.0


class Stillness:
    """Says of each frame whether it need not be read.

    Examples:
        >>> stillness = Stillness(idle_fps=1)
        >>> page = np.full((480, 640), 200, np.uint8)
        >>> [stillness.spares(page, now) for now in (0.0, 2.0, 4.0, 4.5, 5.0)]
        [False, False, False, True, False]
        >>> page[100:130, 100:110] = 40
        >>> stillness.spares(page, 5.1)
        False
    """

    def __init__(self, idle_fps: float) -> None:
        """Say how many still frames a second are read all the same; 0 for none."""
        self._pause_s = 1 / idle_fps if idle_fps > 0 else float("inf")
        self._cells: NDArray[np.int16] | None = None
        self._moved = self._read = 0.0

    def spares(self, frame: Frame, now: float) -> bool:
        """Whether this frame, taken at `now` in seconds, says nothing new."""
        cells = _cells(frame)
        known = self._cells
        if known is None or known.shape != cells.shape or np.abs(cells - known).max() > MOVED:
            self._cells, self._moved = cells, now
        if now - self._moved > STILL_S and now - self._read < self._pause_s:
            return True
        self._read = now
        return False


def _cells(frame: Frame) -> NDArray[np.int16]:
    """The mean of each cell: int16, as many rows and columns as fit."""
    height, width = frame.shape[:2]
    size = [min(most, max(1, side // CELL_PX)) for most, side in zip(GRID, (width, height), strict=True)]
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    grey = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, np.int16)
