"""Pages, scenes and the endless clip: what is in the image is what the truth says."""

from itertools import islice, pairwise

import cv2
import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.page.page import LEAST_HEIGHT, write_page
from digitedge.synthetic.photo.photograph import View, homography, keep_inside, project, sensor_noise, uneven_light
from digitedge.synthetic.scenes.plain_scenes import Medium, render_clip, render_scene

MEDIA = pytest.mark.parametrize("medium", list(Medium), ids=str)


def rng(seed=0):
    return np.random.default_rng(seed)


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0, width) * max(0, height)


def inside(box, frame):
    x, y, width, height = box
    return x >= 0 and y >= 0 and x + width <= frame.shape[1] and y + height <= frame.shape[0]


@pytest.fixture(scope="module")
def clip():
    """Eight seconds of a small clip: two changes of the sheet at least."""
    return list(islice(render_clip(seed=4, width=320, height=240), 300))


# Scenes


def test_a_scene_has_a_colour_frame_of_the_size_asked_for():
    scene = render_scene(seed=0, width=400, height=300)
    assert scene.frame.shape == (300, 400, 3) and scene.frame.dtype == np.uint8


def test_a_seed_gives_the_same_scene_again():
    one, two, other = render_scene(seed=5), render_scene(seed=5), render_scene(seed=6)
    assert np.array_equal(one.frame, two.frame) and one.digits == two.digits and one.rows == two.rows
    assert not np.array_equal(one.frame, other.frame)


@pytest.mark.parametrize("seed", range(12))
def test_rows_are_the_digits_in_reading_order(seed):
    scene = render_scene(seed=seed)
    assert 1 <= len(scene.rows) <= 3 and all(1 <= len(row) <= 8 for row in scene.rows)
    assert "".join(scene.rows) == "".join(str(true.digit) for true in scene.digits)
    start = 0
    bottom = 0.0
    for row in scene.rows:
        boxes = np.array([true.box for true in scene.digits[start : start + len(row)]])
        start += len(row)
        assert (np.diff(boxes[:, 0]) > 0).all()  # left to right
        middle = (boxes[:, 1] + boxes[:, 3] / 2).mean()
        assert middle > bottom  # top to bottom
        bottom = middle


@pytest.mark.parametrize("seed", range(12))
def test_digits_are_whole_large_enough_and_apart(seed):
    scene = render_scene(seed=seed)
    for index, true in enumerate(scene.digits):
        assert inside(true.box, scene.frame)
        assert true.box[3] >= 24 and true.box[2] >= 1
        for other in scene.digits[index + 1 :]:
            assert overlap(true.box, other.box) <= 0.1 * min(true.box[2] * true.box[3], other.box[2] * other.box[3])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("medium", [Medium.PAPER, Medium.WHITEBOARD], ids=str)
def test_boxes_are_tight_around_the_ink_of_a_clean_scene(medium, seed):
    scene = render_scene(seed=seed, medium=medium, clean=True)
    distance = np.abs(scene.frame.astype(int) - np.median(scene.frame, axis=(0, 1)).astype(int)).max(axis=2)
    for true in scene.digits:
        x, y, width, height = true.box
        around = distance[y - 3 : y + height + 3, x - 3 : x + width + 3].copy()
        for other in scene.digits:  # a neighbour may reach into the border
            if other is not true:
                left, top = max(0, other.box[0] - x + 3 - 2), max(0, other.box[1] - y + 3 - 2)
                right, bottom = other.box[0] + other.box[2] - x + 5, other.box[1] + other.box[3] - y + 5
                if right > 0 and bottom > 0:
                    around[top:bottom, left:right] = 0
        ink = around > 0.35 * around.max()
        rows, columns = np.flatnonzero(ink.any(axis=1)) - 3, np.flatnonzero(ink.any(axis=0)) - 3
        assert abs(rows[0]) <= 2 and abs(rows[-1] - (height - 1)) <= 2
        assert abs(columns[0]) <= 2 and abs(columns[-1] - (width - 1)) <= 2


@MEDIA
def test_every_medium_can_be_asked_for(medium):
    scene = render_scene(seed=1, medium=medium, width=320, height=240)
    grey = cv2.cvtColor(scene.frame, cv2.COLOR_BGR2GRAY)
    assert (np.median(grey) < 90) == (medium is Medium.BLACKBOARD)


@MEDIA
def test_ink_stands_out_from_its_medium(medium):
    for seed in range(4):
        scene = render_scene(seed=seed, medium=medium)
        grey = cv2.cvtColor(scene.frame, cv2.COLOR_BGR2GRAY).astype(float)
        for true in scene.digits:
            x, y, width, height = true.box
            cut = grey[y : y + height, x : x + width]
            assert np.percentile(cut, 97) - np.percentile(cut, 3) > 20


def test_all_media_come_when_none_is_asked_for():
    dark = [np.median(render_scene(seed=seed, width=160, height=120).frame) < 90 for seed in range(30)]
    assert 1 <= sum(dark) <= 15


@pytest.mark.parametrize("size", [(160, 120), (320, 240), (1280, 720), (240, 426)])
def test_frames_of_many_sizes(size):
    for seed in range(3):
        scene = render_scene(seed=seed, width=size[0], height=size[1])
        assert scene.frame.shape == (size[1], size[0], 3)
        assert all(inside(true.box, scene.frame) and true.box[3] >= 24 for true in scene.digits)


@pytest.mark.parametrize("size", [(159, 480), (640, 100)])
def test_a_frame_too_small_for_digits_is_refused(size):
    with pytest.raises(InputError, match="at least 160x120"):
        render_scene(seed=0, width=size[0], height=size[1])
    with pytest.raises(InputError, match="at least 160x120"):
        render_clip(seed=0, width=size[0], height=size[1])


# The clip


def test_the_clip_is_the_same_for_the_same_seed(clip):
    again = islice(render_clip(seed=4, width=320, height=240), 40)
    for scene, same in zip(clip, again, strict=False):
        assert np.array_equal(scene.frame, same.frame) and scene.digits == same.digits


def test_every_digit_is_inside_in_every_frame(clip):
    for scene in clip:
        assert scene.frame.shape == (240, 320, 3) and scene.frame.dtype == np.uint8
        assert scene.digits
        for true in scene.digits:
            assert inside(true.box, scene.frame) and true.box[3] >= 24


def test_the_camera_never_stands_still_and_never_jumps(clip):
    for before, after in pairwise(clip):
        assert not np.array_equal(before.frame, after.frame)
        if before.rows == after.rows:
            moved = np.abs(np.array([a.box for a in before.digits]) - np.array([b.box for b in after.digits]))
            assert moved.max() <= 8


def test_boxes_move_with_the_camera(clip):
    first = clip[0]
    later = clip[40]
    assert later.rows == first.rows
    assert [true.box for true in later.digits] != [true.box for true in first.digits]


def test_sheets_change_after_a_few_seconds(clip):
    changes = [index for index in range(1, len(clip)) if clip[index].rows != clip[index - 1].rows]
    assert 2 <= len(changes) <= 4
    stays = np.diff([0, *changes]) / 25
    assert stays.min() >= 2.9 and stays.max() <= 5.6


def test_a_faster_clip_moves_less_from_frame_to_frame():
    slow = list(islice(render_clip(seed=2, fps=5), 10))
    fast = list(islice(render_clip(seed=2, fps=50), 10))

    def way(scenes):
        return np.abs(np.array(scenes[0].digits[0].box[:2]) - np.array(scenes[-1].digits[0].box[:2])).max()

    assert way(fast) < way(slow)


@pytest.mark.parametrize("fps", [0, -5, float("nan")])
def test_a_clip_without_a_rate_is_refused(fps):
    with pytest.raises(InputError, match="fps > 0"):
        render_clip(seed=0, fps=fps)


# Pages and cameras


@MEDIA
def test_a_page_goes_on_beyond_the_view(medium):
    page = write_page(rng(3), width=400, height=300, medium=medium)
    assert page.image.shape == (480, 640, 3) and page.medium is medium
    for outline in page.outlines:
        assert outline.min() >= 0 and (outline.max(axis=0) < (640, 480)).all()
        assert np.ptp(outline[:, 1]) >= 0.8 * LEAST_HEIGHT


def test_the_longest_row_has_the_digits_asked_for():
    for seed in range(20):
        assert max(map(len, write_page(rng(seed), width=640, height=480, medium=Medium.PAPER, least=4).rows)) >= 4


def test_a_camera_straight_above_sees_the_middle_in_the_middle():
    matrix = homography(View(), page=(101, 81), frame=(51, 41))
    assert project(np.array([[50.0, 40.0]]), matrix) == pytest.approx(np.array([[25.0, 20.0]]))


def test_a_tilted_camera_sees_the_nearer_side_larger():
    matrix = homography(View(tilt=(0.1, 0.0)), page=(200, 200), frame=(200, 200))
    left, right = (np.ptp(project(np.array([[x, 50.0], [x, 150.0]]), matrix)[:, 1]) for x in (10.0, 190.0))
    assert right > left * 1.1


def test_keep_inside_leaves_what_fits_alone():
    matrix = homography(View(), page=(100, 100), frame=(100, 100))
    kept = keep_inside(matrix, np.array([[20.0, 20.0], [80.0, 80.0]]), frame=(100, 100), margin=5)
    assert kept == pytest.approx(matrix)


@pytest.mark.parametrize(
    "view", [View(shift=(0.9, -0.9)), View(zoom=4.0), View(zoom=3.0, turn=0.3, shift=(0.5, 0.5), tilt=(0.1, -0.1))]
)
def test_keep_inside_brings_everything_into_the_frame(view):
    points = rng().uniform(20, 80, (50, 2))
    matrix = keep_inside(homography(view, page=(100, 100), frame=(160, 120)), points, frame=(160, 120), margin=6)
    seen = project(points, matrix)
    assert seen.min() >= 6 - 1e-6
    assert (seen.max(axis=0) <= np.array([153, 113]) + 1e-6).all()


def test_light_is_uneven_but_never_dark():
    for seed in range(20):
        light = uneven_light(rng(seed), width=64, height=48)
        assert light.shape == (48, 64, 3) and light.dtype == np.uint8
        assert light.min() > 25 and light.mean() > 60
        assert np.ptp(light) > 3


def test_noise_has_the_deviation_asked_for_and_no_bias():
    noise = sensor_noise(rng(), width=200, height=100, sigma=4.0).astype(float)
    assert noise.mean() == pytest.approx(128, abs=0.3)
    assert noise.std() == pytest.approx(4.0, rel=0.35)
