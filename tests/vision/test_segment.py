"""Segmentation: which components become one candidate, which get a reject reason, and whose ink is whose."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.utils.boxes import Box
from digitedge.utils.opencv import cv2
from digitedge.vision import Candidate
from digitedge.vision.segment import RejectReason, connected_components, estimate_scale, extract_candidates

DIGITS = [(30, 50, 40, 60), (100, 52, 38, 58), (170, 48, 40, 62)]


def find_candidates(mask: NDArray[np.uint8], ink: NDArray[np.uint8] | None = None) -> list[Candidate]:
    ink = mask if ink is None else ink
    return extract_candidates(connected_components(mask, ink), ink)


def find_boxes(mask: NDArray[np.uint8], ink: NDArray[np.uint8] | None = None) -> list[Box]:
    """Return the boxes of the candidates that may be digits."""
    return [candidate.box for candidate in find_candidates(mask, ink) if candidate.reject_reason is None]


def draw_outlines(*boxes: Box, size: tuple[int, int] = (200, 400)) -> NDArray[np.uint8]:
    mask = np.zeros(size, np.uint8)
    for x, y, width, height in boxes:
        cv2.rectangle(mask, (x, y), (x + width - 1, y + height - 1), 255, 3)
    return mask


def test_outlines_with_the_shape_of_digits_are_found_in_their_place() -> None:
    assert sorted(find_boxes(draw_outlines(*DIGITS))) == [cv2.boundingRect(draw_outlines(digit)) for digit in DIGITS]


def test_component_has_its_box_area_and_darkness() -> None:
    mask = np.zeros((50, 50), np.uint8)
    mask[10:30, 5:9] = 255
    ink = np.full((50, 50), 7, np.uint8)
    ink[10:30, 5:7], ink[10:30, 7:9] = 100, 200
    components = connected_components(mask, ink)
    assert components.boxes.tolist() == [[5, 10, 4, 20]]
    assert components.areas.tolist() == [80]
    assert components.darkness.tolist() == [150.0]
    assert (components.labels == 1).sum() == 80


def test_empty_mask_has_neither_scale_nor_candidates() -> None:
    blank = np.zeros((40, 60), np.uint8)
    assert estimate_scale(connected_components(blank, blank)) is None
    assert find_candidates(blank) == []


def test_touching_digits_alone_give_the_scale_but_a_bar_does_not() -> None:
    mask = draw_outlines((50, 50, 60, 80), (109, 50, 60, 80))  # one component, wider than any digit
    (candidate,) = find_candidates(mask)
    assert candidate.box == cv2.boundingRect(mask)
    bar = np.zeros_like(mask)
    bar[90:102, 50:170] = 255
    assert find_candidates(bar) == []


def test_detached_bar_of_a_five_becomes_part_of_it() -> None:
    mask = np.zeros((200, 300), np.uint8)
    cv2.polylines(mask, [np.array([[60, 60], [55, 90], [90, 100], [85, 140], [50, 140]], np.int32)], False, 255, 5)
    cv2.line(mask, (66, 50), (100, 50), 255, 5)
    (box,) = find_boxes(mask)
    x, y, width, height = box
    assert (y, y + height) == (47, 144)
    assert x + width >= 100


def test_candidate_holds_its_own_ink_and_none_of_its_neighbour() -> None:
    mask = np.zeros((120, 200), np.uint8)
    cv2.line(mask, (50, 100), (80, 40), 255, 5)
    cv2.line(mask, (70, 100), (100, 40), 255, 5)  # leans over the box of the first
    ink = np.where(mask > 0, 180, 9).astype(np.uint8)  # 9: the paper
    left, right = sorted(find_candidates(mask, ink), key=lambda candidate: candidate.box)
    for candidate in (left, right):
        assert candidate.ink.shape == (candidate.box[3], candidate.box[2])
        assert candidate.ink.dtype == np.uint8
        assert set(np.unique(candidate.ink)) == {0, 180}
        assert candidate.darkness == 180
        assert cv2.connectedComponents(candidate.ink)[0] == 2, "the paper and one stroke"
    assert np.count_nonzero(left.ink) + np.count_nonzero(right.ink) == np.count_nonzero(mask)


def test_candidate_holds_the_ink_of_both_parts_of_a_digit() -> None:
    mask = np.zeros((120, 120), np.uint8)
    mask[40:100, 50:56] = mask[30:35, 45:75] = 255
    (candidate,) = find_candidates(mask)
    assert candidate.box == (45, 30, 30, 70)
    assert np.count_nonzero(candidate.ink) == np.count_nonzero(mask)


def test_clutter_is_the_ink_around_a_candidate_relative_to_its_darkness() -> None:
    mask = draw_outlines(*DIGITS)
    clean, dirty = np.where(mask > 0, 200, 0).astype(np.uint8), np.where(mask > 0, 200, 50).astype(np.uint8)
    assert [candidate.clutter for candidate in find_candidates(mask, clean)] == [0.0] * 3
    assert [candidate.clutter for candidate in find_candidates(mask, dirty)] == pytest.approx([0.25] * 3)


def test_digits_have_no_reject_reason() -> None:
    assert [candidate.reject_reason for candidate in find_candidates(draw_outlines(*DIGITS))] == [None] * 3


def test_two_digits_side_by_side_stay_two_candidates() -> None:
    assert len(find_boxes(draw_outlines((30, 50, 40, 60), (75, 50, 40, 60)))) == 2


@pytest.mark.parametrize(
    ("other", "reject_reason"),
    [
        ((250, 70, 30, 20), RejectReason.TOO_SHORT),
        ((230, 100, 120, 4), RejectReason.TOO_SHORT),
        ((230, 10, 4, 185), RejectReason.BAR),
        ((0, 60, 8, 60), RejectReason.BAR),
        ((240, 60, 110, 30), RejectReason.TOO_WIDE),
        ((260, 60, 60, 60), RejectReason.SOLID),
    ],
    ids=["crumb", "horizontal bar", "far too tall bar", "bar at the border", "wide blob", "solid blob"],
)
def test_candidate_without_the_shape_of_a_digit_has_a_reject_reason(other: Box, reject_reason: RejectReason) -> None:
    mask = draw_outlines(*DIGITS)
    x, y, width, height = other
    mask[y : y + height, x : x + width] = 255
    candidates = {candidate.box: candidate for candidate in find_candidates(mask)}
    assert candidates[other].reject_reason is reject_reason
    assert candidates[other].ink.all()
    assert len(find_boxes(mask)) == len(DIGITS)


def test_outline_five_times_as_high_as_the_writing_is_too_tall() -> None:
    digits = [(x, y + 90 * row, width, height) for row in range(4) for x, y, width, height in DIGITS]
    mask = draw_outlines(*digits, (250, 20, 140, 300), size=(440, 400))
    reasons = [candidate.reject_reason for candidate in find_candidates(mask)]
    assert reasons.count(RejectReason.TOO_TALL) == 1
    assert len(find_boxes(mask)) == len(digits)


def test_specks_are_not_candidates() -> None:
    mask = draw_outlines(*DIGITS)
    mask[70:76, 250:256] = 255
    assert len(find_candidates(mask)) == len(DIGITS)


def test_components_much_paler_than_the_writing_are_not_candidates() -> None:
    mask = draw_outlines(*DIGITS, (300, 50, 40, 60))
    ink = np.where(mask > 0, 200, 0).astype(np.uint8)
    ink[:, 290:] //= 4
    assert len(find_candidates(mask, ink)) == 3


def test_pale_writing_alone_is_found() -> None:
    mask = draw_outlines(*DIGITS)
    assert len(find_boxes(mask, mask // 8)) == 3


def test_many_specks_do_not_change_the_scale_of_the_writing() -> None:
    rng = np.random.default_rng(3)
    mask = draw_outlines(*DIGITS)
    for x, y in rng.integers((210, 10), (390, 180), (60, 2)):
        mask[y : y + 9, x : x + 4] = 255
    scale = estimate_scale(connected_components(mask, mask))
    assert scale is not None
    assert 58 <= scale.height <= 64
