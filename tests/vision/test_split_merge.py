"""Proposals for doubtful candidates: a split loses no ink, a merge holds the ink of both, others are left alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.utils.opencv import cv2
from digitedge.vision import Candidate
from digitedge.vision.seams import MAX_SEAMS, find_seams
from digitedge.vision.segment import RejectReason
from digitedge.vision.split_merge import (
    MAX_MERGED_ASPECT,
    MAX_SPLIT_ASPECT,
    MERGE_REACH,
    MIN_DIGIT_ASPECT,
    MIN_SPLIT_ASPECT,
    Proposal,
    merge,
    propose_splits_and_merges,
)


def make_candidate(
    x: int,
    y: int,
    width: int,
    height: int,
    *,
    reject_reason: RejectReason | None = None,
    seed: int = 0,
    level: int = 0,
) -> Candidate:
    """Make a candidate whose ink differs in every pixel, so that none can be taken for another."""
    ink = np.random.default_rng(seed).integers(1, 256, (height, width), dtype=np.uint8)
    return Candidate((x, y, width, height), ink, 128.0, clutter=0.1, reject_reason=reject_reason, level=level)


def draw_candidates(*candidates: Candidate) -> NDArray[np.uint8]:
    """Draw each candidate alone on a sheet: uint8 (N, H, W)."""
    sheets = np.zeros((len(candidates), 300, 400), np.uint8)
    for sheet, candidate in zip(sheets, candidates, strict=True):
        x, y, width, height = candidate.box
        assert candidate.ink.shape == (height, width)
        sheet[y : y + height, x : x + width] = candidate.ink
    return sheets


def merges_of(*candidates: Candidate) -> list[Proposal]:
    """Return the merges that are proposed if all candidates are doubtful."""
    proposals = propose_splits_and_merges(candidates, range(len(candidates)))
    return [proposal for proposal in proposals if len(proposal.replaced) == 2]


def test_parts_of_a_split_hold_all_the_ink_once() -> None:
    wide = make_candidate(40, 30, 120, 80)
    proposals = propose_splits_and_merges([make_candidate(5, 5, 20, 40), wide], [1])
    assert len(proposals) >= 3
    for proposal in proposals:
        assert proposal.replaced == {1}
        assert len(proposal.candidates) >= 2
        parts = draw_candidates(*proposal.candidates)
        assert ((parts > 0).sum(axis=0) <= 1).all(), "no pixel is in two parts"
        np.testing.assert_array_equal(parts.max(axis=0), draw_candidates(wide)[0])


def test_parts_run_from_left_to_right_in_tight_boxes_without_a_reject_reason() -> None:
    ink = np.zeros((60, 100), np.uint8)
    cv2.ellipse(ink, (25, 30), (20, 27), 0, 0, 360, 200, 5)
    cv2.ellipse(ink, (74, 33), (20, 24), 0, 0, 360, 200, 5)
    cv2.line(ink, (45, 30), (54, 33), 200, 4)
    wide = Candidate((10, 20, 100, 60), ink, 200.0, 0.0, RejectReason.TOO_WIDE)
    proposals = propose_splits_and_merges([wide], [0])
    for proposal in proposals:
        assert [part.box[0] for part in proposal.candidates] == sorted(part.box[0] for part in proposal.candidates)
        for part in proposal.candidates:
            assert part.reject_reason is None
            assert cv2.boundingRect(part.ink) == (0, 0, *part.box[2:])
    pairs = [proposal.candidates for proposal in proposals if len(proposal.candidates) == 2]
    assert any(abs(left.box[2] - 50) <= 4 and abs(right.box[2] - 50) <= 4 for left, right in pairs)


def draw_touching(count: int) -> Candidate:
    """Draw shapes of 50 pixels width that touch each other."""
    ink = np.zeros((60, 50 * count), np.uint8)
    for x in range(25, 50 * count, 50):
        cv2.polylines(ink, [np.array([(x - 24, 30), (x, 4), (x + 24, 30), (x, 56)], np.int32)], True, 200, 5)
    return Candidate((0, 0, *ink.shape[::-1]), ink, 200.0, 0.0, RejectReason.TOO_WIDE)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_touching_shapes_are_split_into_as_many_parts(count: int) -> None:
    proposals = propose_splits_and_merges([draw_touching(count)], [0])
    rows = [proposal.candidates for proposal in proposals if len(proposal.candidates) == count]
    assert any(all(abs(part.box[2] - 50) <= 5 for part in row) for row in rows)


@pytest.mark.parametrize(
    ("width", "most"), [(36, 2), (60, 2), (75, 3), (100, 4), (230, 4)], ids=lambda width: f"{width} px"
)
def test_split_is_tried_with_as_many_seams_as_digits_fit(width: int, most: int) -> None:
    """A digit is at least 0.4 times as wide as high, and two are always tried; more than MAX_SEAMS are not."""
    candidate = make_candidate(0, 0, width, 60)
    seams = len(find_seams([candidate.ink])[0])
    counts = {len(proposal.candidates) for proposal in propose_splits_and_merges([candidate], [0])}
    assert counts == set(range(2, min(most, seams + 1) + 1))
    assert most <= int(width / (MIN_DIGIT_ASPECT * 60)) or most == 2


def test_every_choice_of_seams_is_proposed_once() -> None:
    candidate = make_candidate(0, 0, 200, 60)
    assert len(find_seams([candidate.ink])[0]) == MAX_SEAMS == 3
    boxes = [tuple(part.box for part in one.candidates) for one in propose_splits_and_merges([candidate], [0])]
    assert sorted(map(len, boxes)) == [2, 2, 2, 3, 3, 3, 4]
    assert len(set(boxes)) == 7


def test_parts_and_merges_stay_on_their_level() -> None:
    wide, upper, lower = (
        draw_touching(2),
        make_candidate(50, 20, 20, 25, level=3),
        make_candidate(50, 48, 20, 30, level=3),
    )
    assert {part.level for one in propose_splits_and_merges([wide], [0]) for part in one.candidates} == {0}
    (proposal,) = merges_of(upper, lower)
    assert [merged.level for merged in proposal.candidates] == [3]


@pytest.mark.parametrize(
    ("width", "is_split"),
    [
        (round((MIN_SPLIT_ASPECT - 0.1) * 60), False),
        (60, True),
        (round((MAX_SPLIT_ASPECT - 0.1) * 60), True),
        (260, False),
    ],
    ids=["slim", "as wide as high", "four digits", "a word"],
)
def test_only_candidates_as_wide_as_a_few_digits_are_split(width: int, is_split: bool) -> None:
    assert bool(propose_splits_and_merges([make_candidate(10, 10, width, 60)], [0])) == is_split


@pytest.mark.parametrize(
    ("reject_reason", "is_split"),
    [
        (None, True),
        (RejectReason.TOO_WIDE, True),
        (RejectReason.SOLID, True),
        (RejectReason.TOO_SHORT, False),
        (RejectReason.BAR, False),
    ],
    ids=str,
)
def test_only_candidates_that_a_split_may_repair_are_split(reject_reason: RejectReason | None, is_split: bool) -> None:
    candidate = make_candidate(10, 10, 90, 60, reject_reason=reject_reason)
    assert bool(propose_splits_and_merges([candidate], [0])) == is_split


def test_splits_into_parts_too_low_for_a_digit_are_not_proposed() -> None:
    ink = np.zeros((60, 90), np.uint8)
    ink[:, :40] = ink[50:, 40:] = 200  # a digit with a long foot
    for proposal in propose_splits_and_merges([Candidate((0, 0, 90, 60), ink, 200.0, 0.0)], [0]):
        assert min(part.box[3] for part in proposal.candidates) >= 30


def test_merged_candidate_holds_the_ink_of_both() -> None:
    upper, lower = make_candidate(50, 20, 30, 25, seed=1), make_candidate(45, 40, 30, 50, seed=2)  # they overlap
    upper.ink[:, :5] = lower.ink[:, -5:] = 0
    proposals = propose_splits_and_merges([upper, lower], [0])
    (proposal,) = [proposal for proposal in proposals if len(proposal.replaced) == 2]
    (merged,) = proposal.candidates
    assert proposal.replaced == {0, 1}
    assert merged.box == (45, 20, 35, 70)
    np.testing.assert_array_equal(draw_candidates(merged)[0], draw_candidates(upper, lower).max(axis=0))


def test_merge_of_two_doubtful_candidates_is_proposed_once() -> None:
    assert len(merges_of(make_candidate(50, 20, 20, 25), make_candidate(50, 48, 20, 30))) == 1


@pytest.mark.parametrize(
    "other",
    [
        make_candidate(50, 60 + 40 + round(MERGE_REACH * 60) + 3, 30, 60),
        make_candidate(80 + round(MERGE_REACH * 60) + 3, 60, 30, 60),
        make_candidate(85, 60, round(MAX_MERGED_ASPECT * 60), 60),
        make_candidate(50, 105, 30, 60, reject_reason=RejectReason.BAR),
        make_candidate(50, 105, 30, 60, level=1),
        make_candidate(50, 105, 30, 60, reject_reason=RejectReason.TOO_WIDE),
    ],
    ids=["too far below", "too far beside", "too wide together", "bar", "on another level", "too wide"],
)
def test_candidates_that_do_not_belong_together_are_not_merged(other: Candidate) -> None:
    candidate = make_candidate(50, 60, 30, 40)
    assert merges_of(candidate, other) == []
    assert merges_of(other, candidate) == []


def test_nothing_is_proposed_without_a_doubtful_candidate() -> None:
    assert propose_splits_and_merges([make_candidate(10, 10, 90, 60), make_candidate(10, 72, 30, 10)], []) == []
    assert propose_splits_and_merges([], []) == []


def test_merged_candidate_has_the_darkness_of_the_darker_one() -> None:
    pale = Candidate((0, 0, 4, 4), np.full((4, 4), 50, np.uint8), 50.0, 0.3)
    dark = make_candidate(0, 6, 4, 8)
    assert merge(pale, dark).darkness == merge(dark, pale).darkness == 128.0
