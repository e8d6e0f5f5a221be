"""Scenes: frames of written pages as a camera sees them, plain to hard, or without digits, with exact ground truth.

A scene type (`scene_types`) is written on a page (`page`) and photographed (`photo.effects`); `ground_truth` says where
the digits are in the frame. Scenes without digits show empty papers, words, doodles or objects. Documents are written
by the package `documents`. See docs/decisions/scene-generator.md.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.documents import (
    DOCUMENT_TYPES,
    EVALUATION_DOCUMENT_TYPES,
    TRAINING_DOCUMENT_TYPES,
    write_document,
)
from digitedge.synthetic.handwriting.written_digits import WrittenDigits
from digitedge.synthetic.page.occluders import add_occluder
from digitedge.synthetic.page.page import Page, write_page, write_page_without_digits
from digitedge.synthetic.page.paper_types import PaperType
from digitedge.synthetic.page.scene_types import (
    NEGATIVE_SCENE_TYPES,
    PLAIN_SCENE_TYPES,
    RARE_CLUTTER,
    SCENE_TYPES,
    Clutter,
    Difficulty,
    SceneType,
)
from digitedge.synthetic.page.texts import add_timestamp
from digitedge.synthetic.photo.backgrounds import sample_object
from digitedge.synthetic.photo.camera_pose import CameraPose, homography, keep_inside
from digitedge.synthetic.photo.effects import (
    CONDITIONS,
    add_reflections,
    apply_light,
    blur_and_add_noise,
    compress_jpeg,
    sample_camera_pose,
    scan_black_and_white,
    warp_page,
)
from digitedge.synthetic.scenes.ground_truth import Scene, box_in_frame, describe_scene, table_in_frame
from digitedge.utils.boxes import Box

# Frames of cameras, phones and cutouts: width and height in pixels. Plain scenes are 640x480.
FRAME_SIZES = (
    *((640, 480), (640, 480), (800, 600), (1280, 720), (1280, 720), (1024, 768), (720, 540), (1600, 1200)),
    *((1200, 1600), (750, 1060), (900, 300), (400, 110)),
)
MIN_FRAME_SIZE = (160, 100)
MIN_PLAIN_FRAME_SIZE = (160, 120)
MIN_DOCUMENT_SIZE = (240, 180)
# Makes the seeds of documents differ from those of other scenes.
DOCUMENT_SEED = 17
# Share of the scans that are black and white, and the opacity from which a pen can be seen on them.
BLACK_AND_WHITE_RATE = 0.2
BLACK_AND_WHITE_CONTRAST = 0.7
# Share of scenes without digits, and share of those that an occluder reaches into.
NEGATIVE_RATE = 0.3
NEGATIVE_OCCLUDER_RATE = 0.15
# Range of the least distance of the digits from the border of the frame, in pixels.
MARGIN = (1, 12)
PLAIN_MARGIN = (8, 12)
SAMPLED_DIFFICULTIES = (Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD)


def render_scene(
    *,
    seed: int,
    width: int | None = None,
    height: int | None = None,
    difficulty: Difficulty | None = None,
    scene_type: str | None = None,
    negative: bool | None = None,
    clean: bool = False,
) -> Scene:
    """Render one scene.

    Args:
        seed: the same seed gives the same scene.
        width: of the frame in pixels, >= 160, for documents >= 240; None samples one of FRAME_SIZES, but plain scenes
            are 640x480 and documents of any size.
        height: of the frame in pixels, >= 100, for plain scenes >= 120, for documents >= 180.
        difficulty: PLAIN for whole, clear digits at least 24 pixels high; None samples easy, medium or hard.
        scene_type: a name in SCENE_TYPES, PLAIN_SCENE_TYPES, NEGATIVE_SCENE_TYPES or DOCUMENT_TYPES; None samples one
            that is no document (see `render_document`).
        negative: whether there are no digits; None samples it, unless the difficulty is PLAIN or there is a scene type.
        clean: a perfect image of the page: flat, evenly lit and sharp, without noise.

    Raises:
        InputError: a frame that is too small, or no scene type that fits the options.

    Examples:
        >>> scene = render_scene(seed=3, difficulty=Difficulty.PLAIN)
        >>> scene.frame.shape, "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
        ((480, 640, 3), True)
    """
    if scene_type in DOCUMENT_TYPES:
        return _render_document(scene_type, seed, (width, height), difficulty, negative, clean=clean)
    rng = np.random.default_rng(seed)
    plain = difficulty is Difficulty.PLAIN
    size = (640, 480) if plain else FRAME_SIZES[rng.integers(len(FRAME_SIZES))]
    frame = (size[0] if width is None else width, size[1] if height is None else height)
    check_frame_size(*frame, smallest=MIN_PLAIN_FRAME_SIZE if plain else MIN_FRAME_SIZE)
    if negative is None:
        decided = plain or scene_type
        negative = scene_type in NEGATIVE_SCENE_TYPES if decided else rng.random() < NEGATIVE_RATE
    render = _render_negative if negative else _render_positive
    return render(rng, frame, difficulty, scene_type, clean=clean)


def render_document(seed: int, *, evaluation: bool = False, written: WrittenDigits | None = None) -> Scene:
    """Render a document of any training type in any size: a table, form, sudoku, bill, exercise, or one without digits.

    Args:
        seed: the same seed gives the same document.
        evaluation: any type, those that are never trained on as often as the others together; the seeds give other
            documents than those of training.
        written: images of real handwriting, in which the digits are written.

    Examples:
        >>> scene = render_document(4)
        >>> scene.scene_type in DOCUMENT_TYPES, scene.frame.dtype
        (True, dtype('uint8'))
    """
    rng = np.random.default_rng((seed, DOCUMENT_SEED + evaluation))
    types = EVALUATION_DOCUMENT_TYPES if evaluation and rng.random() < 0.5 else TRAINING_DOCUMENT_TYPES
    name = _sample_name({key: one.weight for key, one in types.items()}, rng)
    return _render_document(name, int(rng.integers(1 << 31)), written=written)


def check_frame_size(width: int, height: int, *, smallest: tuple[int, int]) -> None:
    """Raise InputError for frames that are too small for legible digits."""
    if width < smallest[0] or height < smallest[1]:
        raise InputError(
            f"expected at least {smallest[0]}x{smallest[1]} pixels, got {width}x{height}. "
            "Smaller digits cannot be read."
        )


def _render_positive(
    rng: np.random.Generator, frame: tuple[int, int], difficulty: Difficulty | None, name: str | None, *, clean: bool
) -> Scene:
    """Render a scene with digits."""
    name, kind = _sample_scene_type(rng, difficulty, name)
    if difficulty is None:
        difficulty = SAMPLED_DIFFICULTIES[rng.choice(3, p=np.array(kind.difficulties) / sum(kind.difficulties))]
    if difficulty in (Difficulty.MEDIUM, Difficulty.HARD) and frame[1] >= 240:  # pixels; else there is no room
        rare = (clutter for clutter, rate in RARE_CLUTTER.items() if rng.random() < rate)
        kind = replace(kind, clutter=(*kind.clutter, *rare))
    page = write_page(kind, difficulty, rng, frame)
    pose = CameraPose() if clean else sample_camera_pose(rng, CONDITIONS[difficulty])
    matrix = homography(pose, page=page.image.shape[1::-1], frame=frame)
    if Clutter.CUT not in kind.clutter:
        margin = float(rng.uniform(*(PLAIN_MARGIN if difficulty is Difficulty.PLAIN else MARGIN)))
        outlines = np.concatenate([placed.outline() for placed in page.digits])
        matrix = keep_inside(matrix, outlines, frame=frame, margin=margin)
    boxes = [box_in_frame(placed.outline(), matrix) for placed in page.digits]
    ignore = [box_in_frame(outline, matrix) for outline in page.ignore]
    image = warp_page(page.image, matrix, frame)
    if not clean:
        image, timestamps = _photograph(image, page, rng, difficulty, kind.clutter, boxes)
        ignore += timestamps
    return describe_scene(image, page.rows, boxes, ignore=ignore, scene_type=name, difficulty=difficulty)


def _sample_scene_type(
    rng: np.random.Generator, difficulty: Difficulty | None, name: str | None
) -> tuple[str, SceneType]:
    """Sample one of the scene types that fit a difficulty and a name."""
    types = PLAIN_SCENE_TYPES if difficulty is Difficulty.PLAIN else SCENE_TYPES

    def weight(key: str, one: SceneType) -> float:
        """Return how common a scene type is at this difficulty; 0 if it does not fit."""
        if name not in (None, key):
            return 0.0
        if difficulty not in SAMPLED_DIFFICULTIES:
            return one.weight
        return one.weight * one.difficulties[SAMPLED_DIFFICULTIES.index(difficulty)] / sum(one.difficulties)

    chosen = _sample_name({key: weight(key, one) for key, one in types.items()}, rng)
    return chosen, types[chosen]


def _sample_name(weights: dict[str, float], rng: np.random.Generator) -> str:
    shares = np.array(list(weights.values()))
    if not shares.any():
        raise InputError(f"no scene type fits these options. Scene types of this kind: {', '.join(weights)}.")
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def _photograph(
    image: NDArray[np.uint8],
    page: Page,
    rng: np.random.Generator,
    difficulty: Difficulty,
    clutter: tuple[Clutter, ...],
    boxes: list[Box],
) -> tuple[NDArray[np.uint8], list[Box]]:
    """Apply light, blur, noise and JPEG to the view of a page; also returns the boxes of printed timestamps."""
    conditions = CONDITIONS[difficulty]
    for kind, name in ((Clutter.FINGER, "finger"), (Clutter.OCCLUDER, None), (Clutter.OCCLUDER, None)):
        if kind in clutter:
            add_occluder(image, rng, boxes, name=name)
    if page.paper is not PaperType.SCAN:
        image = apply_light(image, rng, conditions)
    if Clutter.REFLECTION in clutter:
        image = add_reflections(image, rng)
    stroke_width = min(placed.pen.width * placed.ink.shape[0] for placed in page.digits)
    contrast = min(placed.pen.opacity for placed in page.digits)
    image = blur_and_add_noise(image, rng, conditions, stroke_width=stroke_width, contrast=contrast)
    timestamp = add_timestamp(image, rng, boxes) if Clutter.TIMESTAMP in clutter else None
    return compress_jpeg(image, rng, conditions), [timestamp] if timestamp else []


def _render_negative(
    rng: np.random.Generator, frame: tuple[int, int], difficulty: Difficulty | None, name: str | None, *, clean: bool
) -> Scene:
    """Render a scene without digits."""
    name = _sample_name({key: rate if name in (None, key) else 0.0 for key, rate in NEGATIVE_SCENE_TYPES.items()}, rng)
    sampled = SAMPLED_DIFFICULTIES[rng.integers(3)]
    difficulty = sampled if difficulty is None else difficulty
    conditions = CONDITIONS[difficulty]
    image = sample_object(rng, frame) if name == "objects" else write_page_without_digits(name, rng, frame)
    if rng.random() < NEGATIVE_OCCLUDER_RATE:
        add_occluder(image, rng, [])
    if not clean:
        image = blur_and_add_noise(apply_light(image, rng, conditions), rng, conditions)
        image = compress_jpeg(image, rng, conditions)
    return describe_scene(image, (), (), scene_type=name, difficulty=difficulty)


def _render_document(
    name: str,
    seed: int,
    size: tuple[int | None, int | None] = (None, None),
    difficulty: Difficulty | None = None,
    negative: bool | None = None,
    *,
    clean: bool = False,
    written: WrittenDigits | None = None,
) -> Scene:
    """Render a document: written on a page, photographed or scanned."""
    kind = DOCUMENT_TYPES[name]
    if difficulty is Difficulty.PLAIN or negative not in (None, kind.negative):
        raise InputError(f"no scene type fits these options: {name} is a document{' without digits' * kind.negative}.")
    rng = np.random.default_rng(seed)
    sampled = sample_document_size(rng)
    frame = (sampled[0] if size[0] is None else size[0], sampled[1] if size[1] is None else size[1])
    check_frame_size(*frame, smallest=MIN_DOCUMENT_SIZE)
    difficulty = SAMPLED_DIFFICULTIES[rng.integers(3)] if difficulty is None else difficulty
    conditions = CONDITIONS[difficulty]
    page = write_document(kind, difficulty, rng, frame, written)
    pose = CameraPose() if clean else sample_camera_pose(rng, conditions)
    matrix = homography(pose, page=page.image.shape[1::-1], frame=frame)
    outlines = [placed.outline() for placed in page.digits]
    if outlines:
        matrix = keep_inside(matrix, np.concatenate(outlines), frame=frame, margin=float(rng.uniform(*MARGIN)))
    image = warp_page(page.image, matrix, frame)
    if not clean:
        image = _photograph_document(image, page, rng, difficulty)
    return describe_scene(
        image,
        page.rows,
        [box_in_frame(outline, matrix) for outline in outlines],
        ignore=[box_in_frame(outline, matrix) for outline in page.ignore],
        tables=[table_in_frame(table, matrix) for table in page.tables],
        ambiguous=[box_in_frame(outline, matrix) for outline in page.ambiguous],
        scene_type=name,
        difficulty=difficulty,
    )


def sample_document_size(rng: np.random.Generator) -> tuple[int, int]:
    """Sample the width and height of an image of a document: a scan, a photograph, a cutout."""
    area = np.exp(rng.uniform(np.log(0.25e6), np.log(3.5e6))) if rng.random() < 0.96 else 7.6e6  # pixels
    ratio = float(rng.choice([0.707, 0.75, 0.75, 1.333, 1.414, rng.uniform(0.45, 2.2)]))  # width over height
    return round(np.sqrt(area * ratio)), round(np.sqrt(area / ratio))


def _photograph_document(
    image: NDArray[np.uint8], page: Page, rng: np.random.Generator, difficulty: Difficulty
) -> NDArray[np.uint8]:
    """Apply light, blur, noise and JPEG; some scans are black and white."""
    conditions = CONDITIONS[difficulty]
    stroke_width = min((placed.pen.width * placed.ink.shape[0] for placed in page.digits), default=2.0)
    contrast = min((placed.pen.opacity for placed in page.digits), default=0.5)
    if page.paper is not PaperType.SCAN:
        image = apply_light(image, rng, conditions)
    elif contrast > BLACK_AND_WHITE_CONTRAST and rng.random() < BLACK_AND_WHITE_RATE:
        return scan_black_and_white(image)
    image = blur_and_add_noise(image, rng, conditions, stroke_width=stroke_width, contrast=contrast)
    return compress_jpeg(image, rng, conditions)
