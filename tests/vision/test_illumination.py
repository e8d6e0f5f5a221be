"""Illumination and polarity, on pages whose ink is known."""

import numpy as np
import pytest
from drawn_page import DrawnPage
from numpy.typing import NDArray

from digitedge.vision.illumination import (
    MAX_SHADE,
    MIN_SHADED_PX,
    estimate_illumination,
    extract_ink,
    is_light_on_dark,
    remove_shading,
)

# How much of the light falls on each column and each row.
ACROSS = np.linspace(0.35, 1.0, 640)[None, :]
DOWN = np.linspace(0.35, 1.0, 480)[:, None]
LIGHT_FROM = {"left": ACROSS[:, ::-1], "right": ACROSS, "top": DOWN[::-1], "bottom": DOWN}


def remove_illumination(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return extract_ink(grey, estimate_illumination(grey))


@pytest.mark.parametrize("light", LIGHT_FROM.values(), ids=LIGHT_FROM)
def test_ink_is_equally_dark_in_shade_and_in_light(light: NDArray[np.float64]) -> None:
    page = DrawnPage().write("1", (140, 300), 120, level=80)
    page.write("1", (430, 200), 120, level=80)
    ink = remove_illumination((page.grey * light).clip(0, 255).astype(np.uint8))
    cores = [int(ink[y + h // 2, x + w // 2 - 3 : x + w // 2 + 4].max()) for x, y, w, h in page.boxes]
    assert max(cores) - min(cores) <= 12
    assert abs(np.mean(cores) - 255 * (1 - 80 / 220)) <= 12


def test_cast_shadow_leaves_no_ink() -> None:
    grey = DrawnPage().write("8", (100, 300), 120).grey
    grey[:, 400:] = grey[:, 400:] * 0.6
    assert remove_illumination(grey)[:, 480:].max() <= 8, "inside the shadow"


def test_chalk_becomes_bright_ink_on_zero() -> None:
    grey = DrawnPage(paper=50).write("25", (150, 300), 120, level=220).grey
    assert estimate_illumination(grey).inverted
    ink = remove_illumination(grey)
    assert ink[grey > 200].min() > 120
    assert np.median(ink) <= 2


@pytest.mark.parametrize("height", [30, 100, 400])
def test_polarity_is_found_from_writing_of_any_size(height: int) -> None:
    grey = DrawnPage().write("7", (200, 450), height).grey
    assert not is_light_on_dark(grey)
    assert is_light_on_dark(255 - grey)


def test_white_sheet_on_a_dark_table_is_not_inverted() -> None:
    grey = np.full((480, 640), 25, np.uint8)
    grey[60:420, 80:560] = DrawnPage(480, 360).write("632", (60, 220), 100).grey
    assert not estimate_illumination(grey).inverted


def test_table_half_in_shadow_on_a_dark_table_is_not_inverted() -> None:
    """Between the edge of a shadow, the lines and the border of a sheet stay light strips."""
    sheet = np.full((360, 480), 120, np.uint8)
    for x in range(20, 480, 60):
        sheet[20:340, x : x + 2] = 60
    for y in range(20, 360, 30):
        sheet[y : y + 2, 20:460] = 60
    row, column = np.indices(sheet.shape)
    sheet[3 * row + 2 * column > 500] //= 2
    page = DrawnPage(480, 360, paper=0)
    for y in range(45, 340, 30):
        page.write("407", (30, y), 16, level=255)
    sheet = np.where(page.grey > 127, sheet // 3, sheet)
    grey = np.full((480, 640), 12, np.uint8)
    grey[60:420, 80:560] = sheet
    assert not is_light_on_dark(grey)
    assert is_light_on_dark(255 - sheet)


def test_blank_page_is_not_inverted() -> None:
    assert not estimate_illumination(DrawnPage().grey).inverted


def test_dark_table_beside_the_page_leaves_no_ink() -> None:
    grey = DrawnPage().write("4", (60, 300), 100).grey
    grey[:, 420:] = 20
    assert remove_illumination(grey)[:, 500:].max() <= 8


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 3), (2000, 5)], ids=str)
def test_blank_image_of_any_shape_has_no_ink(shape: tuple[int, int]) -> None:
    ink = remove_illumination(np.full(shape, 99, np.uint8))
    assert ink.shape == shape
    assert ink.max() <= 2


def shade(*, level: int = 70, height: int = 40) -> NDArray[np.uint8]:
    """Ink of 100 by 200 pixels with a shaded row in the middle and a stroke on it, and a stroke on the paper."""
    ink = np.zeros((100, 200), np.uint8)
    ink[30 : 30 + height] = level
    ink[35:60, 50:55] = ink[72:97, 50:55] = 190
    return ink


def test_shading_is_removed_and_what_is_written_on_it_stays() -> None:
    clean = remove_shading(shade())
    assert clean[40, [10, 30, 150, 199]].tolist() == [0] * 4
    assert clean[45, 52] == 190 - 70 and clean[85, 52] == 190
    assert np.array_equal(clean > 0, shade() > 100)


@pytest.mark.parametrize(("level", "height"), [(MAX_SHADE + 1, 40), (70, MIN_SHADED_PX - 1)])
def test_dark_areas_and_broad_strokes_are_no_shading(level: int, height: int) -> None:
    ink = shade(level=level, height=height)
    np.testing.assert_array_equal(remove_shading(ink), ink)


@pytest.mark.parametrize("shape", [(1, 1), (MIN_SHADED_PX - 1, 300), (300, 3)])
def test_images_smaller_than_a_shaded_area_stay(shape: tuple[int, int]) -> None:
    ink = np.full(shape, 60, np.uint8)
    np.testing.assert_array_equal(remove_shading(ink), ink)
