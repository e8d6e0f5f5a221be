"""The motion gate: fewer frames are read while nothing moves, to save energy."""

import numpy as np
from numpy.typing import NDArray

from digitedge.camera.sources.base import Frame
from digitedge.utils.opencv import cv2, resize, to_grey

# The frame is averaged in a grid of at most so many columns and rows, with cells of at least so many pixels a side.
GRID = (64, 48)
CELL_PX = 10
# Grey levels by which the mean of a cell must change. Over hundreds of pixels it has little noise, while a digit as
# high as a cell changes it by a tenth of its contrast.
MOTION_THRESHOLD = 7.0
# How long an image must be still before frames are skipped: its rows have become stable by then.
STILL_S = 3.0


class MotionGate:
    """Decides for each frame whether it can be skipped.

    Examples:
        >>> gate = MotionGate(idle_fps=1)
        >>> page = np.full((480, 640), 200, np.uint8)
        >>> [gate.should_skip(page, now) for now in (0.0, 2.0, 4.0, 4.5, 5.0)]
        [False, False, False, True, False]
        >>> page[100:130, 100:110] = 40
        >>> gate.should_skip(page, 5.1)
        False
    """

    def __init__(self, idle_fps: float) -> None:
        """Set how many still frames per second are read; 0 for none."""
        self._pause_s = 1 / idle_fps if idle_fps > 0 else float("inf")
        self._cells: NDArray[np.int16] | None = None
        self._last_motion = self._last_read = 0.0

    def should_skip(self, frame: Frame, now: float) -> bool:
        """Tell whether a frame, taken at `now` in seconds, shows nothing new."""
        cells = _cell_means(frame)
        reference = self._cells
        if reference is None or reference.shape != cells.shape or np.abs(cells - reference).max() > MOTION_THRESHOLD:
            self._cells, self._last_motion = cells, now
        if now - self._last_motion > STILL_S and now - self._last_read < self._pause_s:
            return True
        self._last_read = now
        return False


def _cell_means(frame: Frame) -> NDArray[np.int16]:
    """Average each cell of the grid: int16 (rows, columns)."""
    height, width = frame.shape[:2]
    size = min(GRID[0], max(1, width // CELL_PX)), min(GRID[1], max(1, height // CELL_PX))
    return to_grey(resize(frame, size, cv2.INTER_AREA)).astype(np.int16)
