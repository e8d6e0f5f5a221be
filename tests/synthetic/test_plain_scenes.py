"""Plain scenes: every digit is whole, clear and large, and its box is exact."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.synthetic.scenes import PLAIN_SCENE_TYPES, Difficulty, Scene, TrueDigit, render_scene
from digitedge.utils.boxes import clip_box, intersection_area


def render_plain(seed: int, *, size: tuple[int, int] = (640, 480), scene_type: str | None = None) -> Scene:
    return render_scene(seed=seed, width=size[0], height=size[1], difficulty=Difficulty.PLAIN, scene_type=scene_type)


def test_a_plain_scene_is_640x480_unless_told() -> None:
    scene = render_scene(seed=0, difficulty=Difficulty.PLAIN)
    assert scene.frame.shape == (480, 640, 3) and scene.frame.dtype == np.uint8
    assert render_plain(0, size=(400, 300)).frame.shape == (300, 400, 3)


def test_the_same_seed_gives_the_same_scene() -> None:
    one, two, other = render_plain(5), render_plain(5), render_plain(6)
    assert np.array_equal(one.frame, two.frame) and one.digits == two.digits and one.rows == two.rows
    assert not np.array_equal(one.frame, other.frame)


@pytest.mark.parametrize("seed", range(12))
def test_rows_are_the_digits_in_reading_order(seed: int) -> None:
    scene = render_plain(seed)
    assert 1 <= len(scene.rows) <= 3 and all(1 <= len(row) <= 8 for row in scene.rows)
    assert "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
    start, bottom = 0, 0.0
    for row in scene.rows:
        boxes = np.array([true.box for true in scene.digits[start : start + len(row)]])
        start += len(row)
        assert (np.diff(boxes[:, 0]) > 0).all()  # left to right
        middle = (boxes[:, 1] + boxes[:, 3] / 2).mean()
        assert middle > bottom  # top to bottom
        bottom = middle


@pytest.mark.parametrize("size", [(640, 480), (160, 120), (320, 240), (1280, 720), (240, 426)])
def test_digits_are_whole_large_and_apart(size: tuple[int, int]) -> None:
    for seed in range(12):
        scene = render_plain(seed, size=size)
        assert scene.frame.shape == (size[1], size[0], 3) and not scene.ignore
        for index, true in enumerate(scene.digits):
            assert clip_box(true.box, *size) == true.box
            assert true.box[3] >= 24 and true.box[2] >= 1
            assert not any(intersection_area(true.box, other.box) for other in scene.digits[index + 1 :])


@pytest.mark.parametrize("scene_type", PLAIN_SCENE_TYPES)
def test_ink_contrasts_with_the_paper(scene_type: str) -> None:
    for seed in range(4):
        scene = render_plain(seed, scene_type=scene_type)
        grey = cv2.cvtColor(scene.frame, cv2.COLOR_BGR2GRAY).astype(float)
        for true in scene.digits:
            x, y, width, height = true.box
            part = grey[y : y + height, x : x + width]
            assert np.percentile(part, 97) - np.percentile(part, 3) > 40


@pytest.mark.parametrize("scene_type", [name for name in PLAIN_SCENE_TYPES if name != "plain-desk"])
def test_only_the_blackboard_is_dark(scene_type: str) -> None:
    grey = cv2.cvtColor(render_plain(1, scene_type=scene_type).frame, cv2.COLOR_BGR2GRAY)
    assert (np.median(grey) < 90) == (scene_type == "plain-blackboard")


def test_all_scene_types_come_without_being_asked_for() -> None:
    assert {render_plain(seed, size=(160, 120)).scene_type for seed in range(40)} == set(PLAIN_SCENE_TYPES)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("scene_type", ["plain-paper", "plain-whiteboard"])
def test_boxes_are_tight_around_the_ink_of_a_clean_scene(scene_type: str, seed: int) -> None:
    scene = render_scene(seed=seed, difficulty=Difficulty.PLAIN, scene_type=scene_type, clean=True)
    paper = np.median(scene.frame, axis=(0, 1)).astype(int)
    contrast = np.abs(scene.frame.astype(int) - paper).max(axis=2)
    for true in scene.digits:
        assert distance_to_ink(contrast, true, scene) <= 2


def distance_to_ink(contrast: NDArray[np.int64], true: TrueDigit, scene: Scene) -> int:
    """Return the largest distance of an edge of the box from the ink, in pixels."""
    x, y, width, height = true.box
    around = contrast[y - 3 : y + height + 3, x - 3 : x + width + 3].copy()
    for other in scene.digits:  # a neighbour may reach into the border
        if other is not true:
            left, top = max(0, other.box[0] - x + 3 - 2), max(0, other.box[1] - y + 3 - 2)
            right, bottom = other.box[0] + other.box[2] - x + 5, other.box[1] + other.box[3] - y + 5
            if right > 0 and bottom > 0:
                around[top:bottom, left:right] = 0
    ink = around > 0.35 * around.max()
    rows, columns = np.flatnonzero(ink.any(axis=1)) - 3, np.flatnonzero(ink.any(axis=0)) - 3
    return int(max(map(abs, (rows[0], rows[-1] - (height - 1), columns[0], columns[-1] - (width - 1)))))


@pytest.mark.parametrize("size", [(159, 480), (640, 100)])
def test_a_frame_that_is_too_small_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="at least 160x120"):
        render_plain(0, size=size)


def test_a_scene_type_that_is_not_plain_is_refused() -> None:
    with pytest.raises(InputError, match="plain-paper, plain-ruled, plain-squared, plain-desk"):
        render_plain(0, scene_type="crumpled")
