"""A rendered person fills in a sheet: for the demo, for tests, and to measure how well sheets are read."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.page import draw_image
from digitedge.collecting.sheet import CELLS, Cell, Paper, block_corner_mm
from digitedge.synthetic.sheets import CROSSINGS, Hand, cross_out, write_in_box
from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2, resize

DPI = 200
"""Resolution of the page: twice that of the photograph of a telephone at a thousand pixels."""

# Height of the digits in heights of a cell, and their largest width in widths of one.
_HEIGHTS = (0.5, 0.75)
_MAX_WIDTH = 1.05


def fill_in_sheet(
    hand: Hand,
    rng: np.random.Generator,
    *,
    empty: Collection[Cell] = (),
    crossed_out: Collection[Cell] = (),
    paper: Paper = Paper.A4,
    stray: float = 0.05,
) -> NDArray[np.uint8]:
    """Fill in a sheet: uint8 (H, W, 3), the page at `DPI`.

    Args:
        hand: that writes.
        rng: each digit differs.
        empty: cells that stay empty.
        crossed_out: cells whose digit is crossed out.
        paper: of the sheet.
        stray: how far digits are from the middle of their cell, see `write_in_box`.

    Examples:
        >>> from digitedge.synthetic.page.pens import BALL
        >>> from digitedge.synthetic.sheets import sample_digit_hand
        >>> rng = np.random.default_rng(0)
        >>> fill_in_sheet(sample_digit_hand(0, BALL.sample(rng)), rng).shape
        (2339, 1654, 3)
    """
    page = draw_image(paper=paper, dpi=DPI)
    for cell in CELLS:
        if cell in empty:
            continue
        box = page_box(cell, paper=paper)
        ink = hand.write(cell.row, rng, height=round(box[3] * rng.uniform(*_HEIGHTS)))
        shrink = min(1.0, _MAX_WIDTH * box[2] / ink.shape[1])
        if shrink < 1:
            ink = resize(ink, (round(ink.shape[1] * shrink), round(ink.shape[0] * shrink)), cv2.INTER_AREA)
        write_in_box(page, ink, box, hand.pen, rng, stray=stray)
        if cell in crossed_out:
            how = CROSSINGS[rng.integers(len(CROSSINGS))]
            cross_out(page, box, hand.pen, rng, how=how, width=max(2, round(0.6 * hand.pen.width * box[3])))
    return page


def page_box(cell: Cell, *, paper: Paper = Paper.A4) -> Box:
    """Return where a cell is on the page of a paper, in pixels at `DPI`."""
    corner = block_corner_mm(paper)
    x, y, width, height = cell.box_mm
    left, top, right, bottom = (
        round(value * DPI / 25.4)
        for value in (corner[0] + x, corner[1] + y, corner[0] + x + width, corner[1] + y + height)
    )
    return left, top, right - left, bottom - top
