"""From components to digits: what joins, what is dropped."""

import numpy as np
import pytest

from digitedge.opencv import cv2
from digitedge.vision.segment import components, scale_of, segment


def found_in(mask, ink=None):
    return [group.box for group in segment(components(mask, mask if ink is None else ink))]


def ones(*boxes, size=(200, 400)):
    mask = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        cv2.rectangle(mask, (x, y), (x + width - 1, y + height - 1), 255, 3)
    return mask


DIGITS = [(30, 50, 40, 60), (100, 52, 38, 58), (170, 48, 40, 62)]


def test_outlines_of_digit_shape_are_found():
    assert sorted(found_in(ones(*DIGITS))) != []
    assert len(found_in(ones(*DIGITS))) == 3


def test_components_know_their_box_area_and_darkness():
    mask = np.zeros((50, 50), np.uint8)
    mask[10:30, 5:9] = 255
    ink = np.full((50, 50), 7, np.uint8)
    ink[10:30, 5:7], ink[10:30, 7:9] = 100, 200
    found = components(mask, ink)
    assert found.boxes.tolist() == [[5, 10, 4, 20]]
    assert found.areas.tolist() == [80]
    assert found.darkness.tolist() == [150.0]
    assert (found.labels == 1).sum() == 80


def test_an_empty_mask_has_nothing():
    blank = np.zeros((40, 60), np.uint8)
    assert scale_of(components(blank, blank)) is None
    assert found_in(blank) == []


def test_a_detached_bar_joins_its_five():
    mask = np.zeros((200, 300), np.uint8)
    cv2.polylines(mask, [np.array([[60, 60], [55, 90], [90, 100], [85, 140], [50, 140]], np.int32)], False, 255, 5)
    cv2.line(mask, (66, 50), (100, 50), 255, 5)
    (box,) = found_in(mask)
    x, y, width, height = box
    assert (y, y + height) == (47, 144)
    assert x + width >= 100


def test_the_joined_group_names_both_labels():
    mask = np.zeros((120, 120), np.uint8)
    mask[40:100, 50:56] = mask[30:35, 45:75] = 255
    (group,) = segment(components(mask, mask))
    assert len(group.labels) == 2


def test_a_digit_does_not_swallow_its_neighbour():
    assert len(found_in(ones((30, 50, 40, 60), (75, 50, 40, 60)))) == 2


@pytest.mark.parametrize(
    "other",
    [
        (250, 70, 2, 2),
        (230, 100, 120, 4),
        (250, 10, 4, 180),
        (0, 60, 8, 60),
        (260, 60, 60, 60),
    ],
    ids=["speck", "lying bar", "far too tall bar", "rim at the edge", "solid blob"],
)
def test_what_is_no_digit_is_dropped(other):
    mask = ones(*DIGITS)
    x, y, width, height = other
    mask[y : y + height, x : x + width] = 255
    assert len(found_in(mask)) == len(DIGITS)


def test_marks_much_paler_than_the_writing_are_dropped():
    mask = ones(*DIGITS, (300, 50, 40, 60))
    ink = np.where(mask > 0, 200, 0).astype(np.uint8)
    ink[:, 290:] //= 4
    assert len(found_in(mask, ink)) == 3


def test_pale_writing_alone_is_found():
    mask = ones(*DIGITS)
    assert len(found_in(mask, mask // 8)) == 3


def test_specks_do_not_outvote_the_digits():
    rng = np.random.default_rng(3)
    mask = ones(*DIGITS)
    for x, y in rng.integers((210, 10), (390, 180), (60, 2)):
        mask[y : y + 9, x : x + 4] = 255
    scale = scale_of(components(mask, mask))
    assert scale is not None
    assert 58 <= scale.height <= 64
