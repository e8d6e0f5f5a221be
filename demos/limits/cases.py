"""What cannot be swept: pens, papers, odd digits, and images without any digit. Each gives a table its points."""

from collections.abc import Callable
from functools import partial

import numpy as np
from setting import FRAME, PAGE, Ink, Setting, lay_out, photograph, write_rows
from sweeps import Point

from digitedge.evaluation.reader import Case
from digitedge.synthetic.handwriting.letters import sample_word
from digitedge.synthetic.handwriting.pen import Pen, fit_ink
from digitedge.synthetic.handwriting.writer import Hand
from digitedge.synthetic.page.paper_types import Sheet
from digitedge.synthetic.page.scene_types import (
    BALL,
    BOARD,
    CHALK,
    CRAYON,
    FAINT,
    FELT,
    KINDS,
    MARKER,
    PALE_BALL,
    PENCIL,
    Difficulty,
    Nib,
)
from digitedge.synthetic.page.surface import Tool
from digitedge.synthetic.page.texts import print_word
from digitedge.synthetic.photo.backgrounds import sample_object
from digitedge.synthetic.photo.degrade import CONDITIONS, light_up, pack, shoot
from digitedge.synthetic.scenes.hard_page import write_hard_page, write_no_digits
from digitedge.utils.opencv import cv2

NIBS = {
    "felt pen": FELT,
    "thick marker": MARKER,
    "ball pen": BALL,
    "pencil": PENCIL,
    "red wax crayon": CRAYON,
    "ball pen that gives little ink": PALE_BALL,
    "hard pencil, hardly pressed": FAINT,
}
BOARDS = {
    "felt pen on a whiteboard": (BOARD, Sheet.WHITEBOARD),
    "chalk on a blackboard": (CHALK, Sheet.BLACKBOARD),
}
YELLOW = Tool(Pen.FELT, (60, 230, 250), 0.9, 0.12)
# Usual brightness of white paper; shares of blue, green and red in OpenCV's grey (ITU-R BT.601).
PAPER, GREY = 230, (0.114, 0.587, 0.299)

SURROUNDINGS = {
    "a sticky note": "sticky",
    "brown paper": "brown",
    "crumpled paper": "crumpled",
    "a napkin": "napkin",
    "a sheet on a dark desk": "dark-desk",
    "up to a hundred digits": "many",
    "a frame drawn around": "framed",
    "a circle drawn around": "circled",
    "underlined closely": "underlined",
    "a table of cells": "table",
    "signs between": "signs",
    "words around": "words",
    "gone over again and again": "retraced",
    "strokes apart or with gaps": "broken",
}
"""What a table calls them, and their names in KINDS."""

NOTHING = {
    "blank or ruled paper": "blank",
    "things and patterns": "objects",
    "words and letters": "letters",
    "doodles": "doodles",
}
"""What a table calls them, and their names for `write_no_digits`, except for the objects."""


def pens() -> list[Point]:
    """Pens on white paper and on boards."""
    tools = {name: _usual(nib) for name, nib in NIBS.items()} | {"yellow felt pen": YELLOW}
    points = [Point(f"{name}, {100 * _darkness(tool):.0f} %", Setting(tool=tool).take) for name, tool in tools.items()]
    return points + [Point(name, Setting(tool=_usual(nib), sheet=sheet).take) for name, (nib, sheet) in BOARDS.items()]


def _usual(nib: Nib) -> Tool:
    """The middle of what such a pen may be."""
    return Tool(nib.pen, nib.colours[0], sum(nib.opacity) / 2, sum(nib.width) / 2)


def _darkness(tool: Tool) -> float:
    """Share of the paper's light that full ink takes away."""
    return float(tool.opacity * (1 - np.dot(GREY, tool.colour) / PAPER))


def surroundings() -> list[Point]:
    """Papers, and marks around the digits, of any size, by a good camera."""
    return [Point(label, partial(_surrounded, name)) for label, name in SURROUNDINGS.items()]


def _surrounded(name: str, rng: np.random.Generator) -> Case:
    page = write_hard_page(KINDS[name], Difficulty.EASY, rng, FRAME)
    return photograph(Setting(), page.image, page.rows, rng, ignore=page.ignore)


def odd() -> list[Point]:
    """Digits in company that they are rarely seen in, or none at all; and digits that no hand wrote."""
    texts: dict[str, tuple[Callable[[np.random.Generator], str], int]] = {
        "one digit from 2 to 9, alone on the page": (lambda rng: str(rng.integers(2, 10)), 1),
        "a 1, alone on the page": (lambda rng: "1", 1),
        "a row of ones": (lambda rng: "1111", 1),
        "one digit among words": (lambda rng: f"{sample_word(rng)} {rng.integers(10)} {sample_word(rng)}", 3),
        "codes of letters and digits": (_code, 3),
    }
    points = [Point(label, Setting(text=text, rows=rows).take) for label, (text, rows) in texts.items()]
    return [
        *points,
        Point("printed type", Setting(form=_printed).take),
        Point("a seven-segment display", Setting(form=_segments).take),
        Point("paper beside a blackboard", _two_grounds),
    ]


def _code(rng: np.random.Generator) -> str:
    """Letters and digits by turns, as on a number plate; no letter that looks like a digit."""
    letters = rng.choice(list("AEFHKMNPRTUVWX"), 3)
    return "".join(f"{letter}{digit}" for letter, digit in zip(letters, rng.integers(0, 10, 3), strict=True))


def _printed(sign: str, rng: np.random.Generator, setting: Setting, _: Hand) -> Ink:
    ink = print_word(sign, rng, height=setting.height)
    return fit_ink(ink, setting.height, of=ink.shape[0])


def _segments(sign: str, rng: np.random.Generator, setting: Setting, _: Hand) -> Ink:
    """A digit of bars with pointed ends and narrow gaps between them."""
    high, thick, slit = 200.0, 28.0, 3.0  # in fine pixels
    ink = np.zeros((240, 140), np.uint8)
    for start, end in (_BARS[name] for name in _LIT[int(sign)]):
        ends = 20 + high / 2 * np.array([start, end], np.float64)
        along = (ends[1] - ends[0]) / (high / 2)
        across = along[::-1] * thick / 2
        first, last = ends[0] + along * slit, ends[1] - along * slit
        inner = [first + along * thick / 2, last - along * thick / 2]
        corners = [first, inner[0] + across, inner[1] + across, last, inner[1] - across, inner[0] - across]
        cv2.fillConvexPoly(ink, np.rint(corners).astype(np.int32), 255)
    x, y, w, h = cv2.boundingRect(ink)
    return fit_ink(ink[y : y + h, x : x + w], setting.height, of=h)


# Ends of the bars, x and y in halves of the height: a is the upper one, then clockwise, and g is in the middle.
_BARS = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 1)),
    "c": ((1, 1), (1, 2)),
    "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)),
    "f": ((0, 0), (0, 1)),
    "g": ((0, 1), (1, 1)),
}
_LIT = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")


def _two_grounds(rng: np.random.Generator) -> Case:
    """Rows in ink on paper, and at their right rows in chalk on a blackboard."""
    digits = Setting(text=lambda rng: "".join(map(str, rng.integers(0, 10, 4))))
    chalk = Setting(text=digits.text, tool=_usual(CHALK), sheet=Sheet.BLACKBOARD)
    sides = []
    for setting, move in ((digits, -150), (chalk, 150)):
        rows = [[[mark.moved(move, 0) for mark in word] for word in row] for row in write_rows(setting, rng)]
        sides.append((lay_out(setting, rows, rng), rows))
    (page, left), (board, right) = sides
    page[:, PAGE[0] // 2 :] = board[:, PAGE[0] // 2 :]
    return photograph(digits, page, [[*one, *two] for one, two in zip(left, right, strict=True)], rng)


def nothing() -> list[Point]:
    """Images without any digit, by cameras good and bad."""
    return [Point(label, partial(_without, name)) for label, name in NOTHING.items()]


def _without(name: str, rng: np.random.Generator) -> Case:
    conditions = CONDITIONS[list(Difficulty)[rng.integers(len(Difficulty))]]
    seen = sample_object(rng, FRAME) if name == "objects" else write_no_digits(name, rng, FRAME)
    shot = shoot(light_up(seen, rng, conditions), rng, conditions)
    return Case(name="", frame=pack(shot, rng, conditions), digits=(), rows=())
