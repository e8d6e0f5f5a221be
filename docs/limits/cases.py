"""Points that are not values of a sweep: pens, papers, unusual digits, and images without digits."""

from collections.abc import Callable
from functools import partial

import numpy as np
from setting import FRAME, PAGE, Ink, Setting, lay_out, photograph, write_rows
from sweeps import Point

from digitedge.evaluation.reader import LabelledFrame
from digitedge.synthetic.documents import DOCUMENT_TYPES
from digitedge.synthetic.handwriting.letters import sample_word
from digitedge.synthetic.handwriting.pen import PenType, scale_ink
from digitedge.synthetic.handwriting.writer import Writer
from digitedge.synthetic.page.page import write_page, write_page_without_digits
from digitedge.synthetic.page.paper_types import PaperType
from digitedge.synthetic.page.pens import (
    BALL,
    CHALK,
    CRAYON,
    FAINT_PENCIL,
    FELT,
    MARKER,
    PALE_BALL,
    PENCIL,
    WHITEBOARD_PEN,
    Pen,
    PenRange,
)
from digitedge.synthetic.page.scene_types import SCENE_TYPES, Difficulty
from digitedge.synthetic.page.texts import print_word
from digitedge.synthetic.photo.backgrounds import sample_object
from digitedge.synthetic.photo.effects import CONDITIONS, apply_light, blur_and_add_noise, compress_jpeg
from digitedge.synthetic.scenes import render_scene
from digitedge.utils.opencv import cv2

PENS = {
    "felt pen": FELT,
    "thick marker": MARKER,
    "ball pen": BALL,
    "pencil": PENCIL,
    "red wax crayon": CRAYON,
    "ball pen with little ink": PALE_BALL,
    "hard pencil, light pressure": FAINT_PENCIL,
}
BOARDS = {
    "felt pen on a whiteboard": (WHITEBOARD_PEN, PaperType.WHITEBOARD),
    "chalk on a blackboard": (CHALK, PaperType.BLACKBOARD),
}
DIFFICULTIES = (Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD)
YELLOW = Pen(PenType.FELT, (60, 230, 250), 0.9, 0.12)
# Typical brightness of white paper.
PAPER_BRIGHTNESS = 230
# Weights of blue, green and red in OpenCV's grey (ITU-R BT.601).
GREY_WEIGHTS = (0.114, 0.587, 0.299)

SURROUNDINGS = {
    "a sticky note": "sticky",
    "brown paper": "brown",
    "crumpled paper": "crumpled",
    "a napkin": "napkin",
    "paper on a dark desk": "dark-desk",
    "up to a hundred digits": "many",
    "a frame around the digits": "framed",
    "a circle around the digits": "circled",
    "close underlines": "underlined",
    "a table of cells": "table",
    "signs between the digits": "signs",
    "words around the digits": "words",
    "retraced strokes": "retraced",
    "strokes with gaps": "broken",
}
"""Label in the table -> name in SCENE_TYPES."""

NO_DIGITS = {
    "blank or ruled paper": "blank",
    "objects and patterns": "objects",
    "words and letters": "letters",
    "doodles": "doodles",
}
"""Label in the table -> name for `write_page_without_digits`; objects are rendered by `sample_object`."""


def pens() -> list[Point]:
    """Pens on white paper and on boards."""
    pens = {name: _typical_pen(pen_range) for name, pen_range in PENS.items()} | {"yellow felt pen": YELLOW}
    points = [Point(f"{name}, {100 * _darkness(pen):.0f} %", Setting(pen=pen).render) for name, pen in pens.items()]
    return points + [
        Point(name, Setting(pen=_typical_pen(pen_range), paper=paper).render)
        for name, (pen_range, paper) in BOARDS.items()
    ]


def _typical_pen(pen_range: PenRange) -> Pen:
    """A pen in the middle of the range."""
    return Pen(pen_range.type, pen_range.colours[0], sum(pen_range.opacity) / 2, sum(pen_range.width) / 2)


def _darkness(pen: Pen) -> float:
    """Share of the paper's light that full ink absorbs."""
    return float(pen.opacity * (1 - np.dot(GREY_WEIGHTS, pen.colour) / PAPER_BRIGHTNESS))


def surroundings() -> list[Point]:
    """Papers, and other things around digits of any size, seen by a good camera."""
    return [Point(label, partial(_render_scene_type, name)) for label, name in SURROUNDINGS.items()]


def _render_scene_type(name: str, rng: np.random.Generator) -> LabelledFrame:
    page = write_page(SCENE_TYPES[name], Difficulty.EASY, rng, FRAME)
    return photograph(Setting(), page.image, page.rows, rng, ignore=page.ignore)


def documents() -> list[Point]:
    """Documents of all types that have digits, photographed and scanned well and badly."""
    names = (name for name, kind in DOCUMENT_TYPES.items() if not kind.negative)
    return [Point(name.replace("-", " "), partial(_render_document, name)) for name in names]


def _render_document(name: str, rng: np.random.Generator) -> LabelledFrame:
    scene = render_scene(seed=int(rng.integers(1 << 31)), scene_type=name, width=FRAME[0], height=FRAME[1])
    return LabelledFrame(name="", frame=scene.frame, digits=scene.digits, rows=scene.rows, ignore=scene.ignore)


def unusual() -> list[Point]:
    """Digits alone or among letters, digits that are not handwritten, and two backgrounds in one image."""
    texts: dict[str, tuple[Callable[[np.random.Generator], str], int]] = {
        "one digit from 2 to 9, alone on the page": (lambda rng: str(rng.integers(2, 10)), 1),
        "a 1, alone on the page": (lambda rng: "1", 1),
        "a row of ones": (lambda rng: "1111", 1),
        "one digit among words": (lambda rng: f"{sample_word(rng)} {rng.integers(10)} {sample_word(rng)}", 3),
        "codes of letters and digits": (_code, 3),
    }
    points = [Point(label, Setting(text=text, rows=rows).render) for label, (text, rows) in texts.items()]
    return [
        *points,
        Point("printed type", Setting(form=_print_sign).render),
        Point("a seven-segment display", Setting(form=_seven_segment_digit).render),
        Point("paper beside a blackboard", _paper_beside_blackboard),
    ]


def _code(rng: np.random.Generator) -> str:
    """Alternate letters and digits, as on a number plate, without letters that look like digits."""
    letters = rng.choice(list("AEFHKMNPRTUVWX"), 3)
    return "".join(f"{letter}{digit}" for letter, digit in zip(letters, rng.integers(0, 10, 3), strict=True))


def _print_sign(sign: str, rng: np.random.Generator, setting: Setting, _: Writer) -> Ink:
    ink = print_word(sign, rng, height=setting.height)
    return scale_ink(ink, setting.height, of=ink.shape[0])


def _seven_segment_digit(sign: str, rng: np.random.Generator, setting: Setting, _: Writer) -> Ink:
    """Draw a digit from bars with pointed ends and narrow gaps between them."""
    high, thick, slit = 200.0, 28.0, 3.0  # height, width of the bars and gap, in pixels before scaling
    ink = np.zeros((240, 140), np.uint8)
    for start, end in (_SEGMENTS[name] for name in _LIT_SEGMENTS[int(sign)]):
        ends = 20 + high / 2 * np.array([start, end], np.float64)
        along = (ends[1] - ends[0]) / (high / 2)
        across = along[::-1] * thick / 2
        first, last = ends[0] + along * slit, ends[1] - along * slit
        inner = [first + along * thick / 2, last - along * thick / 2]
        corners = [first, inner[0] + across, inner[1] + across, last, inner[1] - across, inner[0] - across]
        cv2.fillConvexPoly(ink, np.rint(corners).astype(np.int32), 255)
    x, y, w, h = cv2.boundingRect(ink)
    return scale_ink(ink[y : y + h, x : x + w], setting.height, of=h)


# Ends of the bars, x and y in halves of the height: a is at the top, then clockwise; g is in the middle.
_SEGMENTS = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 1)),
    "c": ((1, 1), (1, 2)),
    "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)),
    "f": ((0, 0), (0, 1)),
    "g": ((0, 1), (1, 1)),
}
_LIT_SEGMENTS = ("abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg")


def _paper_beside_blackboard(rng: np.random.Generator) -> LabelledFrame:
    """Render rows in ink on paper, and to the right of them rows in chalk on a blackboard."""
    digits = Setting(text=lambda rng: "".join(map(str, rng.integers(0, 10, 4))))
    chalk = Setting(text=digits.text, pen=_typical_pen(CHALK), paper=PaperType.BLACKBOARD)
    sides = []
    for setting, move in ((digits, -150), (chalk, 150)):
        rows = [[[placed.moved(move, 0) for placed in word] for word in row] for row in write_rows(setting, rng)]
        sides.append((lay_out(setting, rows, rng), rows))
    (page, left), (board, right) = sides
    page[:, PAGE[0] // 2 :] = board[:, PAGE[0] // 2 :]
    return photograph(digits, page, [[*one, *two] for one, two in zip(left, right, strict=True)], rng)


def no_digits() -> list[Point]:
    """Images without digits, by good and bad cameras."""
    return [Point(label, partial(_render_without_digits, name)) for label, name in NO_DIGITS.items()]


def _render_without_digits(name: str, rng: np.random.Generator) -> LabelledFrame:
    conditions = CONDITIONS[DIFFICULTIES[rng.integers(len(DIFFICULTIES))]]
    seen = sample_object(rng, FRAME) if name == "objects" else write_page_without_digits(name, rng, FRAME)
    shot = blur_and_add_noise(apply_light(seen, rng, conditions), rng, conditions)
    return LabelledFrame(name="", frame=compress_jpeg(shot, rng, conditions), digits=(), rows=())
