"""Type and boxes, measured in pixels."""

import numpy as np
import pytest

from digitedge.utils.drawing import BLUE, draw_box, shortened, text_width, write


@pytest.mark.parametrize("height", [8, 14, 30, 60])
def test_type_is_as_high_and_as_wide_as_told(height):
    image = np.zeros((100, 300, 3), np.uint8)
    write(image, "08", (20, 80), height, (255, 255, 255))
    rows, columns = np.nonzero(image.max(axis=2) > 100)
    assert np.ptp(rows) + 1 == pytest.approx(height, abs=3)
    assert rows.max() == pytest.approx(80, abs=2)
    assert np.ptp(columns) + 1 == pytest.approx(text_width("08", height), abs=max(3, height // 6))


@pytest.mark.parametrize("width", [1, 2])
def test_a_box_leaves_the_ink_free(width):
    image = np.full((60, 60, 3), 200, np.uint8)
    draw_box(image, (20, 10, 15, 30), BLUE, width=width)
    assert (image[10:40, 20:35] == 200).all()


def test_a_box_is_three_pixels_around_the_ink():
    image = np.full((60, 60, 3), 200, np.uint8)
    draw_box(image, (20, 10, 15, 30), BLUE, width=1)
    rows, columns = np.nonzero((image == BLUE).all(axis=2))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (17, 7, 37, 42)


@pytest.mark.parametrize("room", [0, 10, 50, 90, 1000])
def test_a_shortened_name_fits(room):
    name = "a-very-long-name-of-a-image-0042.png"
    short = shortened(name, 10, room)
    assert text_width(short, 10) <= room or short == ".."
    assert short == name if room == 1000 else name.startswith(short.partition("..")[0])
