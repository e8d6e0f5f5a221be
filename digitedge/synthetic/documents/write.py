"""Write a document of a type on a page: paper, rulings, hands, what lies on it, and the desk under it."""

from dataclasses import replace

import numpy as np

from digitedge.synthetic.documents.document_types import DocumentType
from digitedge.synthetic.documents.fonts import sample_font
from digitedge.synthetic.documents.hand import Hand, sample_hand
from digitedge.synthetic.documents.objects import add_object, add_paper_details
from digitedge.synthetic.documents.rules import Rule, draw_rule, mix
from digitedge.synthetic.documents.sheet import MAX_HEIGHT, MIN_HEIGHT, Sheet
from digitedge.synthetic.documents.texts import number
from digitedge.synthetic.drawing import Edges, Image, corners_of
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.page.desk import lay_on_desk, make_desk
from digitedge.synthetic.page.page import BOARD_PENS, MARGIN, Page, sample_pen
from digitedge.synthetic.page.paper_types import PaperType, make_paper
from digitedge.synthetic.page.pens import BALL, BLUE, GREEN, RED
from digitedge.synthetic.page.scene_types import Difficulty
from digitedge.synthetic.page.writing import all_ink
from digitedge.synthetic.photo.backgrounds import sample_object
from digitedge.utils.opencv import cv2, resize

# Share of the pages that lie on a desk with their border in view, and of those with an object on them.
DESK_RATES = {Difficulty.EASY: 0.1, Difficulty.MEDIUM: 0.35, Difficulty.HARD: 0.45}
OBJECT_RATES = {Difficulty.EASY: 0.15, Difficulty.MEDIUM: 0.25, Difficulty.HARD: 0.3}
# Share of the desks that are full of other things.
CLUTTERED_DESK_RATE = 0.2
_PRINT_COLOURS = ((40, 40, 40), (30, 30, 30), (90, 90, 90), (150, 80, 40), (60, 60, 190), (60, 110, 210), (70, 120, 60))


def write_document(
    kind: DocumentType,
    difficulty: Difficulty,
    rng: np.random.Generator,
    frame: tuple[int, int],
    written: WrittenDigits | None = None,
) -> Page:
    """Write one document for a frame (width, height) in pixels; the page is larger by MARGIN on each side.

    With `written`, its digits are images of real handwriting.
    """
    width, height = (round(side * (1 + 2 * MARGIN)) for side in frame)
    paper = kind.papers[rng.integers(len(kind.papers))]
    if difficulty is Difficulty.EASY and paper is PaperType.PLAIN and rng.random() < 0.5:
        paper = PaperType.SCAN
    board = paper in BOARD_PENS
    edges = _sample_edges(rng, frame, on_desk=rng.random() < DESK_RATES[difficulty] and not board)
    if paper is PaperType.SCAN and (edges[0] > 0 or edges[1] > 0 or difficulty is Difficulty.HARD):
        paper = PaperType.PLAIN  # what lies on a desk is photographed
    image = make_paper(paper, rng, width=width, height=height, pitch=20)
    area = _inset(rng, edges, frame)
    least, most = kind.size
    size = np.exp(rng.uniform(np.log(least), np.log(most))) * (area[3] - area[1])
    size = float(np.clip(size, MIN_HEIGHT, min(MAX_HEIGHT, (area[3] - area[1]) / 3, (area[2] - area[0]) / 4)))
    blue, green, red = (int(value) for value in np.median(image[::37, ::37].reshape(-1, 3), axis=0))
    font = sample_font(rng, kind.fonts)
    print_colour = (
        (225, 230, 230) if paper is PaperType.BLACKBOARD else _PRINT_COLOURS[rng.integers(len(_PRINT_COLOURS))]
    )
    hand = _sample_hand(kind, paper, rng, size)
    sheet = Sheet(image, rng, (blue, green, red), area, size, [hand], font, print_colour)
    if rng.random() < 0.25 and not board:
        _add_pens(sheet)
    elif rng.random() < 0.25 or kind.pens[0] is not BALL:
        sheet.hands += [_sample_hand(kind, paper, rng, size) for _ in range(2)]
    for one in sheet.hands:
        one.written = written
    if rng.random() < kind.ruled and not board:
        _rule_paper(sheet)
    if not board:
        add_paper_details(sheet)
    kind.draw(sheet)
    if not sheet.rows and not kind.negative:
        sheet.write(number(rng, 1, 4), area[0], (area[1] + area[3]) / 2, height=sheet.size)
    sheet.ignore_beyond(edges)
    rows = sheet.reading_rows()
    if edges != (0, 0, width, height):
        sheet.image = _lay_on_desk(sheet, edges)
    boxes = [placed.box for placed in all_ink(rows)]
    while rng.random() < OBJECT_RATES[difficulty]:
        add_object(sheet.image, rng, boxes)
    return Page(sheet.image, paper, rows, sheet.ignore, sheet.tables, sheet.ambiguous)


def _sample_hand(kind: DocumentType, paper: PaperType, rng: np.random.Generator, size: float) -> Hand:
    """Sample a writer and a pen that can be seen on the paper."""
    pen = sample_pen(BOARD_PENS.get(paper, kind.pens), paper, rng)
    if size < 24:  # small writing is done with the same pens, so its strokes are broad
        pen = replace(pen, width=max(pen.width, float(rng.uniform(0.06, 0.13))))
    return sample_hand(rng, pen, size)


def _add_pens(sheet: Sheet) -> None:
    """Add one or two writers with coloured pens of other opacity: red corrections beside blue writing."""
    for _ in range(int(sheet.rng.integers(1, 3))):
        hand = sample_hand(sheet.rng, sheet.hand.pen, sheet.size)
        colour = sheet.pick((RED, BLUE, GREEN))
        hand.pen = replace(hand.pen, colour=colour, opacity=float(sheet.rng.uniform(0.45, 1)))
        sheet.hands.append(hand)


def _sample_edges(rng: np.random.Generator, frame: tuple[int, int], *, on_desk: bool) -> Edges:
    """Sample where the sheet is on the page image: all of it, or less on one or more sides, where the desk is."""
    pads = np.array([MARGIN * side for side in frame])
    size = np.array(frame) + 2 * pads
    if not on_desk:
        return 0, 0, *np.rint(size).astype(int).tolist()
    sides = rng.random(4) < 0.7
    sides[rng.integers(4)] = True
    inset = np.where(sides, np.tile(pads, 2) + rng.uniform(0.01, 0.16, 4) * np.tile(frame, 2), -0.2 * np.tile(frame, 2))
    return tuple(np.array([inset[0], inset[1], size[0] - inset[2], size[1] - inset[3]]).tolist())


def _inset(rng: np.random.Generator, edges: Edges, frame: tuple[int, int]) -> Edges:
    """Sample the area on a sheet that is written on: in the frame, with other margins on each side."""
    left, top, right, bottom = edges
    wide, high = frame
    pad = rng.uniform(0.02, 0.1, 4) * [wide, high, wide, high]
    x, y = MARGIN * wide, MARGIN * high
    left, top = max(left, x) + pad[0], max(top, y) + pad[1]
    return left, top, min(right, wide + x) - pad[2], min(bottom, high + y) - pad[3]


def _lay_on_desk(sheet: Sheet, edges: Edges) -> Image:
    """Lay the sheet on a desk, which covers it beyond its edges, and return the image."""
    corners = corners_of(edges) + sheet.rng.normal(0, 0.004, (4, 2)) * sheet.image.shape[1::-1]
    shape = (sheet.image.shape[0], sheet.image.shape[1])
    if sheet.rng.random() < CLUTTERED_DESK_RATE:  # small, so that it is out of focus and quick
        small = sample_object(sheet.rng, (max(64, shape[1] // 4), max(64, shape[0] // 4)))
        desk = resize(small, shape[::-1], cv2.INTER_CUBIC)
    else:
        desk = make_desk(sheet.rng, shape, dark=sheet.rng.random() < 0.35)
    return lay_on_desk(desk, sheet.image, sheet.rng, corners)


def _rule_paper(sheet: Sheet) -> None:
    """Rule or square the paper; the distance of the lines is about that of the writing."""
    rng, image = sheet.rng, sheet.image
    height, width = image.shape[:2]
    pitch = max(6.0, sheet.size * rng.uniform(0.7, 2.2))
    colours = ((200, 160, 120), (190, 180, 170), (150, 150, 150), (215, 190, 130))
    colour = mix(sheet.paper_colour, colours[rng.integers(4)], float(rng.uniform(0.3, 1)))
    rule = Rule(colour, max(1, round(min(0.1 * pitch, height / 700 * rng.uniform(0.6, 2)))))
    slope = float(rng.normal(0, 0.006))
    for y in np.arange(-slope * width, height, pitch).tolist():
        draw_rule(image, np.array([[0, y], [width, y + slope * width]]), rule, rng)
    if rng.random() < 0.4:
        for x in np.arange(0, width, pitch).tolist():
            draw_rule(image, np.array([[x, 0], [x - slope * height, height]]), rule, rng)
