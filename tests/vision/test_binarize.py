"""Binarization, on ink whose pixels are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.vision.binarize import binarize


def blank() -> NDArray[np.uint8]:
    return np.zeros((120, 200), np.uint8)


def draw_bar(ink: NDArray[np.uint8], x: int, level: int, width: int = 5) -> NDArray[np.uint8]:
    """Draw a vertical stroke from row 40 to row 79."""
    ink[40:80, x : x + width] = np.maximum(ink[40:80, x : x + width], level)
    return ink


@pytest.mark.parametrize("level", [40, 120, 250])
def test_mask_covers_exactly_the_stroke(level: int) -> None:
    mask = binarize(draw_bar(blank(), 60, level))
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 79, 60, 64)


def test_bold_and_pale_strokes_of_one_page_are_both_in_the_mask() -> None:
    mask = binarize(draw_bar(draw_bar(blank(), 30, 230), 150, 35))
    assert mask[60, 32]
    assert mask[60, 152]


def test_pale_line_beside_a_dark_stroke_is_not_in_the_mask() -> None:
    ink = draw_bar(blank(), 100, 220)
    ink[60] = np.maximum(ink[60], 40)  # a ruled line that crosses the stroke
    mask = binarize(ink)
    assert not mask[60, 94:100].any()
    assert not mask[60, 105:111].any()


@pytest.mark.parametrize("sigma", [1, 4, 10])
def test_noise_of_the_paper_is_not_in_the_mask(sigma: int) -> None:
    rng = np.random.default_rng(sigma)
    ink = rng.normal(3 * sigma, sigma, (300, 400)).clip(0, 255).astype(np.uint8)
    assert not binarize(ink).any()
    assert binarize(draw_bar(ink, 60, 200))[60, 62]


@pytest.mark.parametrize("level", [0, 200, 255])
def test_mask_of_a_uniform_image_is_empty(level: int) -> None:
    assert not binarize(np.full((50, 70), level, np.uint8)).any()


def test_rough_desk_does_not_hide_writing_on_a_smooth_sheet() -> None:
    rng = np.random.default_rng(0)
    ink = rng.normal(40, 25, (480, 640)).clip(0, 255).astype(np.uint8)
    ink[100:380, 200:500] = rng.integers(0, 4, (280, 300), dtype=np.uint8)
    ink[200:280, 300:306] = 60
    mask = binarize(ink)
    assert (mask[200:280, 300:306] > 0).mean() > 0.95
    assert not mask[120:180, 220:480].any()


def test_pale_ink_stays_where_the_finer_level_has_it() -> None:
    ink = draw_bar(draw_bar(blank(), 30, 16), 150, 16)
    assert not binarize(ink).any()
    finer = np.zeros((2 * ink.shape[0] + 1, 2 * ink.shape[1]), np.uint8)
    finer[:, :180] = 255
    mask = binarize(ink, finer)
    np.testing.assert_array_equal(mask[:, :90], 255 * (ink[:, :90] == 16))
    assert not mask[:, 90:].any()


def test_finer_level_of_one_pixel_is_ignored() -> None:
    ink = draw_bar(blank(), 60, 200)[:1]
    np.testing.assert_array_equal(binarize(ink, np.full((1, 2 * ink.shape[1]), 255, np.uint8)), binarize(ink))
