"""From components to marks: what joins, what has a flaw, and whose ink is whose."""

import numpy as np
import pytest

from digitedge.utils.opencv import cv2
from digitedge.vision.segment import components, scale_of, segment


def marks_in(mask, ink=None):
    ink = mask if ink is None else ink
    return segment(components(mask, ink), ink)


def found_in(mask, ink=None):
    return [mark.box for mark in marks_in(mask, ink) if not mark.flaw]


def ones(*boxes, size=(200, 400)):
    mask = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        cv2.rectangle(mask, (x, y), (x + width - 1, y + height - 1), 255, 3)
    return mask


DIGITS = [(30, 50, 40, 60), (100, 52, 38, 58), (170, 48, 40, 62)]


def test_outlines_of_digit_shape_are_found_where_they_are():
    assert sorted(found_in(ones(*DIGITS))) == [cv2.boundingRect(ones(digit)) for digit in DIGITS]


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


def test_digits_that_touch_and_are_alone_tell_the_scale():
    """They are one component, wider than any digit; a bar as long is none."""
    mask = ones((50, 50, 60, 80), (109, 50, 60, 80))
    (mark,) = marks_in(mask)
    assert mark.box == cv2.boundingRect(mask)
    bar = np.zeros_like(mask)
    bar[90:102, 50:170] = 255
    assert marks_in(bar) == []


def test_a_detached_bar_joins_its_five():
    mask = np.zeros((200, 300), np.uint8)
    cv2.polylines(mask, [np.array([[60, 60], [55, 90], [90, 100], [85, 140], [50, 140]], np.int32)], False, 255, 5)
    cv2.line(mask, (66, 50), (100, 50), 255, 5)
    (box,) = found_in(mask)
    x, y, width, height = box
    assert (y, y + height) == (47, 144)
    assert x + width >= 100


def test_a_mark_holds_its_own_ink_and_not_its_neighbours():
    mask = np.zeros((120, 200), np.uint8)
    cv2.line(mask, (50, 100), (80, 40), 255, 5)
    cv2.line(mask, (70, 100), (100, 40), 255, 5)  # leans over the box of the first
    ink = np.where(mask > 0, 180, 9).astype(np.uint8)  # 9: the tone of the paper
    left, right = sorted(marks_in(mask, ink), key=lambda mark: mark.box)
    for mark in (left, right):
        assert mark.ink.shape == (mark.box[3], mark.box[2])
        assert mark.ink.dtype == np.uint8
        assert set(np.unique(mark.ink)) == {0, 180}
        assert mark.darkness == 180
        assert cv2.connectedComponents(mark.ink)[0] == 2, "the paper and one stroke"
    assert np.count_nonzero(left.ink) + np.count_nonzero(right.ink) == np.count_nonzero(mask)


def test_both_parts_of_a_digit_are_in_its_mark():
    mask = np.zeros((120, 120), np.uint8)
    mask[40:100, 50:56] = mask[30:35, 45:75] = 255
    (mark,) = marks_in(mask)
    assert mark.box == (45, 30, 30, 70)
    assert np.count_nonzero(mark.ink) == np.count_nonzero(mask)


def test_clutter_is_what_lies_around_a_mark_in_its_own_darkness():
    mask = ones(*DIGITS)
    clean, dirty = np.where(mask > 0, 200, 0).astype(np.uint8), np.where(mask > 0, 200, 50).astype(np.uint8)
    assert [mark.clutter for mark in marks_in(mask, clean)] == [0.0] * 3
    assert [mark.clutter for mark in marks_in(mask, dirty)] == pytest.approx([0.25] * 3)


def test_digits_have_no_flaw():
    assert [mark.flaw for mark in marks_in(ones(*DIGITS))] == [""] * 3


def test_a_digit_does_not_swallow_its_neighbour():
    assert len(found_in(ones((30, 50, 40, 60), (75, 50, 40, 60)))) == 2


@pytest.mark.parametrize(
    ("other", "flaw"),
    [
        ((250, 70, 30, 20), "too low"),
        ((230, 100, 120, 4), "too low"),
        ((230, 10, 4, 185), "a bar"),
        ((0, 60, 8, 60), "a bar"),
        ((240, 60, 110, 30), "too wide"),
        ((260, 60, 60, 60), "solid"),
    ],
    ids=["crumb", "lying bar", "far too tall bar", "rim at the edge", "wide blob", "solid blob"],
)
def test_what_cannot_be_a_digit_is_a_mark_with_a_flaw(other, flaw):
    mask = ones(*DIGITS)
    x, y, width, height = other
    mask[y : y + height, x : x + width] = 255
    marks = {mark.box: mark for mark in marks_in(mask)}
    assert marks[other].flaw == flaw
    assert marks[other].ink.all()
    assert len(found_in(mask)) == len(DIGITS)


def test_an_outline_five_times_as_high_as_the_writing_is_too_tall():
    digits = [(x, y + 90 * row, width, height) for row in range(4) for x, y, width, height in DIGITS]
    mask = ones(*digits, (250, 20, 140, 300), size=(440, 400))
    assert [mark.flaw for mark in marks_in(mask)].count("too tall") == 1
    assert len(found_in(mask)) == len(digits)


def test_specks_are_no_marks():
    mask = ones(*DIGITS)
    mask[70:76, 250:256] = 255
    assert len(marks_in(mask)) == len(DIGITS)


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
