"""Photographs of filled sheets: every digit is found and labelled by its row, whatever the camera does."""

from dataclasses import replace

import numpy as np
import pytest
from filled_sheet import CROSSED_OUT, EMPTY, FILLED, PEN, filled_page, photo_of

from digitedge import Reader
from digitedge.collecting import CELLS, Cell, KnownSheets, read_sheet, sheet
from digitedge.collecting.cells import extract_cells, extract_page_ink, remove_borders
from digitedge.collecting.example import DPI, fill_in_sheet, page_box
from digitedge.collecting.flatten import flatten
from digitedge.collecting.page import draw_image
from digitedge.collecting.pose import locate_sheet
from digitedge.collecting.save import save_digits
from digitedge.collecting.sheet import block_corner_mm
from digitedge.datasets.collection import list_images, open_collection
from digitedge.errors import DataError, InputError
from digitedge.synthetic.photo.effects import Conditions
from digitedge.synthetic.sheets import Shot, photograph, sample_digit_hand
from digitedge.utils.opencv import cv2, to_grey

SHADOW = Conditions(0, 0, 0.3, 0.5, 0.9, 0, 0, 70)


@pytest.fixture(scope="module")
def classifier():
    return Reader().classifier


def cells_of(reading):
    return {one.cell for one in reading.digits}


@pytest.mark.parametrize(
    "shot",
    [
        Shot(tilt=30, direction=50, turn=12),
        Shot(tilt=20, direction=200, turn=178),
        Shot(tilt=25, direction=120, turn=-93, light=SHADOW),
        Shot(tilt=15, direction=90, curl=0.06),
    ],
    ids=["tilted", "upside down", "on its side in a shadow", "curled"],
)
def test_every_digit_is_found_and_nothing_else(classifier, shot):
    reading = read_sheet(photo_of(shot), classifier)
    assert not reading.unseen
    assert not cells_of(reading) & EMPTY
    assert len(FILLED - cells_of(reading)) <= 1
    assert len(CROSSED_OUT & set(reading.crossed_out)) >= 8
    right = sum(one.predicted == one.cell.row for one in reading.digits if one.cell in FILLED)
    assert right >= 0.85 * len(FILLED)  # this hand is unlike that of MNIST


def test_a_large_photograph_is_read(classifier):
    photo = photo_of()
    large = cv2.resize(photo, (3 * photo.shape[1], 3 * photo.shape[0]), interpolation=cv2.INTER_CUBIC)
    assert len(FILLED - cells_of(read_sheet(large, classifier))) <= 1


def test_a_photograph_that_is_cropped_to_the_markers_is_read(classifier):
    page = filled_page()
    left, top = (round(value * DPI / 25.4) for value in block_corner_mm(sheet.Paper.A4))
    reading = read_sheet(page[top : page.shape[0] - top, left : page.shape[1] - left], classifier)
    assert cells_of(reading) >= FILLED and not reading.unseen


def test_half_a_sheet_is_read_as_far_as_it_is_seen(classifier):
    photo = photo_of()
    reading = read_sheet(photo[: photo.shape[0] // 2], classifier)
    assert 20 <= len(reading.digits) < len(FILLED)
    assert len(reading.unseen) >= 40
    assert not {one.cell for one in reading.digits} & set(reading.unseen)


def test_a_thumb_on_a_corner_hides_no_cell_beside_it(classifier):
    photo = photo_of().copy()
    middle = locate_sheet(to_grey(photo)).to_pixels(np.array([[185.0, 247.0]]))[0]
    cv2.circle(photo, np.rint(middle).astype(int).tolist(), 60, (110, 140, 190), -1)
    reading = read_sheet(photo, classifier)
    assert not reading.unseen and len(FILLED - cells_of(reading)) <= 1


def test_an_empty_sheet_and_one_with_one_digit(classifier):
    page = draw_image(dpi=DPI)
    shot = Shot(tilt=20, direction=10)
    assert read_sheet(photograph(page, np.random.default_rng(0), shot), classifier).filled == 0
    x, y, width, height = page_box(Cell(1, 4))
    cv2.line(page, (x + width // 2, y + 20), (x + width // 2, y + height - 20), (60, 40, 30), 5)
    (only,) = read_sheet(photograph(page, np.random.default_rng(0), shot), classifier).digits
    assert only.cell == Cell(1, 4) and only.predicted == 1


def test_what_is_blacked_out_is_left_out(classifier):
    page = filled_page().copy()
    cells = [Cell(row, 3) for row in range(10)]
    for cell in cells:
        x, y, width, height = page_box(cell)
        page[y + 20 : y + height - 20, x + 15 : x + width - 15] = (70, 40, 40)
    reading = read_sheet(photograph(page, np.random.default_rng(0), Shot(tilt=20, direction=30)), classifier)
    assert len(set(cells) & set(reading.crossed_out)) >= 9


def test_borders_that_a_printer_made_dark_are_removed(classifier):
    page = draw_image(dpi=DPI)
    for cell in CELLS:
        x, y, width, height = page_box(cell)
        cv2.rectangle(page, (x, y), (x + width, y + height), (80, 80, 80), 2)
    photo = photograph(page, np.random.default_rng(0), Shot(tilt=25, direction=70))
    flat = to_grey(flatten(photo, locate_sheet(to_grey(photo))))
    assert extract_cells(extract_page_ink(flat)) == {}


def test_a_stroke_that_crosses_a_border_stays_whole():
    ink = np.zeros((1260, 950), np.uint8)
    x, y, width, height = (round(5 * value) for value in Cell(4, 5).box_mm)
    cv2.rectangle(ink, (x, y), (x + width - 1, y + height - 1), 120, 1)
    border = ink.copy()
    cv2.line(ink, (x + 28, y + 20), (x + 40, y + height + 12), 220, 4)
    assert remove_borders(border).max() < 20
    cleaned = remove_borders(ink)
    count, _ = cv2.connectedComponents((cleaned > 60).view(np.uint8))
    assert count == 2  # paper and one stroke


def test_two_sheets_in_one_photograph_are_noticed(classifier):
    photo = photo_of()
    with pytest.raises(DataError, match="expected one digit sheet, found markers of two"):
        read_sheet(np.hstack([photo, photo]), classifier)


def test_a_foreign_page_is_refused(classifier):
    page = np.full((1000, 800, 3), 230, np.uint8)
    cv2.putText(page, "2026", (200, 500), cv2.FONT_HERSHEY_SIMPLEX, 4, (30, 30, 30), 6)
    with pytest.raises(DataError, match="expected a digit sheet, found none of its markers"):
        read_sheet(page, classifier)


def test_markers_that_lie_about_at_random_are_refused(classifier):
    page = np.full((1400, 1000, 3), 255, np.uint8)
    rng = np.random.default_rng(3)
    for number in range(4):
        bits = np.kron(sheet.marker_bits(number), np.ones((10, 10))).astype(np.uint8) * 255
        x, y = 100 + 400 * (number % 2), 100 + 600 * (number // 2) + int(rng.integers(100, 400))
        page[y : y + 70, x : x + 70] = np.rot90(bits, number)[..., None]
    with pytest.raises(DataError, match="digit sheet"):
        read_sheet(page, classifier)


def test_a_sheet_of_another_version_is_named(classifier, monkeypatch):
    monkeypatch.setattr(sheet, "marker_bits", lambda number, version=2, real=sheet.marker_bits: real(number, version))
    monkeypatch.setattr("digitedge.collecting.page.marker_bits", sheet.marker_bits)
    photo = photograph(draw_image(dpi=100), np.random.default_rng(0), Shot(tilt=10))
    with pytest.raises(DataError, match="of version 1, found one of version 2"):
        read_sheet(photo, classifier)


@pytest.mark.parametrize("image", [np.zeros((10, 10), np.float32), np.zeros((0, 5), np.uint8), None])
def test_what_is_no_image_is_refused(classifier, image):
    with pytest.raises(InputError):
        read_sheet(image, classifier)


def test_digits_are_saved_once_under_the_label_of_their_row(classifier, tmp_path):
    reading = read_sheet(photo_of(), classifier)
    added = save_digits(tmp_path, reading, writer="0a1b2c3d", source="photo.jpg")
    assert len(added) == len(reading.digits)
    assert save_digits(tmp_path, reading, writer="0a1b2c3d", source="copy.jpg") == []
    images = list_images(tmp_path)
    assert len(images) == len(added) == len(open_collection(tmp_path).records)
    for image in images:
        record = image.record
        assert image.label == record.asked == int(record.cell[1]) and record.source == "photo.jpg"
        assert image.path.name == f"{reading.sheet}-{record.cell}.png" and record.writer == "0a1b2c3d"


def test_another_photograph_of_the_same_sheet_adds_only_what_is_new(classifier, tmp_path):
    first = read_sheet(photo_of(), classifier)
    half = replace(first, digits=first.digits[::2])
    save_digits(tmp_path, half, writer="", source="first.jpg")
    again = read_sheet(photo_of(Shot(tilt=12, direction=230, turn=-20, blur=1.2, light=SHADOW)), classifier)
    assert again.sheet != first.sheet
    added = save_digits(tmp_path, again, writer="", source="again.jpg")
    expected = {one.cell.name for one in again.digits} - {one.cell.name for one in half.digits}
    assert {path.stem.split("-")[1] for path in added} == expected
    assert {path.stem.split("-")[0] for path in added} == {first.sheet}
    assert save_digits(tmp_path, again, writer="", source="again.jpg") == []


def test_another_sheet_of_the_same_hand_is_a_new_one(classifier, tmp_path):
    save_digits(tmp_path, read_sheet(photo_of(), classifier), writer="", source="first.jpg")
    other = fill_in_sheet(sample_digit_hand(5, PEN), np.random.default_rng(6))
    reading = read_sheet(photograph(other, np.random.default_rng(2), Shot(tilt=10)), classifier)
    assert KnownSheets(tmp_path).find(reading) is None
    assert len(save_digits(tmp_path, reading, writer="", source="other.jpg")) == len(reading.digits)
