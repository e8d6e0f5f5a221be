"""Marks beside the digits: frames, underlines, circles, tables, signs, words, date stamps.

What somebody may take for a digit is to be ignored: its outline or box is given back.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitedge.data.alphabet import LETTERS, SIGNS
from digitedge.data.grainy import stain
from digitedge.data.kinds import Extra
from digitedge.data.letters import any_word, render_letter, write_word
from digitedge.data.lines import box_points, circle_points, hand_line
from digitedge.data.surface import Tool
from digitedge.data.writing import Mark, Row
from digitedge.opencv import cv2

Points = NDArray[np.float64]

_BETWEEN = "+-=×÷/→<>"  # noqa: RUF001
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_COMPLEX)


def put(page: NDArray[np.uint8], mark: Mark) -> None:
    """Write ink onto a page, in place; what is beyond the page is lost."""
    top, left = max(0, -mark.y), max(0, -mark.x)
    ink = mark.ink[top : max(0, page.shape[0] - mark.y), left : max(0, page.shape[1] - mark.x)]
    if ink.size:
        y, x = mark.y + top, mark.x + left
        part = page[y : y + ink.shape[0], x : x + ink.shape[1]]
        stain(part, ink, mark.tool.colour, opacity=mark.tool.opacity)


def bounds(marks: list[Mark]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all ink."""
    left, top = min(mark.x for mark in marks), min(mark.y for mark in marks)
    right = max(mark.x + mark.ink.shape[1] for mark in marks)
    return left, top, right, max(mark.y + mark.ink.shape[0] for mark in marks)


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
    adders = {
        Extra.FRAME: add_frame,
        Extra.CIRCLE: add_circle,
        Extra.UNDERLINE: add_underlines,
        Extra.SIGNS: add_signs,
        Extra.WORDS: add_words,
    }
    return (adders[extra](page, rows, rng) or []) if extra in adders else []


def add_frame(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> None:
    """Draw a frame around all digits, or around each number."""
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


def add_circle(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> None:
    """Draw circles around one or more of the numbers."""
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
            ink = render_letter(sign, rng, height=max(4, high), pen_width=_pen(tool, high), pen=tool.pen)
            if ink.shape[1] < 0.8 * (right - left):
                middle = before[-1].y + before[-1].ink.shape[0] / 2
                place = (round((left + right - ink.shape[1]) / 2), round(middle - ink.shape[0] / 2))
                mark = Mark(ink, *place, tool)
                put(page, mark)
                ignored.append(mark.outline())
    return ignored


def add_words(page: NDArray[np.uint8], rows: list[Row], rng: np.random.Generator) -> list[Points]:
    """Write words above, below, or before the rows, as far as there is room."""
    size = _size(rows)
    high = max(6, round(size * rng.uniform(0.7, 1.1)))
    left, top, right, bottom = bounds([mark for row in rows for number in row for mark in number])
    tool, joined = rows[0][0][0].tool, rng.random() < 0.5
    ignored: list[Points] = []
    for x, y, room in _word_places(rng, (left, top, right, bottom), size=size, width=page.shape[1]):
        for _ in range(4):
            ink = write_word(rng, height=high, pen_width=_pen(tool, high), pen=tool.pen, joined=joined)
            if ink.shape[1] > room or y - ink.shape[0] < 0 or y > page.shape[0]:
                continue
            mark = Mark(ink, round(x), round(y - ink.shape[0]), tool)
            put(page, mark)
            ignored.append(mark.outline())
            break
    return ignored


def _word_places(
    rng: np.random.Generator, box: tuple[int, int, int, int], *, size: float, width: int
) -> list[tuple[float, float, float]]:
    """Left edge and foot of words around the digits' box, and the room there."""
    left, top, right, bottom = box
    start = max(0.08 * width, left - size * rng.uniform(0, 1))
    places = [
        (start, top - 0.6 * size, 0.95 * width - start),
        (start, top - 2.1 * size, 0.95 * width - start),
        (start, bottom + 1.9 * size, 0.95 * width - start),
        (right + 0.8 * size, top + size, 0.95 * width - right - 0.8 * size),
    ]
    return [place for place in places if rng.random() < 0.6] or places[:1]


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


def stamp(
    frame: NDArray[np.uint8], rng: np.random.Generator, boxes: list[tuple[int, int, int, int]]
) -> tuple[int, int, int, int] | None:
    """Print a date or a file name into a free corner of the frame, as cameras do.

    Returns:
        left, top, right, bottom of the text; None where no corner was free.
    """
    height, width = frame.shape[:2]
    year, month, day = 2000 + int(rng.integers(30)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    texts = (
        f"{day:02}.{month:02}.{year}",
        f"{year}/{month:02}/{day:02} {day % 24:02}:{year % 60:02}",
        f"IMG_{rng.integers(10**4)}",
        any_word(rng),
    )
    text, font = texts[rng.integers(len(texts))], _FONTS[rng.integers(len(_FONTS))]
    scale = max(0.35, height * rng.uniform(0.02, 0.05) / 22)
    thick = max(1, round(1.6 * scale))
    (w, h), below = cv2.getTextSize(text, font, scale, thick)
    pad = 4 + height // 60
    corners = [
        (pad, h + pad),
        (width - w - pad, h + pad),
        (pad, height - pad - below),
        (width - w - pad, height - pad - below),
    ]
    colour = ((40, 140, 250), (250, 250, 250), (20, 20, 20), (60, 60, 230))[rng.integers(4)]
    for x, y in [corners[index] for index in rng.permutation(4)]:
        box = (x - 2, y - h - 2, x + w + 2, y + below + 2)
        if all(box[2] < b[0] or box[0] > b[2] or box[3] < b[1] or box[1] > b[3] for b in boxes):
            cv2.putText(frame, text, (x, y), font, scale, colour, thick, cv2.LINE_AA)
            return box
    return None


def fill_with_words(
    page: NDArray[np.uint8], rng: np.random.Generator, tool: Tool, *, pitch: float, slope: float
) -> None:
    """Write a page of words, in place: sentences, a list, an alphabet or one big word."""
    height, width = page.shape[:2]
    high = max(10, round(pitch * rng.uniform(0.45, 0.7)))
    joined, spelled, hand_width = rng.random() < 0.5, rng.random() < 0.3, _pen(tool, high)
    capitals = rng.random() < 0.3
    left, right = width * rng.uniform(0.06, 0.25), width * rng.uniform(0.7, 0.97)
    for foot in np.arange(0.1 * height + pitch, 0.95 * height, pitch)[: rng.integers(1, 12)].tolist():
        if rng.random() < 0.12:
            continue
        x = left + rng.exponential(0.2) * high
        while True:
            if spelled:
                sign = str(rng.choice(list(LETTERS if rng.random() < 0.9 else SIGNS)))
                ink = render_letter(sign, rng, height=high, pen_width=hand_width, pen=tool.pen)
            else:
                text = any_word(rng).upper() if capitals else None
                ink = write_word(rng, height=high, text=text, pen_width=hand_width, pen=tool.pen, joined=joined)
            if x + ink.shape[1] > right:
                break
            y = foot - ink.shape[0] + np.tan(slope) * (x - width / 2)
            put(page, Mark(ink, round(x), round(y), tool))
            x += ink.shape[1] + high * rng.uniform(0.4, 0.9)
            if rng.random() < 0.08:
                break


def _size(rows: list[Row]) -> float:
    """Usual height of the digits in pixels."""
    return float(np.median([mark.ink.shape[0] for row in rows for number in row for mark in number]))


def _pen(tool: Tool, height: int) -> float:
    """Width of the line for letters of a height, in pixels."""
    return max(1.1, tool.width * height)
