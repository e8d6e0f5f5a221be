"""Detection on whole images: digits of any size and contrast are found in their place, whatever stands beside them."""

from collections.abc import Callable
from itertools import pairwise
from math import log2

import numpy as np
import pytest
from drawn_page import DrawnPage
from numpy.typing import NDArray

from digitedge.synthetic.scenes import PLAIN_SCENE_TYPES, Difficulty, render_scene
from digitedge.utils.boxes import Box, intersection_area, iou, iou_matrix
from digitedge.utils.opencv import cv2
from digitedge.vision import Candidate, Detection, Stage, StageClock, detect_candidates, normalize_digit
from digitedge.vision.detect import SEARCH_SIDE, Level, search_joined
from digitedge.vision.lines.detection import MAX_OUTLINE_PX
from digitedge.vision.segment import MAX_DIGIT_PX, MIN_DIGIT_PX, MIN_HEIGHT_PX

NO_BOXES = np.empty((0, 4), np.int64)


def find_digits(image: NDArray[np.uint8]) -> list[tuple[int, Box]]:
    """Return the level and the box in the image of each candidate that may be a digit."""
    detection = detect_candidates(image)
    may_be_digits = [one for one in detection.candidates if one.reject_reason is None]
    return [(one.level, detection.to_image(one)) for one in may_be_digits]


def assert_found(found: list[tuple[int, Box]], true: list[Box], *, min_iou: float = 0.75) -> None:
    """Check that every digit is found, on at most two levels, once on each."""
    for box in true:
        levels = [level for level, other in found if iou(other, box) >= min_iou]
        assert 1 <= len(levels) <= 2, f"{box} is on levels {levels} of {sorted(found)}"
        assert len(set(levels)) == len(levels), f"{box} is twice on one of the levels {levels}"


def assert_only(found: list[tuple[int, Box]], true: list[Box], *, min_iou: float = 0.75) -> None:
    """Check that every digit is found and nothing else."""
    assert_found(found, true, min_iou=min_iou)
    others = [box for _, box in found if max((iou(box, one) for one in true), default=0.0) < min_iou]
    assert not others, f"{others} are no digits"


def assert_missed(found: list[tuple[int, Box]], true: list[Box]) -> None:
    assert not [box for _, box in found if any(iou(box, one) >= 0.5 for one in true)]


# About a tenth apart: the ranges of the levels, from 20 to 46 pixels, leave no gap.
@pytest.mark.parametrize("height", [round(8 * 1.11**i) for i in range(39)], ids=lambda height: f"{height} px")
def test_digits_of_any_height_are_found_in_their_place(height: int) -> None:
    text = "25" if height < 250 else "5"
    page = DrawnPage(700, 480).write(text, (60, 10 + height), height, pen=max(1, height // 12))
    assert_only(find_digits(page.grey), page.boxes, min_iou=0.5 if height < 12 else 0.6 if height < 25 else 0.75)


def test_digits_lower_than_the_least_height_are_not_found() -> None:
    page = DrawnPage(320, 240).write("25", (60, 100), MIN_HEIGHT_PX - 3, pen=1)
    assert find_digits(page.grey) == []


@pytest.mark.parametrize("side", [36, 50, 58, 64, 100, 112, 190, 224, 500, 1100])
def test_digit_that_fills_the_image_is_found(side: int) -> None:
    height = round(0.9 * side)
    page = DrawnPage(side, side).write("5", (round(0.15 * side), round(0.95 * side)), height)
    assert_only(find_digits(page.grey), page.boxes, min_iou=0.7)


def test_boxes_of_a_large_image_are_in_its_own_pixels() -> None:
    page = DrawnPage(3600, 2400).write("47", (900, 1400), 500)
    assert_only(find_digits(page.grey), page.boxes, min_iou=0.9)


@pytest.mark.parametrize("small", [10, 16, 30, 60], ids=lambda height: f"{height} px")
def test_small_writing_below_large_digits_is_found(small: int) -> None:
    page = DrawnPage(1100, 700).write("36", (60, 400), 330)
    page.write("2025", (80, 600), small, pen=max(1, small // 10))
    assert_only(find_digits(page.grey), page.boxes, min_iou=0.6)


def test_pale_small_writing_beside_one_bold_digit_is_found() -> None:
    page = DrawnPage(900, 500).write("7", (60, 400), 320, level=15).write("23056", (420, 260), 36, level=165, pen=3)
    assert_only(find_digits(page.grey), page.boxes, min_iou=0.7)
    lost = DrawnPage(900, 500).write("7", (60, 400), 320, level=15).write("23056", (420, 260), 36, level=212, pen=3)
    assert_missed(find_digits(lost.grey), lost.boxes[1:])  # paler than the noise of paper


def draw_pen(grey: NDArray[np.uint8]) -> None:
    cv2.line(grey, (850, 40), (700, 560), 30, 22, cv2.LINE_AA)


def draw_upright_line(grey: NDArray[np.uint8]) -> None:
    cv2.line(grey, (60, 10), (66, 590), 60, 3)


def draw_grid(grey: NDArray[np.uint8]) -> None:
    for x in range(80, 881, 160):
        grey[300:560, x : x + 3] = 50
    for y in range(300, 561, 65):
        grey[y : y + 3, 80:883] = 50


def draw_frame(grey: NDArray[np.uint8]) -> None:
    cv2.rectangle(grey, (20, 20), (880, 580), 50, 8)


def draw_desk(grey: NDArray[np.uint8]) -> None:
    grey[:, :90] = grey[:, 800:] = grey[520:] = 45


def draw_hand(grey: NDArray[np.uint8]) -> None:
    cv2.ellipse(grey, (780, 520), (160, 120), 30, 0, 360, 110, cv2.FILLED)


def draw_letters(grey: NDArray[np.uint8]) -> None:
    cv2.putText(grey, "LETTERS", (60, 520), cv2.FONT_HERSHEY_SIMPLEX, 6, 40, 24, cv2.LINE_AA)


def draw_shaded_row(grey: NDArray[np.uint8]) -> None:
    """As high as a row of the table that holds the largest of the digits."""
    grey[140:212, 140:800] = grey[140:212, 140:800] * 0.8


@pytest.mark.parametrize("height", [12, 24, 48], ids=lambda height: f"{height} px")
@pytest.mark.parametrize(
    "draw", [draw_pen, draw_upright_line, draw_grid, draw_frame, draw_desk, draw_hand, draw_letters, draw_shaded_row]
)
def test_large_dark_structure_beside_small_writing_does_not_matter(
    draw: Callable[[NDArray[np.uint8]], None], height: int
) -> None:
    page = DrawnPage(900, 600).write("2064853", (160, 200), height, pen=max(1, height // 10))
    alone = find_digits(page.grey)
    draw(page.grey)
    beside = find_digits(page.grey)
    min_iou = 0.6 if height < 20 else 0.75
    assert_only(alone, page.boxes, min_iou=min_iou)
    assert_found(beside, page.boxes, min_iou=min_iou)
    page.grey[90:230] = 220
    assert_missed(find_digits(page.grey), page.boxes)  # nor is the structure taken for them


def test_colour_and_grey_images_give_equal_boxes() -> None:
    grey = DrawnPage().write("306", (100, 300), 90).grey
    assert find_digits(np.dstack([grey] * 3)) == find_digits(grey) != []


def test_crop_holds_one_digit_without_its_neighbour() -> None:
    page = DrawnPage()
    for x in (150, 190):  # each leans over the box of the other
        cv2.line(page.grey, (x, 300), (x + 60, 180), 40, 12)
    candidates = [one for one in detect_candidates(page.grey).candidates if not one.reject_reason]
    left, right = sorted(candidate.box for candidate in candidates)
    assert intersection_area(left, right) > 0
    for candidate in candidates:
        crop = normalize_digit(candidate.ink)
        assert crop.shape == (28, 28)
        assert crop.dtype == np.uint8
        assert cv2.connectedComponents((crop > 60).astype(np.uint8))[0] == 2, "the paper and one component"


def test_chalk_on_a_board_is_found_like_ink() -> None:
    board = DrawnPage(paper=45).write("8201", (80, 300), 90, level=215)
    assert_only(find_digits(board.grey), board.boxes)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (20, 20), (480, 640), (480, 640, 3)], ids=str)
def test_blank_image_has_levels_and_no_candidates(shape: tuple[int, ...]) -> None:
    detection = detect_candidates(np.full(shape, 180, np.uint8))
    assert detection.candidates == []
    assert detection.levels[0].grey.shape == detection.shape == shape[:2]


def test_sensor_noise_alone_has_no_candidates() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(170, 7, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    assert find_digits(noise) == []


@pytest.mark.parametrize("scene_type", PLAIN_SCENE_TYPES)
def test_all_digits_of_plain_scenes_are_found(scene_type: str) -> None:
    for seed in range(5):
        scene = render_scene(seed=seed, difficulty=Difficulty.PLAIN, scene_type=scene_type)
        assert_found(find_digits(scene.frame), [digit.box for digit in scene.digits], min_iou=0.6)


@pytest.mark.parametrize(
    ("height", "width"), [(480, 640), (641, 333), (1037, 1599), (2000, 3001), (50, 61), (3, 700)], ids=str
)
def test_each_level_is_exactly_half_of_the_one_before(height: int, width: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (height, width), np.uint8)
    levels = detect_candidates(image).levels
    is_small = 2 * max(height, width) <= SEARCH_SIDE
    assert levels[0].scale in ({1.0, 2.0} if is_small else {min(1.0, SEARCH_SIDE / max(height, width))})
    assert max(levels[0].grey.shape) <= SEARCH_SIDE
    for fine, coarse in pairwise(levels):
        assert coarse.scale == fine.scale / 2
        assert coarse.grey.shape == tuple(max(1, side // 2) for side in fine.grey.shape)
        if min(fine.grey.shape) > 1:
            rows, columns = (2 * side for side in coarse.grey.shape)
            blocks = fine.grey[:rows, :columns].reshape(rows // 2, 2, columns // 2, 2)
            assert np.abs(blocks.mean(axis=(1, 3)) - coarse.grey).max() <= 0.5, "the mean of 2 x 2 pixels"


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(800, 10, 2), (800, 19, 2), (800, 21, 1), (800, 60, 1), (802, 10, 1)]
)
def test_small_image_is_doubled_if_it_holds_small_writing(width: int, height: int, scale: float) -> None:
    page = DrawnPage(width, 300).write("253", (60, 150), height, pen=max(1, height // 10))
    detection = detect_candidates(page.grey)
    assert detection.levels[0].scale == scale
    assert detection.levels[0].grey.shape == (scale * 300, scale * width)
    assert_found(find_digits(page.grey), page.boxes, min_iou=0.6)


def test_specks_on_a_small_image_are_too_low_after_it_was_doubled() -> None:
    page = DrawnPage(400, 300).write("25", (60, 150), 10, pen=1)
    page.grey[200 : 200 + MIN_HEIGHT_PX - 2, 100:103] = 40
    levels = detect_candidates(page.grey).levels
    assert (levels[0].scale, levels[0].min_height) == (2, 2 * MIN_HEIGHT_PX)
    assert_only(find_digits(page.grey), page.boxes, min_iou=0.5)


def draw_joined() -> DrawnPage:
    """Draw two digits and a box around the second one, with grey between them as in a small or blurred photograph."""
    page = DrawnPage(900, 600).write("46", (300, 300), 34, pen=3)
    x, y, width, height = page.boxes[1]
    blank = page.grey.copy()
    cv2.rectangle(page.grey, (x - 6, y - 6), (x + width + 5, y + height + 5), 40, 3)
    grey = cv2.GaussianBlur(page.grey, (0, 0), 2.5)
    grey[blank < 100] = 60
    page.grey = grey
    return page


def test_digits_that_touch_through_grey_are_found_in_the_second_search() -> None:
    page = draw_joined()
    detection = detect_candidates(page.grey)
    assert_missed(find_digits(page.grey), page.boxes[1:])
    level = detection.levels[0]
    x, _, width, _ = level.joined[0].tolist()
    assert (x < page.boxes[1][0]) and (x + width > page.boxes[1][0] + page.boxes[1][2])
    found = [one for one in search_joined(level, 0, level.joined) if one.reject_reason is None]
    assert max(iou(one.box, page.boxes[1]) for one in found) > 0.7
    for one in found:
        left, top, wide, high = one.box
        assert one.level == 0
        np.testing.assert_array_equal(
            one.ink[one.ink > 0], level.ink[top : top + high, left : left + wide][one.ink > 0]
        )


def test_only_what_is_asked_for_is_searched_again() -> None:
    page = draw_joined()
    level = detect_candidates(page.grey).levels[0]
    assert search_joined(level, 0, np.array([[700, 500, 40, 40]])) == []


def test_last_level_is_the_first_on_which_no_digit_is_too_high() -> None:
    levels = detect_candidates(np.full((480, 640), 200, np.uint8)).levels
    assert max(levels[-1].grey.shape) <= MAX_OUTLINE_PX < max(levels[-2].grey.shape)


def test_candidates_of_a_level_are_as_high_as_a_digit_there() -> None:
    page = DrawnPage(1000, 700)
    for row, height in enumerate((9, 13, 19, 28, 41, 60, 88)):
        page.write("253", (60, 30 + sum((12, 20, 30, 40, 55, 75, 105)[: row + 1])), height, pen=max(1, height // 10))
    candidates = detect_candidates(page.grey).candidates
    may_be_digits = [one for one in candidates if one.reject_reason is None]
    assert {one.level for one in may_be_digits} >= {0, 1}
    for one in may_be_digits:
        assert (MIN_DIGIT_PX if one.level else MIN_HEIGHT_PX) <= one.box[3] <= MAX_DIGIT_PX


@pytest.mark.parametrize(("height", "count"), [(30, 1), (43, 2), (60, 1)])
def test_digit_between_two_levels_is_a_candidate_on_both(height: int, count: int) -> None:
    page = DrawnPage(640, 480).write("5", (200, 300), height)
    assert len(find_digits(page.grey)) == count


def test_working_images_of_a_level_have_one_size_and_the_cleaned_mask_is_part_of_the_mask() -> None:
    page = DrawnPage(900, 600).write("306", (100, 300), 150)
    page.grey[400:404] = 60  # an underline
    detection = detect_candidates(page.grey)
    assert detection.shape == (600, 900)
    for number, level in enumerate(detection.levels):
        for image in (level.grey, level.ink, level.mask, level.cleaned):
            assert (image.shape, image.dtype) == ((600 >> number, 900 >> number), np.uint8)
        assert set(np.unique(level.mask)) <= {0, 255}
        assert (level.cleaned <= level.mask).all()
    removed = [level.cleaned < level.mask for level in detection.levels]
    assert removed[0][398:406].any() and not removed[0][140:310].any(), "the underline alone is removed"


def test_candidates_and_working_images_count_in_pixels_of_their_level() -> None:
    page = DrawnPage(900, 600).write("306", (100, 300), 150)
    detection = detect_candidates(page.grey)
    assert detection.candidates
    for candidate in detection.candidates:
        x, y, width, height = candidate.box
        level = detection.levels[candidate.level]
        own = candidate.ink > 0
        assert own.shape == (height, width)
        np.testing.assert_array_equal(candidate.ink[own], level.ink[y : y + height, x : x + width][own])
        assert abs(log2(detection.to_image(candidate)[3] * level.scale / height)) < 0.01


def test_only_the_stages_of_detection_are_measured() -> None:
    clock = StageClock()
    detect_candidates(DrawnPage().write("306", (100, 300), 90).grey, clock)
    measured = {Stage.GREY, Stage.INK, Stage.MASK, Stage.LINES, Stage.CANDIDATES}
    assert {stage for stage, ms in clock.ms.items() if ms > 0} == measured


@pytest.mark.parametrize(
    ("level", "box", "expected"),
    [
        (0, (10, 20, 30, 5), (20, 40, 60, 10)),
        (0, (90, 40, 11, 12), (180, 80, 21, 21)),
        (1, (10, 20, 30, 5), (40, 80, 120, 20)),
        (1, (45, 20, 5, 5), (180, 80, 20, 20)),
    ],
    ids=["finest level", "cut at the border", "second level", "an odd column was left out"],
)
def test_box_of_a_candidate_is_converted_to_pixels_of_the_image(level: int, box: Box, expected: Box) -> None:
    working = np.zeros((50, 100), np.uint8)
    levels = tuple(
        Level(scale, working, working, working, working, (), MIN_DIGIT_PX, NO_BOXES) for scale in (0.5, 0.25)
    )
    candidate = Candidate(box, working, darkness=200.0, clutter=0.0, level=level)
    assert Detection([candidate], levels, (101, 201)).to_image(candidate) == expected


def test_detection_finds_the_same_whatever_stands_far_away() -> None:
    """The neighbourhood decides, not the page: two pages side by side give the candidates of each."""
    left = DrawnPage(480, 600).write("25", (60, 300), 70)
    right = DrawnPage(480, 600).write("3064", (60, 300), 20, level=150, pen=2)
    both = find_digits(np.hstack([left.grey, right.grey]))
    alone = find_digits(left.grey) + [(level, (x + 480, y, w, h)) for level, (x, y, w, h) in find_digits(right.grey)]
    overlap = iou_matrix(np.array([box for _, box in both]), np.array([box for _, box in alone]))
    assert len(both) == len(alone) == 6
    assert (overlap.max(axis=0) > 0.8).all() and (overlap.max(axis=1) > 0.8).all()
