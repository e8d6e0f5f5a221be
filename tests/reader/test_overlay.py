import numpy as np
import pytest

from digitedge.errors import InputError
from digitedge.reader.overlay import SURE, UNSURE, draw_reading
from digitedge.reader.reader import Digit, Reading


def reading(*digits: Digit, rows: tuple[str, ...] = ()) -> Reading:
    return Reading(digits, rows, 640, 480, 3.0)


def test_the_frame_itself_stays_as_it_is() -> None:
    frame = np.full((480, 640, 3), 200, np.uint8)
    drawn = draw_reading(frame, reading(Digit(7, 0.9, (100, 100, 40, 60)), rows=("7",)), caption="30 fps")
    assert np.all(frame == 200)
    assert drawn.shape == frame.shape
    assert drawn.dtype == np.uint8
    assert np.any(drawn != 200)


def test_nothing_read_and_no_caption_draws_nothing() -> None:
    frame = np.arange(48 * 64 * 3, dtype=np.uint32).astype(np.uint8).reshape(48, 64, 3)
    assert np.array_equal(draw_reading(frame, reading()), frame)


def test_a_grey_frame_becomes_colour() -> None:
    drawn = draw_reading(np.full((240, 320), 128, np.uint8), reading(Digit(7, 0.9, (100, 100, 40, 60))))
    assert drawn.shape == (240, 320, 3)
    assert tuple(drawn[100, 120]) == SURE


@pytest.mark.parametrize(("confidence", "colour"), [(0.95, SURE), (0.6, UNSURE)], ids=["sure", "unsure"])
@pytest.mark.parametrize("zoom", [0.5, 1, 6], ids=["320", "640", "3840"])
def test_boxes_are_coloured_by_confidence_at_every_size(zoom: float, confidence: float, colour: tuple) -> None:
    frame = np.full((int(480 * zoom), int(640 * zoom), 3), 200, np.uint8)
    box = tuple(int(zoom * side) for side in (200, 200, 60, 80))
    drawn = draw_reading(frame, reading(Digit(3, confidence, box)))
    middle_of_lower_edge = drawn[box[1] + box[3], box[0] + box[2] // 2]
    assert tuple(middle_of_lower_edge) == colour


@pytest.mark.parametrize("zoom", [0.5, 1, 6], ids=["320", "640", "3840"])
def test_labels_grow_with_the_image(zoom: float) -> None:
    frame = np.full((int(480 * zoom), int(640 * zoom), 3), 200, np.uint8)
    x, y, width, height = (int(zoom * side) for side in (200, 200, 60, 80))
    drawn = draw_reading(frame, reading(Digit(3, 0.95, (x, y, width, height))))
    label_rows = np.flatnonzero((drawn[:y, x + 2] == SURE).all(axis=1))
    assert 0.04 < len(label_rows) / frame.shape[0] < 0.09


def test_a_digit_at_the_upper_right_corner_keeps_its_label_inside() -> None:
    frame = np.full((240, 320, 3), 200, np.uint8)
    drawn = draw_reading(frame, reading(Digit(3, 0.95, (300, 0, 20, 40))))
    label = (drawn[42:52] == SURE).all(axis=2)  # below the box
    assert label.any(axis=0).sum() > 10


def test_rows_too_long_or_too_many_for_the_image_still_fit() -> None:
    frame = np.full((120, 160, 3), 200, np.uint8)
    drawn = draw_reading(
        frame, reading(rows=("12345678901234567890",) * 9), caption="a caption that is too long for it"
    )
    assert drawn.shape == frame.shape


def test_rows_are_large_and_readable() -> None:
    frame = np.full((480, 640, 3), 200, np.uint8)
    drawn = draw_reading(frame, reading(rows=("2026",)))
    white = (drawn == 255).all(axis=2).any(axis=1)
    assert white.sum() >= 28  # pixels high
    assert not white[:400].any()


@pytest.mark.parametrize(
    "frame",
    [np.zeros((48, 64, 3), np.float32), np.zeros((48, 64, 4), np.uint8), np.zeros((0, 64), np.uint8)],
    ids=["float", "with alpha", "empty"],
)
def test_other_frames_are_refused(frame: np.ndarray) -> None:
    with pytest.raises(InputError, match="takes uint8"):
        draw_reading(frame, reading())


def test_the_rows_are_written_where_no_digit_stands() -> None:
    frame = np.full((480, 640, 3), 200, np.uint8)
    digits = [Digit(7, 0.9, (20, 400, 40, 60)), Digit(2, 0.9, (560, 400, 40, 60))]
    patch = (frame >> 2)[0, 0]
    for shown, corner in ((digits, (0, 0)), (digits[:1], (479, 639)), (digits[1:], (479, 0)), ([], (479, 0))):
        drawn = draw_reading(frame, reading(*shown, rows=("72",)))
        assert np.array_equal(drawn[corner], patch)


def test_a_label_keeps_off_its_neighbours() -> None:
    frame = np.full((480, 640, 3), 200, np.uint8)
    left, right = Digit(9, 0.5, (100, 200, 30, 60)), Digit(5, 0.9, (140, 200, 30, 60))
    drawn = draw_reading(frame, reading(left, right))
    assert tuple(drawn[197, 134]) != UNSURE  # between the two: the percent is left out
    assert tuple(draw_reading(frame, reading(left))[197, 134]) == UNSURE
