"""Tables: horizontal and vertical lines that cross become a grid of cells.

Ruled paper is no table (nothing divides its lines), nor is squared paper (its squares are not made for one number
each), nor a comb field (its boxes hold the digits of one number).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.vision.groups import connected_group
from digitedge.vision.lines import Line

# In longer sides of the image: the largest distance of two lines that are one (a double line, or one that was found on
# two levels), and how far a line may end before the line that bounds it.
SAME_LINE = 0.006
END_GAP = 0.02
# Lines nearer to each other than this share of the usual distance are one too.
MIN_SPACING = 0.25
# Number of points at which a line is sampled.
POINTS = 33
# Least number of rows, and of columns.
MIN_CELLS = 2
# Least share of the side between two cells that is drawn; else they are one cell.
MIN_DRAWN = 0.5
# Least share of the lines that end within a cell of the outer ones: the lines of ruled paper go on.
MIN_BOUNDED = 0.45
# More cells than this, all of one height and width but for this relative difference, are squared paper.
MAX_SQUARES = 150
SQUARE_TOLERANCE = 0.15


@dataclass(frozen=True, slots=True)
class TableGrid:
    """The cells of a table.

    Attributes:
        rows: from top to bottom, of cells from left to right: x, y, width, height in pixels of the image. All rows are
            equally long: a merged cell stands at each place that it covers.
    """

    rows: tuple[tuple[Box, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """Lines that continue each other; `along` is x if they are horizontal, else y.

    Attributes:
        along: float64 (N,), increasing.
        across: float64 (N,).
        parts: float64 (M, 2), where along it there are lines.
    """

    along: NDArray[np.float64]
    across: NDArray[np.float64]
    parts: NDArray[np.float64]

    def at(self, along: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the other coordinate; the track goes on straight beyond its ends."""
        run = self.along[-1] - self.along[0]
        beyond = along - along.clip(self.along[0], self.along[-1])
        slope = (self.across[-1] - self.across[0]) / max(run, 1.0)
        return np.asarray(np.interp(along, self.along, self.across) + beyond * slope)

    def drawn(self, first: NDArray[np.float64], last: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share from `first` to `last` where there is a line."""
        common = np.minimum(self.parts[:, 1:], last) - np.maximum(self.parts[:, :1], first)  # (M, N)
        return np.asarray(common.clip(0).sum(axis=0) / np.maximum(last - first, 1))


def find_tables(lines: Sequence[Line], shape: tuple[int, int]) -> tuple[TableGrid, ...]:
    """Find the tables that lines make: at least two rows and two columns.

    Args:
        lines: in pixels of the image, of one level of the pyramid or of several.
        shape: height and width of the image.

    Returns:
        From top to bottom.

    Examples:
        >>> rows = [Line(False, 20, np.full(301, y), 2.0) for y in (40.0, 90.0, 140.0)]
        >>> columns = [Line(True, 40, np.full(101, x), 2.0) for x in (20.0, 120.0, 320.0)]
        >>> find_tables(rows + columns, (200, 400))[0].rows[1]
        ((20, 90, 100, 50), (120, 90, 200, 50))
    """
    unit = max(shape)
    rows, columns = ([line for line in lines if line.vertical == vertical] for vertical in (False, True))
    if min(len(rows), len(columns)) <= MIN_CELLS:
        return ()
    horizontal, vertical = _tracks(rows, unit), _tracks(columns, unit)
    x, y = _crossings(horizontal, vertical)
    meets = _contains(horizontal, x, END_GAP * unit) & _contains(vertical, y.T, END_GAP * unit).T
    tables = []
    for row, column in _groups(meets):
        row = _order(row, y[np.ix_(row, column)], [horizontal[i] for i in row], unit)
        column = _order(column, x[np.ix_(row, column)].T, [vertical[i] for i in column], unit)
        corners = np.stack([x[np.ix_(row, column)], y[np.ix_(row, column)]], axis=-1)
        if min(corners.shape[:2]) <= MIN_CELLS or _is_squared_paper(corners):
            continue
        rows_of_table, columns_of_table = [horizontal[i] for i in row], [vertical[i] for i in column]
        if _are_bounded(rows_of_table, corners[..., 0]) and _are_bounded(columns_of_table, corners[..., 1].T):
            tables.append(_grid(corners, rows_of_table, columns_of_table))
    return tuple(sorted(tables, key=lambda table: table.rows[0][0][1::-1]))


def _tracks(lines: list[Line], unit: int) -> list[_Track]:
    """Join lines of one direction that run along each other or continue each other."""
    at = np.stack([np.linspace(0, len(line.path) - 1, POINTS) for line in lines])
    along = at + np.array([line.start for line in lines])[:, None]
    across = np.stack([line.path[place.astype(np.int64)] for line, place in zip(lines, at, strict=True)])
    slope = (across[:, -1] - across[:, 0]) / np.maximum(along[:, -1] - along[:, 0], 1)
    # Where the second of each two lines is nearest to the middle of the first, (N, N).
    middle = np.median(along, axis=1)[:, None].clip(along[:, 0], along[:, -1])
    other = np.stack([np.interp(middle[:, j], along[j], across[j]) for j in range(len(lines))], axis=1)
    own = np.stack([np.interp(middle[i], along[i], across[i]) for i in range(len(lines))])
    own += slope[:, None] * (middle - middle.clip(along[:, :1], along[:, -1:]))
    gap = np.maximum(along[:, :1], along[:, 0]) - np.minimum(along[:, -1:], along[:, -1])
    is_same = (np.abs(own - other) <= SAME_LINE * unit) & (gap <= END_GAP * unit)
    owner = np.arange(len(lines))
    while np.any(owner != (owner := np.where(is_same | is_same.T, owner, len(lines)).min(axis=1))):
        continue
    tracks = []
    for i in np.unique(owner):
        members = owner == i
        order = np.argsort(along[members].ravel())
        parts = along[members][:, [0, -1]]
        tracks.append(_Track(along[members].ravel()[order], across[members].ravel()[order], _united(parts)))
    return tracks


def _united(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Join intervals (N, 2) that overlap."""
    parts = parts[np.argsort(parts[:, 0])]
    reached = np.maximum.accumulate(parts[:, 1])
    starts = np.flatnonzero(np.concatenate([[True], parts[1:, 0] > reached[:-1]]))
    return np.stack([parts[starts, 0], np.maximum.reduceat(parts[:, 1], starts)], axis=1)


def _crossings(horizontal: list[_Track], vertical: list[_Track]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y (rows, columns) of the points in which tracks cross, or would if they went on."""
    y = np.repeat([[track.across.mean()] for track in horizontal], len(vertical), axis=1)
    for _ in range(3):
        x = np.stack([track.at(y[:, j]) for j, track in enumerate(vertical)], axis=1)
        y = np.stack([track.at(x[i]) for i, track in enumerate(horizontal)])
    return x, y


def _contains(tracks: list[_Track], along: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
    """Tell for each track which places (N, M) are between its ends."""
    first = np.array([[track.along[0]] for track in tracks]) - margin
    last = np.array([[track.along[-1]] for track in tracks]) + margin
    return (along >= first) & (along <= last)


def _groups(meets: NDArray[np.bool_]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return the connected groups of rows and columns of which each meets at least two others."""
    count = -1
    while count != (count := int(meets.sum())):
        meets = meets & (meets.sum(axis=1, keepdims=True) > 1) & (meets.sum(axis=0) > 1)
    groups = []
    left = np.asarray(meets.any(axis=1))
    while left.any():
        rows, columns = connected_group(meets, int(left.argmax()))
        left &= ~rows
        groups.append((np.flatnonzero(rows), np.flatnonzero(columns)))
    return groups


def _order(members: NDArray[np.intp], place: NDArray[np.float64], tracks: list[_Track], unit: int) -> NDArray[np.intp]:
    """Sort the tracks of a group by their places (members, crossing tracks), and leave out one of each double line."""
    middle = np.median(place, axis=1)
    order = np.argsort(middle)
    spacing = np.diff(middle[order])
    least = max(SAME_LINE * unit, MIN_SPACING * float(np.median(spacing))) if len(spacing) else 0.0
    length = np.array([np.ptp(track.parts, axis=1).sum() for track in tracks])
    kept: list[np.intp] = []
    for i in order:
        if kept and middle[i] - middle[kept[-1]] < least:
            if length[i] > length[kept[-1]]:
                kept[-1] = i
        else:
            kept.append(i)
    return members[kept]


def _are_bounded(tracks: list[_Track], along: NDArray[np.float64]) -> bool:
    """Tell whether most tracks end within a cell of the first and the last one across, which they cross at `along`."""
    start, end = np.array([track.along[[0, -1]] for track in tracks]).T
    before, after = along[:, 0] - start, end - along[:, -1]
    cells = np.diff(along, axis=1)
    usual = np.median(cells, axis=1)
    is_bounded = (before <= np.maximum(cells[:, 0], usual)) & (after <= np.maximum(cells[:, -1], usual))
    return bool(is_bounded.mean() >= MIN_BOUNDED)


def _is_squared_paper(corners: NDArray[np.float64]) -> bool:
    """Tell whether there are very many cells that are all alike."""
    heights, widths = np.diff(corners[..., 1], axis=0).mean(axis=1), np.diff(corners[..., 0], axis=1).mean(axis=0)
    size = float(np.median(np.concatenate([heights, widths])))
    alike = np.abs(np.concatenate([heights, widths]) - size) <= SQUARE_TOLERANCE * size
    return bool(len(heights) * len(widths) > MAX_SQUARES and alike.mean() >= 1 - SQUARE_TOLERANCE)


def _grid(corners: NDArray[np.float64], horizontal: list[_Track], vertical: list[_Track]) -> TableGrid:
    """Make cells of the corners (rows + 1, columns + 1, 2): neighbours with nothing drawn between them are one."""
    x, y = corners[..., 0], corners[..., 1]
    over = np.stack([track.drawn(x[i, :-1], x[i, 1:]) for i, track in enumerate(horizontal)]) >= MIN_DRAWN
    beside = np.stack([track.drawn(y[:-1, j], y[1:, j]) for j, track in enumerate(vertical)], axis=1) >= MIN_DRAWN
    count, width = over.shape[0] - 1, over.shape[1]
    cells: list[list[Box]] = [[(0, 0, 0, 0)] * width for _ in range(count)]
    is_taken = np.zeros((count, width), bool)
    for row, column in np.ndindex(count, width):
        if is_taken[row, column]:
            continue
        right, bottom = column + 1, row + 1
        while right < width and not beside[row, right] and not is_taken[row, right]:
            right += 1
        while bottom < count and not over[bottom, column:right].any() and not beside[bottom, column + 1 : right].any():
            bottom += 1
        is_taken[row:bottom, column:right] = True
        left, top = x[[row, bottom], column].mean(), y[row, [column, right]].mean()
        box_width, box_height = x[[row, bottom], right].mean() - left, y[bottom, [column, right]].mean() - top
        box = round(left), round(top), round(box_width), round(box_height)
        for place in range(row, bottom):
            cells[place][column:right] = [box] * (right - column)
    return TableGrid(tuple(tuple(row) for row in cells))
