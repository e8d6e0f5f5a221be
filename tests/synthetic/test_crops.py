"""Cuttings of rendered scenes: what is written there says what they are."""

import cv2
import numpy as np
import pytest

from digitedge.metrics.ood import NOTHING
from digitedge.synthetic.scenes.crops import cut, cut_scenes, join
from digitedge.synthetic.scenes.ground_truth import TrueDigit


def page(*strokes: tuple[int, int, int, int]) -> np.ndarray:
    """Dark bars on bright paper."""
    frame = np.full((240, 320), 230, np.uint8)
    for x, y, width, height in strokes:
        frame[y : y + height, x : x + width] = 40
    return frame


# An eight of bars: two loops, 40 wide and 80 high, as one piece of ink.
EIGHT = [(100, 80, 6, 80), (134, 80, 6, 80), (100, 80, 40, 6), (100, 117, 40, 6), (100, 154, 40, 6)]
BOX = (100, 80, 40, 80)


def test_every_digit_of_plain_scenes_is_cut_and_named() -> None:
    cuttings = cut_scenes(20, seed=3)
    assert cuttings.crops.dtype == cuttings.digits.dtype == np.uint8
    assert cuttings.crops.shape == (len(cuttings), 28, 28)
    digits = cuttings.digits[cuttings.digits != NOTHING]
    assert len(digits) > 80
    assert set(digits.tolist()) == set(range(10))


def test_a_seed_gives_the_same_cuttings_again_and_another_one_others() -> None:
    one, same, other = (cut_scenes(4, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.crops, same.crops)
    np.testing.assert_array_equal(one.digits, same.digits)
    assert not np.array_equal(one.crops[:5], other.crops[:5])


def test_more_scenes_go_on_where_fewer_end() -> None:
    few, more = cut_scenes(2, seed=1), cut_scenes(4, seed=1)
    np.testing.assert_array_equal(more.crops[: len(few)], few.crops)


@pytest.mark.parametrize(
    ("true", "labels"),
    [
        ([TrueDigit(8, BOX)], [8]),
        ([TrueDigit(8, (102, 82, 37, 76))], [8]),  # a box that is a little tighter
        ([], [NOTHING]),
        ([TrueDigit(1, (250, 80, 8, 80))], [NOTHING]),  # far from it
        ([TrueDigit(0, (60, 80, 80, 160))], [NOTHING]),  # only a piece of it was cut out
        ([TrueDigit(0, (60, 80, 80, 80))], []),  # half of it: nobody can say
        ([TrueDigit(1, (100, 80, 18, 80)), TrueDigit(1, (122, 80, 18, 80))], [NOTHING]),  # two in one
        ([TrueDigit(0, (112, 95, 14, 16))], []),  # a ring around it reads as a 0
        ([TrueDigit(0, (112, 95, 14, 16)), TrueDigit(0, (112, 130, 14, 16))], []),
    ],
    ids=["whole", "tighter", "none there", "elsewhere", "piece", "half", "pair", "around one", "around two"],
)
def test_the_overlap_says_what_a_cutting_is(true: list[TrueDigit], labels: list[int]) -> None:
    assert cut(page(*EIGHT), true).digits.tolist() == labels


@pytest.mark.parametrize("lean", [0, 30, -45])
def test_a_bar_is_a_1_or_nobody_can_say(lean: int) -> None:
    frame = page()
    cv2.line(frame, (160 - lean, 80), (160 + lean, 170), 40, 6)
    box = (157 - abs(lean), 77, 2 * abs(lean) + 7, 97)
    assert cut(frame, [TrueDigit(1, box)]).digits.tolist() == [1]
    assert len(cut(frame, [])) == 0


def test_what_is_to_be_ignored_is_left_out_unless_it_is_a_digit() -> None:
    frame = page(*EIGHT)
    assert len(cut(frame, [], ignore=[(90, 70, 20, 20)])) == 0
    assert cut(frame, [TrueDigit(8, BOX)], ignore=[(90, 70, 20, 20)]).digits.tolist() == [8]


def test_an_empty_page_gives_no_cuttings_of_the_right_shape() -> None:
    for cuttings in (cut(page(), []), cut_scenes(0, seed=0), join([])):
        assert cuttings.crops.shape == (0, 28, 28)
        assert cuttings.digits.shape == (0,)
