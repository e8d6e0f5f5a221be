"""The grid of a table: where its lines are, how they are drawn, and what is written or printed into its cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.documents.hand import Hand
from digitedge.synthetic.documents.rules import Rule, draw_rule
from digitedge.synthetic.documents.sheet import MAX_HEIGHT, MIN_HEIGHT, Sheet
from digitedge.synthetic.drawing import Edges, fill_polygon
from digitedge.synthetic.page.page import PageTable

# Share of the tables that fill their page.
FITTED = 0.75


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where the lines of a table are.

    Attributes:
        xs: float64 (C + 1,), of the vertical lines at their upper ends, in pixels.
        ys: float64 (R + 1,), of the horizontal lines at their left ends, in pixels.
        lean: how far the vertical lines lean to the right on their way down, in heights.
        slope: how far the horizontal lines fall to the right, in widths.
    """

    xs: NDArray[np.float64]
    ys: NDArray[np.float64]
    lean: float = 0.0
    slope: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.ys) - 1, len(self.xs) - 1

    def points(self) -> NDArray[np.float64]:
        """Return where the lines cross, float64 (R + 1, C + 1, 2), in pixels."""
        x, y = np.meshgrid(self.xs, self.ys)
        return np.stack([x + self.lean * (y - self.ys[0]), y + self.slope * (x - self.xs[0])], -1)

    def cell(self, row: int, column: int) -> Edges:
        """Return the edges of a cell as if it were upright."""
        corners = self.corners()[row, column]
        (left, top), (right, bottom) = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
        top, bottom = corners[:2, 1].mean(), corners[2:, 1].mean()
        return float(left), float(top), float(right), float(bottom)

    def corners(self) -> NDArray[np.float64]:
        """Return the corners of the cells, float64 (R, C, 4, 2), in pixels, clockwise from the upper left."""
        points = self.points()
        return np.stack([points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]], 2)


def fit_grid(sheet: Sheet, widths: list[float], count: int, height: float, *, skew: float = 1.0) -> Grid:
    """Place a table of `count` rows; the digits of the sheet get a size that fits.

    The `widths` of the columns and the `height` of a row are in heights of a digit.
    """
    rng, (left, top, right, bottom) = sheet.rng, sheet.area
    size = sheet.size
    if rng.random() < FITTED:
        size = min((right - left) / sum(widths), (bottom - top) / (count * height)) * rng.uniform(0.7, 1)
    size = float(np.clip(size, MIN_HEIGHT, MAX_HEIGHT))
    sheet.resize(size)
    return make_grid(sheet, [wide * size for wide in widths], count, height * size, skew=skew)


def make_grid(sheet: Sheet, widths: list[float], count: int, height: float, *, skew: float = 1.0) -> Grid:
    """Place a table of `count` rows, or as many as there is room for.

    The `widths` of the columns and the `height` of a row are in pixels; the larger `skew`, the more it is sheared.
    """
    left, top, right, bottom = sheet.area
    rng = sheet.rng
    wide = np.array(widths)
    scale = min(1.0, (right - left) / wide.sum())
    count = int(np.clip(count, 1, max(1, (bottom - top) / height)))
    xs = np.concatenate([[0.0], np.cumsum(wide * scale)])
    ys = np.arange(count + 1) * height
    x, y = left + rng.random() * (right - left - xs[-1]), top + rng.random() * (bottom - top - ys[-1])
    return Grid(xs + x, ys + y, float(rng.normal(0, 0.006) * skew), float(rng.normal(0, 0.006) * skew))


def draw_grid(
    sheet: Sheet,
    grid: Grid,
    rule: Rule,
    *,
    bold_every: int = 0,
    bold: float = 2.5,
    horizontal: bool = True,
    vertical: bool = True,
) -> None:
    """Draw the lines of a table, its border always; every so many are `bold` times as thick, or none."""
    points = grid.points()
    over, rng = rule.wobble * 1.5, sheet.rng
    for across, draw in ((False, horizontal), (True, vertical)):
        lines = points.swapaxes(0, 1) if across else points
        for index, line in enumerate(lines):
            border = index in (0, len(lines) - 1)
            if not draw and not border:
                continue
            style = rule.bold(bold) if bold_every and index % bold_every == 0 else rule
            start, end = line[0], line[-1]
            direction = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
            reach = direction * over * rng.random()
            draw_rule(sheet.image, np.stack([start - reach, end + reach]), style, rng)


def shade_cells(sheet: Sheet, grid: Grid) -> None:
    """Shade the first row, a column, or every other row of some tables."""
    rng = sheet.rng
    kind = rng.random()
    chosen = np.zeros(grid.shape, bool)
    opacity = float(rng.uniform(0.06, 0.3))
    if kind < 0.12:
        chosen[0] = True
    elif kind < 0.18:
        chosen[:, rng.integers(grid.shape[1])] = True
    elif kind < 0.24:
        chosen[::2] = True
    corners = grid.corners()
    for r, c in np.argwhere(chosen).tolist():
        fill_polygon(sheet.image, corners[r, c], sheet.pale(opacity))


def write_cell(
    sheet: Sheet,
    edges: Edges,
    text: str,
    *,
    height: float,
    row: object,
    hand: Hand | None = None,
    align: float = 0.5,
    careless: float = 1.0,
) -> None:
    """Write a text into a cell, its digits `height` pixels high, in a row of digits or (None) one of its own.

    `align` is 0 for left to 1 for right; the more `careless` than 1, the more often it touches the lines.
    """
    rng = sheet.rng
    left, top, right, bottom = edges
    height = min(height, 1.05 * (bottom - top))
    pad = 0.12 * height
    slack = max(0.0, bottom - top - height) / 2
    y = bottom - slack + rng.normal(0, 0.35 * slack + 0.03 * height * careless)
    x = (left + pad) * (1 - align) + (right - pad) * align + rng.normal(0, 0.06 * height * careless)
    sheet.write(text, x, y, height=height, hand=hand, row=row, align=align, width=1.02 * (right - left) - pad)


def print_cell(sheet: Sheet, edges: Edges, text: str, *, height: float, align: float = 0.5, row: object = None) -> None:
    """Print a text into a cell, its capitals `height` pixels high; with a row, its digits are data, else ignored."""
    left, top, right, bottom = edges
    height = min(height, 0.8 * (bottom - top))
    x = (left + 0.2 * height) * (1 - align) + (right - 0.2 * height) * align
    y = (top + bottom + height) / 2
    sheet.print(
        text, x, y, height=height, align=align, row=row, digits=row is not None, width=right - left - 0.3 * height
    )


def keep_table(sheet: Sheet, grid: Grid, written: dict[tuple[int, int], str]) -> None:
    """Remember the table and the digits of the texts written into its cells, by row and column."""
    rows, columns = grid.shape
    keep = [["".join(filter(str.isdigit, written.get((r, c), ""))) for c in range(columns)] for r in range(rows)]
    sheet.tables.append(PageTable(keep, grid.corners()))


def print_title(sheet: Sheet, grid: Grid) -> None:
    """Print a heading above a table, or lines of print below it, where there is room."""
    rng, (left, top, right, bottom) = sheet.rng, sheet.area
    small = max(6.0, min(0.5 * sheet.size, 0.02 * (bottom - top)) * rng.uniform(0.6, 1.4))
    if grid.ys[0] - top > 3 * small and rng.random() < 0.6:
        title = f"{sheet.label()} {sheet.word()} {sheet.word()} {rng.integers(1, 2030)}"
        sheet.print(title, left, grid.ys[0] - 1.2 * small, height=small * rng.uniform(1, 1.5), width=right - left)
    if bottom - grid.ys[-1] > 4 * small and rng.random() < 0.3:
        sheet.paragraph((left, grid.ys[-1] + 1.5 * small, right, min(bottom, grid.ys[-1] + 8 * small)), height=small)
