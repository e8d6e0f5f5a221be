"""Light and polarity, on pages whose ink is known."""

import numpy as np
import pytest

from digitedge.vision.illumination import ink_of, is_light_on_dark, light_of


def lit(grey, gradient):
    return (grey * gradient).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("direction", ["left", "right", "top", "bottom"])
def test_the_same_ink_is_as_dark_in_shade_as_in_light(page, direction):
    sheet = page().write("1", (140, 300), 120, level=80)
    sheet.write("1", (430, 200), 120, level=80)
    across, down = np.linspace(0.35, 1.0, 640)[None, :], np.linspace(0.35, 1.0, 480)[:, None]
    ramps = {"left": across[:, ::-1], "right": across, "top": down[::-1], "bottom": down}
    grey = lit(sheet.grey, ramps[direction])
    ink = ink_of(grey, light_of(grey))
    cores = [int(ink[y + h // 2, x + w // 2 - 3 : x + w // 2 + 4].max()) for x, y, w, h in sheet.boxes]
    assert max(cores) - min(cores) <= 12
    assert abs(np.mean(cores) - 255 * (1 - 80 / 220)) <= 12


def test_a_cast_shadow_is_no_ink(page):
    grey = page().write("8", (100, 300), 120).grey
    grey[:, 400:] = grey[:, 400:] * 0.6
    ink = ink_of(grey, light_of(grey))
    assert ink[:, 480:].max() <= 8, "inside the shadow"


def test_chalk_becomes_ink_as_dark_ink_does(page):
    grey = page(paper=50).write("25", (150, 300), 120, level=220).grey
    assert light_of(grey).inverted
    ink = ink_of(grey, light_of(grey))
    assert ink[grey > 200].min() > 120
    assert np.median(ink) <= 2


@pytest.mark.parametrize("height", [30, 100, 400])
def test_polarity_is_told_from_writing_of_any_size(page, height):
    grey = page().write("7", (200, 450), height).grey
    assert not is_light_on_dark(grey)
    assert is_light_on_dark(255 - grey)


def test_a_sheet_on_a_dark_table_is_ink_on_paper(page):
    grey = np.full((480, 640), 25, np.uint8)
    grey[60:420, 80:560] = page(480, 360).write("632", (60, 220), 100).grey
    assert not light_of(grey).inverted


def test_a_blank_page_is_paper(page):
    assert not light_of(page().grey).inverted


def test_a_dark_table_is_no_ink(page):
    grey = page().write("4", (60, 300), 100).grey
    grey[:, 420:] = 20
    assert ink_of(grey, light_of(grey))[:, 500:].max() <= 8


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 3), (2000, 5)], ids=str)
def test_any_shape_has_light(shape):
    grey = np.full(shape, 99, np.uint8)
    ink = ink_of(grey, light_of(grey))
    assert ink.shape == shape
    assert ink.max() <= 2
