"""The overlay: boxes and labels on images of any size, rows and caption on the strip below them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.reader import Digit, Reader, Reading
from digitedge.reader.orientation import read_transformed
from digitedge.reader.overlay import HIGH_CONFIDENCE_COLOUR, LOW_CONFIDENCE_COLOUR, draw_reading
from digitedge.utils.drawing import Colour
from digitedge.utils.opencv import cv2
from digitedge.utils.transform import Transform

ZOOMS = pytest.mark.parametrize("zoom", [0.5, 1, 6], ids=["320", "640", "3840"])


def make_reading(*digits: Digit, rows: tuple[str, ...] = ()) -> Reading:
    return Reading(digits, rows, 640, 480, 3.0)


def blank(zoom: float = 1) -> NDArray[np.uint8]:
    return np.full((int(480 * zoom), int(640 * zoom), 3), 200, np.uint8)


def test_given_image_is_not_changed() -> None:
    image = blank()
    drawn = draw_reading(image, make_reading(Digit(7, 0.9, (100, 100, 40, 60)), rows=("7",)), caption="30 fps")
    assert np.all(image == 200)
    assert drawn.shape[0] > image.shape[0]
    assert drawn.shape[1:] == image.shape[1:]
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
    assert tuple(drawn[99, 120]) == HIGH_CONFIDENCE_COLOUR


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
    label_rows = np.flatnonzero((drawn[:y] == HIGH_CONFIDENCE_COLOUR).all(axis=2).any(axis=1))
    assert 0.04 < len(label_rows) / drawn.shape[0] < 0.09


def test_label_of_a_digit_in_the_upper_right_corner_is_inside_the_image() -> None:
    drawn = draw_reading(blank(0.5), make_reading(Digit(3, 0.95, (300, 0, 20, 40))))
    label = (drawn[42:52] == HIGH_CONFIDENCE_COLOUR).all(axis=2)  # below the box
    assert label.any(axis=0).sum() > 10


@pytest.mark.parametrize("zoom", [0.25, 1, 6])
def test_nothing_is_drawn_over_any_digit(zoom: float) -> None:
    """A dense table: 10 rows of 15 digits, each with less space around it than its label needs."""
    boxes = [(40 * x + 5, 46 * y + 5, 32, 38) for y in range(10) for x in range(15)]
    scaled = [tuple(int(zoom * side) for side in box) for box in boxes]
    digits = [Digit(8, 0.5 if number % 7 == 0 else 0.99, box) for number, box in enumerate(scaled)]  # type: ignore[arg-type]
    drawn = draw_reading(blank(zoom), make_reading(*digits))
    for x, y, width, height in (digit.box for digit in digits):
        assert np.all(drawn[y : y + height, x : x + width] == 200)


def test_labels_cover_no_rejected_candidate() -> None:
    page = blank()
    cv2.putText(page, "7", (300, 260), cv2.FONT_HERSHEY_SIMPLEX, 3, (40, 40, 40), 6)
    cv2.line(page, (310, 160), (350, 180), (40, 40, 40), 6)  # where the label would be
    reading = Reader().read(page)
    covered = [one.box for one in reading.trace.decisions if not one.kept] if reading.trace else []
    assert len(reading.digits) == len(covered) == 1
    (x, y, width, height), drawn = covered[0], reading.draw()
    assert np.array_equal(drawn[y : y + height, x : x + width], page[y : y + height, x : x + width])


def test_confidence_is_shown_if_all_labels_have_room_for_it_or_it_is_low() -> None:
    apart = [Digit(7, 0.99, (100, 100, 20, 60)), Digit(2, 0.99, (300, 100, 20, 60))]
    near = [Digit(7, 0.99, (x, 100, 20, 60)) for x in (100, 122, 144, 166, 188)]
    doubtful = [Digit(7, 0.5, (100, 100, 20, 60)), *near[1:]]

    def first_label_width(digits: list[Digit], colour: Colour) -> int:
        above = draw_reading(blank(), make_reading(*digits))[75:95, :121]
        return int((above == colour).all(axis=2).any(axis=0).sum())

    assert first_label_width(apart, HIGH_CONFIDENCE_COLOUR) > 40
    assert first_label_width(near, HIGH_CONFIDENCE_COLOUR) < 40
    assert first_label_width(doubtful, LOW_CONFIDENCE_COLOUR) > 40


def test_boxes_and_labels_are_the_only_change_of_the_image() -> None:
    drawn = draw_reading(blank(), make_reading(Digit(7, 0.9, (100, 100, 40, 60)), rows=("7",)), caption="30 fps")
    changed = np.argwhere((drawn[:480] != 200).any(axis=2))
    assert changed.min(axis=0)[0] > 60
    assert changed.max(axis=0).tolist() < [170, 260]


def test_all_rows_are_on_the_strip_without_a_caption() -> None:
    few, many = (make_reading(rows=("1234567890",) * count) for count in (2, 60))
    heights = [draw_reading(blank(), reading).shape[0] - 480 for reading in (few, many)]
    assert 28 <= heights[0] < 60
    assert heights[1] > 3 * heights[0]


def test_strip_with_a_caption_has_the_same_height_for_every_reading() -> None:
    """A preview must not jump from frame to frame."""
    readings = [make_reading(rows=("1234567890",) * count) for count in (0, 1, 3, 60)]
    assert len({draw_reading(blank(), reading, caption="30 fps").shape for reading in readings}) == 1


def test_without_rows_there_is_no_strip_even_if_numbers_are_known() -> None:
    """The live page shows the rows elsewhere and drops them so."""
    reading = Reading((), (), 640, 480, 3.0, numbers=(("20", "26"),))
    assert np.array_equal(draw_reading(blank(), reading), blank())


def test_rows_are_white_on_the_strip() -> None:
    drawn = draw_reading(blank(), make_reading(rows=("2026",)))
    white = (drawn == 255).all(axis=2).any(axis=1)
    assert white[480:].sum() >= 20  # pixels high
    assert not white[:480].any()


@pytest.mark.parametrize("caption", [None, "a caption that is too long for it"])
def test_rows_and_caption_too_long_for_the_image_are_accepted(caption: str | None) -> None:
    reading = make_reading(rows=("12345678901234567890",) * 9)
    drawn = draw_reading(blank(0.25), reading, caption=caption)
    assert drawn.shape[1:] == (160, 3)


@pytest.mark.parametrize(
    "image",
    [np.zeros((48, 64, 3), np.float32), np.zeros((48, 64, 4), np.uint8), np.zeros((0, 64), np.uint8)],
    ids=["float", "with alpha", "empty"],
)
def test_other_types_and_shapes_are_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match=r"expected an image, uint8 .*got (float32|uint8) \("):
        draw_reading(image, make_reading())


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


def test_reading_of_a_turned_image_is_drawn_on_the_image_that_was_given() -> None:
    page = blank()
    cv2.putText(page, "7", (300, 260), cv2.FONT_HERSHEY_SIMPLEX, 3, (40, 40, 40), 6)
    upright, turned = Reader().read(page), Transform(rotate=90).apply(page)
    reading = read_transformed(Reader(), turned, Transform(rotate=270))
    x, y, width, height = upright.digits[0].box
    assert reading.digits[0].box == (480 - y - height, x, height, width)
    assert reading.draw(turned).shape[1] == 480
    with pytest.raises(InputError, match="no trace of the image that was given"):
        reading.draw()
