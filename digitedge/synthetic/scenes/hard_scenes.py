"""Scenes as hard as real photographs, with the exact truth: to measure a reader without a single photograph.

The way of a scene: a kind (kinds); a sheet (sheets) with rows (writing) and other marks (extras) on it (hard_page); bad
light and a bad camera (bad_camera); where the digits came to lie (hard_truth). Scenes without digits show empty sheets,
words, doodles, or things (nature).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.page.occluders import put_thing
from digitedge.synthetic.page.paper_types import Sheet
from digitedge.synthetic.page.scene_types import KINDS, NEGATIVES, RARE, Difficulty, Extra
from digitedge.synthetic.page.texts import stamp
from digitedge.synthetic.photo.backgrounds import sample_object
from digitedge.synthetic.photo.degrade import CONDITIONS, Conditions, light_up, pack, sample_view, see_page, shoot
from digitedge.synthetic.photo.light import reflect
from digitedge.synthetic.photo.photograph import homography, keep_inside
from digitedge.synthetic.scenes.ground_truth import Scene
from digitedge.synthetic.scenes.hard_ground_truth import box_in_frame, clip, whole_digits
from digitedge.synthetic.scenes.hard_page import HardPage, write_hard_page, write_no_digits
from digitedge.utils.boxes import Box

# Cameras, phones and cut-outs: width and height in pixels.
SIZES = (
    *((640, 480), (640, 480), (800, 600), (1280, 720), (1280, 720), (1024, 768), (720, 540), (1600, 1200)),
    *((1200, 1600), (750, 1060), (900, 300), (400, 110)),
)
SMALLEST_FRAME = (160, 100)
# Share of scenes without digits, unless told; and share of those into which a thing reaches.
NEGATIVE, THINGS_SEEN = 0.3, 0.15
# Height in pixels from which there is room for what only may be there.
ROOMY = 240
# Least distance of the digits from the border of the frame, in pixels.
MARGIN = (1, 12)


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
    """Take one bad image.

    Args:
        seed: the same seed gives the same scene.
        width: of the frame in pixels, >= 160; None takes one of SIZES.
        height: of the frame in pixels, >= 100.
        negative: whether there are no digits in it; None leaves it to chance.

    Raises:
        InputError: a frame under SMALLEST_FRAME.

    Examples:
        >>> scene = render_hard_scene(seed=4, negative=False)
        >>> len(scene.digits) == len("".join(scene.rows)), [len(row) for row in scene.numbers] != []
        (True, True)
    """
    rng = np.random.default_rng(seed)
    usual = SIZES[rng.integers(len(SIZES))]
    frame = (width or usual[0], height or usual[1])
    if frame[0] < SMALLEST_FRAME[0] or frame[1] < SMALLEST_FRAME[1]:
        raise InputError(f"expected at least 160x100 pixels, got {frame[0]}x{frame[1]}. Nobody could read the digits.")
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
    if difficulty is not Difficulty.EASY and frame[1] >= ROOMY:
        kind = replace(kind, extras=(*kind.extras, *(extra for extra, share in RARE.items() if rng.random() < share)))
    page = write_hard_page(kind, difficulty, rng, frame)
    matrix = _aim(page, rng, frame, CONDITIONS[difficulty], inside=Extra.CUT not in kind.extras)
    boxes = [box_in_frame(mark.outline(), matrix) for mark in page.marks]
    ignore = [box_in_frame(outline, matrix) for outline in page.ignore]
    shot, stamped = _photograph(page, matrix, rng, frame, difficulty, kind.extras, boxes)
    rows, numbers, digits, cut = whole_digits(page.rows, boxes, frame)
    seen = (clip(box, frame) for box in ignore + cut + stamped)
    return HardScene(shot, digits, rows, numbers, tuple(box for box in seen if min(box[2:]) > 0), name, difficulty)


def _aim(
    page: HardPage, rng: np.random.Generator, frame: tuple[int, int], conditions: Conditions, *, inside: bool
) -> NDArray[np.float64]:
    """Point the camera at a page, so that every digit is in the frame if all have to be inside."""
    matrix = homography(sample_view(rng, conditions), page=page.image.shape[1::-1], frame=frame)
    if not inside:
        return matrix
    outlines = np.concatenate([mark.outline() for mark in page.marks])
    return keep_inside(matrix, outlines, frame=frame, margin=float(rng.uniform(*MARGIN)))


def _photograph(
    page: HardPage,
    matrix: NDArray[np.float64],
    rng: np.random.Generator,
    frame: tuple[int, int],
    difficulty: Difficulty,
    extras: tuple[Extra, ...],
    boxes: list[Box],
) -> tuple[NDArray[np.uint8], list[Box]]:
    """Take the image of a page; also gives the boxes of what the camera prints on it."""
    conditions = CONDITIONS[difficulty]
    seen = see_page(page.image, matrix, frame)
    for extra, thing in ((Extra.FINGER, "finger"), (Extra.THING, None), (Extra.THING, None)):
        if extra in extras:
            put_thing(seen, rng, boxes, name=thing)
    if page.sheet is not Sheet.SCAN:
        seen = light_up(seen, rng, conditions)
    if Extra.REFLECTION in extras:
        seen = reflect(seen, rng)
    stroke = min(mark.tool.width * mark.ink.shape[0] for mark in page.marks)
    seen = shoot(seen, rng, conditions, stroke=stroke, contrast=min(mark.tool.opacity for mark in page.marks))
    stamped = stamp(seen, rng, boxes) if Extra.STAMP in extras else None
    return pack(seen, rng, conditions), [stamped] if stamped else []


def _negative(rng: np.random.Generator, frame: tuple[int, int]) -> HardScene:
    """A scene without digits."""
    name = _choose(NEGATIVES, rng)
    difficulty = list(Difficulty)[rng.integers(3)]
    conditions = CONDITIONS[difficulty]
    seen = sample_object(rng, frame) if name == "objects" else write_no_digits(name, rng, frame)
    if rng.random() < THINGS_SEEN:
        put_thing(seen, rng, [])
    shot = shoot(light_up(seen, rng, conditions), rng, conditions)
    return HardScene(pack(shot, rng, conditions), (), (), (), (), name, difficulty)
