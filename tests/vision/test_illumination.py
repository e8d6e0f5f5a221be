"""Illumination and polarity, on pages whose ink is known."""

import numpy as np
import pytest
from drawn_page import DrawnPage
from numpy.typing import NDArray

from digitedge.vision.illumination import estimate_illumination, extract_ink, is_light_on_dark

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
