"""The overlay: boxes, labels, rows and caption on images of any size."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.reader import Digit, Reader, Reading
from digitedge.reader.overlay import HIGH_CONFIDENCE_COLOUR, LOW_CONFIDENCE_COLOUR, draw_reading
from digitedge.utils.drawing import Colour

ZOOMS = pytest.mark.parametrize("zoom", [0.5, 1, 6], ids=["320", "640", "3840"])


def make_reading(*digits: Digit, rows: tuple[str, ...] = ()) -> Reading:
    return Reading(digits, rows, 640, 480, 3.0)


def blank(zoom: float = 1) -> NDArray[np.uint8]:
    return np.full((int(480 * zoom), int(640 * zoom), 3), 200, np.uint8)


def test_given_image_is_not_changed() -> None:
    image = blank()
    drawn = draw_reading(image, make_reading(Digit(7, 0.9, (100, 100, 40, 60)), rows=("7",)), caption="30 fps")
    assert np.all(image == 200)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert np.any(drawn != 200)


def test_reading_draws_itself_as_draw_reading_does() -> None:
    reading = make_reading(Digit(7, 0.9, (100, 100, 40, 60)), rows=("7",))
    for caption in (None, "30 fps"):
        expected = draw_reading(blank(), reading, caption=caption)
        np.testing.assert_array_equal(reading.draw(blank(), caption=caption), expected)


def test_nothing_is_drawn_without_digits_and_caption() -> None:
    image = np.arange(48 * 64 * 3, dtype=np.uint32).astype(np.uint8).reshape(48, 64, 3)
    assert np.array_equal(draw_reading(image, make_reading()), image)


def test_grey_image_becomes_colour() -> None:
    drawn = draw_reading(np.full((240, 320), 128, np.uint8), make_reading(Digit(7, 0.9, (100, 100, 40, 60))))
    assert drawn.shape == (240, 320, 3)
    assert tuple(drawn[100, 120]) == HIGH_CONFIDENCE_COLOUR


@pytest.mark.parametrize(
    ("confidence", "colour"),
    [(0.95, HIGH_CONFIDENCE_COLOUR), (0.6, LOW_CONFIDENCE_COLOUR)],
    ids=["high confidence", "low confidence"],
)
@ZOOMS
def test_boxes_have_the_colour_of_their_confidence_at_every_size(
    zoom: float, confidence: float, colour: Colour
) -> None:
    x, y, width, height = (int(zoom * side) for side in (200, 200, 60, 80))
    drawn = draw_reading(blank(zoom), make_reading(Digit(3, confidence, (x, y, width, height))))
    middle_of_lower_edge = drawn[y + height, x + width // 2]
    assert tuple(middle_of_lower_edge) == colour


@ZOOMS
def test_labels_grow_with_the_image(zoom: float) -> None:
    x, y, width, height = (int(zoom * side) for side in (200, 200, 60, 80))
    drawn = draw_reading(blank(zoom), make_reading(Digit(3, 0.95, (x, y, width, height))))
    label_rows = np.flatnonzero((drawn[:y, x + 2] == HIGH_CONFIDENCE_COLOUR).all(axis=1))
    assert 0.04 < len(label_rows) / drawn.shape[0] < 0.09


def test_label_of_a_digit_in_the_upper_right_corner_is_inside_the_image() -> None:
    drawn = draw_reading(blank(0.5), make_reading(Digit(3, 0.95, (300, 0, 20, 40))))
    label = (drawn[42:52] == HIGH_CONFIDENCE_COLOUR).all(axis=2)  # below the box
    assert label.any(axis=0).sum() > 10


def test_rows_and_caption_too_long_for_the_image_are_accepted() -> None:
    reading = make_reading(rows=("12345678901234567890",) * 9)
    drawn = draw_reading(blank(0.25), reading, caption="a caption that is too long for it")
    assert drawn.shape == (120, 160, 3)


def test_rows_are_large_and_at_the_bottom() -> None:
    drawn = draw_reading(blank(), make_reading(rows=("2026",)))
    white = (drawn == 255).all(axis=2).any(axis=1)
    assert white.sum() >= 28  # pixels high
    assert not white[:400].any()


@pytest.mark.parametrize(
    "image",
    [np.zeros((48, 64, 3), np.float32), np.zeros((48, 64, 4), np.uint8), np.zeros((0, 64), np.uint8)],
    ids=["float", "with alpha", "empty"],
)
def test_other_types_and_shapes_are_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match=r"expected an image, uint8 .*got (float32|uint8) \("):
        draw_reading(image, make_reading())


def test_rows_are_drawn_in_a_corner_without_digits() -> None:
    digits = [Digit(7, 0.9, (20, 400, 40, 60)), Digit(2, 0.9, (560, 400, 40, 60))]
    patch = (blank() >> 2)[0, 0]
    for shown, corner in ((digits, (0, 0)), (digits[:1], (479, 639)), (digits[1:], (479, 0)), ([], (479, 0))):
        drawn = draw_reading(blank(), make_reading(*shown, rows=("72",)))
        assert np.array_equal(drawn[corner], patch)


def test_label_does_not_cover_the_next_digit() -> None:
    left, right = Digit(9, 0.5, (100, 200, 30, 60)), Digit(5, 0.9, (140, 200, 30, 60))
    drawn = draw_reading(blank(), make_reading(left, right))
    assert tuple(drawn[197, 134]) != LOW_CONFIDENCE_COLOUR  # between the two: the confidence is left out
    assert tuple(draw_reading(blank(), make_reading(left))[197, 134]) == LOW_CONFIDENCE_COLOUR


@pytest.mark.parametrize("image", [blank(0.5), "page.jpg"], ids=["half the size", "path"])
def test_reading_refuses_to_draw_on_another_image(image: object) -> None:
    with pytest.raises(InputError, match=r"expected (the image that was read, 640 x 480|an image, uint8)"):
        make_reading().draw(image)  # type: ignore[arg-type]


def test_reading_without_image_and_trace_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="has no trace"):
        make_reading().draw()


def test_reading_draws_on_the_image_of_its_trace() -> None:
    reading = Reader().read(blank())
    np.testing.assert_array_equal(reading.draw(), blank())
