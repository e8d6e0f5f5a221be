"""Seams between two digits that touch at a known place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from digitedge.synthetic.handwriting.digits import render_digit
from digitedge.utils.opencv import cv2
from digitedge.vision.seams import MAX_SEAMS, find_seams

DIGIT_HEIGHT = 80
PEN_WIDTH = 8
PAIRS = ["23", "56", "80", "44", "07", "91", "35", "68", "11", "17", "50", "29"]


def write_pair(pair: str, seed: int, distance: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int, float]:
    """Write two digits, each alone on the same paper.

    Args:
        pair: the digits.
        seed: of the handwriting.
        distance: in pixels where they are nearest; negative if they overlap.

    Returns:
        The ink of each, the row in which they are nearest, and the column in the middle between them in that row.
    """
    rng = np.random.default_rng(seed)
    left, right = (render_digit(int(digit), rng, height=DIGIT_HEIGHT, pen_width=PEN_WIDTH) for digit in pair)
    ends = [np.max(np.flatnonzero(row > 127), initial=-999) for row in left]
    starts = [np.min(np.flatnonzero(row > 127), initial=999) for row in right]
    row = int(np.argmin(np.subtract(starts, ends)))
    shift = int(ends[row] - starts[row]) + 1 + distance
    paper = np.zeros((2, DIGIT_HEIGHT, max(left.shape[1], shift + right.shape[1])), np.uint8)
    paper[0, :, : left.shape[1]], paper[1, :, shift : shift + right.shape[1]] = left, right
    return paper[0], paper[1], row, ends[row] + 1 + distance / 2


def misplaced_share(seam: NDArray[np.intp], left: NDArray[np.uint8], right: NDArray[np.uint8]) -> float:
    """Return the share of the ink that a seam gives to the wrong digit."""
    is_right = np.arange(left.shape[1]) >= seam[:, None]
    wrong = left[is_right].sum(dtype=float) + right[~is_right].sum(dtype=float)
    return float(wrong / (left.sum() + right.sum(dtype=float)))


@pytest.mark.parametrize("pair", PAIRS)
def test_digits_joined_by_a_stroke_are_split_at_the_stroke(pair: str) -> None:
    left, right, row, middle = write_pair(pair, seed=0, distance=12)
    ink = np.maximum(left, right)
    cv2.line(ink, (int(middle) - 8, row), (int(middle) + 8, row), 255, PEN_WIDTH // 2)
    best = min(find_seams([ink])[0], key=lambda seam: misplaced_share(seam, left, right))
    assert misplaced_share(best, left, right) <= 0.02
    assert abs(best[row] - middle) <= 7, "on the stroke between them"


def test_most_digits_that_overlap_have_a_seam_between_them() -> None:
    """Some have none: where a 7 leans over a 0, the thinnest place is not the one where they touch."""
    shares = []
    for seed in range(8):
        for pair in PAIRS:
            left, right, _, _ = write_pair(pair, seed, distance=-2)
            shares.append(min(misplaced_share(seam, left, right) for seam in find_seams([np.maximum(left, right)])[0]))
    assert np.mean(np.array(shares) <= 0.05) >= 0.45


def test_seam_follows_leaning_strokes() -> None:
    left, right = np.zeros((2, 80, 60), np.uint8)
    cv2.line(left, (8, 76), (30, 4), 255, 6)
    cv2.line(right, (30, 76), (52, 4), 255, 6)
    straight = [misplaced_share(np.full(80, column), left, right) for column in range(60)]
    assert min(straight) > 0
    assert min(misplaced_share(seam, left, right) for seam in find_seams([np.maximum(left, right)])[0]) == 0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=5, max_side=40)))
def test_seams_of_any_ink_run_from_top_to_bottom_inside_it(ink: NDArray[np.uint8]) -> None:
    height, width = ink.shape
    seams = find_seams([ink])[0]
    assert 1 <= len(seams) <= MAX_SEAMS
    for seam in seams:
        assert seam.shape == (height,)
        assert np.abs(np.diff(seam)).max() <= 1
        assert seam.min() >= 1 and seam.max() <= width - 1, "there are columns on either side"
    assert [seam.sum() for seam in seams] == sorted(seam.sum() for seam in seams)


@pytest.mark.parametrize("width", [1, 2])
def test_ink_of_one_or_two_columns_has_no_seams(width: int) -> None:
    assert find_seams([np.full((30, width), 255, np.uint8)]) == [[]]
