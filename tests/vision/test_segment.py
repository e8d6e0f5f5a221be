"""Segmentation: which components become one candidate, which get a reject reason, and whose ink is whose."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2
from digitedge.vision import Candidate
from digitedge.vision.segment import (
    MAX_DIGIT_PX,
    MAX_WORD_PX,
    MIN_DIGIT_PX,
    MIN_HEIGHT_PX,
    RejectReason,
    connected_components,
    extract_candidates,
)

DIGITS = [(30, 50, 26, 40), (100, 52, 24, 38), (170, 48, 26, 42)]


def find_candidates(
    mask: NDArray[np.uint8], ink: NDArray[np.uint8] | None = None, *, min_height: int = MIN_HEIGHT_PX
) -> list[Candidate]:
    return extract_candidates(connected_components(mask), mask if ink is None else ink, min_height=min_height)


def find_boxes(mask: NDArray[np.uint8]) -> list[Box]:
    """Return the boxes of the candidates that may be digits."""
    return [candidate.box for candidate in find_candidates(mask) if candidate.reject_reason is None]


def draw_outlines(*boxes: Box, size: tuple[int, int] = (200, 500)) -> NDArray[np.uint8]:
    mask = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        hollow = mask[y + 3 : y + height - 3, x + 3 : x + width - 3].copy()
        mask[y : y + height, x : x + width] = 255
        mask[y + 3 : y + height - 3, x + 3 : x + width - 3] = hollow
    return mask


def draw_five(bar: Box) -> NDArray[np.uint8]:
    """Draw the body of a five, at y from 60 to 90, and its bar."""
    mask = np.zeros((200, 300), np.uint8)
    mask[60:75, 60:63] = mask[72:75, 60:78] = mask[72:90, 75:78] = mask[87:90, 58:78] = 255
    x, y, width, height = bar
    mask[y : y + height, x : x + width] = 255
    return mask


def test_outlines_with_the_shape_of_digits_are_found_in_their_place() -> None:
    assert sorted(find_boxes(draw_outlines(*DIGITS))) == sorted(DIGITS)


def test_component_has_its_box_and_area() -> None:
    mask = np.zeros((50, 50), np.uint8)
    mask[10:30, 5:9] = mask[40, 40] = 255
    components = connected_components(mask)
    assert components.boxes.tolist() == [[5, 10, 4, 20], [40, 40, 1, 1]]
    assert components.areas.tolist() == [80, 1]
    assert [int((components.labels == label).sum()) for label in (1, 2)] == [80, 1]


def test_pixels_that_touch_at_a_corner_are_one_component() -> None:
    assert len(connected_components(np.eye(9, dtype=np.uint8)).boxes) == 1


@pytest.mark.parametrize("shape", [(40, 60), (1, 1)])
def test_empty_mask_has_no_candidates(shape: tuple[int, int]) -> None:
    assert find_candidates(np.zeros(shape, np.uint8)) == []


def test_candidate_knows_its_level() -> None:
    mask = draw_outlines(*DIGITS)
    assert [one.level for one in extract_candidates(connected_components(mask), mask, level=2)] == [2] * 3


@pytest.mark.parametrize(
    ("min_height", "height", "is_found"),
    [
        (MIN_HEIGHT_PX, MIN_HEIGHT_PX, True),
        (MIN_HEIGHT_PX, MIN_HEIGHT_PX - 1, False),
        (MIN_DIGIT_PX, MIN_DIGIT_PX, True),
        (MIN_DIGIT_PX, MIN_DIGIT_PX - 1, False),
        (MIN_DIGIT_PX, MAX_DIGIT_PX, True),
        (MIN_DIGIT_PX, MAX_DIGIT_PX + 1, False),
    ],
)
def test_only_what_is_as_high_as_a_digit_of_the_level_is_a_candidate(
    min_height: int, height: int, is_found: bool
) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[20 : 20 + height, 40:43] = 255
    assert bool(find_candidates(mask, min_height=min_height)) == is_found


@pytest.mark.parametrize(
    "large",
    [(10, 10, 480, 180), (250, 10, 100, 150), (260, 5, 4, 190), (10, 120, MAX_WORD_PX + 1, 40)],
    ids=["frame around all", "box", "long line", "long ruling"],
)
def test_what_is_larger_than_a_digit_of_the_level_changes_nothing(large: Box) -> None:
    alone, beside = draw_outlines(*DIGITS), draw_outlines(*DIGITS, large)
    expected = [(one.box, one.reject_reason) for one in find_candidates(alone)]
    assert [(one.box, one.reject_reason) for one in find_candidates(beside)] == expected
    assert not np.array_equal(alone, beside)


# A five whose body is 30 pixels high: what is joined with it, and what is not.
@pytest.mark.parametrize(
    ("bar", "height"),
    [
        ((62, 54, 20, 3), 36),
        ((70, 56, 14, 3), 34),
        ((62, 48, 20, 3), 30),
        ((82, 54, 20, 3), 30),
        ((62, 57, 3, 2), 30),
        ((40, 55, 90, 3), 30),
    ],
    ids=["bar", "bar to the right", "too far above", "too far beside", "speck", "longer than the digit"],
)
def test_only_a_near_part_is_joined_with_its_digit(bar: Box, height: int) -> None:
    candidates = [one for one in find_candidates(draw_five(bar), min_height=MIN_DIGIT_PX) if not one.reject_reason]
    (five,) = candidates
    assert five.box[3] == height
    assert (five.box[1] == bar[1]) == (height > 30)


def test_part_between_two_digits_is_joined_with_the_nearer_one() -> None:
    mask = np.zeros((120, 120), np.uint8)
    mask[20:50, 40:43] = mask[62:92, 40:43] = 255
    mask[53:58, 40:43] = 255  # 3 pixels below the upper one, 4 above the lower one
    assert sorted(find_boxes(mask)) == [(40, 20, 3, 38), (40, 62, 3, 30)]


def test_candidate_holds_the_ink_of_both_parts_of_a_digit() -> None:
    mask = draw_five((62, 54, 20, 3))
    (five,) = find_candidates(mask, min_height=MIN_DIGIT_PX + 1)[:1]
    assert np.count_nonzero(five.ink) == np.count_nonzero(mask)


def test_two_digits_side_by_side_stay_two_candidates() -> None:
    assert len(find_boxes(draw_outlines((30, 50, 26, 40), (58, 50, 26, 40)))) == 2


def test_candidate_holds_its_own_ink_and_none_of_its_neighbour() -> None:
    mask = np.zeros((120, 200), np.uint8)
    cv2.line(mask, (50, 90), (70, 50), 255, 3)
    cv2.line(mask, (62, 90), (82, 50), 255, 3)  # leans over the box of the first
    ink = np.where(mask > 0, 180, 9).astype(np.uint8)  # 9: the paper
    left, right = sorted(find_candidates(mask, ink), key=lambda candidate: candidate.box)
    for candidate in (left, right):
        assert candidate.ink.shape == (candidate.box[3], candidate.box[2])
        assert candidate.ink.dtype == np.uint8
        assert set(np.unique(candidate.ink)) == {0, 180}
        assert candidate.darkness == 180
        assert cv2.connectedComponents(candidate.ink)[0] == 2, "the paper and one stroke"
    assert np.count_nonzero(left.ink) + np.count_nonzero(right.ink) == np.count_nonzero(mask)


def test_darkness_is_the_mean_of_the_ink_of_all_parts() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[20:50, 20:24] = 255
    ink = np.zeros_like(mask)
    ink[20:50, 20:22], ink[20:50, 22:24] = 100, 200
    (candidate,) = find_candidates(mask, ink)
    assert candidate.darkness == 150


def test_clutter_is_the_mean_ink_around_a_candidate_relative_to_its_own() -> None:
    mask = draw_outlines(*DIGITS)
    ink = np.where(mask > 0, 200, 8).astype(np.uint8)  # 8: the paper
    assert [candidate.clutter for candidate in find_candidates(mask, ink)] == pytest.approx([8 / 200] * 3)
    mask[60:63, 60:63], ink[60:63, 60:63] = 255, 150  # a speck within a quarter of the height of the first
    clutter = {candidate.box: candidate.clutter for candidate in find_candidates(mask, ink)}
    assert clutter[DIGITS[0]] > 8 / 200
    assert [clutter[box] for box in DIGITS[1:]] == pytest.approx([8 / 200] * 2)


def test_other_candidates_are_no_clutter() -> None:
    assert [one.clutter for one in find_candidates(draw_outlines(DIGITS[0], (58, 52, 24, 38)))] == [0.0, 0.0]


def test_pale_candidate_is_found_beside_dark_ones() -> None:
    mask = draw_outlines(*DIGITS)
    ink = np.where(mask > 0, 240, 0).astype(np.uint8)
    ink[:, :60] //= 8
    darkness = {candidate.box: candidate.darkness for candidate in find_candidates(mask, ink)}
    assert [darkness[box] for box in DIGITS] == pytest.approx([30, 240, 240])


def test_digits_have_no_reject_reason() -> None:
    assert [candidate.reject_reason for candidate in find_candidates(draw_outlines(*DIGITS))] == [None] * 3


@pytest.mark.parametrize(
    ("other", "reject_reason"),
    [
        ((250, 70, 24, 12), RejectReason.TOO_SHORT),
        ((230, 100, MAX_DIGIT_PX, 4), RejectReason.TOO_SHORT),
        ((0, 60, 8, 40), RejectReason.BAR),
        ((300, 160, 8, 40), RejectReason.BAR),
        ((240, 60, 100, 30), RejectReason.TOO_WIDE),
        ((120, 120, MAX_WORD_PX, 30), RejectReason.TOO_WIDE),
        ((260, 60, 40, 40), RejectReason.SOLID),
    ],
    ids=["crumb", "dash", "bar at the left", "bar at the bottom", "wide blob", "word", "solid blob"],
)
def test_candidate_without_the_shape_of_a_digit_has_a_reject_reason(other: Box, reject_reason: RejectReason) -> None:
    mask = draw_outlines(*DIGITS)
    x, y, width, height = other
    mask[y : y + height, x : x + width] = 255
    candidates = {candidate.box: candidate for candidate in find_candidates(mask, min_height=MIN_DIGIT_PX)}
    assert candidates[other].reject_reason is reject_reason
    assert candidates[other].ink.all()
    assert len([one for one in candidates.values() if one.reject_reason is None]) == len(DIGITS)


@pytest.mark.parametrize(
    "box", [(250, 60, 8, 40), (250, 60, 16, 40)], ids=["slim inside the image", "as slim as a 1 may be"]
)
def test_solid_slim_stroke_may_be_a_one(box: Box) -> None:
    mask = np.zeros((200, 500), np.uint8)
    x, y, width, height = box
    mask[y : y + height, x : x + width] = 255
    assert find_boxes(mask) == [box]


def test_digit_that_is_not_slim_may_touch_the_border() -> None:
    assert find_boxes(draw_outlines((0, 60, 26, 40))) == [(0, 60, 26, 40)]


def test_flat_digit_is_kept_and_a_wider_one_is_several() -> None:
    assert find_boxes(draw_outlines((30, 50, 64, 30))) == [(30, 50, 64, 30)]
    (word,) = find_candidates(draw_outlines((30, 50, 68, 30)))
    assert word.reject_reason is RejectReason.TOO_WIDE


def test_specks_are_not_candidates() -> None:
    mask = draw_outlines(*DIGITS)
    mask[70:76, 250:256] = 255
    assert len(find_candidates(mask)) == len(DIGITS)
