"""Frames for timing: a sheet of paper with exactly so many digits, as a camera sees it."""

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import render_ink
from digitedge.synthetic.handwriting.writer import one_hand
from digitedge.synthetic.page.page import check_size
from digitedge.synthetic.page.surface import Medium, choose_tool, make_surface
from digitedge.synthetic.photo.photograph import expose, sensor_noise, uneven_light

# Digits of a full row.
ROW = 10
# Height of a digit at most, in heights of its row, widths of its place, and heights of the frame.
OF_ROW, OF_PLACE, OF_FRAME = 0.6, 0.9, 0.3
MARGIN = 0.06
NOISE, BLUR = 2.5, 0.6


def page_frame(count: int, *, width: int, height: int, seed: int = 0) -> NDArray[np.uint8]:
    """Take an image of a page with so many digits, in rows of ten.

    Args:
        count: of digits, >= 0.
        width: of the frame in pixels, >= 160; `height` >= 120.
        height: as above.
        seed: the same seed gives the same page.

    Returns:
        uint8 (height, width, 3), BGR, with light, shadow, blur and noise.

    Examples:
        >>> page_frame(10, width=640, height=480).shape
        (480, 640, 3)
    """
    check_size(width, height)
    rng = np.random.default_rng(seed)
    page = make_surface(Medium.PAPER, rng, width=width, height=height, line=height)
    _write(page, count, rng)
    light = uneven_light(rng, width=width, height=height)
    noise = sensor_noise(rng, width=width, height=height, sigma=NOISE)
    return expose(page, np.eye(3), rng, light=light, noise=noise, blur=BLUR)


def _write(page: NDArray[np.uint8], count: int, rng: np.random.Generator) -> None:
    """Write each digit into the middle of a place of its own."""
    height, width = page.shape[:2]
    rows = max(1, -(-count // ROW))
    wide, high = (1 - 2 * MARGIN) * width / ROW, (1 - 2 * MARGIN) * height / rows
    size = round(min(OF_ROW * high, OF_PLACE * wide, OF_FRAME * height))
    tool, hand = choose_tool(Medium.PAPER, rng), one_hand(rng, max(1, count))
    colour = np.array(tool.colour, np.float32)
    for index in range(count):
        row, column = divmod(index, ROW)
        ink = render_ink(
            index % 10, rng, height=size, pen_width=max(2.0, tool.width * size), pen=tool.pen, hand=hand.one(index)
        )
        top = round(MARGIN * height + (row + 0.5) * high - ink.shape[0] / 2)
        left = max(0, round(MARGIN * width + (column + 0.5) * wide - ink.shape[1] / 2))
        part = page[top : top + ink.shape[0], left : left + ink.shape[1]]
        cover = ink[:, : part.shape[1], None].astype(np.float32) * np.float32(tool.opacity / 255)  # (h, w, 1)
        part[:] = np.rint(part * (1 - cover) + colour * cover).astype(np.uint8)
