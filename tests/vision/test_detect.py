"""Whole frames: every digit found once, nothing else."""

import numpy as np
import pytest

from digitedge.synthetic.scenes.plain_scenes import Medium, render_scene
from digitedge.utils.opencv import cv2
from digitedge.vision import find_digits


def boxes_in(frame):
    return [candidate.box for candidate in find_digits(frame)]


@pytest.mark.parametrize("height", [12, 30, 80, 200, 420], ids=lambda h: f"{h} px")
def test_digits_of_any_size_are_found_where_they_are(page, same_boxes, height):
    sheet = page(700, 480).write("25" if height < 400 else "5", (60, 20 + height), height)
    same_boxes(boxes_in(sheet.grey), sheet.boxes, least=0.6 if height < 20 else 0.75)


def test_eight_pixels_are_enough(page, same_boxes):
    sheet = page(320, 240).write("2356", (60, 100), 8, pen=1)
    same_boxes(boxes_in(sheet.grey), sheet.boxes, least=0.5)


def test_boxes_are_in_pixels_of_a_large_frame(page, same_boxes):
    sheet = page(3600, 2400).write("47", (900, 1400), 500)
    same_boxes(boxes_in(sheet.grey), sheet.boxes, least=0.9)


def test_colour_and_grey_frames_give_the_same(page):
    grey = page().write("306", (100, 300), 90).grey
    assert boxes_in(np.dstack([grey] * 3)) == boxes_in(grey)


def test_crops_hold_one_digit_without_its_neighbour(page):
    tilted = page().write("1", (100, 300), 120).write("7", (140, 300), 120)
    crops = [candidate.crop for candidate in find_digits(tilted.grey)]
    for crop in crops:
        assert crop.shape == (28, 28)
        assert crop.dtype == np.uint8
        assert cv2.connectedComponents((crop > 60).astype(np.uint8))[0] == 2, "the paper and one piece of ink"


def test_chalk_is_found_like_ink(page, same_boxes):
    board = page(paper=45).write("8201", (80, 300), 90, level=215)
    same_boxes(boxes_in(board.grey), board.boxes)


def test_pale_and_bold_digits_share_a_page(page, same_boxes):
    sheet = page().write("25", (60, 200), 90).write("36", (360, 200), 90, level=125)
    same_boxes(boxes_in(sheet.grey), sheet.boxes)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (20, 20), (480, 640), (480, 640, 3)], ids=str)
def test_blank_frames_hold_nothing(shape):
    assert find_digits(np.full(shape, 180, np.uint8)) == []


def test_sensor_noise_alone_holds_nothing():
    rng = np.random.default_rng(0)
    noise = rng.normal(170, 7, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    assert boxes_in(noise) == []


@pytest.mark.parametrize("medium", list(Medium), ids=lambda medium: medium.name.lower())
def test_rendered_scenes_give_up_their_digits(medium, same_boxes):
    for seed in range(5):
        scene = render_scene(seed=seed, medium=medium)
        same_boxes(boxes_in(scene.frame), [true.box for true in scene.digits], least=0.6)
