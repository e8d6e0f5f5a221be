"""Box arithmetic against values computed by hand."""

import numpy as np
import pytest

from digitedge.utils.boxes import (
    Box,
    as_box,
    clip_box,
    gaps,
    intersection_area,
    iou,
    is_centre_in,
    is_free,
    pad_box,
    share_within,
    union,
    vertical_overlap,
)

BOX = (10, 20, 30, 40)
# Name: another box, the common area, the horizontal gap and the vertical gap.
OTHERS: dict[str, tuple[Box, int, int, int]] = {
    "equal": (BOX, 1200, 0, 0),
    "inside": ((15, 30, 10, 10), 100, 0, 0),
    "around": ((0, 0, 100, 100), 1200, 0, 0),
    "overlapping to the right": ((30, 40, 30, 40), 10 * 20, 0, 0),
    "overlapping to the left": ((0, 0, 15, 25), 5 * 5, 0, 0),
    "touching on the right": ((40, 20, 5, 40), 0, 0, 0),
    "touching at the corner": ((40, 60, 5, 5), 0, 0, 0),
    "to the right": ((47, 30, 5, 5), 0, 7, 0),
    "to the left": ((0, 30, 5, 5), 0, 5, 0),
    "below": ((20, 69, 5, 5), 0, 0, 9),
    "above": ((20, 0, 5, 9), 0, 0, 11),
    "diagonal": ((50, 80, 5, 5), 0, 10, 20),
    "empty": ((20, 30, 0, 0), 0, 0, 0),
}
EACH_OTHER = pytest.mark.parametrize(("other", "common", "across", "down"), OTHERS.values(), ids=OTHERS)


def test_array_becomes_a_box_of_plain_integers() -> None:
    box = as_box(np.array([1, 2, 3, 4], np.int64))
    assert box == (1, 2, 3, 4)
    assert [type(value) for value in box] == [int] * 4


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([BOX], BOX),
        ([BOX, (15, 30, 5, 5)], BOX),
        ([BOX, (0, 90, 5, 5)], (0, 20, 40, 75)),
        ([(-5, -6, 2, 2), (1, 2, 3, 4), (0, 0, 50, 1)], (-5, -6, 55, 12)),
    ],
    ids=["one", "one inside the other", "two apart", "three"],
)
def test_union_is_the_smallest_box_around_all_boxes(boxes: list[Box], expected: Box) -> None:
    assert union(boxes) == union(boxes[::-1]) == expected


@EACH_OTHER
def test_intersection_area_is_the_common_area_in_both_directions(
    other: Box, common: int, across: int, down: int
) -> None:
    assert intersection_area(BOX, other) == intersection_area(other, BOX) == common


@EACH_OTHER
def test_iou_is_the_common_area_over_that_of_both(other: Box, common: int, across: int, down: int) -> None:
    expected = common / (30 * 40 + other[2] * other[3] - common)
    assert iou(BOX, other) == iou(other, BOX) == pytest.approx(expected)
    assert (iou(BOX, other) == 0) == (common == 0)


def test_iou_of_equal_disjoint_and_empty_boxes() -> None:
    assert iou(BOX, BOX) == 1
    assert iou(BOX, (100, 100, 5, 5)) == 0
    assert iou((3, 3, 0, 0), (3, 3, 0, 0)) == 0


@EACH_OTHER
def test_gaps_are_the_distances_between_the_nearest_edges(other: Box, common: int, across: int, down: int) -> None:
    for one, two in ((BOX, other), (other, BOX)):
        horizontal, vertical = gaps(one, np.array([two], np.int64))
        assert (horizontal.tolist(), vertical.tolist()) == ([across], [down])


def test_gaps_to_many_boxes_are_in_their_order() -> None:
    horizontal, vertical = gaps(BOX, np.array([other for other, *_ in OTHERS.values()], np.int64))
    assert (horizontal.dtype, vertical.dtype) == (np.int64, np.int64)
    assert horizontal.tolist() == [across for *_, across, _ in OTHERS.values()]
    assert vertical.tolist() == [down for *_, down in OTHERS.values()]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [((15, 30, 10, 10), 1), ((35, 20, 10, 10), 0.5), ((0, 0, 100, 100), 0.12), ((100, 0, 10, 10), 0)],
    ids=["inside", "half", "around", "outside"],
)
def test_share_within_is_relative_to_the_inner_box(inner: Box, expected: float) -> None:
    assert share_within(inner, BOX) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((20, 30, 4, 4), True),
        ((30, 30, 20, 10), True),
        ((31, 30, 20, 10), False),
        ((20, 0, 4, 100), True),
        ((200, 200, 20, 20), True),
        ((100, 100, 4, 4), False),
    ],
    ids=["inside", "at the edge", "past the edge", "much higher", "in the second area", "outside"],
)
def test_centre_is_in_one_of_the_areas_or_not(box: Box, expected: bool) -> None:
    assert is_centre_in(box, [BOX, (190, 190, 40, 40)]) is expected
    assert is_centre_in(box, []) is False


@pytest.mark.parametrize(
    ("other", "expected"),
    [(BOX, 1), ((20, 40, 30, 10), 0.25), ((20, 50, 30, 80), 0.125), ((50, 20, 30, 40), 0), ((20, 90, 30, 40), 0)],
    ids=["equal", "lower half of a low one", "a higher one below", "beside", "apart"],
)
def test_vertical_overlap_is_relative_to_the_larger_height(other: Box, expected: float) -> None:
    assert vertical_overlap(BOX, other) == vertical_overlap(other, BOX) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((41, 20, 5, 5), True),
        ((40, 20, 5, 5), False),
        ((15, 30, 5, 5), False),
        ((15, 61, 5, 5), True),
        ((100, 100, 0, 5), False),
    ],
    ids=["beside", "touching", "inside", "below", "empty"],
)
def test_box_is_free_if_it_touches_no_other(box: Box, expected: bool) -> None:
    assert is_free(box, [(200, 200, 10, 10), BOX]) is expected


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (BOX, BOX),
        ((-5, 90, 20, 20), (0, 90, 15, 10)),
        ((95, -3, 20, 10), (95, 0, 5, 7)),
        ((-5, -5, 200, 200), (0, 0, 100, 100)),
    ],
    ids=["inside", "lower left", "upper right", "around"],
)
def test_clipped_box_is_its_part_inside_the_image(box: Box, expected: Box) -> None:
    assert clip_box(box, 100, 100) == expected


def test_clipped_box_outside_the_image_has_no_positive_side() -> None:
    assert min(clip_box((120, 10, 10, 10), 100, 100)[2:]) <= 0
    assert min(clip_box((10, -30, 10, 10), 100, 100)[2:]) <= 0


def test_padded_box_is_larger_on_each_side() -> None:
    assert pad_box(BOX, 3) == (7, 17, 36, 46)
    assert pad_box(pad_box(BOX, 3), -3) == BOX
