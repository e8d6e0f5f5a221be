"""Proposals for marks that are doubted: cuts lose nothing, joints hold both, and most marks are left alone."""

import numpy as np
import pytest

from digitedge.utils.opencv import cv2
from digitedge.vision.segment import WIDEST_WORD, Mark
from digitedge.vision.split_merge import GAP, JOINED, NARROWEST, join, regroupings


def mark(x, y, width, height, *, flaw="", seed=0):
    """A mark of ink that differs in every pixel, so that none can be taken for another."""
    ink = np.random.default_rng(seed).integers(1, 256, (height, width), dtype=np.uint8)
    return Mark((x, y, width, height), ink, darkness=128.0, clutter=0.1, flaw=flaw)


def on_paper(marks, size=(300, 400)):
    """Each mark alone on a sheet: uint8 (N, H, W)."""
    sheets = np.zeros((len(marks), *size), np.uint8)
    for sheet, one in zip(sheets, marks, strict=True):
        x, y, width, height = one.box
        assert one.ink.shape == (height, width)
        sheet[y : y + height, x : x + width] = one.ink
    return sheets


def test_the_pieces_of_a_cut_are_all_the_ink_once():
    wide = mark(40, 30, 120, 80)
    proposals = regroupings([mark(5, 5, 20, 40), wide], [1])
    assert len(proposals) >= 3
    for proposal in proposals:
        assert proposal.replaced == {1}
        assert len(proposal.marks) >= 2
        pieces = on_paper(proposal.marks)
        assert ((pieces > 0).sum(axis=0) <= 1).all(), "no pixel is in two pieces"
        np.testing.assert_array_equal(pieces.max(axis=0), on_paper([wide])[0])


def test_pieces_go_from_left_to_right_in_boxes_of_their_own_without_flaw():
    ink = np.zeros((60, 100), np.uint8)
    cv2.ellipse(ink, (25, 30), (20, 27), 0, 0, 360, 200, 5)
    cv2.ellipse(ink, (74, 33), (20, 24), 0, 0, 360, 200, 5)
    cv2.line(ink, (45, 30), (54, 33), 200, 4)
    proposals = regroupings([Mark((10, 20, 100, 60), ink, 200.0, 0.0, "too wide")], [0])
    for proposal in proposals:
        assert [piece.box[0] for piece in proposal.marks] == sorted(piece.box[0] for piece in proposal.marks)
        for piece in proposal.marks:
            assert piece.flaw == ""
            assert cv2.boundingRect(piece.ink) == (0, 0, *piece.box[2:]), "cut tight"
    pairs = [proposal.marks for proposal in proposals if len(proposal.marks) == 2]
    assert any(abs(left.box[2] - 50) <= 4 and abs(right.box[2] - 50) <= 4 for left, right in pairs)


def test_three_shapes_in_a_row_are_cut_twice():
    ink = np.zeros((60, 150), np.uint8)
    for x in (25, 75, 125):
        cv2.polylines(ink, [np.array([(x - 24, 30), (x, 4), (x + 24, 30), (x, 56)], np.int32)], True, 200, 5)
    proposals = regroupings([Mark((0, 0, 150, 60), ink, 200.0, 0.0, "too wide")], [0])
    trios = [proposal.marks for proposal in proposals if len(proposal.marks) == 3]
    assert any(all(abs(piece.box[2] - 50) <= 5 for piece in trio) for trio in trios)


@pytest.mark.parametrize(
    ("width", "cut"),
    [(round((NARROWEST - 0.1) * 60), False), (60, True), (round((WIDEST_WORD - 0.1) * 60), True), (260, False)],
    ids=["slim", "as wide as high", "four digits", "a word"],
)
def test_only_marks_as_wide_as_a_few_digits_are_cut(width, cut):
    assert bool(regroupings([mark(10, 10, width, 60)], [0])) == cut


@pytest.mark.parametrize(
    ("flaw", "cut"), [("", True), ("too wide", True), ("solid", True), ("too low", False), ("a bar", False)]
)
def test_flaws_that_a_cut_cannot_mend_are_left(flaw, cut):
    assert bool(regroupings([mark(10, 10, 90, 60, flaw=flaw)], [0])) == cut


def test_pieces_too_low_for_a_digit_are_not_proposed():
    ink = np.zeros((60, 90), np.uint8)
    ink[:, :40] = ink[50:, 40:] = 200  # a digit with a long foot
    for proposal in regroupings([Mark((0, 0, 90, 60), ink, 200.0, 0.0)], [0]):
        assert min(piece.box[3] for piece in proposal.marks) >= 30


def test_a_joint_holds_the_ink_of_both():
    upper, lower = mark(50, 20, 30, 25, seed=1), mark(45, 40, 30, 50, seed=2)  # they overlap
    upper.ink[:, :5] = lower.ink[:, -5:] = 0
    proposals = regroupings([upper, lower], [0])
    (joint,) = [proposal for proposal in proposals if len(proposal.replaced) == 2]
    (joined,) = joint.marks
    assert joint.replaced == {0, 1}
    assert joined.box == (45, 20, 35, 70)
    np.testing.assert_array_equal(on_paper([joined])[0], on_paper([upper, lower]).max(axis=0))


def test_each_pair_is_proposed_once_though_both_are_doubted():
    upper, lower = mark(50, 20, 20, 25), mark(50, 48, 20, 30)
    joints = [proposal for proposal in regroupings([upper, lower], [0, 1]) if len(proposal.replaced) == 2]
    assert len(joints) == 1


@pytest.mark.parametrize(
    "other",
    [
        mark(50, 60 + 40 + round(GAP * 60) + 3, 30, 60),
        mark(80 + round(GAP * 60) + 3, 60, 30, 60),
        mark(85, 60, round(JOINED * 60), 60),
        mark(50, 105, 30, 60, flaw="a bar"),
        mark(50, 105, 30, 60, flaw="too tall"),
        mark(50, 105, 30, 60, flaw="too wide"),
    ],
    ids=["too far below", "too far beside", "too wide together", "a bar", "too tall", "too wide"],
)
def test_what_does_not_belong_together_is_not_joined(other):
    one = mark(50, 60, 30, 40)
    for marks in ([one, other], [other, one]):
        assert not [proposal for proposal in regroupings(marks, [0, 1]) if len(proposal.replaced) == 2]


def test_nothing_doubtful_gives_nothing():
    assert regroupings([mark(10, 10, 90, 60), mark(10, 72, 30, 10)], []) == []
    assert regroupings([], []) == []


def test_the_darker_mark_gives_the_joint_its_darkness():
    pale, dark = Mark((0, 0, 4, 4), np.full((4, 4), 50, np.uint8), 50.0, 0.3), mark(0, 6, 4, 8)
    assert join(pale, dark).darkness == join(dark, pale).darkness == 128.0
