"""Rendered hands, filled forms and photographs of pages."""

import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.page.pens import BALL, BLACK, Pen, PenType
from digitedge.synthetic.photo.camera_pose import project
from digitedge.synthetic.sheets import CROSSINGS, Shot, cross_out, photograph, sample_digit_hand, write_in_box
from digitedge.synthetic.sheets.photo import camera_matrix

PEN = Pen(PenType.BALL, BLACK, opacity=1.0, width=0.06)


def test_a_hand_writes_each_digit_in_one_way_and_never_twice_the_same():
    hand = sample_digit_hand(1, PEN)
    rng = np.random.default_rng(0)
    first, second = hand.write(4, rng, height=60), hand.write(4, rng, height=60)
    assert first.shape[0] == second.shape[0] == 60
    assert first.shape != second.shape or (first != second).any()
    assert [one.name for one in sample_digit_hand(1, PEN).skeletons] == [one.name for one in hand.skeletons]


def test_hands_differ():
    names = {tuple(one.name for one in sample_digit_hand(seed, PEN).skeletons) for seed in range(20)}
    assert len(names) == 20


def test_unusual_hands_bar_their_sevens_and_usual_ones_may_not():
    assert all("barred" in sample_digit_hand(seed, PEN).skeletons[7].name for seed in range(10))
    assert not all("barred" in sample_digit_hand(seed, PEN, unusual=False).skeletons[7].name for seed in range(10))


def test_a_hand_writes_only_digits():
    with pytest.raises(InputError, match="expected a digit from 0 to 9, got 10"):
        sample_digit_hand(0, BALL.sample(np.random.default_rng(0))).write(10, np.random.default_rng(0), height=40)


def test_ink_that_is_outside_of_the_page_is_cut_off():
    page = np.full((50, 50, 3), 255, np.uint8)
    ink = np.full((30, 30), 255, np.uint8)
    write_in_box(page, ink, (-20, -20, 20, 20), PEN, np.random.default_rng(0), stray=0)
    assert (page[:5, :5] < 100).all() and (page[5:] == 255).all()


@pytest.mark.parametrize("how", CROSSINGS)
def test_a_crossed_out_box_has_ink_from_side_to_side(how):
    page = np.full((120, 120, 3), 255, np.uint8)
    cross_out(page, (30, 20, 60, 80), PEN, np.random.default_rng(0), how=how, width=4)
    columns = np.flatnonzero((page[..., 0] < 128).any(axis=0))
    assert columns[0] < 42 and columns[-1] > 78


def test_a_page_fills_the_frame_as_far_as_it_should():
    shot = Shot(width=300, tilt=25, direction=70, turn=30, fill=0.8)
    corners = np.array([[0, 0], [210, 0], [210, 297], [0, 297]], np.float64)
    seen = project(corners, camera_matrix((210, 297), (300, 400), shot))
    extent = (np.ptp(seen, axis=0) / [300, 400]).max()
    assert extent == pytest.approx(0.8) and (seen > 0).all() and (seen < [300, 400]).all()


def test_the_same_seed_gives_the_same_photograph():
    page = np.full((297, 210, 3), 240, np.uint8)
    first, second = (photograph(page, np.random.default_rng(4), Shot(width=150, curl=0.05)) for _ in range(2))
    assert first.shape == (200, 150, 3) and (first == second).all()
