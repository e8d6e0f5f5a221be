"""The crop contract, on drawn ink whose crop is known."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.utils.opencv import as_uint8, cv2
from digitedge.vision import normalize_digit
from digitedge.vision.normalize import CENTRE, DIGIT_SIZE, stroke_width


def centre_of_mass(crop: NDArray[np.uint8]) -> tuple[float, float]:
    rows, columns = np.indices(crop.shape)
    return (columns * crop).sum() / crop.sum(), (rows * crop).sum() / crop.sum()


def draw_seven(size: int, pen: int, level: int = 255) -> NDArray[np.uint8]:
    ink = np.zeros((size, size), np.uint8)
    edge = size // 5
    points = np.array([[edge, edge], [size - edge, edge], [size // 2, size - edge]], np.int32)
    cv2.polylines(ink, [points], False, level, pen, cv2.LINE_AA)
    return ink


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (8, 5), (20, 20), (28, 28), (37, 640), (1500, 900)], ids=str
)
def test_filled_block_keeps_its_aspect_and_fits_into_20_pixels(shape: tuple[int, int]) -> None:
    crop = normalize_digit(np.full(shape, 200, np.uint8))
    _, _, width, height = cv2.boundingRect((crop > 25).astype(np.uint8))
    assert crop.shape == (28, 28)
    assert crop.dtype == np.uint8
    assert max(width, height) == DIGIT_SIZE
    expected = max(1, round(DIGIT_SIZE * min(shape) / max(shape)))
    assert expected <= min(width, height) <= max(3, expected), "only strokes thinner than three pixels are widened"


@pytest.mark.parametrize("size", [8, 12, 20, 50, 200, 1000])
def test_centre_of_mass_is_at_the_centre_of_the_crop(size: int) -> None:
    x, y = centre_of_mass(normalize_digit(draw_seven(2 * size, max(1, size // 6))))
    assert abs(x - CENTRE) <= 0.75
    assert abs(y - CENTRE) <= 0.75


def test_crop_that_meets_the_contract_is_not_changed() -> None:
    crop = normalize_digit(draw_seven(400, 34))  # 20 pixels high, strokes of 2 to 3 pixels
    np.testing.assert_array_equal(normalize_digit(crop), crop)


def test_crop_does_not_depend_on_the_position_in_the_image() -> None:
    ink = draw_seven(60, 6)
    moved = as_uint8(cv2.copyMakeBorder(ink, 200, 3, 0, 77, cv2.BORDER_CONSTANT, value=0))
    np.testing.assert_array_equal(normalize_digit(moved), normalize_digit(ink))


def test_crop_hardly_depends_on_the_size_of_the_digit() -> None:
    small, large = (cv2.GaussianBlur(normalize_digit(draw_seven(size, size // 12)), (0, 0), 1) for size in (60, 900))
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("size", [100, 400, 1000])
@pytest.mark.parametrize("level", [20, 120, 255])
def test_thin_pale_pen_on_a_large_digit_gives_strokes_like_mnist(size: int, level: int) -> None:
    crop = normalize_digit(draw_seven(size, 2, level))
    assert crop.max() >= 250
    assert 1.8 <= stroke_width(crop) <= 3.5


def test_thick_strokes_stay_thick() -> None:
    crop = normalize_digit(draw_seven(400, 80))
    assert stroke_width(crop) > 4


def test_faint_noise_does_not_widen_the_box() -> None:
    rng = np.random.default_rng(1)
    ink = draw_seven(100, 9)
    noisy = as_uint8(cv2.copyMakeBorder(ink, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=0))
    noisy = np.maximum(noisy, rng.integers(0, 20, noisy.shape, dtype=np.uint8))
    assert np.abs(normalize_digit(noisy).astype(int) - normalize_digit(ink)).mean() < 6


def test_grey_levels_are_kept() -> None:
    ink = np.zeros((20, 20), np.uint8)
    ink[:, 8:12] = 255
    ink[10:, 8:12] = 128
    crop = normalize_digit(ink)
    assert sorted(set(crop.ravel().tolist())) == [0, 128, 255]


def test_blank_ink_gives_a_blank_crop() -> None:
    assert not normalize_digit(np.zeros((40, 30), np.uint8)).any()


def test_binary_ink_of_ones_becomes_white() -> None:
    assert normalize_digit(draw_seven(64, 6, 255) // 255).max() >= 250


@pytest.mark.parametrize(
    "ink",
    [
        np.zeros((28, 28)),
        np.zeros((28, 28), np.int8),
        np.zeros((28, 28, 3), np.uint8),
        np.zeros((0, 5), np.uint8),
        [[1]],
    ],
    ids=["float", "int8", "colour", "empty", "list"],
)
def test_anything_but_a_grey_uint8_array_is_refused(ink: Any) -> None:
    with pytest.raises(InputError, match=r"uint8 \(H, W\).*got"):
        normalize_digit(ink)


def test_input_is_not_written_to() -> None:
    ink = draw_seven(90, 3, 100)
    before = ink.copy()
    ink.flags.writeable = False
    normalize_digit(ink)
    np.testing.assert_array_equal(ink, before)


@settings(max_examples=200, deadline=None)
@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=60)))
def test_any_ink_gives_a_crop(ink: NDArray[np.uint8]) -> None:
    crop = normalize_digit(ink)
    assert crop.shape == (28, 28)
    assert crop.dtype == np.uint8
    assert bool(crop.any()) == bool(ink.any())
