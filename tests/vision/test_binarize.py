"""Where the pen was, on ink whose pixels are known."""

import numpy as np
import pytest

from digitedge.vision.binarize import binarize


def bar(ink, x, level, width=5):
    ink[40:80, x : x + width] = np.maximum(ink[40:80, x : x + width], level)
    return ink


@pytest.mark.parametrize("level", [40, 120, 250])
def test_the_mask_is_the_stroke(level):
    mask = binarize(bar(np.zeros((120, 200), np.uint8), 60, level))
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 79, 60, 64)


def test_bold_and_pale_writing_on_one_page_are_both_found():
    mask = binarize(bar(bar(np.zeros((120, 200), np.uint8), 30, 230), 150, 35))
    assert mask[60, 32]
    assert mask[60, 152]


def test_what_is_pale_beside_a_stroke_is_left_out():
    ink = bar(np.zeros((120, 200), np.uint8), 100, 220)
    ink[60] = np.maximum(ink[60], 40)  # a ruling that crosses the stroke
    mask = binarize(ink)
    assert not mask[60, 94:100].any()
    assert not mask[60, 105:111].any()


@pytest.mark.parametrize("sigma", [1, 4, 10])
def test_grain_is_no_ink(sigma):
    rng = np.random.default_rng(sigma)
    ink = rng.normal(3 * sigma, sigma, (300, 400)).clip(0, 255).astype(np.uint8)
    assert not binarize(ink).any()
    assert binarize(bar(ink, 60, 200))[60, 62]


@pytest.mark.parametrize("level", [0, 200, 255])
def test_an_even_frame_has_no_ink(level):
    assert not binarize(np.full((50, 70), level, np.uint8)).any()


def test_a_rough_desk_does_not_hide_writing_on_a_smooth_sheet():
    rng = np.random.default_rng(0)
    ink = rng.normal(40, 25, (480, 640)).clip(0, 255).astype(np.uint8)
    ink[100:380, 200:500] = rng.integers(0, 4, (280, 300), dtype=np.uint8)
    ink[200:280, 300:306] = 60
    mask = binarize(ink)
    assert (mask[200:280, 300:306] > 0).mean() > 0.95
    assert not mask[120:180, 220:480].any()
