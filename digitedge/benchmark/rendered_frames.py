"""Frames for timing: a rendered photograph of paper with a given number of digits."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import render_digit
from digitedge.synthetic.handwriting.writer import sample_single_writer
from digitedge.synthetic.noise import blend_colour
from digitedge.synthetic.page.paper_types import PaperType, make_paper
from digitedge.synthetic.page.pens import BOLD_BALL
from digitedge.synthetic.page.scene_types import Difficulty
from digitedge.synthetic.photo.effects import CONDITIONS, apply_light, blur_and_add_noise
from digitedge.synthetic.scenes.scene import MIN_PLAIN_FRAME_SIZE, check_frame_size

# Digits of a full row.
ROW = 10
# A digit's height is the smallest of these shares: of the row's height, of the cell's width, of the frame's height.
ROW_SHARE = 0.6
CELL_SHARE = 0.9
FRAME_SHARE = 0.3
# Share of the frame.
MARGIN = 0.06


def page_frame(count: int, *, width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Render a page with a number of digits, in rows of ten.

    Args:
        count: number of digits, >= 0.
        width: in pixels, >= 160.
        height: in pixels, >= 120.
        seed: of the random numbers.

    Returns:
        uint8 (height, width, 3), BGR, with light, blur and noise.
    """
    check_frame_size(width, height, smallest=MIN_PLAIN_FRAME_SIZE)
    rng = np.random.default_rng(seed)
    page = make_paper(PaperType.PLAIN, rng, width=width, height=height, pitch=height)
    _write(page, count, rng)
    conditions = CONDITIONS[Difficulty.EASY]
    return blur_and_add_noise(apply_light(page, rng, conditions), rng, conditions)


def _write(page: NDArray[np.uint8], count: int, rng: np.random.Generator) -> None:
    """Write each digit in the middle of its cell."""
    height, width = page.shape[:2]
    rows = max(1, -(-count // ROW))
    cell_width, cell_height = (1 - 2 * MARGIN) * width / ROW, (1 - 2 * MARGIN) * height / rows
    size = round(min(ROW_SHARE * cell_height, CELL_SHARE * cell_width, FRAME_SHARE * height))
    pen, writer = BOLD_BALL.sample(rng), sample_single_writer(rng, max(1, count))
    pen_width = max(2.0, pen.width * size)
    for index in range(count):
        row, column = divmod(index, ROW)
        ink = render_digit(
            index % 10, rng, height=size, pen_width=pen_width, pen_type=pen.type, writer=writer.at(index)
        )
        top = round(MARGIN * height + (row + 0.5) * cell_height - ink.shape[0] / 2)
        left = max(0, round(MARGIN * width + (column + 0.5) * cell_width - ink.shape[1] / 2))
        part = page[top : top + ink.shape[0], left : left + ink.shape[1]]
        blend_colour(part, ink[:, : part.shape[1]], pen.colour, opacity=pen.opacity)
