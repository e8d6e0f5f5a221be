"""One image of a written page, in which everything is as it is told: what the sweeps change, one thing at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.reader import Case
from digitedge.synthetic.handwriting.defects import VISIBLE, hard_ink
from digitedge.synthetic.handwriting.letters import render_letter, write_word
from digitedge.synthetic.handwriting.pen import Pen
from digitedge.synthetic.handwriting.writer import Hand, one_hand
from digitedge.synthetic.noise import add_noise, fine_noise
from digitedge.synthetic.page.lines import rule
from digitedge.synthetic.page.paper_types import Sheet, make_sheet
from digitedge.synthetic.page.surface import Tool
from digitedge.synthetic.page.writing import Placed, Row, all_marks, bounds, put
from digitedge.synthetic.photo.degrade import see_page
from digitedge.synthetic.photo.photograph import View, homography, keep_inside
from digitedge.synthetic.scenes.hard_ground_truth import box_in_frame
from digitedge.synthetic.scenes.plain_scenes import TrueDigit
from digitedge.utils.opencv import cv2

FRAME = (640, 480)
# A page is as much larger than the frame, so that a tilted or turned camera does not look past its end.
PAGE = (1280, 960)
# Rows of a page, as far as there is room; their distance, and the gap between words, in heights of the digits.
ROWS, PITCH, SPACE = 3, 1.9, 0.9
# Share of the frame that the rows may fill.
FILLED = 0.9
BLACK = (0, 0, 0)

Ink = NDArray[np.uint8]


def seven_digits(rng: np.random.Generator) -> str:
    """Choose what a row says."""
    return "".join(map(str, rng.integers(0, 10, 7)))


def by_hand(sign: str, rng: np.random.Generator, setting: "Setting", hand: Hand) -> Ink:
    """Write a digit, a letter or a word: uint8 (H, W), ink bright on 0."""
    height, tool = setting.height, setting.tool
    if sign.isdigit():
        return hard_ink(int(sign), rng, height=height, pen_width=tool.width, pen=tool.pen, hand=hand)
    pen_width = tool.width * height
    if len(sign) > 1:
        return write_word(rng, height=height, text=sign, pen_width=pen_width, pen=tool.pen, hand=hand)
    return render_letter(sign, rng, height=height, pen_width=pen_width, pen=tool.pen, hand=hand)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a page is written and photographed. The defaults are easy to read.

    Attributes:
        height: of the digits, in pixels of the image.
        tool: the pen; black ink takes away as much of the paper's brightness as its opacity says.
        text: what a row says: digits, and words between spaces.
        form: gives the ink of a digit or a word.
        rows: how many, as far as there is room.
        gap: between the ink of neighbours where they are nearest, in heights; below 0 they overlap.
        joined: share of neighbours that touch, whatever the gap of the others.
        climb: of the rows, in degrees; the digits stay upright.
        turn: of the camera, in degrees; everything turns.
        near: how many times as large the lower edge of the image is as its upper one.
        lines: how dark printed lines are, as a share of the pen's darkness.
        squares: whether they run both ways.
        shadow: share of the light that is missing beyond an edge across the page.
        gradient: share of the light that is missing at one side of the image.
        dark: share of the light that is missing everywhere.
        blur: deviation in pixels.
        noise: deviation in grey levels.
        sheet: what is written on.
    """

    height: int = 48
    tool: Tool = field(default=Tool(Pen.BALL, BLACK, 0.75, 0.09))
    text: Callable[[np.random.Generator], str] = seven_digits
    form: Callable[[str, np.random.Generator, "Setting", Hand], Ink] = by_hand
    rows: int = ROWS
    gap: float = 0.25
    joined: float = 0.0
    climb: float = 0.0
    turn: float = 0.0
    near: float = 1.0
    lines: float = 0.0
    squares: bool = False
    shadow: float = 0.0
    gradient: float = 0.0
    dark: float = 0.0
    blur: float = 0.5
    noise: float = 2.0
    sheet: Sheet = Sheet.PLAIN

    def take(self, rng: np.random.Generator) -> Case:
        """Write a page and take an image of it."""
        rows = write_rows(self, rng)
        return photograph(self, lay_out(self, rows, rng), rows, rng)


def write_rows(setting: Setting, rng: np.random.Generator) -> list[Row]:
    """Write rows around the middle of the page, each by another writer."""
    pitch = PITCH * setting.height
    rows = [write_row(setting, rng) for _ in range(max(1, min(setting.rows, int(FRAME[1] * FILLED / pitch))))]
    rise = np.tan(np.radians(setting.climb))
    placed = [
        [[mark.moved(0, round(index * pitch - rise * mark.x)) for mark in word] for word in row]
        for index, row in enumerate(rows)
    ]
    left, top, right, bottom = bounds(all_marks(placed))
    middle = (round((PAGE[0] - left - right) / 2), round((PAGE[1] - top - bottom) / 2))
    return [[[mark.moved(*middle) for mark in word] for word in row] for row in placed]


def write_row(setting: Setting, rng: np.random.Generator) -> Row:
    """Write words and numbers side by side by one hand until the room ends; their feet stand at 0."""
    row: Row = []
    x = 0
    for word in setting.text(rng).split():
        row.append([])
        hand = one_hand(rng, len(word))
        for index, sign in enumerate([word] if word.isalpha() else word):
            ink = setting.form(sign, rng, setting, hand.one(index))
            mark = Placed(ink, x, -ink.shape[0], setting.tool, int(sign) if sign.isdigit() else None)
            if row[-1]:
                gap = 0.0 if rng.random() < setting.joined else setting.gap
                mark = mark.moved(beside(row[-1][-1], mark, round(gap * setting.height)) - x, 0)
            if mark.x + ink.shape[1] > FRAME[0] * FILLED and all_marks([row]):
                return [word for word in row if word]
            row[-1].append(mark)
        x = row[-1][-1].x + row[-1][-1].ink.shape[1] + round(SPACE * setting.height)
    return row


def beside(left: Placed, right: Placed, gap: int) -> int:
    """Where the right ink starts so that it comes no nearer than `gap` pixels to the ink on its left."""
    rows = max(left.ink.shape[0], right.ink.shape[0])
    ends, starts = np.full(rows, -rows), np.full(rows, 2 * rows)
    one, two = left.ink >= VISIBLE, right.ink >= VISIBLE
    has_one, has_two = one.any(axis=1), two.any(axis=1)
    ends[rows - len(one) :][has_one] = one.shape[1] - one[has_one, ::-1].argmax(axis=1)
    starts[rows - len(two) :][has_two] = two[has_two].argmax(axis=1)
    # Ink that is a little higher or lower counts, too: neighbours may come near aslant.
    reach = np.ones(1 + 2 * max(1, abs(gap)), np.uint8)
    ends = cv2.dilate(ends.astype(np.float32), reach).ravel().astype(int)
    return left.x + int((ends - starts).max()) + gap


def lay_out(setting: Setting, rows: list[Row], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Make the page, seen flat and evenly lit: uint8 (960, 1280, 3)."""
    page = make_sheet(setting.sheet, rng, width=PAGE[0], height=PAGE[1], pitch=setting.height)
    if setting.lines:
        rule(
            page,
            rng,
            pitch=setting.height * (0.55 if setting.squares else PITCH / 2),
            colour=BLACK,
            opacity=setting.lines * setting.tool.opacity,
            thickness=max(1, round(setting.height / 24)),
            start=float(rng.uniform(0, setting.height)),
            squares=setting.squares,
        )
    for mark in all_marks(rows):
        put(page, mark)
    return page


def photograph(
    setting: Setting,
    page: NDArray[np.uint8],
    rows: list[Row],
    rng: np.random.Generator,
    *,
    ignore: Sequence[NDArray[np.float64]] = (),
) -> Case:
    """Take an image of a page on which these rows are written, and say what stands where.

    Args:
        setting: where the camera stands, in what light, and how good it is.
        page: uint8 (H, W, 3) BGR, larger than FRAME.
        rows: what is written on it.
        rng: where chance comes from.
        ignore: outlines, float64 (P, 2), of other marks: reading them is neither right nor wrong.
    """
    tilt = (0.0, (setting.near - 1) / (setting.near + 1))
    view = View(turn=np.radians(setting.turn), tilt=tilt)
    marks = all_marks(rows)
    matrix = homography(view, page=page.shape[1::-1], frame=FRAME)
    matrix = keep_inside(matrix, np.concatenate([mark.outline() for mark in marks]), frame=FRAME)
    return Case(
        name="",
        frame=expose(setting, see_page(page, matrix, FRAME), rng),
        digits=tuple(
            TrueDigit(mark.digit, box_in_frame(mark.outline(), matrix)) for mark in marks if mark.digit is not None
        ),
        rows=tuple(filter(None, map(_digits_of, rows))),
        ignore=tuple(box_in_frame(outline, matrix) for outline in ignore),
    )


def _digits_of(row: Row) -> str:
    return "".join(str(mark.digit) for mark in all_marks([row]) if mark.digit is not None)


def expose(setting: Setting, seen: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give an evenly lit image (480, 640, 3) light and shadow, blur, noise, and what JPEG leaves of it."""
    lit = (seen * light(setting, rng)[..., None]).astype(np.uint8)
    soft = np.asarray(cv2.GaussianBlur(lit, (0, 0), setting.blur), np.uint8)
    noisy = add_noise(soft, fine_noise(rng, FRAME[::-1], coloured=True), setting.noise)
    packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def light(setting: Setting, rng: np.random.Generator) -> NDArray[np.float32]:
    """How bright each pixel of an evenly lit page comes out, float32 (480, 640), 0 to 1."""
    x, y = np.meshgrid(np.linspace(-1, 1, FRAME[0]), np.linspace(-1, 1, FRAME[1]))
    angle = rng.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle)
    slope = 1 - setting.gradient * (0.5 + across / 2).clip(0, 1)
    edge = 1 / (1 + np.exp(-60 * (across - rng.uniform(-0.3, 0.3))))  # about ten pixels wide
    return np.asarray((1 - setting.dark) * slope * (1 - setting.shadow * edge), np.float32)
