"""Hard scenes: the truth about them is exact, they are all different, and there is nothing in those without digits."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.handwriting.pen import Pen
from digitedge.synthetic.page.lines import rule
from digitedge.synthetic.page.occluders import THINGS, put_thing
from digitedge.synthetic.page.scene_types import KINDS, NEGATIVES, Difficulty
from digitedge.synthetic.page.surface import Tool
from digitedge.synthetic.page.writing import Layout, Placed, Style, all_marks, write_rows
from digitedge.synthetic.photo.backgrounds import OBJECTS
from digitedge.synthetic.scenes.hard_ground_truth import box_in_frame, whole_digits
from digitedge.synthetic.scenes.hard_scenes import render_hard_scene

BALL = Tool(Pen.BALL, (40, 40, 40), 0.9, 0.08)


@pytest.fixture(scope="module")
def positives():
    return [render_hard_scene(seed=seed, negative=False) for seed in range(60)]


@pytest.fixture(scope="module")
def negatives():
    return [render_hard_scene(seed=seed, negative=True) for seed in range(20)]


def rng(seed=0):
    return np.random.default_rng(seed)


# Scenes


def test_a_seed_gives_the_same_scene_again():
    one, two, other = (render_hard_scene(seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.frame, two.frame) and one.digits == two.digits and one.ignore == two.ignore
    assert one.kind == two.kind and one.numbers == two.numbers
    assert one.frame.shape != other.frame.shape or not np.array_equal(one.frame, other.frame)


def test_a_frame_has_the_size_asked_for():
    frame = render_hard_scene(seed=1, width=500, height=320).frame
    assert frame.shape == (320, 500, 3) and frame.dtype == np.uint8


@pytest.mark.parametrize("size", [(159, 100), (160, 99)])
def test_a_frame_too_small_for_digits_is_refused(size):
    with pytest.raises(InputError, match="160x100"):
        render_hard_scene(seed=0, width=size[0], height=size[1])


@pytest.mark.parametrize("seed", range(30))
def test_every_kind_can_be_rendered_into_the_smallest_frame(seed):
    frame = render_hard_scene(seed=seed, width=160, height=100).frame
    assert frame.shape == (100, 160, 3)


def test_a_third_of_the_scenes_has_no_digits():
    without = sum(render_hard_scene(seed=seed, width=160, height=100).kind in NEGATIVES for seed in range(100))
    assert 18 <= without <= 42


def test_kinds_and_difficulties_come(positives, negatives):
    kinds = {scene.kind for scene in positives}
    assert kinds <= set(KINDS) and len(kinds) > 20
    assert {scene.difficulty for scene in positives} == set(Difficulty)
    assert {scene.kind for scene in negatives} == set(NEGATIVES)


def test_a_negative_holds_no_digit(negatives):
    assert all(scene.digits == scene.rows == scene.numbers == scene.ignore == () for scene in negatives)


# Their truth


def test_digits_are_the_rows_are_the_numbers(positives):
    for scene in positives:
        assert "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
        assert scene.rows == tuple("".join(row) for row in scene.numbers)
        assert all(number for row in scene.numbers for number in row)


def test_a_scene_with_digits_has_digits(positives):
    assert all(scene.digits for scene in positives)


def test_where_the_border_cuts_digits_some_are_whole():
    cut = scenes_of("cut", among=300)
    assert len(cut) >= 3 and all(scene.digits and scene.ignore for scene in cut)


def scenes_of(kind, *, among):
    """Scenes of one kind; their seeds are found by small frames, for size does not change the kind."""
    small = (render_hard_scene(seed=seed, width=160, height=100, negative=False) for seed in range(among))
    seeds = [seed for seed, scene in enumerate(small) if scene.kind == kind]
    return [render_hard_scene(seed=seed, negative=False) for seed in seeds]


def test_boxes_are_in_the_frame(positives):
    for scene in positives:
        height, width = scene.frame.shape[:2]
        for x, y, w, h in [*(true.box for true in scene.digits), *scene.ignore]:
            assert w > 0 and h > 0 and x >= 0 and y >= 0 and x + w <= width and y + h <= height


def test_there_is_ink_in_a_box(positives):
    seen = [contrast(scene.frame, true.box) for scene in positives for true in scene.digits]
    assert np.mean(np.array(seen) > 8) > 0.97


def contrast(frame, box):
    """How far the ink is from the paper around it, in grey levels."""
    x, y, w, h = box
    patch = cv2.cvtColor(frame[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1], cv2.COLOR_BGR2GRAY).astype(int)
    middle = np.median(patch)
    return max(middle - np.percentile(patch, 4), np.percentile(patch, 96) - middle)


def test_boxes_are_tight_around_the_ink():
    off = [
        away
        for scene in scenes_of("scan", among=200)
        for true in scene.digits
        if (away := distance(scene, true)) is not None
    ]
    assert len(off) > 40 and np.mean(np.array(off) <= 2) > 0.97


def distance(scene, true):
    """How far a box is from the ink that is seen, in pixels; None where another digit is near."""
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


def test_a_digit_that_the_border_cuts_is_not_there():
    ink = np.full((20, 10), 255, np.uint8)
    marks = [Placed(ink, x, 10, BALL, digit) for x, digit in ((-5, 3), (20, 4), (60, 5))]
    boxes = [box_in_frame(mark.outline(), np.eye(3)) for mark in marks]
    rows, numbers, digits, cut = whole_digits([[marks[:2], marks[2:]]], boxes, (100, 100))
    assert rows == ("45",) and numbers == (("4", "5"),)
    assert [(true.digit, true.box) for true in digits] == [(4, (20, 10, 10, 20)), (5, (60, 10, 10, 20))]
    assert cut == [(-5, 10, 10, 20)]


# What they are made of


@pytest.mark.parametrize("layout", list(Layout), ids=str)
def test_a_layout_fills_its_room_without_overlaps(layout):
    for seed in range(5):
        rows, _, _ = write_rows(Style(layout, (BALL,)), rng(seed), width=600, height=400)
        taken = np.zeros((500, 700), int)
        for mark in all_marks(rows):
            assert mark.x >= 0 and mark.y >= -8 and mark.x + mark.ink.shape[1] <= 600
            taken[max(0, mark.y) : mark.y + mark.ink.shape[0], mark.x : mark.x + mark.ink.shape[1]] += mark.ink > 128
        assert taken.max() == 1


@pytest.mark.parametrize("seed", range(6))
def test_numbers_stand_apart_and_their_digits_together(seed):
    rows, _, _ = write_rows(Style(Layout.NUMBERS, (BALL,)), rng(seed), width=900, height=600)
    size = np.median([mark.ink.shape[0] for mark in all_marks(rows)])
    for row in rows:
        for number in row:
            assert all(gap < 1.1 * size for gap in gaps(number))
        for one, two in pairwise(row):
            assert gaps([one[-1], two[0]])[0] > 1.2 * size


def gaps(marks):
    return [two.x - one.x - one.ink.shape[1] for one, two in pairwise(marks)]


def test_joined_neighbours_touch():
    rows, _, _ = write_rows(Style(Layout.NUMBERS, (BALL,), joined=1.0), rng(1), width=900, height=600)
    assert [gap for row in rows for number in row for gap in gaps(number)]
    assert all(gap <= 0.3 * row[0][0].ink.shape[0] for row in rows for number in row for gap in gaps(number))


def test_lines_are_as_far_apart_as_told():
    sheet = np.full((200, 100, 3), 255, np.uint8)
    rule(sheet, rng(), pitch=25.0, colour=(0, 0, 0), opacity=1.0, start=10.0)
    dark = np.flatnonzero(sheet[:, 50, 0] < 128)
    assert dark.tolist() == [10, 35, 60, 85, 110, 135, 160, 185]


@pytest.mark.parametrize("name", list(OBJECTS))
def test_an_object_fills_its_image_and_comes_again_from_its_seed(name):
    one, two = (OBJECTS[name](rng(3), (120, 160)) for _ in range(2))
    assert one.shape == (120, 160, 3) and one.dtype == np.uint8 and one.std() > 3
    assert np.array_equal(one, two)


@pytest.mark.parametrize("name", list(THINGS))
def test_a_thing_covers_no_digit(name):
    keep = (60, 50, 200, 140)
    for seed in range(5):
        frame = np.full((240, 320, 3), 255, np.uint8)
        box = put_thing(frame, rng(seed), [keep], name=name)
        assert (frame[50:190, 60:260] == 255).all()
        assert (box is None) == (frame == 255).all()
