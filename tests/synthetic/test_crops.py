"""Labelled crops of rendered scenes."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.metrics.ood import NON_DIGIT
from digitedge.synthetic.scenes import TrueDigit, render_document
from digitedge.synthetic.scenes.crops import MAX_CROPS, _crop_scene, crop_frame, crop_scenes, join_crops


def draw_page(*bars: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Draw dark bars on bright paper."""
    frame = np.full((240, 320), 230, np.uint8)
    for x, y, width, height in bars:
        frame[y : y + height, x : x + width] = 40
    return frame


# An eight of bars: two loops, 40 wide and 80 high, as one component.
EIGHT = [(100, 80, 6, 80), (134, 80, 6, 80), (100, 80, 40, 6), (100, 117, 40, 6), (100, 154, 40, 6)]
BOX = (100, 80, 40, 80)


def test_crop_scenes_gives_labelled_crops_of_all_digits() -> None:
    crops = crop_scenes(20, seed=3)
    assert crops.crops.dtype == crops.labels.dtype == np.uint8
    assert crops.crops.shape == (len(crops), 28, 28)
    digits = crops.labels[crops.labels != NON_DIGIT]
    assert len(digits) > 80
    assert set(digits.tolist()) == set(range(10))


def test_the_same_seed_gives_the_same_crops_and_another_seed_others() -> None:
    one, same, other = (crop_scenes(4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.crops, same.crops)
    np.testing.assert_array_equal(one.labels, same.labels)
    assert not np.array_equal(one.crops[:5], other.crops[:5])


def test_more_scenes_start_with_the_crops_of_fewer_scenes() -> None:
    few, more = crop_scenes(2, seed=1), crop_scenes(4, seed=1)
    np.testing.assert_array_equal(more.crops[: len(few)], few.crops)


@pytest.mark.parametrize(
    ("true", "labels"),
    [
        ([TrueDigit(8, BOX)], [8]),
        ([TrueDigit(8, (102, 82, 37, 76))], [8]),
        ([], [NON_DIGIT]),
        ([TrueDigit(1, (250, 80, 8, 80))], [NON_DIGIT]),
        ([TrueDigit(0, (60, 80, 80, 160))], [NON_DIGIT]),
        ([TrueDigit(0, (60, 80, 80, 80))], []),
        ([TrueDigit(1, (100, 80, 18, 80)), TrueDigit(1, (122, 80, 18, 80))], [NON_DIGIT]),
        ([TrueDigit(0, (112, 95, 14, 16))], []),  # a ring around it reads as a 0
        ([TrueDigit(0, (112, 95, 14, 16)), TrueDigit(0, (112, 130, 14, 16))], []),
    ],
    ids=["whole", "tighter box", "no digit", "elsewhere", "fragment", "half", "pair", "around one", "around two"],
)
def test_the_overlap_with_the_true_boxes_decides_the_label(true: list[TrueDigit], labels: list[int]) -> None:
    # A digit may be found on two levels of the pyramid.
    assert set(crop_frame(draw_page(*EIGHT), true).labels.tolist()) == set(labels)


@pytest.mark.parametrize("lean", [0, 30, -45])
def test_a_bar_is_a_1_or_ambiguous(lean: int) -> None:
    frame = draw_page()
    cv2.line(frame, (160 - lean, 80), (160 + lean, 170), 40, 6)
    box = (157 - abs(lean), 77, 2 * abs(lean) + 7, 97)
    assert set(crop_frame(frame, [TrueDigit(1, box)]).labels.tolist()) == {1}
    assert len(crop_frame(frame, [])) == 0


def test_a_page_of_a_hundred_digits_gives_no_more_crops_than_others() -> None:
    document = next(seed for seed in range(2, 400, 4) if len(render_document(seed).digits) > 100)
    is_digit = _crop_scene(document, written=None).labels != NON_DIGIT
    assert is_digit.sum() == MAX_CROPS and 1 <= (~is_digit).sum() <= MAX_CROPS


def test_letters_that_look_like_digits_are_left_out() -> None:
    frame = np.full((200, 400, 3), 235, np.uint8)
    cv2.ellipse(frame, (100, 100), (26, 40), 0, 0, 360, (40, 40, 40), 7)  # a letter O
    cv2.ellipse(frame, (260, 100), (26, 40), 0, 0, 360, (40, 40, 40), 7)
    digit = TrueDigit(0, (230, 57, 61, 87))
    assert 0 in crop_frame(frame, [digit]).labels and NON_DIGIT in crop_frame(frame, [digit]).labels
    assert set(crop_frame(frame, [digit], [(70, 57, 61, 87)]).labels.tolist()) == {0}


def test_ignored_boxes_are_left_out_unless_they_are_digits() -> None:
    frame = draw_page(*EIGHT)
    assert len(crop_frame(frame, [], ignore=[(90, 70, 20, 20)])) == 0
    assert set(crop_frame(frame, [TrueDigit(8, BOX)], ignore=[(90, 70, 20, 20)]).labels.tolist()) == {8}


def test_no_crops_have_the_right_shape() -> None:
    for crops in (crop_frame(draw_page(), []), crop_scenes(0, seed=0), join_crops([])):
        assert crops.crops.shape == (0, 28, 28)
        assert crops.labels.shape == (0,)
