"""Hard scenes: the truth about them is exact, they are all different, and there is nothing in those without digits."""

import cv2
import numpy as np
import pytest

from digitedge.data.hard_scenes import render_hard_scene
from digitedge.data.kinds import KINDS, NEGATIVES, Difficulty

SCENES = range(60)


@pytest.fixture(scope="module")
def positives():
    return [render_hard_scene(seed=seed, negative=False) for seed in SCENES]


@pytest.fixture(scope="module")
def negatives():
    return [render_hard_scene(seed=seed, negative=True) for seed in range(20)]


def around(box, frame, by):
    x, y, w, h = box
    return frame[max(0, y - by) : y + h + by, max(0, x - by) : x + w + by]


def test_a_seed_gives_the_same_scene_again():
    one, two, other = (render_hard_scene(seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.frame, two.frame) and one.digits == two.digits and one.ignore == two.ignore
    assert one.kind == two.kind and one.numbers == two.numbers
    assert one.frame.shape != other.frame.shape or not np.array_equal(one.frame, other.frame)


def test_a_frame_has_the_size_asked_for():
    frame = render_hard_scene(seed=1, width=500, height=320).frame
    assert frame.shape == (320, 500, 3) and frame.dtype == np.uint8


def test_a_third_of_the_scenes_has_no_digits():
    without = sum(not render_hard_scene(seed=seed, width=160, height=100).digits for seed in range(80))
    assert 12 <= without <= 36


def test_digits_are_the_rows_are_the_numbers(positives):
    for scene in positives:
        assert "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
        assert scene.rows == tuple("".join(row) for row in scene.numbers)
        assert all(number for row in scene.numbers for number in row)


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
    patch = cv2.cvtColor(around(box, frame, 1), cv2.COLOR_BGR2GRAY).astype(float)
    middle = np.median(patch)
    return max(middle - np.percentile(patch, 4), np.percentile(patch, 96) - middle)


def test_kinds_and_difficulties_come(positives, negatives):
    kinds = {scene.kind for scene in positives}
    assert kinds <= set(KINDS) and len(kinds) > 20
    assert {scene.difficulty for scene in positives} == set(Difficulty)
    assert {scene.kind for scene in negatives} == set(NEGATIVES)


def test_a_negative_holds_no_digit(negatives):
    assert all(scene.digits == scene.rows == scene.numbers == () for scene in negatives)
