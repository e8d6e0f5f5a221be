"""The endless clip: digits stay whole while the camera moves, and the page changes."""

from itertools import islice, pairwise

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.scenes import Scene, render_clip
from digitedge.utils.boxes import clip_box


@pytest.fixture(scope="module")
def clip() -> list[Scene]:
    """Twelve seconds of a small clip: at least two changes of the page."""
    return list(islice(render_clip(seed=4, width=320, height=240), 300))


def test_the_same_seed_gives_the_same_clip(clip: list[Scene]) -> None:
    again = islice(render_clip(seed=4, width=320, height=240), 40)
    for scene, same in zip(clip, again, strict=False):
        assert np.array_equal(scene.frame, same.frame)
        assert (scene.digits, scene.rows) == (same.digits, same.rows)


def test_every_digit_is_whole_and_large_in_every_frame(clip: list[Scene]) -> None:
    for scene in clip:
        assert scene.frame.shape == (240, 320, 3) and scene.frame.dtype == np.uint8
        assert scene.digits and not scene.ignore
        for true in scene.digits:
            assert clip_box(true.box, 320, 240) == true.box and true.box[3] >= 24


def test_the_camera_always_moves_and_never_jumps(clip: list[Scene]) -> None:
    for before, after in pairwise(clip):
        assert not np.array_equal(before.frame, after.frame)
        if before.rows == after.rows:
            moved = np.abs(np.array([a.box for a in before.digits]) - np.array([b.box for b in after.digits]))
            assert moved.max() <= 8


def test_boxes_move_with_the_camera(clip: list[Scene]) -> None:
    first, later = clip[0], clip[40]
    assert later.rows == first.rows
    assert [true.box for true in later.digits] != [true.box for true in first.digits]


def test_pages_stay_for_three_to_six_seconds(clip: list[Scene]) -> None:
    changes = [index for index in range(1, len(clip)) if clip[index].rows != clip[index - 1].rows]
    assert 2 <= len(changes) <= 4
    seconds = np.diff([0, *changes]) / 25
    assert seconds.min() >= 2.9 and seconds.max() <= 5.6


def test_the_scene_type_changes_with_the_page(clip: list[Scene]) -> None:
    assert all(
        (before.scene_type != after.scene_type) == (before.rows != after.rows) for before, after in pairwise(clip)
    )


def test_a_higher_frame_rate_moves_less_from_frame_to_frame() -> None:
    def distance(fps: float) -> int:
        scenes = list(islice(render_clip(seed=2, fps=fps), 10))
        first, last = (np.array(scene.digits[0].box[:2]) for scene in (scenes[0], scenes[-1]))
        return int(np.abs(first - last).max())

    assert distance(50) < distance(5)


@pytest.mark.parametrize("fps", [0, -5, float("nan")])
def test_a_frame_rate_that_is_not_positive_is_refused(fps: float) -> None:
    with pytest.raises(InputError, match="fps > 0"):
        render_clip(seed=0, fps=fps)


@pytest.mark.parametrize("size", [(159, 480), (640, 100)])
def test_a_frame_that_is_too_small_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="at least 160x120"):
        render_clip(seed=0, width=size[0], height=size[1])
