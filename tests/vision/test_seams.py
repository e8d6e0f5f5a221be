"""Cuts through digits that touch at a known place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from digitedge.synthetic.handwriting.digits import render_ink
from digitedge.utils.opencv import cv2
from digitedge.vision.seams import MOST, cut_paths

HEIGHT, PEN = 80, 8
PAIRS = ["23", "56", "80", "44", "07", "91", "35", "68", "11", "17", "50", "29"]


def place(pair, seed, apart):
    """Two digits, each alone on the same paper, `apart` pixels where they are nearest, and the row of that place."""
    rng = np.random.default_rng(seed)
    left, right = (render_ink(int(digit), rng, height=HEIGHT, pen_width=PEN) for digit in pair)
    ends = [np.max(np.flatnonzero(row > 127), initial=-999) for row in left]
    starts = [np.min(np.flatnonzero(row > 127), initial=999) for row in right]
    row = int(np.argmin(np.subtract(starts, ends)))
    shift = int(ends[row] - starts[row]) + 1 + apart
    paper = np.zeros((2, HEIGHT, max(left.shape[1], shift + right.shape[1])), np.uint8)
    paper[0, :, : left.shape[1]], paper[1, :, shift : shift + right.shape[1]] = left, right
    return paper[0], paper[1], row, ends[row] + 1 + apart / 2


def misplaced(path, left, right):
    """Share of the ink that a cut gives to the wrong digit."""
    is_right = np.arange(left.shape[1]) >= path[:, None]
    return (left[is_right].sum(dtype=float) + right[~is_right].sum(dtype=float)) / (left.sum() + right.sum(dtype=float))


@pytest.mark.parametrize("pair", PAIRS)
def test_digits_joined_by_a_stroke_are_parted_on_it(pair):
    left, right, row, middle = place(pair, seed=0, apart=12)
    ink = np.maximum(left, right)
    cv2.line(ink, (int(middle) - 8, row), (int(middle) + 8, row), 255, PEN // 2)
    paths = cut_paths(ink)
    best = min(paths, key=lambda path: misplaced(path, left, right))
    assert misplaced(best, left, right) <= 0.02
    assert abs(best[row] - middle) <= 7, "on the stroke between them"


def test_digits_pushed_together_are_parted_more_often_than_not():
    """Some cannot be: where a 7 leans over a 0, the thinnest place is not the one where they touch."""
    shares = []
    for seed in range(4):
        for pair in PAIRS:
            left, right, _, _ = place(pair, seed, apart=-2)
            shares.append(min(misplaced(path, left, right) for path in cut_paths(np.maximum(left, right))))
    assert np.mean(np.array(shares) <= 0.05) >= 0.5


def test_a_cut_follows_what_leans():
    left, right = np.zeros((2, 80, 60), np.uint8)
    cv2.line(left, (8, 76), (30, 4), 255, 6)
    cv2.line(right, (30, 76), (52, 4), 255, 6)
    straight = [misplaced(np.full(80, column), left, right) for column in range(60)]
    assert min(straight) > 0
    assert min(misplaced(path, left, right) for path in cut_paths(np.maximum(left, right))) == 0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, min_side=5, max_side=40)))
def test_paths_of_any_ink_go_down_row_by_row_inside_of_it(ink):
    height, width = ink.shape
    paths = cut_paths(ink)
    assert 1 <= len(paths) <= MOST
    for path in paths:
        assert path.shape == (height,)
        assert np.abs(np.diff(path)).max() <= 1
        assert path.min() >= 1 and path.max() <= width - 1, "something is left on either side"
    assert [path.sum() for path in paths] == sorted(path.sum() for path in paths)
