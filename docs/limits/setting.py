"""Render an image of a page from explicit settings, which the sweeps change one at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.evaluation.reader import LabelledFrame
from digitedge.synthetic.handwriting.defects import VISIBLE_INK, render_digit_with_defects
from digitedge.synthetic.handwriting.letters import render_letter, render_word
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.handwriting.writer import Writer, sample_single_writer
from digitedge.synthetic.noise import add_noise, fine_noise
from digitedge.synthetic.page.lines import print_lines
from digitedge.synthetic.page.paper_types import PaperType, make_paper
from digitedge.synthetic.page.pens import Pen
from digitedge.synthetic.page.writing import PlacedInk, Row, all_ink, bounds, paste_ink
from digitedge.synthetic.photo.camera_pose import CameraPose, homography, keep_inside
from digitedge.synthetic.photo.effects import warp_page
from digitedge.synthetic.scenes import TrueDigit
from digitedge.synthetic.scenes.ground_truth import box_in_frame
from digitedge.utils.opencv import cv2

FRAME = (640, 480)
# The page is larger than the frame, so that it fills the view of a tilted or rotated camera.
PAGE = (1280, 960)
# Largest number of rows of a page.
MAX_ROWS = 3
# Distance of rows, and gap between words, in heights of the digits.
ROW_PITCH = 1.9
WORD_GAP = 0.9
# Share of the frame that the rows may fill.
MAX_FILL = 0.9
BLACK = (0, 0, 0)

Ink = NDArray[np.uint8]


def seven_digits(rng: np.random.Generator) -> str:
    """Sample the text of a row."""
    return "".join(map(str, rng.integers(0, 10, 7)))


def write_by_hand(sign: str, rng: np.random.Generator, setting: "Setting", writer: Writer) -> Ink:
    """Write a digit, a letter or a word: uint8 (H, W), ink bright on 0."""
    height, pen = setting.height, setting.pen
    if sign.isdigit():
        return render_digit_with_defects(
            int(sign), rng, height=height, pen_width=pen.width, pen_type=pen.type, writer=writer
        )
    pen_width = pen.width * height
    if len(sign) > 1:
        return render_word(sign, rng, height=height, pen_width=pen_width, pen_type=pen.type, writer=writer)
    return render_letter(sign, rng, height=height, pen_width=pen_width, pen_type=pen.type, writer=writer)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a page is written and photographed. The defaults are easy to read.

    Attributes:
        height: height of the digits, in pixels of the image.
        pen: black ink absorbs the share of the light that its opacity states.
        text: samples the text of a row: digits, and words between spaces.
        form: renders the ink of a digit or a word.
        rows: number of rows, if there is room.
        gap: between neighbours where their ink is closest, in heights; negative: they overlap.
        touching: share of neighbours that touch, whatever the gap.
        slope: of the rows, in degrees; the digits stay upright.
        rotation: of the page, in degrees.
        perspective: how many times larger the lower edge of the page is than the upper edge.
        lines: darkness of printed lines, as a share of the pen's darkness.
        squares: whether the lines run in both directions.
        shadow: share of the light that is missing in the shadow of an edge across the page.
        gradient: share of the light that is missing at one side of the image.
        dark: share of the light that is missing everywhere.
        blur: standard deviation in pixels.
        noise: standard deviation in grey levels.
        paper: type of the paper.
    """

    height: int = 48
    pen: Pen = field(default=Pen(PenType.BALL, BLACK, 0.75, 0.09))
    text: Callable[[np.random.Generator], str] = seven_digits
    form: Callable[[str, np.random.Generator, "Setting", Writer], Ink] = write_by_hand
    rows: int = MAX_ROWS
    gap: float = 0.25
    touching: float = 0.0
    slope: float = 0.0
    rotation: float = 0.0
    perspective: float = 1.0
    lines: float = 0.0
    squares: bool = False
    shadow: float = 0.0
    gradient: float = 0.0
    dark: float = 0.0
    blur: float = 0.5
    noise: float = 2.0
    paper: PaperType = PaperType.PLAIN

    def render(self, rng: np.random.Generator) -> LabelledFrame:
        """Render a page and an image of it."""
        rows = write_rows(self, rng)
        return photograph(self, lay_out(self, rows, rng), rows, rng)


def write_rows(setting: Setting, rng: np.random.Generator) -> list[Row]:
    """Write rows in the middle of the page, each by another writer."""
    pitch = ROW_PITCH * setting.height
    rows = [write_row(setting, rng) for _ in range(max(1, min(setting.rows, int(FRAME[1] * MAX_FILL / pitch))))]
    rise = np.tan(np.radians(setting.slope))
    sloped = [
        [[placed.moved(0, round(index * pitch - rise * placed.x)) for placed in word] for word in row]
        for index, row in enumerate(rows)
    ]
    left, top, right, bottom = bounds([all_ink(sloped)])
    middle = (round((PAGE[0] - left - right) / 2), round((PAGE[1] - top - bottom) / 2))
    return [[[placed.moved(*middle) for placed in word] for word in row] for row in sloped]


def write_row(setting: Setting, rng: np.random.Generator) -> Row:
    """Write words and numbers side by side until the row is full; the baseline is at y = 0."""
    row: Row = []
    x = 0
    for word in setting.text(rng).split():
        row.append([])
        writer = sample_single_writer(rng, len(word))
        for index, sign in enumerate([word] if word.isalpha() else word):
            ink = setting.form(sign, rng, setting, writer.at(index))
            placed = PlacedInk(ink, x, -ink.shape[0], setting.pen, int(sign) if sign.isdigit() else None)
            if row[-1]:
                gap = 0.0 if rng.random() < setting.touching else setting.gap
                placed = placed.moved(place_beside(row[-1][-1], placed, round(gap * setting.height)) - x, 0)
            if placed.x + ink.shape[1] > FRAME[0] * MAX_FILL and all_ink([row]):
                return [word for word in row if word]
            row[-1].append(placed)
        x = row[-1][-1].x + row[-1][-1].ink.shape[1] + round(WORD_GAP * setting.height)
    return row


def place_beside(left: PlacedInk, right: PlacedInk, gap: int) -> int:
    """Return the x of the right ink at which it is `gap` pixels from the ink on its left."""
    rows = max(left.ink.shape[0], right.ink.shape[0])
    ends, starts = np.full(rows, -rows), np.full(rows, 2 * rows)
    one, two = left.ink >= VISIBLE_INK, right.ink >= VISIBLE_INK
    has_one, has_two = one.any(axis=1), two.any(axis=1)
    ends[rows - len(one) :][has_one] = one.shape[1] - one[has_one, ::-1].argmax(axis=1)
    starts[rows - len(two) :][has_two] = two[has_two].argmax(axis=1)
    # Compare with ink that is a little higher or lower, too: neighbours may be closest along a diagonal.
    reach = np.ones(1 + 2 * max(1, abs(gap)), np.uint8)
    ends = cv2.dilate(ends.astype(np.float32), reach).ravel().astype(int)
    return left.x + int((ends - starts).max()) + gap


def lay_out(setting: Setting, rows: list[Row], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Render the page, flat and evenly lit: uint8 (960, 1280, 3)."""
    page = make_paper(setting.paper, rng, width=PAGE[0], height=PAGE[1], pitch=setting.height)
    if setting.lines:
        print_lines(
            page,
            rng,
            pitch=setting.height * (0.55 if setting.squares else ROW_PITCH / 2),
            colour=BLACK,
            opacity=setting.lines * setting.pen.opacity,
            thickness=max(1, round(setting.height / 24)),
            start=float(rng.uniform(0, setting.height)),
            squares=setting.squares,
        )
    for placed in all_ink(rows):
        paste_ink(page, placed)
    return page


def photograph(
    setting: Setting,
    page: NDArray[np.uint8],
    rows: list[Row],
    rng: np.random.Generator,
    *,
    ignore: Sequence[NDArray[np.float64]] = (),
) -> LabelledFrame:
    """Render an image of a page, with the ground truth.

    Args:
        setting: position and quality of the camera, and the light.
        page: uint8 (H, W, 3) BGR, larger than FRAME.
        rows: the ink on it.
        rng: random generator.
        ignore: outlines, float64 (P, 2), of other ink; digits read there are ignored.
    """
    tilt = (0.0, (setting.perspective - 1) / (setting.perspective + 1))
    pose = CameraPose(turn=np.radians(setting.rotation), tilt=tilt)
    ink = all_ink(rows)
    matrix = homography(pose, page=page.shape[1::-1], frame=FRAME)
    matrix = keep_inside(matrix, np.concatenate([placed.outline() for placed in ink]), frame=FRAME)
    return LabelledFrame(
        name="",
        frame=expose(setting, warp_page(page, matrix, FRAME), rng),
        digits=tuple(
            TrueDigit(placed.digit, box_in_frame(placed.outline(), matrix))
            for placed in ink
            if placed.digit is not None
        ),
        rows=tuple(filter(None, map(_digits_of, rows))),
        ignore=tuple(box_in_frame(outline, matrix) for outline in ignore),
    )


def _digits_of(row: Row) -> str:
    return "".join(str(placed.digit) for placed in all_ink([row]) if placed.digit is not None)


def expose(setting: Setting, seen: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add light and shadow, blur, noise and JPEG compression to an evenly lit image (480, 640, 3)."""
    lit = (seen * light(setting, rng)[..., None]).astype(np.uint8)
    soft = np.asarray(cv2.GaussianBlur(lit, (0, 0), setting.blur), np.uint8)
    noisy = add_noise(soft, fine_noise(rng, FRAME[::-1], coloured=True), setting.noise)
    encoded = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def light(setting: Setting, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the brightness of every pixel, float32 (480, 640), 0 to 1."""
    x, y = np.meshgrid(np.linspace(-1, 1, FRAME[0]), np.linspace(-1, 1, FRAME[1]))
    angle = rng.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle)
    slope = 1 - setting.gradient * (0.5 + across / 2).clip(0, 1)
    edge = 1 / (1 + np.exp(-60 * (across - rng.uniform(-0.3, 0.3))))  # about ten pixels wide
    return np.asarray((1 - setting.dark) * slope * (1 - setting.shadow * edge), np.float32)
