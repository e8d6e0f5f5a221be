"""The slide and the images of the stages: all panels, in the right colours, for images of any kind."""

import numpy as np
import pytest
from numpy.typing import NDArray

from digitedge.errors import InputError
from digitedge.reader import Reader, Trace
from digitedge.reader.stage_images import (
    CAPTION_HEIGHT,
    COLUMNS,
    HEADER_HEIGHT,
    HEIGHT,
    IMAGE_STAGES,
    KEPT_COLOUR,
    MARGIN,
    PANEL_SIZE,
    REJECTED_COLOUR,
    WIDTH,
    draw_crop,
    draw_stages,
    removed_structure,
    stage_image,
)
from digitedge.synthetic.scenes import PLAIN_SCENE_TYPES, Difficulty, render_scene
from digitedge.utils.drawing import Colour
from digitedge.utils.opencv import cv2, to_bgr
from digitedge.vision import Stage


class WidthClassifier:
    """Predicts 1 for slim crops, and 0 for the others."""

    def probabilities(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        slim = (crops.max(axis=1) > 60).sum(axis=1) < 9
        rows = np.full((len(crops), 10), 0.001, np.float32)
        rows[slim, 1] = rows[~slim, 0] = 0.991
        return rows


def trace(image: NDArray[np.uint8]) -> Trace:
    return Reader(WidthClassifier(), threshold=0.5).trace(image)


def panel(slide: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Return a panel of the slide; they are numbered from 1."""
    row, column = divmod(number - 1, COLUMNS)
    x = MARGIN + column * (PANEL_SIZE[0] + MARGIN)
    y = HEADER_HEIGHT + CAPTION_HEIGHT + row * (PANEL_SIZE[1] + MARGIN + CAPTION_HEIGHT)
    return slide[y : y + PANEL_SIZE[1], x : x + PANEL_SIZE[0]]


def count_pixels(image: NDArray[np.uint8], colour: Colour) -> int:
    return int((image == colour).all(axis=2).sum())


@pytest.fixture
def page() -> NDArray[np.uint8]:
    """A grey page as large as a panel: ones and rings, and below them a short bar that is no digit."""
    grey = np.full((PANEL_SIZE[1], PANEL_SIZE[0]), 225, np.uint8)
    for x in (50, 170, 290):
        cv2.line(grey, (x, 65), (x, 115), 40, 6)
        cv2.ellipse(grey, (x + 60, 90), (20, 25), 0, 0, 360, 40, 6)
    cv2.rectangle(grey, (200, 200), (290, 212), 40, cv2.FILLED)
    return grey


def finest(image: NDArray[np.uint8], page: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the part of a stage image that shows the finest level: its left side, as large as the page."""
    return image[: page.shape[0], : page.shape[1]]


def test_stage_images_show_the_page_in_every_level(page: NDArray[np.uint8]) -> None:
    result = trace(to_bgr(page))
    ink = page < 100
    np.testing.assert_array_equal(finest(stage_image(result, Stage.GREY), page), page)
    brightened = finest(stage_image(result, Stage.INK), page)
    assert brightened[ink].min() > 200 and brightened[~ink].mean() < 20
    mask = finest(stage_image(result, Stage.MASK), page)
    assert set(np.unique(mask)) == {0, 255}
    assert np.count_nonzero(mask) == pytest.approx(np.count_nonzero(ink), rel=0.03)
    np.testing.assert_array_equal(stage_image(result, Stage.LINES), to_bgr(stage_image(result, Stage.MASK)))


@pytest.mark.parametrize("shape", [(404, 455), (455, 404), (333, 641), (61, 60), (60, 60)], ids=str)
def test_coarser_levels_stand_below_each_other_beside_the_finest_one(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(1, 256, shape, np.uint8)
    result = trace(image)
    first, *others = (level.grey for level in result.detection.levels)
    shown = stage_image(result, Stage.GREY)
    height, width = first.shape
    assert shown.shape == (height, width + (others[0].shape[1] if others else 0))
    np.testing.assert_array_equal(shown[:, :width], first)
    top = 0
    for level in others:
        bottom = min(height, top + level.shape[0])
        np.testing.assert_array_equal(shown[top:bottom, width : width + level.shape[1]], level[: bottom - top])
        top = bottom


def test_panels_are_the_image_and_the_stage_images(page: NDArray[np.uint8]) -> None:
    page[140:143, 10:440] = 40  # an underline
    result = trace(page)
    slide = draw_stages(result, name="page.png")
    assert slide.shape == (HEIGHT, WIDTH, 3)
    assert slide.dtype == np.uint8
    np.testing.assert_array_equal(panel(slide, 1), np.dstack([page] * 3))
    for number, stage in enumerate(IMAGE_STAGES, start=2):
        image = stage_image(result, stage)
        assert image.dtype == np.uint8
        if stage is Stage.CANDIDATES:
            np.testing.assert_array_equal(image[:300], panel(slide, number)[:300])  # reject reasons are listed below
        else:
            size = (PANEL_SIZE[0], round(image.shape[0] * PANEL_SIZE[0] / image.shape[1]))
            shown = to_bgr(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
            np.testing.assert_array_equal(panel(slide, number)[: size[1]], shown)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in IMAGE_STAGES])
def test_stage_without_an_image_is_refused(page: NDArray[np.uint8], stage: Stage) -> None:
    with pytest.raises(InputError, match=f"expected one of grey, .*candidates, got {stage}"):
        stage_image(trace(page), stage)


def test_removed_structure_is_orange_and_the_digits_white(page: NDArray[np.uint8]) -> None:
    page[140:143, 10:440] = 40
    result = trace(page)
    assert count_pixels(to_bgr(stage_image(result, Stage.MASK)), REJECTED_COLOUR) == 0
    image = stage_image(result, Stage.LINES)
    first = finest(image, page)
    assert count_pixels(first[138:145], REJECTED_COLOUR) > 0.9 * 3 * 430
    assert count_pixels(first[50:130], REJECTED_COLOUR) == 0
    assert count_pixels(first[50:130], (255, 255, 255)) > 1000
    assert count_pixels(image, REJECTED_COLOUR) > count_pixels(first, REJECTED_COLOUR), "also on other levels"
    removed = removed_structure(result.detection.levels[0])
    assert np.count_nonzero(removed[138:145]) == np.count_nonzero(removed) > 0.9 * 3 * 430
    assert set(np.unique(removed)) == {0, 255}


def test_boxes_of_kept_and_rejected_candidates_have_their_own_colours(page: NDArray[np.uint8]) -> None:
    boxes = panel(draw_stages(trace(page)), 6)
    assert count_pixels(boxes[40:150], KEPT_COLOUR) > 6 * 2 * 60
    assert count_pixels(boxes[40:150], REJECTED_COLOUR) == 0
    assert count_pixels(boxes[180:300], REJECTED_COLOUR) > 2 * 90
    assert count_pixels(boxes[180:300], KEPT_COLOUR) == 0


def test_crops_are_drawn_in_reading_order(page: NDArray[np.uint8]) -> None:
    slide = draw_stages(trace(page))
    strip = slide[HEADER_HEIGHT + 2 * CAPTION_HEIGHT + PANEL_SIZE[1] + MARGIN :, 3 * MARGIN + 2 * PANEL_SIZE[0] :]
    first, second = strip[:112, :112], strip[:112, 124:236]
    strokes = [np.count_nonzero(np.diff((crop[56, :, 0] > 60).astype(int)) == 1) for crop in (first, second)]
    assert strokes == [1, 2], "half-way down, a one and a ring"


def test_crop_is_enlarged_without_interpolation_and_the_rest_is_not_changed(page: NDArray[np.uint8]) -> None:
    decisions = trace(page).sorted_decisions()
    canvas = np.full((80, 100, 3), 7, np.uint8)
    draw_crop(canvas, decisions[0], (30, 10), 56)
    crop = decisions[0].prediction.crop
    assert crop is not None
    np.testing.assert_array_equal(canvas[10:66, 30:86], np.dstack([crop.repeat(2, axis=0).repeat(2, axis=1)] * 3))
    canvas[10:66, 30:86] = 7
    assert (canvas == 7).all()
    draw_crop(canvas, decisions[-1], (0, 0), 56)  # the bar has no crop
    assert (canvas == 7).all()


def test_page_with_hundreds_of_candidates_has_a_slide() -> None:
    page = np.full((1500, 2000), 225, np.uint8)
    for y in range(40, 1440, 60):
        for x in range(40, 1960, 40):
            cv2.ellipse(page, (x, y), (8, 14), 0, 0, 360, 40, 3)
    slide = draw_stages(trace(page), name="x" * 500)
    assert slide.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (3, 5, 3), (40, 3000, 3), (3000, 40)], ids=str)
def test_image_of_any_shape_has_a_slide_and_stage_images(shape: tuple[int, ...]) -> None:
    result = trace(np.full(shape, 200, np.uint8))
    assert draw_stages(result).shape == (HEIGHT, WIDTH, 3)
    for stage in IMAGE_STAGES:
        assert stage_image(result, stage).size > 0


@pytest.mark.parametrize("scene_type", PLAIN_SCENE_TYPES)
def test_slide_of_a_plain_scene_shows_every_digit_and_leaves_the_image(scene_type: str) -> None:
    scene = render_scene(seed=2, difficulty=Difficulty.PLAIN, scene_type=scene_type)
    image = scene.frame.copy()
    slide = draw_stages(Reader().trace(image), name="scene.png")
    assert count_pixels(panel(slide, 6), KEPT_COLOUR) > 40 * len(scene.digits)
    np.testing.assert_array_equal(image, scene.frame)
