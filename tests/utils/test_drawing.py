"""Text and boxes, measured in pixels."""

import numpy as np
import pytest

from digitedge.utils.drawing import BLUE, WHITE, draw_box, draw_text, shorten_text, text_width


@pytest.mark.parametrize("height", [8, 14, 30, 60])
def test_text_has_the_given_height_and_the_width_of_text_width(height: int) -> None:
    image = np.zeros((100, 300, 3), np.uint8)
    draw_text(image, "08", (20, 80), height, WHITE)
    rows, columns = np.nonzero(image.max(axis=2) > 100)
    assert np.ptp(rows) + 1 == pytest.approx(height, abs=3)
    assert rows.max() == pytest.approx(80, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(text_width("08", height), abs=max(3, height // 6))


@pytest.mark.parametrize("width", [1, 2])
def test_box_does_not_cover_the_ink_inside(width: int) -> None:
    image = np.full((60, 60, 3), 200, np.uint8)
    draw_box(image, (20, 10, 15, 30), BLUE, width=width)
    assert (image[10:40, 20:35] == 200).all()


def test_box_is_drawn_three_pixels_around_the_ink() -> None:
    image = np.full((60, 60, 3), 200, np.uint8)
    draw_box(image, (20, 10, 15, 30), BLUE, width=1)
    rows, columns = np.nonzero((image == BLUE).all(axis=2))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (17, 7, 37, 42)


@pytest.mark.parametrize("width", [0, 10, 50, 90, 1000])
def test_shortened_name_fits_and_keeps_its_start(width: int) -> None:
    name = "a-very-long-name-of-an-image-0042.png"
    short = shorten_text(name, 10, width)
    assert text_width(short, 10) <= width or short == ".."
    assert short == name if width == 1000 else name.startswith(short.partition("..")[0])
