"""Marks that are no digits: every kind, and none that could be a digit by its plainest features."""

import cv2
import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.synthetic.non_digits.fragments import fragment
from digitedge.synthetic.non_digits.samples import Mark, render_mark, synthetic_marks


@pytest.fixture(scope="module")
def many():
    return synthetic_marks(1100, seed=7)


def rng(seed=0):
    return np.random.default_rng(seed)


def inks(kind, count=40, height=60):
    generator = rng(3)
    return [render_mark(kind, generator, height=height) for _ in range(count)]


def test_crops_have_the_contract_type_and_geometry(many):
    assert many.shape == (1100, 28, 28) and many.dtype == np.uint8
    for crop in many:
        rows, columns = np.flatnonzero(crop.any(axis=1)), np.flatnonzero(crop.any(axis=0))
        assert np.ptp(rows) < 20 and np.ptp(columns) < 20
        assert crop.max() >= 250


def test_a_seed_gives_the_same_marks_again_and_another_others():
    crops = synthetic_marks(110, seed=1)
    assert np.array_equal(crops, synthetic_marks(110, seed=1))
    assert not np.array_equal(crops, synthetic_marks(110, seed=2))


def test_marks_are_shuffled_and_no_two_are_equal(many):
    assert len({crop.tobytes() for crop in many}) > 1090  # printed letters and bars may coincide
    halves = [part.mean(axis=0) for part in np.array_split(many, 2)]
    assert np.abs(halves[0] - halves[1]).mean() < 8  # of 255: kinds come evenly in both halves


@pytest.mark.parametrize("count", [0, 1, 13])
def test_any_count_is_made(count):
    assert synthetic_marks(count, seed=1).shape == (count, 28, 28)


def test_a_negative_count_is_refused():
    with pytest.raises(InputError, match="0 or more, got -1"):
        synthetic_marks(-1, seed=0)


@pytest.mark.parametrize("height", [4, 28, 90, 400])
@pytest.mark.parametrize("kind", list(Mark))
def test_every_kind_is_drawn_at_every_size_cut_tight(kind, height):
    for ink in inks(kind, 8, height):
        assert ink.dtype == np.uint8 and ink.ndim == 2
        assert min(ink[edge].max() for edge in (0, -1)) > 32 and min(ink[:, edge].max() for edge in (0, -1)) > 32


@pytest.mark.parametrize("kind", [Mark.SCRIBBLE, Mark.LINES, Mark.OUTLINE, Mark.BLOT, Mark.TEXTURE, Mark.FRAGMENT])
def test_the_longer_side_is_about_the_height(kind):
    longer = [max(ink.shape) for ink in inks(kind, 40, 80)]
    assert np.median(longer) <= 84 and max(longer) <= 100
    assert np.median(longer) >= 40


@pytest.mark.parametrize("kind", [Mark.SCRIBBLE, Mark.LINES, Mark.OUTLINE, Mark.BLOT, Mark.TEXTURE, Mark.FRAGMENT])
def test_nothing_slim_stands_upright_for_that_is_a_one(kind):
    assert all(ink.shape[1] > 0.35 * ink.shape[0] for ink in inks(kind, 200))


def test_a_third_of_a_fragments_digit_is_missing():
    generator = rng(3)
    for _ in range(300):
        ink = fragment(generator, 80)
        _, _, width, height = cv2.boundingRect((ink > 64).astype(np.uint8))
        assert min(width / ink.shape[1], height / ink.shape[0]) <= 0.68


def test_two_digits_are_wider_or_higher_than_one():
    for ink in inks(Mark.PAIR, 100):
        assert max(ink.shape) > 1.1 * 60 * 0.85 or ink.shape[1] > 0.8 * ink.shape[0]


def test_no_outline_is_a_plain_ring_for_that_is_a_zero():
    def is_ring(ink):
        contours, _ = cv2.findContours((ink > 128).astype(np.uint8), cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
        large = [contour for contour in contours if cv2.contourArea(contour) > 20]
        outer = max(contours, key=cv2.contourArea)
        round_ = cv2.contourArea(outer) > 0.93 * cv2.contourArea(cv2.convexHull(outer))
        return len(large) == 2 and round_ and ink.shape[1] < 1.5 * ink.shape[0]

    assert not any(map(is_ring, inks(Mark.OUTLINE, 300, 120)))


def test_kinds_differ_more_than_marks_of_one_kind():
    """Solid blots hold more ink than lines, and several digits are wider than a letter."""
    filled = {kind: np.mean([(ink > 64).mean() for ink in inks(kind)]) for kind in (Mark.BLOT, Mark.LINES)}
    wide = {kind: np.median([ink.shape[1] / ink.shape[0] for ink in inks(kind)]) for kind in (Mark.WORD, Mark.LETTER)}
    assert filled[Mark.BLOT] > filled[Mark.LINES] + 0.1
    assert wide[Mark.WORD] > 1.5 * wide[Mark.LETTER]


@pytest.mark.parametrize("height", [3, 0, -5])
def test_a_mark_too_small_is_refused(height):
    with pytest.raises(InputError, match="4 pixels or more"):
        render_mark(Mark.BLOT, rng(), height=height)
