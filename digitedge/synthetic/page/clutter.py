"""Marks beside the digits: frames, underlines, circles, tables, signs, words, litter.

What somebody may take for a digit is to be ignored: its outline or box is given back.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.letters import render_letter
from digitedge.synthetic.noise import stain
from digitedge.synthetic.non_digits.samples import Mark, render_mark
from digitedge.synthetic.page.lines import box_points, circle_points, hand_line
from digitedge.synthetic.page.occluders import is_free
from digitedge.synthetic.page.scene_types import Extra
from digitedge.synthetic.page.surface import Tool
from digitedge.synthetic.page.texts import line_width, sample_text
from digitedge.synthetic.page.writing import Placed, Row, all_marks, bounds, put

Points = NDArray[np.float64]

_BETWEEN = "+-=×÷/→<>"  # noqa: RUF001
_PRINTER = ((60, 60, 60), (120, 120, 120), (150, 90, 60), (50, 40, 160))
# Marks beside the digits that nobody takes for digits.
_LITTER = (Mark.SCRIBBLE, Mark.BLOT, Mark.OUTLINE, Mark.SIGN, Mark.LINES, Mark.TEXTURE)


def add_extra(extra: Extra, page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> list[Points]:
    """Draw one kind of mark onto a page, in place, if it is a mark on the page at all.

    Args:
        extra: which.
        page: uint8 (H, W, 3), BGR.
        rows: the digits, as they will be written.
        rng: where chance comes from.

    Returns:
        Outlines of marks that are to be ignored, float64 (P, 2) each.
    """
    adders: dict[Extra, Callable[[NDArray[np.uint8], list[Row], np.random.Generator], list[Points]]] = {
        Extra.FRAME: add_frame,
        Extra.CIRCLE: add_circle,
        Extra.UNDERLINE: add_underlines,
        Extra.SIGNS: add_signs,
        Extra.WORDS: add_words,
        Extra.PRINT: partial(add_words, printed=True),
        Extra.LITTER: add_litter,
    }
    return adders[extra](page, rows, rng) if extra in adders else []


def add_frame(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> list[Points]:
    """Draw a frame around all digits, or around each number; nothing to ignore, for there are digits in it."""
    numbers = [number for row in rows for number in row]
    groups = [[mark for number in numbers for mark in number]] if rng.random() < 0.6 else numbers
    size = _size(rows)
    mask = np.zeros(page.shape[:2], np.uint8)
    tool = groups[0][0].tool
    thickness = size * tool.width * rng.uniform(0.6, 1.2)
    for group in groups:
        left, top, right, bottom = bounds(group)
        pad = size * rng.uniform(0.12, 0.5) + thickness
        corners = box_points((left - pad, top - pad, right + pad, bottom + pad), rng, untidy=0.04 * size)
        hand_line(mask, corners, rng, thickness=thickness, wobble=0.01 * size)
    stain(page, mask, tool.colour, opacity=tool.opacity * rng.uniform(0.7, 1))
    return []


def add_circle(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> list[Points]:
    """Draw circles around one or more of the numbers; nothing to ignore either."""
    numbers = [number for row in rows for number in row]
    chosen = [number for number in numbers if rng.random() < 0.6] or numbers[:1]
    tool, size = numbers[0][0].tool, _size(rows)
    mask = np.zeros(page.shape[:2], np.uint8)
    for number in chosen:
        left, top, right, bottom = bounds(number)
        pad = size * rng.uniform(0.05, 0.2)
        points = circle_points((left - pad, top - pad, right + pad, bottom + pad), rng, untidy=0.05 * size)
        hand_line(mask, points, rng, thickness=size * tool.width * rng.uniform(0.5, 1), wobble=0.0)
    stain(page, mask, tool.colour, opacity=tool.opacity)
    return []


def add_underlines(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> list[Points]:
    """Underline rows or numbers, closely: often the line touches the digits, rarely it crosses their feet."""
    mask = np.zeros(page.shape[:2], np.uint8)
    ignored: list[Points] = []
    whole, twice, size = rng.random() < 0.5, rng.random() < 0.25, _size(rows)
    away = size * rng.uniform(-0.04, 0.15)
    tool = rows[0][0][0].tool
    thickness = size * tool.width * rng.uniform(0.6, 1.1)
    half = np.array([0, 0.7 * thickness])
    for row in rows:
        for group in [[mark for number in row for mark in number]] if whole else row:
            left, _, right, _ = bounds(group)
            reach = size * rng.uniform(0, 0.3)
            feet = [group[0].y + group[0].ink.shape[0], group[-1].y + group[-1].ink.shape[0]]
            for again in range(2 if twice else 1):
                down = away + thickness / 2 + again * (size * 0.12 + thickness)
                ends = np.array([[left - reach, feet[0] + down], [right + reach, feet[1] + down]])
                hand_line(mask, ends, rng, thickness=thickness, wobble=0.015 * size)
                ignored.append(np.concatenate([ends - half, ends + half]))
    stain(page, mask, tool.colour, opacity=tool.opacity)
    return ignored


def add_signs(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> list[Points]:
    """Write a sign into each gap between two numbers that is wide enough."""
    ignored: list[Points] = []
    size = _size(rows)
    for row in rows:
        for before, after in pairwise(row):
            left, right = bounds(before)[2], bounds(after)[0]
            tool = before[0].tool
            sign = str(rng.choice(list(_BETWEEN)))
            high = round(size * rng.uniform(0.6, 0.95))
            ink = render_letter(sign, rng, height=max(4, high), pen_width=line_width(tool, high), pen=tool.pen)
            if ink.shape[1] < 0.8 * (right - left):
                middle = before[-1].y + before[-1].ink.shape[0] / 2
                place = (round((left + right - ink.shape[1]) / 2), round(middle - ink.shape[0] / 2))
                mark = Placed(ink, *place, tool)
                put(page, mark)
                ignored.append(mark.outline())
    return ignored


def add_words(
    page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator, *, printed: bool = False
) -> list[Points]:
    """Write or print words above, below, or behind the rows, as far as there is room."""
    size = _size(rows)
    high = max(7, round(size * rng.uniform(0.5, 0.9) if printed else size * rng.uniform(0.7, 1.1)))
    tool, joined = rows[0][0][0].tool, rng.random() < 0.5
    if printed:
        tool = Tool(tool.pen, _PRINTER[rng.integers(len(_PRINTER))], 0.9, 0.1)
    ignored: list[Points] = []
    for x, y, room in _word_places(rng, rows, size=size, width=page.shape[1]):
        for _ in range(4):
            ink = sample_text(rng, tool, height=high, joined=joined, printed=printed)
            if ink.shape[1] <= room and ink.shape[0] <= y <= page.shape[0]:
                mark = Placed(ink, round(x), round(y - ink.shape[0]), tool)
                put(page, mark)
                ignored.append(mark.outline())
                break
    return ignored


def _word_places(
    rng: np.random.Generator, rows: list[Row], *, size: float, width: int
) -> list[tuple[float, float, float]]:
    """Left edge and foot of words around the digits, and the room there."""
    left, top, right, bottom = bounds(all_marks(rows))
    start = max(0.1 * width, left - size * rng.uniform(0, 1))
    end = 0.9 * width
    places = [
        (start, top - 0.5 * size, end - start),
        (start, top - 2.0 * size, end - start),
        (start, bottom + 1.9 * size, end - start),
        (right + 0.8 * size, top + size, end - right - 0.8 * size),
    ]
    return [place for place in places if rng.random() < 0.7] or places


def add_litter(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> list[Points]:
    """Strew blots, scribbles, arrows and the like over the page, where no digit is."""
    size, tool = _size(rows), rows[0][0][0].tool
    taken = [bounds([mark]) for mark in all_marks(rows)]
    busy = [(left, top, right - left, bottom - top) for left, top, right, bottom in taken]
    ignored: list[Points] = []
    for _ in range(rng.integers(2, 9)):
        ink = render_mark(_LITTER[rng.integers(len(_LITTER))], rng, height=max(8, round(size * rng.uniform(0.2, 1.5))))
        place = rng.uniform(0, 1, 2) * [page.shape[1] - ink.shape[1], page.shape[0] - ink.shape[0]]
        mark = Placed(ink, int(place[0]), int(place[1]), tool)
        if is_free((mark.x, mark.y, ink.shape[1], ink.shape[0]), busy):
            put(page, mark)
            ignored.append(mark.outline())
    return ignored


def add_table(
    page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator, xs: list[float], ys: list[float]
) -> None:
    """Draw the lines of a table at the given x and y."""
    tool, size = rows[0][0][0].tool, _size(rows)
    mask = np.zeros(page.shape[:2], np.uint8)
    thickness = size * rng.uniform(0.02, 0.1)
    bold = rng.random() < 0.4
    for axis, (stops, ends) in enumerate(((xs, ys), (ys, xs))):
        for index, stop in enumerate(stops):
            points = np.array([[stop, ends[0]], [stop, ends[-1]]], np.float64)[:, :: 1 - 2 * axis]
            hand_line(
                mask, points, rng, thickness=thickness * (2 if bold and index % 3 == 0 else 1), wobble=0.01 * size
            )
    stain(page, mask, tool.colour, opacity=tool.opacity * rng.uniform(0.5, 1))


def _size(rows: list[Row]) -> float:
    """Usual height of the digits in pixels."""
    return float(np.median([mark.ink.shape[0] for mark in all_marks(rows)]))
