"""The slide of a frame's way: all panels, in the right colours, for frames of any kind."""

import numpy as np
import pytest

from digitedge.reader.reader import Reader
from digitedge.reader.stages import CAPTION, COLUMNS, DROPPED, HEADER, HEIGHT, KEPT, MARGIN, PANEL, WIDTH, draw_stages
from digitedge.synthetic.scenes.plain_scenes import Medium, render_scene
from digitedge.utils.opencv import cv2


class ByWidth:
    """Tells a slim 1 from everything else, which is hardly a 0."""

    def probabilities(self, crops):
        slim = (crops.max(axis=1) > 60).sum(axis=1) < 9
        answers = np.full((len(crops), 10), 0.001, np.float32)
        answers[slim, 1] = answers[~slim, 0] = 0.991
        return answers


def panel(slide, number):
    row, column = divmod(number - 1, COLUMNS)
    x, y = MARGIN + column * (PANEL[0] + MARGIN), HEADER + CAPTION + row * (PANEL[1] + MARGIN + CAPTION)
    return slide[y : y + PANEL[1], x : x + PANEL[0]]


def amount(image, colour):
    return int((image == colour).all(axis=2).sum())


@pytest.fixture
def page():
    """As large as a panel: ones and rings, and below them a short bar that is no digit."""
    grey = np.full((PANEL[1], PANEL[0]), 225, np.uint8)
    for x in (50, 170, 290):
        cv2.line(grey, (x, 65), (x, 115), 40, 6)
        cv2.ellipse(grey, (x + 60, 90), (20, 25), 0, 0, 360, 40, 6)
    cv2.rectangle(grey, (200, 200), (290, 212), 40, cv2.FILLED)
    return grey


def test_the_panels_show_the_steps_of_the_search(page):
    slide = draw_stages(cv2.cvtColor(page, cv2.COLOR_GRAY2BGR), Reader.of(ByWidth()), name="page.png")
    assert slide.shape == (HEIGHT, WIDTH, 3)
    assert slide.dtype == np.uint8
    ink = page < 100
    np.testing.assert_array_equal(panel(slide, 1), np.dstack([page] * 3))
    np.testing.assert_array_equal(panel(slide, 2), np.dstack([page] * 3))
    assert panel(slide, 3)[ink].min() > 200 and panel(slide, 3)[~ink].mean() < 20
    assert amount(panel(slide, 4), (255, 255, 255)) == pytest.approx(np.count_nonzero(ink), rel=0.03)
    np.testing.assert_array_equal(panel(slide, 5), panel(slide, 4))


def test_erased_lines_are_orange_and_the_digits_white(page):
    page[140:143, 10:440] = 40
    slide = draw_stages(page, Reader.of(ByWidth()))
    assert amount(panel(slide, 4), DROPPED) == 0
    assert amount(panel(slide, 5)[138:145], DROPPED) > 0.9 * 3 * 430
    assert amount(panel(slide, 5)[50:130], DROPPED) == 0


def test_what_is_kept_and_what_is_dropped_have_boxes_of_their_own_colour(page):
    boxes = panel(draw_stages(page, Reader.of(ByWidth(), threshold=0.5)), 6)
    assert amount(boxes[40:150], KEPT) > 6 * 2 * 60
    assert amount(boxes[40:150], DROPPED) == 0
    assert amount(boxes[180:300], DROPPED) > 2 * 90
    assert amount(boxes[180:300], KEPT) == 0


def test_the_crops_stand_below_in_reading_order(page):
    slide = draw_stages(page, Reader.of(ByWidth(), threshold=0.5))
    strip = slide[HEADER + 2 * CAPTION + PANEL[1] + MARGIN :, 3 * MARGIN + 2 * PANEL[0] :]
    first, second = strip[:112, :112], strip[:112, 124:236]
    strokes = [np.count_nonzero(np.diff((crop[56, :, 0] > 60).astype(int)) == 1) for crop in (first, second)]
    assert strokes == [1, 2], "half-way down, a one and a ring"


def test_a_page_of_hundreds_of_marks_has_room():
    page = np.full((1500, 2000), 225, np.uint8)
    for y in range(40, 1440, 60):
        for x in range(40, 1960, 40):
            cv2.ellipse(page, (x, y), (8, 14), 0, 0, 360, 40, 3)
    slide = draw_stages(page, Reader.of(ByWidth()), name="x" * 500)
    assert slide.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (3, 5, 3), (40, 3000, 3), (3000, 40)], ids=str)
def test_frames_of_any_shape_have_a_slide(shape):
    assert draw_stages(np.full(shape, 200, np.uint8), Reader.of(ByWidth())).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("medium", list(Medium), ids=lambda medium: medium.name.lower())
def test_the_released_model_has_its_slides(medium):
    scene = render_scene(seed=2, medium=medium)
    frame = scene.frame.copy()
    slide = draw_stages(frame, Reader(), name="scene.png")
    assert amount(panel(slide, 6), KEPT) > 40 * len(scene.digits)
    np.testing.assert_array_equal(frame, scene.frame)
