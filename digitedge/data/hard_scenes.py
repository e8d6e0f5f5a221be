"""Scenes as hard as real photographs, with the exact truth: to measure a reader without a single photograph.

The way of a scene: a kind (kinds), a sheet (sheets) with rows on it (writing) and other marks (extras), a camera and
bad light (surroundings). Scenes without digits show empty sheets, words, or things (nature).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitedge.data.extras import add_extra, add_table, bounds, fill_with_words, put, stamp
from digitedge.data.grainy import add_noise, fine_noise
from digitedge.data.kinds import BALL, BOARD, CHALK, FELT, KINDS, NEGATIVES, PAPERS, Difficulty, Extra, Kind, Nib
from digitedge.data.nature import any_object
from digitedge.data.photograph import UNIT, View, homography, keep_inside, project
from digitedge.data.sheets import LINED, Sheet, make_sheet
from digitedge.data.surroundings import harsh_light, lay_on, make_desk, put_finger, reflect, sheet_corners
from digitedge.data.truth import Scene, TrueDigit
from digitedge.data.writing import Mark, Row, Style, write_rows
from digitedge.opencv import cv2

Box = tuple[int, int, int, int]

# Cameras, phones and cut-outs: width and height in pixels.
SIZES = (
    *((640, 480), (640, 480), (800, 600), (1280, 720), (1280, 720), (1024, 768), (720, 540), (1600, 1200)),
    *((1200, 1600), (750, 1060), (900, 300), (400, 110)),
)
# Share of scenes without digits, unless told.
NEGATIVE = 0.3
# How much of the frame's size a page goes on beyond it on each side.
BEYOND = 0.08
# Share of the frame that digits may fill.
FILLED = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class HardScene(Scene):
    """A frame, what is written in it, and what makes it hard.

    Attributes:
        numbers: for each row the numbers that stand apart in it: at least 1.2 heights of a digit between them.
        ignore: x, y, width, height of other marks: reading something there is neither right nor wrong.
        kind: one of KINDS, or of NEGATIVES.
        difficulty: as a person would say.
    """

    numbers: tuple[tuple[str, ...], ...]
    ignore: tuple[Box, ...]
    kind: str
    difficulty: Difficulty


def render_hard_scene(
    *, seed: int, width: int | None = None, height: int | None = None, negative: bool | None = None
) -> HardScene:
    """Take one bad picture.

    Args:
        seed: the same seed gives the same scene.
        width: of the frame in pixels, >= 160; None takes one of SIZES.
        height: of the frame in pixels, >= 100.
        negative: whether there are no digits in it; None leaves it to chance.

    Examples:
        >>> scene = render_hard_scene(seed=4, negative=False)
        >>> len(scene.digits) == len("".join(scene.rows)), [len(row) for row in scene.numbers] != []
        (True, True)
    """
    rng = np.random.default_rng(seed)
    usual = SIZES[rng.integers(len(SIZES))]
    frame = (width or usual[0], height or usual[1])
    if rng.random() < NEGATIVE if negative is None else negative:
        return _negative(rng, frame)
    return _positive(rng, frame)


def _choose(weights: dict[str, float], rng: np.random.Generator) -> str:
    shares = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def _positive(rng: np.random.Generator, frame: tuple[int, int]) -> HardScene:
    """A scene with digits."""
    name = _choose({name: kind.weight for name, kind in KINDS.items()}, rng)
    kind = KINDS[name]
    difficulty = list(Difficulty)[rng.choice(3, p=np.array(kind.ease) / sum(kind.ease))]
    writing = _write(kind, difficulty, rng, frame)
    marks = [mark for row in writing.rows for number in row for mark in number]
    view = _any_view(rng, difficulty)
    outlines = [mark.outline() for mark in marks]
    matrix = homography(view, page=writing.page.shape[1::-1], frame=frame)
    if Extra.CUT not in kind.extras:
        matrix = keep_inside(matrix, np.concatenate(outlines), frame=frame, margin=float(rng.uniform(1, 12)))
    boxes, ignore = (
        [_box(outline, matrix) for outline in outlines],
        [_box(outline, matrix) for outline in writing.ignore],
    )
    seen = _warp(writing.page, matrix, frame)
    stroke = min(mark.tool.width * mark.ink.shape[0] for mark in marks)
    contrast = min(mark.tool.opacity for mark in marks)
    busy = [_corners(box) for box in boxes]
    if Extra.FINGER in kind.extras:
        ignore += [_from_corners(box) for box in [put_finger(seen, rng, busy)] if box]
    shot = _shoot(
        seen,
        rng,
        difficulty,
        stroke=stroke,
        contrast=contrast,
        glossy=Extra.REFLECTION in kind.extras,
        flat=writing.sheet is Sheet.SCAN,
    )
    if Extra.STAMP in kind.extras:
        ignore += [_from_corners(box) for box in [stamp(shot, rng, busy)] if box]
    return _tell(writing.rows, boxes, ignore, _pack(shot, rng, difficulty), name, difficulty)


@dataclass(frozen=True, slots=True, eq=False)
class _Writing:
    """A page with everything on it, and the outlines of what is to be ignored."""

    page: NDArray[np.uint8]
    sheet: Sheet
    rows: list[Row]
    ignore: list[NDArray[np.float64]]


def _write(kind: Kind, difficulty: Difficulty, rng: np.random.Generator, frame: tuple[int, int]) -> _Writing:
    """Choose sheet and pens, write the rows, and put the rest of the kind around them."""
    sheet = kind.sheets[rng.integers(len(kind.sheets))]
    tools = tuple(_any_nib(kind, sheet, rng).one(rng) for _ in range(kind.pens))
    layout = kind.layouts[rng.integers(len(kind.layouts))]
    slope = float(np.radians(np.clip(rng.normal(0, {"easy": 0.8, "medium": 2.0, "hard": 4.0}[difficulty]), -12, 12)))
    style = Style(layout, tools, kind.manners[rng.integers(len(kind.manners))], kind.joined, slope)
    width, height = (round(side * (1 + 2 * BEYOND)) for side in frame)
    room = (round(frame[0] * FILLED), round(frame[1] * FILLED * (0.7 if Extra.WORDS in kind.extras else 1)))
    rows, pitch, cells = write_rows(style, rng, width=room[0], height=room[1])
    left, top = (width - room[0]) // 2, (height - room[1]) // 2
    if Extra.CUT in kind.extras:
        left, top = _across_border([mark for row in rows for number in row for mark in number], rng, frame)
    rows = [[[mark.moved(left, top) for mark in number] for number in row] for row in rows]
    first = rows[0][0][0]
    size = first.ink.shape[0]
    standing = rng.random() < 0.5  # on the lines
    page = make_sheet(
        sheet,
        rng,
        width=width,
        height=height,
        pitch=pitch
        if standing and len(rows) > 1
        else size * rng.uniform(0.5, 2) * (0.6 if sheet is Sheet.SQUARED else 1),
        start=first.y + size - np.tan(slope) * first.x if standing else rng.uniform(0, height),
        angle=slope if standing else slope * rng.uniform(0, 0.5),
        bold=float(rng.uniform(*kind.bold)),
    )
    ignore: list[NDArray[np.float64]] = []
    if cells:
        add_table(page, rows, rng, [x + left for x in cells[0]], [y + top for y in cells[1]])
    for extra in kind.extras:
        ignore += add_extra(extra, page, rows, rng)
    for row in rows:
        for number in row:
            for mark in number:
                put(page, mark)
    if Extra.DESK in kind.extras or Extra.DARK_DESK in kind.extras:
        desk = make_desk(rng, (height, width), dark=Extra.DARK_DESK in kind.extras)
        keep = bounds([mark for row in rows for number in row for mark in number])
        sides = int(rng.integers(1, 5))
        page = lay_on(desk, page, rng, sheet_corners(keep, rng, (height, width), pad=0.25 * size + 4, sides=sides))
    return _Writing(page, sheet, rows, ignore)


def _any_nib(kind: Kind, sheet: Sheet, rng: np.random.Generator) -> Nib:
    """A pen of the kind that writes on the sheet."""
    nibs = {Sheet.BLACKBOARD: (CHALK,), Sheet.WHITEBOARD: (BOARD,), Sheet.BROWN: (BALL, FELT)}.get(sheet, kind.nibs)
    return nibs[rng.integers(len(nibs))]


def _any_view(rng: np.random.Generator, difficulty: Difficulty) -> View:
    tilt, turn = {"easy": (0.01, 0.01), "medium": (0.03, 0.02), "hard": (0.05, 0.035)}[difficulty]
    return View(turn=rng.normal(0, turn), tilt=(rng.normal(0, tilt), rng.normal(0, tilt)))


def _across_border(marks: list[Mark], rng: np.random.Generator, frame: tuple[int, int]) -> tuple[int, int]:
    """How far to move the marks until a side of the frame runs through the outermost of them."""
    left, top, right, bottom = bounds(marks)
    side = rng.integers(4)
    share = rng.uniform(0.2, 0.6)  # of the outermost digit, cut off
    beyond = round(BEYOND * frame[0]), round(BEYOND * frame[1])
    wide, high = (share * np.median([mark.ink.shape[axis] for mark in marks]) for axis in (1, 0))
    return (
        (round(beyond[0] - left - wide), 0),
        (0, round(beyond[1] - top - high)),
        (round(beyond[0] + frame[0] - right + wide), 0),
        (0, round(beyond[1] + frame[1] - bottom + high)),
    )[side]


def _warp(page: NDArray[np.uint8], matrix: NDArray[np.float64], frame: tuple[int, int]) -> NDArray[np.uint8]:
    """What the camera sees; where the page ends, it sees the page mirrored."""
    seen = cv2.warpPerspective(page, matrix, frame, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(seen, np.uint8)


def _shoot(
    seen: NDArray[np.uint8],
    rng: np.random.Generator,
    difficulty: Difficulty,
    *,
    stroke: float,
    contrast: float,
    glossy: bool,
    flat: bool,
) -> NDArray[np.uint8]:
    """Light, lens and sensor; what the thinnest and palest stroke would not survive is spared."""
    bad = {"easy": 0.15, "medium": 0.5, "hard": 1.0}[difficulty]
    height, width = seen.shape[:2]
    if not flat:
        light = harsh_light(
            rng,
            width=width,
            height=height,
            brightness=float(rng.uniform(0.9 - 0.4 * bad, 1.0)),
            gradient=float(bad * rng.beta(1, 3)) * 0.8,
            shadows=int(rng.binomial(2, 0.2 * bad)) if bad > 0.2 else 0,
            vignette=float(bad * rng.beta(1, 4)),
        )
        seen = np.asarray(cv2.multiply(seen, light, scale=1 / UNIT), np.uint8)
    if glossy:
        seen = reflect(seen, rng)
    sigma = float(rng.uniform(0.25, 0.25 + bad * min(3.0, 0.25 * stroke)))
    seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), sigma), np.uint8)
    amount = float(rng.uniform(0.4, 1.0 + 5 * bad * contrast)) * (0.2 if flat else 1)
    return add_noise(seen, fine_noise(rng, (height, width), coloured=True), amount)


def _pack(shot: NDArray[np.uint8], rng: np.random.Generator, difficulty: Difficulty) -> NDArray[np.uint8]:
    """What JPEG leaves of a picture."""
    worst = {"easy": 75, "medium": 55, "hard": 35}[difficulty]
    packed = cv2.imencode(".jpg", shot, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(worst, 96))])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _tell(
    rows: list[Row], boxes: list[Box], ignore: list[Box], frame: NDArray[np.uint8], kind: str, difficulty: Difficulty
) -> HardScene:
    """Put the truth together: a digit that is not whole in the frame is to be ignored."""
    size = (frame.shape[1], frame.shape[0])
    left = iter(boxes)
    digits: list[TrueDigit] = []
    numbers: list[tuple[str, ...]] = []
    for row in rows:
        texts = []
        for number in row:
            here = [(mark.digit, next(left)) for mark in number]
            whole = [
                TrueDigit(digit, _clip(box, size)) for digit, box in here if digit is not None and _is_whole(box, size)
            ]
            ignore = ignore + [box for _, box in here if not _is_whole(box, size)]
            digits += whole
            texts.append("".join(str(true.digit) for true in whole))
        numbers.append(tuple(filter(None, texts)))
    numbers = [row for row in numbers if row]
    clipped = [_clip(box, size) for box in ignore]
    return HardScene(
        frame=frame,
        digits=tuple(digits),
        rows=tuple("".join(row) for row in numbers),
        numbers=tuple(numbers),
        ignore=tuple(box for box in clipped if box[2] > 0 and box[3] > 0),
        kind=kind,
        difficulty=difficulty,
    )


def _negative(rng: np.random.Generator, frame: tuple[int, int]) -> HardScene:
    """A scene without digits."""
    name = _choose(NEGATIVES, rng)
    difficulty = list(Difficulty)[rng.integers(3)]
    width, height = frame
    if name == "objects":
        seen = any_object(rng, width=width, height=height)
    else:
        sheets = [Sheet.NAPKIN, Sheet.WHITEBOARD, Sheet.BLACKBOARD, *PAPERS]
        sheet = sheets[rng.integers(len(sheets))]
        pitch = height / rng.uniform(*((4, 30) if sheet in LINED else (2.5, 16)))
        slope = float(np.radians(rng.normal(0, 2.0)))
        seen = make_sheet(sheet, rng, width=width, height=height, pitch=pitch, angle=slope, bold=rng.uniform(0, 0.8))
        if name == "letters":
            tool = _any_nib(KINDS["plain"], sheet, rng).one(rng)
            fill_with_words(seen, rng, tool, pitch=max(pitch, 16.0), slope=slope)
        if rng.random() < 0.25:
            corners = sheet_corners(
                (width // 4, height // 4, width * 3 // 4, height * 3 // 4), rng, (height, width), pad=10, sides=2
            )
            seen = lay_on(make_desk(rng, (height, width)), seen, rng, corners)
    if rng.random() < 0.1:
        put_finger(seen, rng, [])
    shot = _shoot(seen, rng, difficulty, stroke=3.0, contrast=0.5, glossy=False, flat=False)
    return HardScene(_pack(shot, rng, difficulty), (), (), (), (), name, difficulty)


def _box(outline: NDArray[np.float64], matrix: NDArray[np.float64]) -> Box:
    """Box of a page's outline in the frame."""
    seen = project(outline, matrix)
    x, y = np.rint(seen.min(axis=0)).astype(int).tolist()
    right, bottom = np.rint(seen.max(axis=0)).astype(int).tolist()
    return x, y, right + 1 - x, bottom + 1 - y


def _is_whole(box: Box, size: tuple[int, int]) -> bool:
    """Whether no more than a pixel of a box is outside the frame."""
    return min(box[:2]) >= -1 and box[0] + box[2] <= size[0] + 1 and box[1] + box[3] <= size[1] + 1


def _clip(box: Box, size: tuple[int, int]) -> Box:
    left, top, right, bottom = _corners(box)
    left, top, right, bottom = max(0, left), max(0, top), min(size[0], right), min(size[1], bottom)
    return left, top, right - left, bottom - top


def _corners(box: Box) -> Box:
    """Left, top, right, bottom of x, y, width, height."""
    return box[0], box[1], box[0] + box[2], box[1] + box[3]


def _from_corners(box: Box) -> Box:
    """The reverse."""
    return box[0], box[1], box[2] - box[0], box[3] - box[1]
