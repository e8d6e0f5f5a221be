"""Line removal: lines are removed from a mask, and the digits that cross or touch them stay.

A line is followed along its path. It is kept where a stroke goes on above or below it, and where it is darker than
usual: a stroke crosses it there. Staff lines are removed from sheet music in this way.
See docs/decisions/line-removal.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.vision.lines.line import Line
from digitedge.vision.median import median

# How far a line is removed beyond its ends if its ink goes on there, in pixels.
END_PX = 10
# A stroke that crosses a line must be seen within so many pixels beside it; other lines may lie between them.
BESIDE_PX = 6
# Where ink is darker than is usual on the line by this factor, a stroke crosses it.
CROSSING_DARKNESS = 1.6


def remove_lines(mask: NDArray[np.uint8], ink: NDArray[np.uint8], lines: Sequence[Line]) -> NDArray[np.uint8]:
    """Remove lines from a mask, and keep the strokes that cross or touch them.

    Args:
        mask: uint8 (H, W), 255 where there is ink, else 0. It is not changed.
        ink: uint8 (H, W), 0 is paper, 255 is ink that reflects nothing.
        lines: in pixels of the mask.

    Returns:
        uint8 (H, W), the mask without the lines.

    Examples:
        >>> mask = np.zeros((100, 200), np.uint8)
        >>> mask[50:53] = mask[20:80, 60:64] = 255  # a line and a one
        >>> cleaned = remove_lines(mask, mask, [Line(False, 0, np.full(200, 51.0), 3.0)])
        >>> bool(cleaned[20:80, 60:64].all()), int(np.count_nonzero(cleaned))
        (True, 240)
    """
    cleaned = mask.copy()
    is_line = np.zeros(mask.shape, bool)
    directions = [[line for line in lines if line.vertical == vertical] for vertical in (False, True)]
    bands = [_Band.around(chosen, mask) for chosen in directions if chosen]
    for band in bands:
        is_line.ravel()[band.place[band.is_own]] = True
    for band in bands:
        cleaned.ravel()[band.place[band.removed(mask, ink, is_line)]] = 0
    return cleaned


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """The pixels of lines of one direction and beside them: a column of the tables for each pixel along a line.

    Attributes:
        place: int64 (2 * reach + 1, N), index into the flat image; the middle row is the path.
        is_inside: bool (2 * reach + 1, N), whether it is in the image.
        is_own: bool (2 * reach + 1, N), whether it is on the line.
        half: int64 (N,), half the thickness of the line.
        line: int64 (N,), number of the line.
    """

    place: NDArray[np.int64]
    is_inside: NDArray[np.bool_]
    is_own: NDArray[np.bool_]
    half: NDArray[np.int64]
    line: NDArray[np.int64]

    @classmethod
    def around(cls, lines: list[Line], mask: NDArray[np.uint8]) -> "_Band":
        """Collect the pixels around lines of one direction."""
        vertical = lines[0].vertical
        length, breadth = mask.shape if vertical else mask.shape[::-1]
        paths = [_with_ends(line) for line in lines]
        lengths = [len(path) for path in paths]
        number = np.repeat(np.arange(len(lines)), lengths)
        half = np.array([int(line.thickness / 2 + 1) for line in lines])[number]
        reach = int(half.max()) + BESIDE_PX
        offsets = np.arange(-reach, reach + 1)[:, None]
        along = np.concatenate([line.start - END_PX + np.arange(n) for line, n in zip(lines, lengths, strict=True)])
        across = np.rint(np.concatenate(paths)).astype(np.int64) + offsets
        is_inside = (across >= 0) & (across < breadth) & (along >= 0) & (along < length)
        along, across = along.clip(0, length - 1), across.clip(0, breadth - 1)
        place = along * mask.shape[1] + across if vertical else across * mask.shape[1] + along
        is_own = is_inside & (np.abs(offsets) <= half)
        is_own &= _goes_on_along((is_own & (mask.ravel()[place] > 0)).any(axis=0), lengths)
        return cls(place, is_inside, is_own, half, number)

    def removed(self, mask: NDArray[np.uint8], ink: NDArray[np.uint8], is_line: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which pixels are on a line where no stroke goes on beside it, and where it is not darker than usual."""
        reach = len(self.place) // 2
        darkness = ink.ravel()[self.place[reach]]
        limits = np.flatnonzero(np.diff(self.line)) + 1
        usual = np.array([median(part) for part in np.split(darkness, limits)])[self.line]
        line = is_line.ravel()[self.place]
        stroke = (mask.ravel()[self.place] > 0) & self.is_inside & ~line
        before, after = stroke[reach::-1], stroke[reach:]  # from the middle outwards
        joined_before = np.logical_and.accumulate(line[reach::-1] | before)  # lines that touch this one are passed
        joined_after = np.logical_and.accumulate(line[reach:] | after)
        is_kept = darkness > CROSSING_DARKNESS * usual
        is_kept |= (joined_before[1:] & before[1:] & before[:-1]).any(axis=0)
        is_kept |= (joined_after[1:] & after[1:] & after[:-1]).any(axis=0)
        pixel = np.arange(len(self.half))
        offsets = np.arange(-reach, reach + 1)[:, None]
        fringe = np.where(offsets < 0, before[self.half + 1, pixel], after[self.half + 1, pixel])
        removed = self.is_inside & (np.abs(offsets) <= self.half + fringe)
        return np.asarray(removed & self.is_own.any(axis=0) & ~is_kept)


def _goes_on_along(is_inked: NDArray[np.bool_], lengths: list[int]) -> NDArray[np.bool_]:
    """Tell which columns belong to the lines: beyond the ends of a line, those up to the first without ink."""
    stop = np.cumsum(lengths)[:, None]
    start = stop - np.array(lengths)[:, None]
    beyond = np.arange(END_PX)
    before, after = start + END_PX - 1 - beyond, stop - END_PX + beyond  # (lines, END_PX), outwards
    belongs = np.ones(len(is_inked), bool)
    belongs[before] = np.logical_and.accumulate(is_inked[before], axis=1)
    belongs[after] = np.logical_and.accumulate(is_inked[after], axis=1)
    return belongs


def _with_ends(line: Line) -> NDArray[np.float64]:
    """Return the path of a line, continued straight by `END_PX` at both ends."""
    near = min(len(line.path), 3 * END_PX) - 1
    before = (line.path[near] - line.path[0]) / max(near, 1)
    after = (line.path[-1] - line.path[-1 - near]) / max(near, 1)
    beyond = np.arange(1, END_PX + 1)
    return np.concatenate([line.path[0] - before * beyond[::-1], line.path, line.path[-1] + after * beyond])
