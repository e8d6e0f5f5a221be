"""Scenes with all difficulties: their ground truth is exact, and negative scenes have no digits."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.pen import PenType
from digitedge.synthetic.page.lines import print_lines
from digitedge.synthetic.page.occluders import OCCLUDERS, add_occluder
from digitedge.synthetic.page.pens import Pen
from digitedge.synthetic.page.writing import Layout, PageStyle, PlacedInk, all_ink, write_rows
from digitedge.synthetic.photo.backgrounds import OBJECTS
from digitedge.synthetic.photo.effects import CONDITIONS, sample_light
from digitedge.synthetic.scenes import (
    NEGATIVE_SCENE_TYPES,
    SCENE_TYPES,
    Difficulty,
    Scene,
    TrueDigit,
    render_scene,
)
from digitedge.synthetic.scenes.ground_truth import box_in_frame, describe_scene
from digitedge.utils.boxes import Box

BALL = Pen(PenType.BALL, (40, 40, 40), 0.9, 0.08)


@pytest.fixture(scope="module")
def positives() -> list[Scene]:
    return [render_scene(seed=seed, negative=False) for seed in range(60)]


@pytest.fixture(scope="module")
def negatives() -> list[Scene]:
    return [render_scene(seed=seed, negative=True) for seed in range(20)]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# Options


def test_the_same_seed_gives_the_same_scene() -> None:
    one, two, other = (render_scene(seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.frame, two.frame) and one.digits == two.digits and one.ignore == two.ignore
    assert one.scene_type == two.scene_type and one.numbers == two.numbers
    assert one.frame.shape != other.frame.shape or not np.array_equal(one.frame, other.frame)


def test_a_frame_has_the_size_asked_for() -> None:
    frame = render_scene(seed=1, width=500, height=320).frame
    assert frame.shape == (320, 500, 3) and frame.dtype == np.uint8


@pytest.mark.parametrize("size", [(159, 100), (160, 99)])
def test_a_frame_that_is_too_small_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="160x100"):
        render_scene(seed=0, width=size[0], height=size[1])


@pytest.mark.parametrize("seed", range(30))
def test_every_scene_fits_into_the_smallest_frame(seed: int) -> None:
    assert render_scene(seed=seed, width=160, height=100).frame.shape == (100, 160, 3)


@pytest.mark.parametrize("scene_type", SCENE_TYPES)
def test_a_scene_type_can_be_asked_for(scene_type: str) -> None:
    scene = render_scene(seed=1, width=320, height=240, scene_type=scene_type)
    assert scene.scene_type == scene_type and scene.digits


@pytest.mark.parametrize("scene_type", NEGATIVE_SCENE_TYPES)
def test_a_negative_scene_type_can_be_asked_for(scene_type: str) -> None:
    scene = render_scene(seed=1, width=320, height=240, scene_type=scene_type)
    assert scene.scene_type == scene_type and not scene.digits


@pytest.mark.parametrize("difficulty", [Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD])
def test_a_difficulty_can_be_asked_for(difficulty: Difficulty) -> None:
    index = [Difficulty.EASY, Difficulty.MEDIUM, Difficulty.HARD].index(difficulty)
    for seed in range(10):
        scene = render_scene(seed=seed, width=160, height=100, difficulty=difficulty, negative=False)
        assert scene.difficulty is difficulty and SCENE_TYPES[scene.scene_type].difficulties[index] > 0


@pytest.mark.parametrize(
    ("scene_type", "difficulty", "negative"),
    [("nothing", None, None), ("faint", Difficulty.EASY, None), ("plain", None, True), ("letters", None, False)],
    ids=["unknown", "never easy", "not negative", "negative"],
)
def test_options_that_no_scene_type_fits_are_refused(
    scene_type: str, difficulty: Difficulty | None, negative: bool | None
) -> None:
    with pytest.raises(InputError, match="no scene type fits"):
        render_scene(seed=0, scene_type=scene_type, difficulty=difficulty, negative=negative)


def test_three_of_ten_scenes_are_negative() -> None:
    scenes = [render_scene(seed=seed, width=160, height=100) for seed in range(100)]
    assert 18 <= sum(scene.scene_type in NEGATIVE_SCENE_TYPES for scene in scenes) <= 42


def test_all_difficulties_and_many_scene_types_come(positives: list[Scene], negatives: list[Scene]) -> None:
    names = {scene.scene_type for scene in positives}
    assert names <= set(SCENE_TYPES) and len(names) > 20
    assert {scene.difficulty for scene in positives} == set(Difficulty) - {Difficulty.PLAIN}
    assert {scene.scene_type for scene in negatives} == set(NEGATIVE_SCENE_TYPES)


# Ground truth


def test_a_negative_scene_has_no_digits(negatives: list[Scene]) -> None:
    assert not any(scene.digits or scene.rows or scene.numbers or scene.ignore for scene in negatives)


def test_digits_rows_and_numbers_agree(positives: list[Scene]) -> None:
    for scene in positives:
        assert scene.digits
        assert "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
        assert scene.rows == tuple("".join(row) for row in scene.numbers)
        assert all(number for row in scene.numbers for number in row)


def test_cut_scenes_have_whole_digits_and_most_have_ignored_ones() -> None:
    scenes = [render_scene(seed=seed, scene_type="cut") for seed in range(10)]
    assert all(scene.digits for scene in scenes)
    assert sum(bool(scene.ignore) for scene in scenes) >= 5


def test_boxes_are_in_the_frame(positives: list[Scene]) -> None:
    for scene in positives:
        height, width = scene.frame.shape[:2]
        for x, y, w, h in [*(true.box for true in scene.digits), *scene.ignore]:
            assert w > 0 and h > 0 and x >= 0 and y >= 0 and x + w <= width and y + h <= height


def test_boxes_contain_ink(positives: list[Scene]) -> None:
    found = [contrast(scene.frame, true.box) for scene in positives for true in scene.digits]
    assert np.mean(np.array(found) > 8) > 0.97


def contrast(frame: NDArray[np.uint8], box: Box) -> float:
    """Return the largest difference between the ink and the paper around it, in grey levels."""
    x, y, w, h = box
    part = cv2.cvtColor(frame[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1], cv2.COLOR_BGR2GRAY).astype(int)
    median = np.median(part)
    return float(max(median - np.percentile(part, 4), np.percentile(part, 96) - median))


def test_boxes_are_tight_around_the_ink() -> None:
    distances = [
        distance
        for seed in range(8)
        for scene in [render_scene(seed=seed, scene_type="scan")]
        for true in scene.digits
        if (distance := distance_to_ink(scene, true)) is not None
    ]
    assert len(distances) > 40 and np.mean(np.array(distances) <= 2) > 0.97


def distance_to_ink(scene: Scene, true: TrueDigit) -> int | None:
    """Return the largest distance of a box's edge from the ink, in pixels; None if another digit is near."""
    x, y, w, h = true.box
    near = [b for b in (other.box for other in scene.digits) if b[0] < x + w + 6 and x < b[0] + b[2] + 6]
    if len([b for b in near if b[1] < y + h + 6 and y < b[1] + b[3] + 6]) > 1:
        return None
    left, top = max(0, x - 5), max(0, y - 5)
    part = scene.frame[top : y + h + 5, left : x + w + 5].min(axis=2)
    ink = part < (int(part.min()) + 255) / 2 + 20
    found = cv2.boundingRect(ink.view(np.uint8))
    return max(
        abs(left + found[0] - x),
        abs(top + found[1] - y),
        abs(left + found[0] + found[2] - x - w),
        abs(top + found[1] + found[3] - y - h),
    )


def test_a_digit_cut_by_the_border_is_ignored() -> None:
    ink = np.full((20, 10), 255, np.uint8)
    placed = [PlacedInk(ink, x, 10, BALL, digit) for x, digit in ((-5, 3), (20, 4), (60, 5))]
    boxes = [box_in_frame(one.outline(), np.eye(3)) for one in placed]
    rows = [[placed[:2], placed[2:]]]
    frame = np.zeros((100, 100, 3), np.uint8)
    scene = describe_scene(frame, rows, boxes, scene_type="cut", difficulty=Difficulty.EASY)
    assert scene.rows == ("45",) and scene.numbers == (("4", "5"),)
    assert scene.digits == (TrueDigit(4, (20, 10, 10, 20)), TrueDigit(5, (60, 10, 10, 20)))
    assert scene.ignore == ((0, 10, 5, 20),)


# Parts of a scene


@pytest.mark.parametrize("layout", list(Layout), ids=str)
def test_a_layout_fills_its_area_without_overlaps(layout: Layout) -> None:
    for seed in range(5):
        rows, _, _ = write_rows(PageStyle(layout, (BALL,)), rng(seed), width=600, height=400)
        taken = np.zeros((500, 700), int)
        for one in all_ink(rows):
            assert one.x >= 0 and one.y >= -8 and one.x + one.ink.shape[1] <= 600
            taken[max(0, one.y) : one.y + one.ink.shape[0], one.x : one.x + one.ink.shape[1]] += one.ink > 128
        assert taken.max() == 1


@pytest.mark.parametrize("seed", range(6))
def test_numbers_are_further_apart_than_their_digits(seed: int) -> None:
    rows, _, _ = write_rows(PageStyle(Layout.NUMBERS, (BALL,)), rng(seed), width=900, height=600)
    size = np.median([one.ink.shape[0] for one in all_ink(rows)])
    for row in rows:
        for number in row:
            assert all(gap < 1.1 * size for gap in gaps(number))
        for one, two in pairwise(row):
            assert gaps([one[-1], two[0]])[0] > 1.2 * size


def gaps(number: Sequence[PlacedInk]) -> list[int]:
    """Return the gaps between neighbours in pixels."""
    return [right.x - left.x - left.ink.shape[1] for left, right in pairwise(number)]


def test_touching_neighbours_have_no_gap() -> None:
    rows, _, _ = write_rows(PageStyle(Layout.NUMBERS, (BALL,), touching=1.0), rng(1), width=900, height=600)
    found = [gap for row in rows for number in row for gap in gaps(number)]
    assert found and max(found) <= 0.3 * rows[0][0][0].ink.shape[0]


def test_printed_lines_have_the_pitch_and_start_asked_for() -> None:
    page = np.full((200, 100, 3), 255, np.uint8)
    print_lines(page, rng(), pitch=25.0, colour=(0, 0, 0), opacity=1.0, start=10.0)
    dark = np.flatnonzero(page[:, 50, 0] < 128)
    assert dark.tolist() == [10, 35, 60, 85, 110, 135, 160, 185]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_fills_its_image_and_is_the_same_for_a_seed(name: str) -> None:
    one, two = (OBJECTS[name](rng(3), (120, 160)) for _ in range(2))
    assert one.shape == (120, 160, 3) and one.dtype == np.uint8 and one.std() > 3
    assert np.array_equal(one, two)


@pytest.mark.parametrize("name", OCCLUDERS)
def test_an_occluder_covers_no_digit(name: str) -> None:
    digit = (60, 50, 200, 140)
    for seed in range(5):
        frame = np.full((240, 320, 3), 255, np.uint8)
        box = add_occluder(frame, rng(seed), [digit], name=name)
        assert (frame[50:190, 60:260] == 255).all()
        assert (box is None) == (frame == 255).all()


@pytest.mark.parametrize("difficulty", CONDITIONS)
def test_light_is_uneven_and_never_brighter_than_full(difficulty: Difficulty) -> None:
    for seed in range(10):
        light = sample_light(rng(seed), (64, 48), CONDITIONS[difficulty])
        assert light.shape == (48, 64, 3) and light.dtype == np.uint8
        assert np.ptp(light) > 0 and light[..., 1].max() <= 128
