"""Detection on whole images: every digit found once, and nothing else."""

import numpy as np
import pytest
from drawn_page import DrawnPage, assert_same_boxes
from numpy.typing import NDArray

from digitedge.synthetic.scenes import PLAIN_SCENE_TYPES, Difficulty, render_scene
from digitedge.utils.boxes import Box, intersection_area, iou
from digitedge.utils.opencv import cv2
from digitedge.vision import Detection, Stage, StageClock, detect_candidates, normalize_digit


def find_boxes(image: NDArray[np.uint8]) -> list[Box]:
    """Return the boxes of the candidates that may be digits, in pixels of the image."""
    detection = detect_candidates(image)
    return [detection.to_image(candidate.box) for candidate in detection.candidates if not candidate.reject_reason]


@pytest.mark.parametrize("height", [12, 30, 80, 200, 420], ids=lambda height: f"{height} px")
def test_digits_of_any_size_are_found_in_their_place(height: int) -> None:
    page = DrawnPage(700, 480).write("25" if height < 400 else "5", (60, 20 + height), height)
    assert_same_boxes(find_boxes(page.grey), page.boxes, min_iou=0.6 if height < 20 else 0.75)


def test_digits_of_eight_pixels_are_found() -> None:
    page = DrawnPage(320, 240).write("2356", (60, 100), 8, pen=1)
    assert_same_boxes(find_boxes(page.grey), page.boxes, min_iou=0.5)


def test_boxes_of_a_large_image_are_in_its_own_pixels() -> None:
    page = DrawnPage(3600, 2400).write("47", (900, 1400), 500)
    assert_same_boxes(find_boxes(page.grey), page.boxes, min_iou=0.9)


def test_colour_and_grey_images_give_equal_boxes() -> None:
    grey = DrawnPage().write("306", (100, 300), 90).grey
    assert find_boxes(np.dstack([grey] * 3)) == find_boxes(grey)


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
    assert_same_boxes(find_boxes(board.grey), board.boxes)


def test_pale_and_bold_digits_of_one_page_are_found() -> None:
    page = DrawnPage().write("25", (60, 200), 90).write("36", (360, 200), 90, level=125)
    assert_same_boxes(find_boxes(page.grey), page.boxes)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (20, 20), (480, 640), (480, 640, 3)], ids=str)
def test_blank_image_has_no_candidates(shape: tuple[int, ...]) -> None:
    assert detect_candidates(np.full(shape, 180, np.uint8)).candidates == []


def test_sensor_noise_alone_has_no_candidates() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(170, 7, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    assert find_boxes(noise) == []


@pytest.mark.parametrize("scene_type", PLAIN_SCENE_TYPES)
def test_all_digits_of_plain_scenes_are_found(scene_type: str) -> None:
    for seed in range(5):
        scene = render_scene(seed=seed, difficulty=Difficulty.PLAIN, scene_type=scene_type)
        true, found = [digit.box for digit in scene.digits], find_boxes(scene.frame)
        if scene_type == "plain-desk":  # edges of the paper are candidates, too; the reader rejects them
            found = [box for box in found if any(iou(box, other) > 0 for other in true)]
        assert_same_boxes(found, true, min_iou=0.6)


def test_working_images_have_one_size_and_the_cleaned_mask_is_part_of_the_mask() -> None:
    page = DrawnPage(900, 600).write("306", (100, 300), 150)
    page.grey[400:404] = 60  # an underline
    detection = detect_candidates(page.grey)
    assert detection.shape == (600, 900)
    size = tuple(round(side * detection.scale) for side in detection.shape)
    for image in (detection.grey, detection.ink, detection.mask, detection.cleaned):
        assert (image.shape, image.dtype) == (size, np.uint8)
    assert set(np.unique(detection.mask)) == set(np.unique(detection.cleaned)) == {0, 255}
    assert (detection.cleaned <= detection.mask).all()
    assert (detection.cleaned < detection.mask).any(), "the underline is removed"


def test_only_the_stages_of_detection_are_measured() -> None:
    clock = StageClock()
    detect_candidates(DrawnPage().write("306", (100, 300), 90).grey, clock)
    measured = {Stage.GREY, Stage.INK, Stage.MASK, Stage.LINES, Stage.CANDIDATES}
    assert {stage for stage, ms in clock.ms.items() if ms > 0} == measured


@pytest.mark.parametrize(
    ("box", "expected"),
    [((10, 20, 30, 5), (20, 40, 60, 10)), ((90, 40, 11, 12), (180, 80, 20, 20))],
    ids=["inside", "cut at the border"],
)
def test_box_is_converted_to_pixels_of_the_image(box: Box, expected: Box) -> None:
    working = np.zeros((50, 100), np.uint8)
    detection = Detection([], 0.5, (100, 200), working, working, working, working)
    assert detection.to_image(box) == expected
