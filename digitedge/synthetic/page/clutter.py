"""Clutter on the page: frames, underlines, circles, tables, signs, words, litter.

The outlines of what could be taken for a digit are returned: an evaluation ignores it.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.synthetic.drawing import Image
from digitedge.synthetic.handwriting.letters import render_letter
from digitedge.synthetic.noise import blend_colour
from digitedge.synthetic.non_digits.samples import NonDigit, render_non_digit
from digitedge.synthetic.page.lines import draw_by_hand, ellipse_points, frame_points
from digitedge.synthetic.page.pens import Pen
from digitedge.synthetic.page.scene_types import Clutter
from digitedge.synthetic.page.texts import letter_pen_width, sample_text
from digitedge.synthetic.page.writing import GridLines, PlacedInk, Row, all_ink, bounds, paste_ink
from digitedge.utils.boxes import is_free

Outlines = list[NDArray[np.float64]]

_SIGNS = "+-=×÷/→<>"  # noqa: RUF001
_PRINT_COLOURS = ((60, 60, 60), (120, 120, 120), (150, 90, 60), (50, 40, 160))
# Non-digits that a person does not take for digits.
_LITTER = (NonDigit.SCRIBBLE, NonDigit.BLOT, NonDigit.OUTLINE, NonDigit.SIGN, NonDigit.LINES, NonDigit.TEXTURE)


def add_clutter(clutter: Clutter, page: Image, rows: list[Row], rng: np.random.Generator) -> Outlines:
    """Draw one kind of clutter onto a page, in place, before its digits; kinds that are not on the page draw nothing.

    Returns:
        Outlines of what is to be ignored, float64 (P, 2) each.
    """
    adders: dict[Clutter, Callable[[Image, list[Row], np.random.Generator], Outlines]] = {
        Clutter.FRAME: _add_frames,
        Clutter.CIRCLE: _add_circles,
        Clutter.UNDERLINE: _add_underlines,
        Clutter.SIGNS: _add_signs,
        Clutter.WORDS: _add_words,
        Clutter.PRINT: partial(_add_words, printed=True),
        Clutter.LITTER: _add_litter,
    }
    return adders[clutter](page, rows, rng) if clutter in adders else []


def _add_frames(page: Image, rows: list[Row], rng: np.random.Generator) -> Outlines:
    """Draw a frame around all digits, or around each number. Nothing is ignored, because there are digits inside."""
    numbers = [number for row in rows for number in row]
    groups = [[one for number in numbers for one in number]] if rng.random() < 0.6 else numbers
    size = _median_height(rows)
    mask = np.zeros(page.shape[:2], np.uint8)
    pen = groups[0][0].pen
    thickness = size * pen.width * rng.uniform(0.6, 1.2)
    for group in groups:
        pad = size * rng.uniform(0.12, 0.5) + thickness
        points = frame_points(_padded_bounds(group, pad), rng, deviation=0.04 * size)
        draw_by_hand(mask, points, rng, thickness=thickness, wobble=0.01 * size)
    blend_colour(page, mask, pen.colour, opacity=pen.opacity * rng.uniform(0.7, 1))
    return []


def _add_circles(page: Image, rows: list[Row], rng: np.random.Generator) -> Outlines:
    """Draw circles around one or more of the numbers. Nothing is ignored."""
    numbers = [number for row in rows for number in row]
    chosen = [number for number in numbers if rng.random() < 0.6] or numbers[:1]
    pen, size = numbers[0][0].pen, _median_height(rows)
    mask = np.zeros(page.shape[:2], np.uint8)
    for number in chosen:
        edges = _padded_bounds(number, size * rng.uniform(0.05, 0.2))
        points = ellipse_points(edges, rng, deviation=0.05 * size)
        draw_by_hand(mask, points, rng, thickness=size * pen.width * rng.uniform(0.5, 1), wobble=0.0)
    blend_colour(page, mask, pen.colour, opacity=pen.opacity)
    return []


def _add_underlines(page: Image, rows: list[Row], rng: np.random.Generator) -> Outlines:
    """Underline rows or numbers closely: the line often touches the digits and rarely crosses their feet."""
    mask = np.zeros(page.shape[:2], np.uint8)
    outlines: Outlines = []
    whole_rows, twice, size = rng.random() < 0.5, rng.random() < 0.25, _median_height(rows)
    distance = size * rng.uniform(-0.04, 0.15)
    pen = rows[0][0][0].pen
    thickness = size * pen.width * rng.uniform(0.6, 1.1)
    half = np.array([0, 0.7 * thickness])
    for row in rows:
        for group in [all_ink([row])] if whole_rows else row:
            left, _, right, _ = bounds([group])
            overhang = size * rng.uniform(0, 0.3)
            feet = [group[0].y + group[0].ink.shape[0], group[-1].y + group[-1].ink.shape[0]]
            for line in range(2 if twice else 1):
                down = distance + thickness / 2 + line * (size * 0.12 + thickness)
                ends = np.array([[left - overhang, feet[0] + down], [right + overhang, feet[1] + down]])
                draw_by_hand(mask, ends, rng, thickness=thickness, wobble=0.015 * size)
                outlines.append(np.concatenate([ends - half, ends + half]))
    blend_colour(page, mask, pen.colour, opacity=pen.opacity)
    return outlines


def _add_signs(page: Image, rows: list[Row], rng: np.random.Generator) -> Outlines:
    """Write a sign into each gap between two numbers that is wide enough."""
    outlines: Outlines = []
    size = _median_height(rows)
    for row in rows:
        for before, after in pairwise(row):
            left, right = bounds([before])[2], bounds([after])[0]
            pen = before[0].pen
            sign = str(rng.choice(list(_SIGNS)))
            height = round(size * rng.uniform(0.6, 0.95))
            pen_width = letter_pen_width(pen, height)
            ink = render_letter(sign, rng, height=max(4, height), pen_width=pen_width, pen_type=pen.type)
            if ink.shape[1] < 0.8 * (right - left):
                middle = before[-1].y + before[-1].ink.shape[0] / 2
                x, y = round((left + right - ink.shape[1]) / 2), round(middle - ink.shape[0] / 2)
                outlines.append(_paste(page, PlacedInk(ink, x, y, pen)))
    return outlines


def _add_words(page: Image, rows: list[Row], rng: np.random.Generator, *, printed: bool = False) -> Outlines:
    """Write or print words above, below or behind the rows, as far as there is room."""
    size = _median_height(rows)
    height = max(7, round(size * rng.uniform(0.5, 0.9) if printed else size * rng.uniform(0.7, 1.1)))
    pen, joined = rows[0][0][0].pen, rng.random() < 0.5
    if printed:
        pen = Pen(pen.type, _PRINT_COLOURS[rng.integers(len(_PRINT_COLOURS))], 0.9, 0.1)
    outlines: Outlines = []
    for x, y, room in _sample_word_places(rng, rows, size=size, width=page.shape[1]):
        for _ in range(4):
            ink = sample_text(rng, pen, height=height, joined=joined, printed=printed)
            if ink.shape[1] <= room and ink.shape[0] <= y <= page.shape[0]:
                outlines.append(_paste(page, PlacedInk(ink, round(x), round(y - ink.shape[0]), pen)))
                break
    return outlines


def _sample_word_places(
    rng: np.random.Generator, rows: list[Row], *, size: float, width: int
) -> list[tuple[float, float, float]]:
    """Sample places around the digits: left edge and foot of a word, and the width there."""
    left, top, right, bottom = bounds([all_ink(rows)])
    start = max(0.1 * width, left - size * rng.uniform(0, 1))
    end = 0.9 * width
    places = [
        (start, top - 0.5 * size, end - start),
        (start, top - 2.0 * size, end - start),
        (start, bottom + 1.9 * size, end - start),
        (right + 0.8 * size, top + size, end - right - 0.8 * size),
    ]
    return [place for place in places if rng.random() < 0.7] or places


def _add_litter(page: Image, rows: list[Row], rng: np.random.Generator) -> Outlines:
    """Scatter blots, scribbles, arrows and the like over the page, where there is no digit."""
    size, pen = _median_height(rows), rows[0][0][0].pen
    taken = [one.box for one in all_ink(rows)]
    outlines: Outlines = []
    for _ in range(rng.integers(2, 9)):
        kind = _LITTER[rng.integers(len(_LITTER))]
        ink = render_non_digit(kind, rng, height=max(8, round(size * rng.uniform(0.2, 1.5))))
        x, y = rng.uniform(0, 1, 2) * [page.shape[1] - ink.shape[1], page.shape[0] - ink.shape[0]]
        placed = PlacedInk(ink, int(x), int(y), pen)
        if is_free(placed.box, taken):
            outlines.append(_paste(page, placed))
    return outlines


def add_table(page: Image, rows: list[Row], rng: np.random.Generator, lines: GridLines) -> None:
    """Draw the lines of a table."""
    pen, size = rows[0][0][0].pen, _median_height(rows)
    mask = np.zeros(page.shape[:2], np.uint8)
    thickness = size * rng.uniform(0.02, 0.1)
    every_third_bold = rng.random() < 0.4
    xs, ys = lines
    for vertical, stops, ends in ((True, xs, ys), (False, ys, xs)):
        for index, stop in enumerate(stops):
            points = np.array([[stop, ends[0]], [stop, ends[-1]]], np.float64)
            factor = 2 if every_third_bold and index % 3 == 0 else 1
            points = points if vertical else points[:, ::-1]
            draw_by_hand(mask, points, rng, thickness=thickness * factor, wobble=0.01 * size)
    blend_colour(page, mask, pen.colour, opacity=pen.opacity * rng.uniform(0.5, 1))


def _median_height(rows: list[Row]) -> float:
    """Median height of the digits in pixels."""
    return float(np.median([one.ink.shape[0] for one in all_ink(rows)]))


def _padded_bounds(number: list[PlacedInk], pad: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = bounds([number])
    return left - pad, top - pad, right + pad, bottom + pad


def _paste(page: Image, placed: PlacedInk) -> NDArray[np.float64]:
    """Write ink onto the page and return its outline."""
    paste_ink(page, placed)
    return placed.outline()
