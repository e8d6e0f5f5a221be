"""A sheet that a rendered person filled in, and photographs of it, for tests."""

from functools import cache

import numpy as np

from digitedge.collecting import CELLS, Cell
from digitedge.collecting.example import fill_in_sheet
from digitedge.synthetic.page.pens import BLUE, Pen, PenType
from digitedge.synthetic.sheets import Shot, photograph, sample_digit_hand

EMPTY = frozenset(cell for cell in CELLS if cell.column == 11)
CROSSED_OUT = frozenset(Cell(row, 10) for row in range(10))
FILLED = frozenset(CELLS) - EMPTY - CROSSED_OUT
PEN = Pen(PenType.BALL, BLUE, opacity=0.9, width=0.06)
TILTED = Shot(tilt=30, direction=50, turn=12)


@cache
def filled_page() -> np.ndarray:
    """The page, uint8 (H, W, 3); tests that write on it take a copy."""
    hand = sample_digit_hand(5, PEN)
    return fill_in_sheet(hand, np.random.default_rng(5), empty=EMPTY, crossed_out=CROSSED_OUT)


@cache
def photo_of(shot: Shot = TILTED) -> np.ndarray:
    """A photograph of it."""
    return photograph(filled_page(), np.random.default_rng(1), shot)
